import { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { type AppParts, buildApp } from '../src/app.ts';
import { seededRandom } from '../src/commands/seeded-random.ts';
import { fixedKeys } from '../src/http/keys.ts';
import { fillBigShop } from './big-shop.ts';
import { type BenchCase, type Figure, timed } from './case.ts';
import type { BenchShop } from './database.ts';
import type { LoadOrder, LoadReport } from './load-client.ts';
import { verified } from './verified.ts';

const CONNECTIONS = 64;
type Grouping = NonNullable<AppParts['grouping']>;
/** What is measured against: each request in a transaction of its own, as many at once as the pool has connections. */
const ALONE: Grouping = { group_limit: 1, transactions: 8 };

interface Sizes {
  readonly customers: number;
  /** Purchases of the closed loop. */
  readonly purchases: number;
  /** Arrivals a second, and for how long. */
  readonly rate: number;
  readonly seconds: number;
}

const FULL: Sizes = { customers: 10_000, purchases: 20_000, rate: 1_000, seconds: 20 };
const QUICK: Sizes = { customers: 200, purchases: 300, rate: 100, seconds: 1 };

/** One purchase a request over HTTP, all models and reports, every answer after the commit: throughput, and latency at a fixed rate of arrivals. */
export const singleWritesCase: BenchCase = async (server, { quick }) => {
  const { customers, purchases, rate, seconds } = quick ? QUICK : FULL;
  const shop = await server.shop('single_writes');
  await fillBigShop(shop, customers);
  const bodies = bodiesOf(customers);
  const send = (count: number, arrivals: number | null, grouping: Grouping = {}): Promise<LoadReport> =>
    serve(shop, grouping, { bodies: bodies(count), rate: arrivals });
  await send(purchases / 10, null);
  const closed = await send(purchases, null);
  const open = await send(rate * seconds, rate);
  const closedAlone = await send(purchases / 20, null, ALONE);
  const openAlone = await send(rate, rate, ALONE);
  const raw = await insertRows(shop, purchases);
  const alone = 'the same, a transaction for each';
  return [
    line(`one purchase a request, ${CONNECTIONS} connections`, speed(closed), '≥ 1,000/s (3,000/s)'),
    line(alone, speed(closedAlone)),
    line('rows inserted one by one over the same pool, no service', speed(raw)),
    line(`one purchase a request, ${rate.toLocaleString('en')} arrivals/s for ${seconds} s`, latency(open), '≤ 50 ms'),
    line(`${alone}, for 1 s`, latency(openAlone)),
    await verified(shop, 'one purchase a request'),
  ];
};

function line(what: string, figure: string, target?: string): Figure {
  return { case: 'single writes', what, figure, ...(target === undefined ? {} : { target }) };
}

function speed({ latencies, seconds }: Pick<LoadReport, 'latencies' | 'seconds'>): string {
  return `${Math.round(latencies.length / seconds).toLocaleString('en')}/s, p99 ${quantile(latencies, 0.99)} ms`;
}

function latency({ latencies }: LoadReport): string {
  return `p99 ${quantile(latencies, 0.99)} ms, p50 ${quantile(latencies, 0.5)} ms, max ${quantile(latencies, 1)} ms`;
}

function quantile(sorted: Float64Array, share: number): string {
  return sorted[Math.ceil(sorted.length * share) - 1]!.toFixed(1);
}

/** Requests of now, each with another purchase: nine in ten by a customer of the shop, one by a new one. */
function bodiesOf(customers: number): (count: number) => string[] {
  const random = seededRandom(7);
  const now = Date.now();
  let made = 0;
  const body = (): string => {
    made += 1;
    const fresh = random.integer(0, 9) === 0;
    const customer_id = fresh ? `new-${made}` : `customer-${String(random.integer(1, customers)).padStart(7, '0')}`;
    const purchased_at = new Date(now + made).toISOString();
    const amount = random.logNormal(40, 0.8).toFixed(2);
    return JSON.stringify({
      items: [{ customer_id, purchase_id: `w-${made}`, purchased_at, amount, products: ['tea'] }],
    });
  };
  return (count) => Array.from({ length: count }, body);
}

/** Runs the service over the shop and puts a load on it; fails if any answer is not 200. */
async function serve(
  { engine, pool }: BenchShop,
  grouping: Grouping,
  load: Pick<LoadOrder, 'bodies' | 'rate'>,
): Promise<LoadReport> {
  const source = { current: () => engine, ready: async () => true, renew: async () => engine };
  // Requests that go alone wait for seconds.
  const limits = { body_bytes: 1_000_000, request_timeout_ms: 600_000 };
  const log = pino({ level: 'silent' });
  const { server } = await buildApp({ source, keys: fixedKeys(''), log, pool, limits, grouping });
  const url = `${await server.listen({ host: '127.0.0.1', port: 0 })}/v1/purchases`;
  const client = new Worker(new URL('load-client.ts', import.meta.url));
  try {
    const report = await new Promise<LoadReport>((resolve, reject) => {
      client.once('message', resolve).once('error', reject);
      client.postMessage({ url, connections: CONNECTIONS, ...load } satisfies LoadOrder);
    });
    if (report.statuses[200] !== load.bodies.length) throw new Error(JSON.stringify(report.statuses));
    return report;
  } finally {
    await client.terminate();
    await server.close();
  }
}

async function insertRows({ pool }: BenchShop, count: number): Promise<Pick<LoadReport, 'latencies' | 'seconds'>> {
  await pool.query('create table raw_purchases (like purchases including all)');
  const latencies = new Float64Array(count);
  let next = 0;
  const connection = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      latencies[index] = await timed(() =>
        pool.query(
          `insert into raw_purchases (customer_id, purchase_id, at, day, plain, amount, cost, discount, products)
           values ($1, $2, 0, 0, false, 4000, 0, 0, '{tea}')`,
          [`customer-${index % 1_000}`, `w-${index}`],
        ),
      );
    }
  };
  const ms = await timed(() => Promise.all(Array.from({ length: CONNECTIONS }, connection)));
  return { latencies: latencies.sort(), seconds: ms / 1_000 };
}
