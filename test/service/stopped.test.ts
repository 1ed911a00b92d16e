import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Rng } from '../oracle/rng.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { eventually, type ServiceProcess, startProcess, statusOf } from '../support/process.ts';
import { announcedSeed, type Batch, isWhatWasSent, randomBatches, sendAll, storedKeys } from './stream.ts';

t.setTimeout(240_000);

const ROUNDS = 6;
const CONNECTIONS = 16;
/** An operator's patience: after it the process would be killed. */
const PATIENCE_MS = 25_000;
const READS = ['/v1/reports/stage-population', '/v1/reports/stage-moves?model=journey', '/v1/models', '/v1/status'];

/** What became of a request. Refused: no connection could be made, so nothing was sent. Dropped: it was sent, and no whole answer came. */
type Outcome = { readonly status: number } | 'refused' | { readonly dropped: string };

/** Sends one request over the connections of an agent. */
async function send(agent: Agent, url: string, path: string, body: object | null): Promise<Outcome> {
  let sent = false;
  return await new Promise((resolve) => {
    const headers = body === null ? {} : { 'content-type': 'application/json' };
    const running = request(`${url}${path}`, { agent, method: body === null ? 'GET' : 'POST', headers });
    const failed = (error: Error & { code?: string }): void =>
      resolve(
        sent
          ? { dropped: `${error.code ?? error.message} after ${running.reusedSocket ? 'reuse' : 'connect'}` }
          : 'refused',
      );
    running.once('socket', (socket: Socket) => {
      if (socket.connecting) {
        socket.once('connect', () => {
          sent = true;
        });
      } else sent = true;
    });
    running.once('error', failed);
    running.once('response', (answer) => {
      answer.once('error', failed).once('end', () => resolve({ status: answer.statusCode ?? 0 }));
      answer.resume();
    });
    running.end(body === null ? undefined : JSON.stringify(body));
  });
}

interface Load {
  readonly outcomes: Outcome[];
  readonly acknowledged: Batch[];
  /** Ends when every connection was refused. */
  readonly ended: Promise<unknown>;
}

/** Mixed reads and writes on 16 connections, each as fast as it is answered, until the service no longer takes connections. */
function putUnderLoad(rng: Rng, url: string, batches: Batch[]): Load {
  const outcomes: Outcome[] = [];
  const acknowledged: Batch[] = [];
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let outcome: Outcome = { status: 0 }; outcome !== 'refused'; outcomes.push(outcome)) {
      const batch = rng.chance(0.5) ? batches.pop() : undefined;
      if (batch === undefined) outcome = await send(agent, url, rng.pick(READS), null);
      else outcome = await send(agent, url, `/v1/${batch.route}`, { items: batch.items });
      if (batch === undefined) continue;
      if (typeof outcome === 'object' && 'status' in outcome) acknowledged.push(batch);
      else batches.push(batch);
    }
    agent.destroy();
  };
  return { outcomes, acknowledged, ended: Promise.all(Array.from({ length: CONNECTIONS }, client)) };
}

async function startReady(t: Test, database: TestDatabase, environment = {}): Promise<ServiceProcess> {
  const service = await startProcess(t, { DATABASE_URL: database.url, ...environment });
  await service.ready();
  return service;
}

t.test('a stop under load drops no request, and ends with 0', async (t) => {
  const rng = new Rng(announcedSeed(t));
  const database = await testDatabase(t);
  const batches = randomBatches(rng, 10_000, 20);
  const waiting = [...batches];
  const acknowledged: Batch[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const service = await startReady(t, database);
    const load = putUnderLoad(rng, service.url, waiting);
    const enough = rng.between(100, 400);
    await eventually('the load runs', () => load.outcomes.length > enough);
    const { code, signal, duration_ms } = await service.stop();
    await load.ended;
    const dropped = load.outcomes.filter((outcome) => typeof outcome === 'object' && 'dropped' in outcome);
    t.strictSame(dropped, [], `of ${load.outcomes.length} requests in round ${round} none is dropped`);
    const refused = load.outcomes.flatMap((outcome) =>
      typeof outcome === 'object' && 'status' in outcome && outcome.status !== 200 ? [outcome.status] : [],
    );
    t.strictSame(refused, [], 'and each is answered in full');
    t.strictSame([code, signal], [0, null]);
    t.ok(duration_ms < PATIENCE_MS / 2, `ended after ${duration_ms} ms`);
    acknowledged.push(...load.acknowledged);
  }
  const stored = new Set(await storedKeys(database.connection));
  t.strictSame(
    acknowledged.flatMap(({ keys }) => keys).filter((key) => !stored.has(key)),
    [],
    'what was acknowledged is stored',
  );
  const service = await startReady(t, database);
  t.strictSame(await sendAll(service.url, acknowledged, true), {});
  t.strictSame(await sendAll(service.url, waiting, false), {});
  await isWhatWasSent(t, service, {
    batches,
    connection: database.connection,
    environment: { DATABASE_URL: database.url },
  });
});

/** A connection on which this much is written; it gathers what comes back. */
async function openConnection(t: Test, url: string, text: string): Promise<{ socket: Socket; answer: () => string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  let answer = '';
  socket.setEncoding('utf8').on('error', () => undefined);
  socket.on('data', (chunk: string) => {
    answer += chunk;
  });
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return { socket, answer: () => answer };
}

const PURCHASE = { customer_id: 'slow', purchase_id: 'p-1', purchased_at: '2025-01-01', amount: '1.00' };

function upload(item: object): { head: string; body: string } {
  const body = JSON.stringify({ items: [item] });
  const headers = ['host: localhost', 'content-type: application/json', `content-length: ${Buffer.byteLength(body)}`];
  return { head: `POST /v1/purchases HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`, body };
}

t.test('neither idle connections nor a stalled upload hold up a stop, and a slow upload is finished', async (t) => {
  const database = await testDatabase(t);
  const service = await startReady(t, database);
  const { head, body } = upload(PURCHASE);
  const stalled = upload({ ...PURCHASE, customer_id: 'stalled' });
  const unused = await openConnection(t, service.url, '');
  const halfHead = await openConnection(t, service.url, 'GET /v1/status HTTP/1.1\r\nhost: local');
  const idle = await openConnection(t, service.url, 'GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const stuck = await openConnection(t, service.url, stalled.head + stalled.body.slice(0, 20));
  const slow = await openConnection(t, service.url, head + body.slice(0, 10));
  await eventually('the idle connection was answered', () => idle.answer().includes('alive'));
  const stopped = service.stop();
  await eventually(
    'readiness is refused before connections are',
    async () => (await statusOf(`${service.url}/readyz`)) === 503,
    900,
  );
  t.equal(await statusOf(`${service.url}/livez`), 200, 'while other requests are still answered');
  await eventually(
    'no connection is taken any more',
    async () => (await statusOf(`${service.url}/livez`)) === 0,
    5_000,
  );
  // The slow upload goes on for longer than idle connections are kept.
  for (let start = 10; start < body.length; start += 10) {
    slow.socket.write(body.slice(start, start + 10));
    await delay(500);
  }
  await eventually('the slow upload is answered', () => slow.answer().includes('"created":1'), 5_000);
  t.match(slow.answer(), /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is);
  const { code, signal, duration_ms } = await stopped;
  t.strictSame([code, signal], [0, null]);
  t.ok(duration_ms < PATIENCE_MS, `ended after ${duration_ms} ms`);
  t.strictSame(await storedKeys(database.connection), ['customers/slow', 'purchases/slow/p-1']);
  t.notMatch(stuck.answer(), / 200 /, 'the stalled upload is not acknowledged');
  t.strictSame([unused.answer(), halfHead.answer()].join().includes(' 200 '), false);
});

t.test('a stop without traffic takes a moment only', async (t) => {
  const service = await startReady(t, await testDatabase(t));
  await openConnection(t, service.url, '');
  const { code, duration_ms } = await service.stop();
  t.equal(code, 0);
  t.ok(duration_ms < 5_000, `ended after ${duration_ms} ms`);
});
