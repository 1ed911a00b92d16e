import { Worker } from 'node:worker_threads';
import { REPORTS } from '../src/reports/registry.ts';
import { type BenchCase, type Figure, median, timed } from './case.ts';
import type { BenchServer } from './database.ts';
import type { ReadOrder, ReadReport } from './read-client.ts';
import { startService } from './service-process.ts';

/** Reports that read customers, not roll-ups: measured cold, and again from the cache; the first that fits a path says how long a cold answer may take. */
const EXACT = [
  ['value-segments?period=', '≤ 2,000 ms'],
  ['value-segments', '≤ 500 ms'],
  ['model-crosswalk', '≤ 500 ms'],
] as const;
/** What is asked beside every report with its own defaults. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  'stage-population': ['?from=-36m&to=today'],
  'cohort-retention': ['?grain=week'],
  'stage-retention': ['?grain=week'],
  'value-segments': ['?period=last-year'],
};
const LISTS = [
  '/v1/customers?stage=first_time_buyer&activity=lapsed',
  '/v1/customers?stage=core_customer&activity=at_risk',
  '/v1/customers?stage=prospect&activity=none',
  '/v1/customers?stage=first_time_buyer&activity=lapsed&sort=profit',
  '/v1/customers?stage=core_customer&activity=at_risk&sort=profit',
];

interface Measured {
  readonly p50: number;
  readonly p99: number;
  readonly bytes: number;
}

/** Every report over HTTP with its defaults, of a big shop against a small one. */
export const reportsCase: BenchCase = async (server, { quick, customers: large }) => {
  const small = Math.ceil(large / 100);
  const rounds = quick ? 20 : 300;
  const before = await measure(server, small, rounds);
  const after = await measure(server, large, rounds);
  const { customers, purchases, fold_s } = after.shop.filled;
  const size = `${customers.toLocaleString('en')} customers, ${purchases.toLocaleString('en')} purchases`;
  const figures: Figure[] = [...after.times].map(([path, { p50, p99, bytes }]) => {
    const then = before.times.get(path)!;
    const what = `${path} (${bytes.toLocaleString('en')} bytes; median ${p50.toFixed(1)} ms against ${then.p50.toFixed(1)} ms of ${small.toLocaleString('en')})`;
    return {
      case: size,
      what,
      figure: `p99 ${p99.toFixed(1)} ms`,
      target: path.startsWith('/v1/customers') ? '≤ 50 ms' : '≤ 10 ms',
    };
  });
  const cold = [...after.cold].map(([path, ms]) => ({
    case: size,
    what: `${path}, first answer`,
    figure: `${ms.toFixed(0)} ms`,
    target: coldTarget(path)!,
  }));
  const rate = `${Math.round(purchases / fold_s).toLocaleString('en')} purchases/s`;
  return [
    ...figures,
    ...cold,
    { case: size, what: `rebuild of everything in ${fold_s.toFixed(0)} s`, figure: rate, target: '≥ 100,000/s' },
    before.shop.verified,
    after.shop.verified,
  ];
};

async function measure(server: BenchServer, customers: number, rounds: number) {
  const shop = await server.bigShop(customers);
  const service = await startService(shop);
  const client = new Worker(new URL('read-client.ts', import.meta.url));
  const times = new Map<string, Measured>();
  const cold = new Map<string, number>();
  for (const path of paths()) {
    const url = `${service.url}${path}`;
    const first = await timed(async () => await (await fetch(url)).arrayBuffer());
    if (coldTarget(path) !== undefined) cold.set(path, first);
    times.set(path, await readOften(client, { url, rounds }));
  }
  await client.terminate();
  await service.stop();
  return { shop, times, cold };
}

/** What a cold answer to a report, or a path of it, may take; undefined if the report reads roll-ups alone. */
export function coldTarget(path: string): string | undefined {
  return EXACT.find(([name]) => path.includes(name))?.[1];
}

function paths(): string[] {
  const reports = REPORTS.flatMap(({ definition: { report } }) =>
    ['', ...(VARIANTS[report] ?? [])].map((query) => `/v1/reports/${report}${dated(query)}`),
  );
  return [...reports, ...LISTS];
}

/** Fills in the days of a query that count from today. */
function dated(query: string): string {
  const today = new Date();
  const back = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - 35, 1));
  return query
    .replace('-36m', back.toISOString().slice(0, 10))
    .replace('today', today.toISOString().slice(0, 10))
    .replace('last-year', String(today.getUTCFullYear() - 1));
}

async function readOften(client: Worker, order: ReadOrder): Promise<Measured> {
  const { latencies, bytes } = await new Promise<ReadReport>((resolve, reject) => {
    client.once('message', resolve).once('error', reject);
    client.postMessage(order);
  });
  client.removeAllListeners('error');
  return { p50: median([...latencies]), p99: latencies[Math.ceil(latencies.length * 0.99) - 1]!, bytes };
}
