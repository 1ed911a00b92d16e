import type { Day } from '../domain/calendar.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Seconds of a day. */
export const DAY_SECONDS = 86_400;

/** Something the shop sells. */
export interface Product {
  readonly code: string;
  readonly range: string;
  readonly price_minor: number;
  readonly cost_share: number;
  readonly popularity: number;
}

/** How busy a day is beside an average one: January to December, and Sunday to Saturday. */
const MONTHS = [0.85, 0.85, 0.95, 1, 1.05, 0.95, 0.85, 0.7, 1, 1.05, 1.35, 1.9];
const WEEKDAYS = [0.75, 1.1, 1.05, 1, 1.05, 1.15, 0.9];

/** How busy a day is: about 1 on average. */
export function busyness(day: Day): number {
  const date = new Date(day * DAY_SECONDS * 1000);
  const month = date.getUTCMonth();
  const afterChristmas = month === 11 && date.getUTCDate() > 24 ? 0.35 : 1;
  return (MONTHS[month] ?? 1) * (WEEKDAYS[date.getUTCDay()] ?? 1) * afterChristmas;
}

/** What the shop sells, with a typical price. */
export const RANGES = [
  ['coffee', 12],
  ['tea', 8],
  ['chocolate', 6],
  ['spice', 5],
  ['oil', 14],
  ['wine', 16],
  ['cheese', 11],
  ['crockery', 32],
] as const;

/** Fifteen products of each range. The k-th most popular of all sells like 1/k^0.8. */
export function stockUp(random: SeededRandom): Product[] {
  const products = RANGES.flatMap(([range, price]) =>
    Array.from({ length: 15 }, (_, index) => ({
      code: `${range}-${String(index + 1).padStart(2, '0')}`,
      range,
      price_minor: Math.ceil(random.logNormal(price, 0.45)) * 100 - 10,
      cost_share: 0.48 + 0.2 * random.fraction(),
      luck: random.fraction(),
    })),
  );
  products.sort((one, other) => one.luck - other.luck);
  return products.map(({ luck: _, ...product }, rank) => ({
    ...product,
    popularity: Math.exp(-0.8 * Math.log(rank + 1)),
  }));
}
