import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import t from 'tap';
import { startEmbedded } from '../../src/store/embedded.ts';
import { runningServer } from '../../src/store/embedded-process.ts';
import { processMark } from '../../src/store/process-owner.ts';
import { Rng } from '../oracle/rng.ts';
import { silentLog } from '../support/postgres.ts';
import {
  dataDirectory,
  eventually,
  runCommand,
  type ServiceProcess,
  startProcess,
  statusOf,
} from '../support/process.ts';
import { announcedSeed, isWhatWasSent, randomBatches, sendAll } from './stream.ts';

t.setTimeout(180_000);

async function serverPid(dataDir: string): Promise<number> {
  return (await runningServer(join(dataDir, 'cluster')))?.pid ?? 0;
}

function said(service: ServiceProcess, message: string): boolean {
  return service.log().some(({ msg }) => msg === message);
}

/** Reads without a pause until told to stop; gives the statuses that were not 200. */
function keepReading(url: string): () => Promise<number[]> {
  const others: number[] = [];
  let going = true;
  let answered = 0;
  const reading = (async () => {
    while (going) {
      const status = await statusOf(`${url}/v1/reports/stage-population`);
      if (status === 200) answered += 1;
      else others.push(status);
    }
  })();
  return async () => {
    going = false;
    await reading;
    return answered === 0 ? [0] : others;
  };
}

t.test(
  'a service without DATABASE_URL brings its own server, finds it again after kill -9, and takes it along when it stops',
  async (t) => {
    const dataDir = await dataDirectory(t);
    const environment = { DATA_DIR: dataDir };
    const batches = randomBatches(new Rng(announcedSeed(t)), 1_000, 100);
    const first = await startProcess(t, environment);
    await first.ready();
    t.ok(said(first, 'embedded PostgreSQL started'));
    t.strictSame(await sendAll(first.url, batches, false), {});
    const pid = await serverPid(dataDir);
    await first.kill();
    t.equal(await serverPid(dataDir), pid, 'the server outlives the kill');

    const second = await startProcess(t, environment);
    const ready_ms = await second.ready(5_000);
    t.ok(said(second, 'embedded PostgreSQL adopted'), `adopted, and ready ${ready_ms} ms after the start`);
    const connection = { ...(await connectionOf(dataDir)) };
    t.strictSame(await sendAll(second.url, batches, true), {}, 'what was acknowledged is there');
    await isWhatWasSent(t, second, { batches, connection, environment });
    t.equal(await serverPid(dataDir), pid, 'the verification left the server to the service');
    t.equal((await second.stop()).code, 0);
    t.equal(await processMark(pid), undefined, 'the server has ended with the service');

    const third = await startProcess(t, environment);
    await third.ready();
    t.ok(said(third, 'embedded PostgreSQL started'));
    t.strictSame(await sendAll(third.url, batches, true), {}, 'and what it held is there again');
    t.equal((await third.stop()).code, 0);
  },
);

async function connectionOf(dataDir: string): Promise<pg.ClientConfig> {
  const { socketDir, port } = (await runningServer(join(dataDir, 'cluster')))!;
  return { host: socketDir, port, user: 'escalera', database: 'postgres' };
}

t.test('commands that come and go do not disturb the service they share a server with', async (t) => {
  const dataDir = await dataDirectory(t);
  const environment = { DATA_DIR: dataDir };
  const service = await startProcess(t, environment);
  await service.ready();
  const pid = await serverPid(dataDir);
  const stopReading = keepReading(service.url);
  const commands = await Promise.all([
    runCommand(t, ['verify'], environment),
    runCommand(t, ['verify'], environment),
    runCommand(t, ['migrate'], environment),
  ]);
  t.strictSame(
    commands.map(({ code }) => code),
    [0, 0, 0],
    commands.map(({ stderr }) => stderr).join(''),
  );
  t.strictSame(await stopReading(), [], 'every read meanwhile was answered');
  t.equal(await serverPid(dataDir), pid);
  t.equal((await service.stop()).code, 0);
  t.equal(await serverPid(dataDir), 0);
  // The other way round: a command alone starts the server, and stops it.
  t.equal((await runCommand(t, ['verify'], environment)).code, 0);
  t.equal(await serverPid(dataDir), 0);
});

t.test('two services share a server, and the one that stops first leaves it to the other', async (t) => {
  const dataDir = await dataDirectory(t);
  const services = await Promise.all([startProcess(t, { DATA_DIR: dataDir }), startProcess(t, { DATA_DIR: dataDir })]);
  const [first, second] = services as [ServiceProcess, ServiceProcess];
  await Promise.all([first.ready(), second.ready()]);
  const stopReading = keepReading(second.url);
  t.equal((await first.stop()).code, 0);
  t.ok(said(first, 'embedded PostgreSQL left running for other processes'));
  t.strictSame(await stopReading(), []);
  t.equal((await second.stop()).code, 0);
  t.ok(said(second, 'embedded PostgreSQL stopped'));
});

t.test('a server of its own that is killed comes back under the running service', async (t) => {
  const dataDir = await dataDirectory(t);
  const service = await startProcess(t, { DATA_DIR: dataDir });
  await service.ready();
  const pid = await serverPid(dataDir);
  process.kill(pid, 'SIGKILL');
  await eventually('readiness is refused', async () => (await statusOf(`${service.url}/readyz`)) === 503);
  await eventually('it is ready again', async () => (await statusOf(`${service.url}/readyz`)) === 200, 10_000);
  t.not(await serverPid(dataDir), pid);
  t.equal((await service.stop()).code, 0);
});

t.test('whoever comes while the last one stops the server gets a server all the same', async (t) => {
  const rng = new Rng(announcedSeed(t));
  const dataDir = await dataDirectory(t);
  let started = 0;
  const user = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) {
      const server = await startEmbedded({ dataDir, log: silentLog, durable: false });
      if (!server.adopted) started += 1;
      for (let visit = rng.between(1, 4); visit > 0; visit -= 1) {
        const client = new pg.Client(server.connection);
        await client.connect();
        await client.query('select 1');
        await client.end();
      }
      await server.stop();
      // Long enough for the others to be the last ones now and then.
      await delay(rng.between(0, 250));
    }
  };
  await Promise.all(Array.from({ length: 4 }, user));
  t.ok(started > 3, `the server was started ${started} times, and never failed its users`);
  t.equal(await serverPid(dataDir), 0);
});
