import { dayOf } from '../src/domain/calendar.ts';
import { ingest } from '../src/ingest/ingest.ts';
import { type BenchCase, type Figure, median, ratio, timed } from './case.ts';
import type { BenchShop } from './database.ts';
import { purchase } from './shop.ts';
import { verified } from './verified.ts';

const LAST_DAY = dayOf(2026, 1, 1);
const DAYS = 3_000;
const SHORT = 10;

/**
 * What one more purchase costs a customer with many past purchases, against customers with ten: the fold must not read the history again. And what a late one costs,
 * for which it must. Every round asks a customer with ten of its own.
 */
export const historyLengthCase: BenchCase = async (server, { quick }) => {
  const shop = await server.shop('history_length');
  const long = quick ? 1_000 : 10_000;
  const [rounds, lateRounds] = quick ? [20, 5] : [200, 50];
  await storePast(shop, 'long', long);
  for (let round = 0; round < rounds; round += 1) await storePast(shop, `short-${round}`, SHORT);
  await shop.pool.query('vacuum analyze');
  const next = await alternate(shop, rounds, (round) => ({
    index: 1_000_000 + round,
    day: LAST_DAY + Math.floor(round / 2),
  }));
  const late = await alternate(shop, lateRounds, (round) => ({
    index: 2_000_000 + round,
    day: LAST_DAY - Math.floor(((round + 1) * (DAYS - 100)) / (lateRounds + 1)),
  }));
  return [
    { ...compared('one purchase', long, next, rounds), figure: ratio(next.long / next.short), target: '≤ 1.2×' },
    {
      ...compared(`one late purchase, up to ${DAYS - 100} days back`, long, late, lateRounds),
      figure: `${late.long.toFixed(1)} ms`,
    },
    {
      case: 'roll-up rows',
      what: 'touched by one purchase of a customer without groups, four models, at most',
      figure: String(next.touched),
    },
    await verified(shop, 'purchases one by one, late ones too'),
  ];
};

/** Stores evenly spaced purchases of a customer, the last one the day before `LAST_DAY`. */
async function storePast(shop: BenchShop, customer: string, length: number): Promise<void> {
  const past = Array.from({ length }, (_, index) =>
    purchase(customer, index, LAST_DAY - Math.max(1, Math.floor((length - index) * (DAYS / length))), 1_000),
  );
  for (let at = 0; at < past.length; at += 1_000) await ingest(shop.engine, past.slice(at, at + 1_000));
}

interface Measured {
  /** Median milliseconds. */
  readonly short: number;
  readonly long: number;
  /** Roll-up rows written by one purchase at most. */
  readonly touched: number;
}

/** One purchase a round for the long history and for a short one, in turns. */
async function alternate(
  shop: BenchShop,
  rounds: number,
  of: (round: number) => { readonly index: number; readonly day: number },
): Promise<Measured> {
  const times = { short: [] as number[], long: [] as number[] };
  let touched = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const length of round % 2 === 0 ? (['short', 'long'] as const) : (['long', 'short'] as const)) {
      const { index, day } = of(round);
      const change = purchase(length === 'long' ? 'long' : `short-${round}`, index, day, 1_000);
      times[length].push(await timed(() => ingest(shop.engine, [change])));
      touched = Math.max(touched, shop.lastRollupRows());
    }
  }
  return { short: median(times.short), long: median(times.long), touched };
}

function compared(
  what: string,
  long: number,
  { short: short_ms, long: long_ms }: Measured,
  rounds: number,
): Omit<Figure, 'figure'> {
  const lengths = `${long.toLocaleString('en')} past purchases against ${SHORT}`;
  const times = `${long_ms.toFixed(1)} ms against ${short_ms.toFixed(1)} ms, ${rounds} each`;
  return { case: 'ingest by history length', what: `${what}, ${lengths} (${times})` };
}
