import { Worker } from 'node:worker_threads';
import { formatInstant } from '../src/domain/instant.ts';
import { formatMoney } from '../src/domain/money.ts';
import { type BenchCase, type Figure, median } from './case.ts';
import type { ClassifyOrder, ClassifyReport } from './classify-thread.ts';
import { seededHistories } from './histories.ts';
import type { LoadOrder, LoadReport } from './load-client.ts';
import { startService } from './service-process.ts';

/** The most a request takes. */
const HISTORIES = 1_000;
const PURCHASES = 5;
const CONNECTIONS = 4;
const ROUNDS = 7;

/** Histories of five purchases classified by one model: by the core alone, and over HTTP, a thousand a request; and what reading and writing their JSON alone takes. */
export const classificationCase: BenchCase = async (server, { quick }) => {
  const core = await inCore({ customers: quick ? 4_000 : 80_000 });
  const bodies = requestBodies(quick ? 4 : 50);
  const service = await startService(await server.shop('classification'));
  const client = new Worker(new URL('load-client.ts', import.meta.url));
  try {
    const url = `${service.url}/v1/classifications`;
    const answer = await answerTo(url, bodies[0]!);
    const rates: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const { statuses, seconds } = await send(client, { url, bodies, connections: CONNECTIONS, rate: null });
      if (statuses[200] !== bodies.length) throw new Error(JSON.stringify(statuses));
      if (round > 0) rates.push((bodies.length * HISTORIES) / seconds);
    }
    const bytes = `${each(bodies[0]!.length)} bytes in, ${each(answer.length)} out`;
    const alone = jsonAlone(bodies[0]!, answer);
    return [
      line(`${PURCHASES} purchases, one model, in one core from the events`, 1e6 / core.from_events, '≥ 500,000/s'),
      line('the same from activity days', 1e6 / core.from_days),
      line(`${PURCHASES} purchases, one model, over HTTP (${bytes})`, median(rates), '≥ 50,000/s'),
      line('JSON.parse of the requests and JSON.stringify of the answers alone', alone),
    ];
  } finally {
    await client.terminate();
    await service.stop();
  }
};

function line(what: string, rate: number, target?: string): Figure {
  const figure = `${Math.round(rate).toLocaleString('en')} histories/s`;
  return { case: 'classification', what, figure, ...(target === undefined ? {} : { target }) };
}

function each(length: number): string {
  return (length / HISTORIES).toFixed(0);
}

/** Requests of histories as a shop would send them: with the instants of the purchases, in their order. */
function requestBodies(count: number): string[] {
  const long = seededHistories(3 * count * HISTORIES, 3).filter(({ purchases }) => purchases.length >= PURCHASES);
  const histories = long.map(({ purchases }, index) => ({
    customer_id: `customer-${index}`,
    purchases: purchases
      .slice(0, PURCHASES)
      .sort((a, b) => a.moment.at - b.moment.at)
      .map(({ moment, amount }) => ({ purchased_at: formatInstant(moment.at), amount: formatMoney(amount, 2) })),
  }));
  if (histories.length < count * HISTORIES) throw new Error('There are too few long histories.');
  return Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      model: 'lifecycle',
      as_of: '2026-03-31',
      histories: histories.slice(index * HISTORIES, (index + 1) * HISTORIES),
    }),
  );
}

async function inCore(workerData: ClassifyOrder): Promise<ClassifyReport> {
  const thread = new Worker(new URL('classify-thread.ts', import.meta.url), { workerData });
  return await new Promise<ClassifyReport>((resolve, reject) => {
    thread.once('message', resolve).once('error', reject);
  });
}

async function answerTo(url: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body });
  const text = await answer.text();
  const { items } = JSON.parse(text) as { items?: readonly { readonly status: string }[] };
  if (items?.every(({ status }) => status === 'classified') !== true) throw new Error(text.slice(0, 500));
  return text;
}

async function send(client: Worker, order: LoadOrder): Promise<LoadReport> {
  const report = await new Promise<LoadReport>((resolve, reject) => {
    client.once('message', resolve).once('error', reject);
    client.postMessage(order);
  });
  client.removeAllListeners('error');
  return report;
}

/** Histories a second whose request is parsed and whose answer is written, and nothing else. */
function jsonAlone(body: string, answer: string): number {
  const parsed: unknown = JSON.parse(answer);
  const rates = Array.from({ length: 20 }, () => {
    const started_at = performance.now();
    JSON.parse(body);
    JSON.stringify(parsed);
    return (HISTORIES * 1_000) / (performance.now() - started_at);
  });
  return median(rates);
}
