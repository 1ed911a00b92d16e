import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import t, { type Test } from 'tap';
import { startEmbedded, stopEmbedded } from '../../src/store/embedded.ts';
import { EmbeddedServerError, firstClosed } from '../../src/store/embedded-files.ts';
import { runningServer } from '../../src/store/embedded-process.ts';
import { makeLibraryLinks } from '../../src/store/embedded-programs.ts';
import { processMark } from '../../src/store/process-owner.ts';
import { silentLog } from '../support/postgres.ts';

t.setTimeout(120_000);

const isRoot = process.getuid?.() === 0;
const module = new URL('../../src/store/embedded.ts', import.meta.url).href;

/** A new folder that every user may enter; its server is stopped and it is removed when the test ends. */
async function folderOf(t: Test): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'escalera-embedded-test-'));
  await chmod(parent, 0o755);
  const dataDir = join(parent, 'data');
  t.teardown(async () => {
    await stopEmbedded(dataDir);
    await rm(parent, { recursive: true, force: true, maxRetries: 5 });
  });
  return dataDir;
}

/**
 * A process that starts the server of a folder, prints one line about it, and lives on until it is killed, at the
 * latest by the end of the test. Its folder for temporary files is not ours, so its sockets are elsewhere.
 */
function startElsewhere(t: Test, dataDir: string, account: { uid?: number; gid?: number } = {}): ChildProcess {
  const program = `
    import { startEmbedded } from ${JSON.stringify(module)};
    const log = { info() {}, warn() {}, error() {} };
    const { adopted, connection } = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log, durable: false });
    console.log(JSON.stringify({ adopted, connection }));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    ...{ ...account, cwd: '/', env: { TMPDIR: dirname(dataDir) } },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => kill(child));
  return child;
}

async function answerOf(child: ChildProcess): Promise<{ adopted: boolean; connection: pg.PoolConfig }> {
  const [line] = await once(child.stdout ?? child, 'data');
  return JSON.parse(String(line)) as { adopted: boolean; connection: pg.PoolConfig };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const givenUpAt = Date.now() + 30_000;
  while (Date.now() < givenUpAt) {
    const found = await look();
    if (found) return found;
    await delay(20);
  }
  throw new Error(`not within 30 seconds: ${what}`);
}

async function ask(connection: pg.ClientConfig, text: string): Promise<unknown> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

async function pidOf(dataDir: string): Promise<number> {
  return (await runningServer(join(dataDir, 'cluster')))?.pid ?? 0;
}

t.test('a first start makes a server, a stop leaves no process, and a second start finds the data again', async (t) => {
  const dataDir = await folderOf(t);
  const first = await startEmbedded({ dataDir, log: silentLog });
  t.equal(first.adopted, false);
  t.equal(await ask(first.connection, 'show server_encoding'), 'UTF8');
  t.equal(await ask(first.connection, 'show fsync'), 'on');
  t.equal(await ask(first.connection, 'show listen_addresses'), '');
  await ask(first.connection, 'create table kept as select 7 as n');
  const pid = await pidOf(dataDir);
  t.equal((await stat(join(dataDir, 'cluster'))).mode & 0o777, 0o700);
  await first.stop();
  t.equal(await processMark(pid), undefined);
  const second = await startEmbedded({ dataDir, log: silentLog, durable: false });
  t.equal(await ask(second.connection, 'select n from kept'), 7);
  t.equal(await ask(second.connection, 'show fsync'), 'off');
  await second.stop();
  await t.rejects(ask(second.connection, 'select 1'), { code: 'ENOENT' });
});

t.test('processes that start at once share one server', async (t) => {
  const dataDir = await folderOf(t);
  const children = Array.from({ length: 4 }, () => startElsewhere(t, dataDir));
  const answers = await Promise.all(children.map(answerOf));
  t.equal(answers.filter((answer) => !answer.adopted).length, 1);
  t.strictSame(await readdir(dataDir).then((names) => names.filter((name) => name.startsWith('cluster'))), ['cluster']);
});

t.test('a server outlives the kill of the process that started it and is adopted by the next', async (t) => {
  const dataDir = await folderOf(t);
  const child = startElsewhere(t, dataDir);
  const { connection } = await answerOf(child);
  const pid = await pidOf(dataDir);
  await kill(child);
  const next = await startEmbedded({ dataDir, log: silentLog, durable: false });
  t.ok(next.adopted);
  t.strictSame(next.connection, connection);
  t.equal(await pidOf(dataDir), pid);
  await next.stop();
  t.equal(await processMark(pid), undefined);
});

t.test('a stop leaves the server to another live process', async (t) => {
  const dataDir = await folderOf(t);
  const child = startElsewhere(t, dataDir);
  await answerOf(child);
  const mine = await startEmbedded({ dataDir, log: silentLog, durable: false });
  await mine.stop();
  t.equal(await ask(mine.connection, 'select 1'), 1);
  await kill(child);
  const last = await startEmbedded({ dataDir, log: silentLog, durable: false });
  await last.stop();
  t.equal(await pidOf(dataDir), 0);
});

for (const adopted of [false, true]) {
  t.test(`a killed server is started again by the process that ${adopted ? 'adopted' : 'started'} it`, async (t) => {
    const dataDir = await folderOf(t);
    if (adopted) {
      const child = startElsewhere(t, dataDir);
      await answerOf(child);
      await kill(child);
    }
    const server = await startEmbedded({ dataDir, log: silentLog, durable: false });
    t.equal(server.adopted, adopted);
    const killed = await pidOf(dataDir);
    process.kill(killed, 'SIGKILL');
    const again = await eventually('a new server', async () => {
      const found = await runningServer(join(dataDir, 'cluster'));
      return found && found.pid !== killed && found.status === 'ready' && found;
    });
    t.equal(await ask(server.connection, 'select 1'), 1);
    await server.stop();
    t.equal(await processMark(again.pid), undefined);
  });
}

t.test('a kill in the middle of the first start leaves nothing that stops the next one', async (t) => {
  const dataDir = await folderOf(t);
  const child = startElsewhere(t, dataDir);
  await eventually('an unfinished cluster', async () => {
    const names = await readdir(dataDir).catch(() => []);
    const fresh = names.find((name) => name.startsWith('cluster.new-'));
    return fresh && (await stat(join(dataDir, fresh, 'postgresql.conf')).catch(() => undefined));
  });
  await kill(child);
  t.equal(await stat(join(dataDir, 'cluster')).catch(() => 'missing'), 'missing');
  const server = await startEmbedded({ dataDir, log: silentLog, durable: false });
  t.equal(await ask(server.connection, 'select 1'), 1);
  await server.stop();
});

t.test('the file of a dead server is not believed when its process id belongs to another program', async (t) => {
  const dataDir = await folderOf(t);
  const first = await startEmbedded({ dataDir, log: silentLog, durable: false });
  const file = join(dataDir, 'cluster', 'postmaster.pid');
  const [, ...rest] = (await readFile(file, 'utf8')).split('\n');
  await first.stop();
  await writeFile(file, [process.pid, ...rest].join('\n'));
  const second = await startEmbedded({ dataDir, log: silentLog, durable: false });
  t.equal(second.adopted, false);
  t.equal(await ask(second.connection, 'select 1'), 1);
  await second.stop();
});

t.test('a lock left by a dead starter does not hold up the next', async (t) => {
  const dataDir = await folderOf(t);
  await mkdir(dataDir);
  await writeFile(join(dataDir, 'start.lock'), `${process.pid} 1`);
  const server = await startEmbedded({ dataDir, log: silentLog, durable: false });
  t.equal(await ask(server.connection, 'select 1'), 1);
  await server.stop();
});

t.test('a cluster that PostgreSQL cannot start is refused with its reason and the way out', async (t) => {
  const dataDir = await folderOf(t);
  const server = await startEmbedded({ dataDir, log: silentLog, durable: false });
  await server.stop();
  await writeFile(join(dataDir, 'cluster', 'PG_VERSION'), '9\n');
  await t.rejects(startEmbedded({ dataDir, log: silentLog }), {
    name: 'EmbeddedServerError' as const,
    message: /incompatible.*DATABASE_URL/s,
  });
});

t.test('missing library links are made from the list of the package', async (t) => {
  const native = t.testdir({
    native: {
      'pg-symlinks.json': JSON.stringify([{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }]),
      lib: { 'libpq.so.5.18': 'code' },
    },
  });
  t.ok(await makeLibraryLinks(join(native, 'native')));
  t.equal(await readlink(join(native, 'native', 'lib', 'libpq.so.5')), 'libpq.so.5.18');
  t.ok(await makeLibraryLinks(join(native, 'native')));
});

t.test('started by root', { skip: !isRoot && 'needs root' }, async (t) => {
  await t.test('the server runs as the user nobody', async (t) => {
    const dataDir = await folderOf(t);
    const server = await startEmbedded({ dataDir, log: silentLog, durable: false });
    t.equal((await stat(`/proc/${await pidOf(dataDir)}`)).uid, 65_534);
    t.equal((await stat(join(dataDir, 'cluster'))).uid, 65_534);
    t.equal((await stat(server.connection.host)).mode & 0o777, 0o700);
    await server.stop();
  });

  await t.test('a folder that nobody may enter is refused before anything is written', async (t) => {
    const dataDir = await folderOf(t);
    await mkdir(dataDir, { mode: 0o700 });
    const error = await startEmbedded({ dataDir: join(dataDir, 'deeper'), log: silentLog }).catch(
      (error: unknown) => error,
    );
    t.ok(error instanceof EmbeddedServerError);
    t.match(error, { message: new RegExp(`cannot enter ${dataDir} .*DATA_DIR.*DATABASE_URL`) });
    t.strictSame(await readdir(dataDir), []);
  });
});

t.test(
  'started by an ordinary user, the server runs as that user',
  { skip: !isRoot && 'is the case throughout' },
  async (t) => {
    const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => /^(daemon|bin):/.test(entry));
    const [, , uid = 0, gid = 0] = (line ?? '').split(':').map(Number);
    if (uid === 0) return void t.comment('left out: there is no user daemon or bin');
    for (const path of [process.execPath, new URL(module).pathname]) {
      const account = { uid, gid };
      if (await firstClosed(path.slice(0, path.lastIndexOf('/')), account))
        return void t.comment(`left out: user ${uid} cannot reach ${path}`);
    }
    const dataDir = await folderOf(t);
    await mkdir(dataDir);
    await chown(dataDir, uid, gid);
    const child = startElsewhere(t, dataDir, { uid, gid });
    const { connection } = await answerOf(child);
    t.equal(await ask(connection, 'select 1'), 1);
    t.equal((await stat(`/proc/${await pidOf(dataDir)}`)).uid, uid);
    await kill(child);
    // Root, coming later, goes on as the owner of the cluster.
    const adopted = await startEmbedded({ dataDir, log: silentLog, durable: false });
    t.ok(adopted.adopted);
    await adopted.stop();
    const again = await startEmbedded({ dataDir, log: silentLog, durable: false });
    t.equal((await stat(`/proc/${await pidOf(dataDir)}`)).uid, uid);
    await again.stop();
  },
);
