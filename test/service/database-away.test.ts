import pg from 'pg';
import t, { type Test } from 'tap';
import { Rng } from '../oracle/rng.ts';
import { ownServer } from '../support/own-server.ts';
import { eventually, type ServiceProcess, startProcess, statusOf } from '../support/process.ts';
import { type Load, putUnderLoad, refused } from './load.ts';
import { announcedSeed, isWhatWasSent, randomBatches, sendAll } from './stream.ts';

t.setTimeout(240_000);

const ROUNDS = ['stop', 'crash', 'crash', 'stop', 'crash', 'crash'] as const;
const READY_WITHIN_MS = 5_000;
async function get(url: string): Promise<{ status: number; headers: Headers; body: unknown }> {
  const answer = await fetch(url);
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

async function waitsForDatabase(t: Test, service: ServiceProcess): Promise<void> {
  t.equal(await statusOf(`${service.url}/readyz`), 503);
  t.equal(await statusOf(`${service.url}/livez`), 200);
  const { status, headers, body } = await get(`${service.url}/v1/reports/stage-population`);
  t.match({ status, body }, { status: 503, body: { code: 'not_ready', retryable: true } });
  t.equal(headers.get('retry-after'), '1');
  t.equal(service.ending(), undefined);
}

t.test('a database that stops or crashes under load makes the service wait, never end', async (t) => {
  const rng = new Rng(announcedSeed(t));
  const server = await ownServer(t);
  await server.start();
  const environment = { DATABASE_URL: server.url };
  const service = await startProcess(t, environment);
  await service.ready();
  const batches = randomBatches(rng, 8_000, 15);
  const waiting = [...batches];
  const load = putUnderLoad(t, rng, service.url, waiting);
  for (const [round, how] of ROUNDS.entries()) {
    const enough = load.acknowledged.length + rng.between(10, 60);
    await eventually('the load runs', () => load.acknowledged.length >= enough);
    await server[how]();
    await eventually(
      'readiness is refused',
      async () => (await statusOf(`${service.url}/readyz`)) === 503,
      READY_WITHIN_MS,
    );
    await eventually('writes are refused', refusals(load, 'write'));
    await eventually('reads are refused', refusals(load, 'read'));
    await server.start();
    const back_at = performance.now();
    await eventually(
      'the service is ready again',
      async () => (await statusOf(`${service.url}/readyz`)) === 200,
      READY_WITHIN_MS,
    );
    t.pass(`round ${round + 1}, ${how}: ready ${Math.round(performance.now() - back_at)} ms after the database`);
  }
  await load.stop();
  t.strictSame(
    load.surprises(),
    {},
    'every request was answered, with what was asked for or 503 and when to come again',
  );
  t.ok(waiting.length > 0, `${load.acknowledged.length} batches were acknowledged on the way, ${waiting.length} not`);
  t.equal(service.ending(), undefined);
  t.strictSame(await sendAll(service.url, load.acknowledged, true), {}, 'all of it is there');
  t.strictSame(await sendAll(service.url, waiting, false), {});
  await isWhatWasSent(t, service, { batches, connection: server.connection, environment });
  t.equal((await service.stop()).code, 0);
});

/** True once more requests of a kind have been refused than when it was first asked. */
function refusals(load: Load, what: 'write' | 'read'): () => boolean {
  const before = load.answers.get(refused(what)) ?? 0;
  return () => (load.answers.get(refused(what)) ?? 0) > before + 5;
}

t.test('a service started before its server and its database exist waits for both', async (t) => {
  const server = await ownServer(t);
  const url = server.url.replace('/postgres?', '/shop?');
  const service = await startProcess(t, { DATABASE_URL: url });
  await eventually('the log says so', () => service.output().includes('the database does not answer yet'));
  await waitsForDatabase(t, service);
  await server.start();
  await eventually('the log says that the database is missing', () => service.output().includes('3D000'));
  await waitsForDatabase(t, service);
  const client = new pg.Client(server.connection);
  await client.connect();
  await client.query('create database shop');
  await client.end();
  await eventually('it is ready', async () => (await statusOf(`${service.url}/readyz`)) === 200, READY_WITHIN_MS);
  t.equal(await statusOf(`${service.url}/v1/reports/stage-population`), 200);
});

t.test('a service that still waits for its database ends with 0 when it is told to', async (t) => {
  const server = await ownServer(t);
  const service = await startProcess(t, { DATABASE_URL: server.url });
  await eventually('it waits', () => service.output().includes('the database does not answer yet'));
  const { code, signal, duration_ms } = await service.stop();
  t.strictSame([code, signal], [0, null]);
  t.ok(duration_ms < 5_000, `ended after ${duration_ms} ms`);
  t.strictSame(
    service.log().filter((line) => Number(line.level) > 40),
    [],
    'without complaint',
  );
});
