import { pino } from 'pino';
import { buildApp } from '../src/app.ts';
import { fixedKeys } from '../src/http/keys.ts';
import { ingest } from '../src/ingest/ingest.ts';
import { type BenchCase, median, ratio, timed } from './case.ts';
import type { BenchServer } from './database.ts';
import { purchasesInOrder } from './shop.ts';

const PATHS = {
  day: '/v1/reports/stage-population?as_of=2025-06-15',
  series: '/v1/reports/stage-population?from=2023-01-01&to=2026-01-01',
};

interface Measured {
  readonly customers: number;
  readonly load_s: number;
  readonly day_ms: number;
  readonly series_ms: number;
}

/** The stage population of a day, and as a series of 36 months, over HTTP, with ten times as many customers. */
export const populationCase: BenchCase = async (server, quick) => {
  const sizes = quick ? [500, 2_000] : [10_000, 100_000];
  const measured: Measured[] = [];
  for (const customers of sizes) measured.push(await measure(server, customers, quick ? 50 : 500));
  const [small, large] = measured as [Measured, Measured];
  const times = (kind: 'day_ms' | 'series_ms'): string =>
    `${large[kind].toFixed(2)} ms against ${small[kind].toFixed(2)} ms`;
  const sizesText = `${large.customers.toLocaleString('en')} customers against ${small.customers.toLocaleString('en')}`;
  return [
    {
      case: 'stage-population over HTTP',
      what: `one day, ${sizesText} (median ${times('day_ms')})`,
      figure: ratio(large.day_ms / small.day_ms),
      target: '≤ 1.5×',
    },
    {
      case: 'stage-population over HTTP',
      what: `36 months, ${sizesText} (median ${times('series_ms')})`,
      figure: ratio(large.series_ms / small.series_ms),
      target: '≤ 1.5×',
    },
    {
      case: 'loading',
      what: `${large.customers.toLocaleString('en')} customers in batches of 1,000`,
      figure: `${large.load_s.toFixed(0)} s`,
    },
  ];
};

async function measure(server: BenchServer, customers: number, rounds: number): Promise<Measured> {
  const shop = await server.shop(`population_${customers}`);
  const changes = purchasesInOrder(customers, 2);
  const load_ms = await timed(async () => {
    for (let at = 0; at < changes.length; at += 1_000) await ingest(shop.engine, changes.slice(at, at + 1_000));
  });
  await shop.pool.query('vacuum analyze');
  const source = { current: () => shop.engine, ready: async () => true };
  const limits = { body_bytes: 1_000_000, request_timeout_ms: 30_000 };
  const { server: app } = await buildApp({
    source,
    keys: fixedKeys(''),
    log: pino({ level: 'silent' }),
    pool: shop.pool,
    limits,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const times = { day: [] as number[], series: [] as number[] };
  for (let round = -5; round < rounds; round += 1) {
    for (const kind of ['day', 'series'] as const) {
      const ms = await timed(async () => await (await fetch(`${url}${PATHS[kind]}`)).arrayBuffer());
      if (round >= 0) times[kind].push(ms);
    }
  }
  await app.close();
  return { customers, load_s: load_ms / 1_000, day_ms: median(times.day), series_ms: median(times.series) };
}
