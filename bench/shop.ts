import { seededRandom } from '../src/commands/seeded-random.ts';
import { dayOf } from '../src/domain/calendar.ts';
import type { Purchase } from '../src/domain/history.ts';
import type { Change } from '../src/ingest/change.ts';

const DAY_MICROS = 86_400_000_000;
const FIRST_DAY = dayOf(2023, 1, 1);
const DAYS = 1_095;

/** A purchase change on a day, `index` making it unlike all others. */
export function purchase(customer: string, index: number, day: number, amount: number): Change {
  const event: Purchase = {
    purchase_id: `o-${index}`,
    moment: { at: day * DAY_MICROS + (index % 86_400) * 1_000_000, day, plain: false },
    amount,
    cost: Math.round(amount * 0.6),
    discount: 0,
    products: [],
    voided: false,
  };
  return { type: 'event', mode: 'post', kind: 'purchases', customer_id: customer, event };
}

/** Purchases of a seeded shop over three years in time order: about four a customer, very unequal, as in real shops. */
export function purchasesInOrder(customers: number, seed: number): Change[] {
  const random = seededRandom(seed);
  const days: { customer: number; day: number }[] = [];
  for (let customer = 0; customer < customers; customer += 1) {
    const purchases = Math.min(60, 1 + Math.floor(random.gamma(0.8, 4)));
    const first = random.integer(0, DAYS - 1);
    for (let n = 0; n < purchases; n += 1)
      days.push({ customer, day: n === 0 ? first : random.integer(first, DAYS - 1) });
  }
  days.sort((a, b) => a.day - b.day || a.customer - b.customer);
  return days.map(({ customer, day }, index) =>
    purchase(
      `customer-${String(customer).padStart(7, '0')}`,
      index,
      FIRST_DAY + day,
      Math.round(random.logNormal(4_000, 0.8)),
    ),
  );
}
