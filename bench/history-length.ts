import { dayOf } from '../src/domain/calendar.ts';
import { ingest } from '../src/ingest/ingest.ts';
import { type BenchCase, median, ratio, timed } from './case.ts';
import { purchase } from './shop.ts';

const LAST_DAY = dayOf(2026, 1, 1);

/** What one more purchase costs a customer with many past purchases, against one with ten: the fold must not read the history again. */
export const historyLengthCase: BenchCase = async (server, quick) => {
  const shop = await server.shop('history_length');
  const long = quick ? 1_000 : 10_000;
  const rounds = quick ? 20 : 200;
  for (const [customer, length] of [
    ['short', 10],
    ['long', long],
  ] as const) {
    const past = Array.from({ length }, (_, index) =>
      purchase(customer, index, LAST_DAY - Math.floor((length - index) * (3_000 / length)), 1_000),
    );
    for (let at = 0; at < past.length; at += 1_000) await ingest(shop.engine, past.slice(at, at + 1_000));
  }
  await shop.pool.query('vacuum analyze');
  const times = { short: [] as number[], long: [] as number[] };
  let touched = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const customer of round % 2 === 0 ? (['short', 'long'] as const) : (['long', 'short'] as const)) {
      const change = purchase(customer, 1_000_000 + round, LAST_DAY + Math.floor(round / 2), 1_000);
      times[customer].push(await timed(() => ingest(shop.engine, [change])));
    }
    touched = Math.max(touched, shop.lastRollupRows());
  }
  const late = await timed(() => ingest(shop.engine, [purchase('long', 2_000_000, LAST_DAY - 2_000, 1_000)]));
  const [short_ms, long_ms] = [median(times.short), median(times.long)];
  return [
    {
      case: 'ingest by history length',
      what: `one purchase, ${long.toLocaleString('en')} past purchases against 10 (${long_ms.toFixed(1)} ms against ${short_ms.toFixed(1)} ms, ${rounds} each)`,
      figure: ratio(long_ms / short_ms),
      target: '≤ 1.5×',
    },
    {
      case: 'ingest by history length',
      what: `one late purchase, ${long.toLocaleString('en')} past purchases`,
      figure: `${late.toFixed(0)} ms`,
    },
    {
      case: 'roll-up rows',
      what: 'touched by one purchase of a customer without groups, four models, at most',
      figure: String(touched),
    },
  ];
};
