import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type EmbeddedPaths,
  EmbeddedServerError,
  embeddedPaths,
  prepareDataDir,
  prepareSocketDir,
  serverAccount,
} from './embedded-files.ts';
import {
  launchServer,
  makeCluster,
  POLL_MS,
  type RunningServer,
  runningServer,
  ServerEndedError,
  shutDown,
} from './embedded-process.ts';
import { findPrograms, programsPackage } from './embedded-programs.ts';
import type { StoreLog } from './log.ts';
import { lockHeld, ownerAlive, ownerLine, takeLock } from './process-owner.ts';

/**
 * What an embedded server needs to know. `durable: false` trades the safety of committed data for speed, for tests.
 */
export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly log: StoreLog;
  readonly durable?: boolean;
}

/** How to reach an embedded server; fits `pg.PoolConfig`. The host is the folder of its Unix socket. */
export interface EmbeddedConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** A server that runs, and is restarted when it dies, until `stop`. */
export interface EmbeddedServer {
  readonly connection: EmbeddedConnection;
  /** True when the server was running already. */
  readonly adopted: boolean;
  /** Ends the watch, and the server too unless another live process uses it. Waits until its process is gone. */
  stop(): Promise<void>;
}

/** Crash recovery replays up to `max_wal_size` and may take a while. */
const START_DEADLINE_MS = 180_000;
const FAST_STOP_MS = 30_000;
const WATCH_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Sized for a trial machine with two cores; given on the command line, so that older data folders follow changes
 * here.
 */
const SETTINGS = {
  listen_addresses: '',
  port: '5432',
  max_connections: '60',
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // That of a page takes the server 100 µs: half its time for an import on top of what is stored.
  wal_compression: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  random_page_cost: '1.1',
  jit: 'off',
  // A backend whose client was killed gives up its locks within a second rather than after its statement.
  client_connection_check_interval: '1s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  logging_collector: 'off',
} as const;

const CARELESS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } as const;

let usersOfThisProcess = 0;

/**
 * Starts the PostgreSQL server of a data folder, or adopts the one that runs there, and keeps it alive. Processes
 * that start at once share one server; after a kill of this process the server stays and the next start adopts it.
 * Connections go through a Unix socket only. Throws `EmbeddedServerError` when this machine or folder cannot have a
 * server.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { log, durable = true } = options;
  const started_at = performance.now();
  // Without programs no data folder would help, so say that before complaining about the folder.
  await programsPackage();
  const paths = await embeddedPaths(options.dataDir);
  await prepareDataDir(paths, await serverAccount(paths.cluster));
  const user = await registerUser(paths);
  const { server, adopted } = await ensureServer(paths, durable).catch(async (error: unknown) => {
    await rm(user, { force: true });
    throw error;
  });
  const duration_ms = Math.round(performance.now() - started_at);
  log.info(
    { pid: server.pid, data_dir: paths.dataDir, duration_ms },
    adopted ? 'embedded PostgreSQL adopted' : 'embedded PostgreSQL started',
  );
  const endWatch = watch(paths, durable, server.socketDir, log);
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    await endWatch();
    await rm(user, { force: true });
    const stopped = await stopUnlessUsed(paths);
    const what = stopped ? 'embedded PostgreSQL stopped' : 'embedded PostgreSQL left running for other processes';
    log.info({ data_dir: paths.dataDir }, what);
  };
  return {
    connection: { host: server.socketDir, port: server.port, user: 'escalera', database: 'postgres' },
    adopted,
    stop: () => (stopping ??= stop()),
  };
}

/** Stops the server of a data folder, if one runs there, whoever uses it. */
export async function stopEmbedded(dataDir: string): Promise<void> {
  await shutDown((await embeddedPaths(dataDir)).cluster, FAST_STOP_MS);
}

/** The one path to a ready server: adopt it, wait for whoever starts it, or start it. */
async function ensureServer(
  paths: EmbeddedPaths,
  durable: boolean,
  socketDir?: string,
): Promise<{ server: RunningServer; adopted: boolean }> {
  const givenUpAt = Date.now() + START_DEADLINE_MS;
  while (Date.now() < givenUpAt) {
    const held = await lockHeld(paths.startLock);
    // Looked at after the lock: while that is held, a server that seems ready may be one that is just being stopped.
    const server = await runningServer(paths.cluster);
    if (server?.status === 'ready' && !held) return { server, adopted: true };
    if (!server && (await takeLock(paths.startLock))) {
      try {
        if (!(await runningServer(paths.cluster)))
          return { server: await start(paths, durable, socketDir), adopted: false };
      } catch (error) {
        if (!(error instanceof ServerEndedError && error.transient)) throw error;
      } finally {
        await rm(paths.startLock, { force: true });
      }
    }
    await delay(POLL_MS);
  }
  throw new EmbeddedServerError(
    `The embedded PostgreSQL of ${paths.dataDir} was not ready after ${START_DEADLINE_MS} ms.`,
  );
}

/**
 * Whoever leaves last stops the server: true if it was this process. It does so under the lock of the starters, so that a process that
 * comes meanwhile has either written its file in time to be seen here, or waits for the lock and then starts the server again.
 */
async function stopUnlessUsed(paths: EmbeddedPaths): Promise<boolean> {
  while (!(await inUse(paths.users))) {
    if (await takeLock(paths.startLock)) {
      try {
        if (await inUse(paths.users)) break;
        await shutDown(paths.cluster, FAST_STOP_MS);
        return true;
      } finally {
        await rm(paths.startLock, { force: true });
      }
    }
    await delay(POLL_MS);
  }
  return false;
}

async function start(paths: EmbeddedPaths, durable: boolean, known?: string): Promise<RunningServer> {
  const account = await serverAccount(paths.cluster);
  const programs = await findPrograms(paths, account);
  await makeCluster(paths, programs, account, durable);
  const socketDir = await prepareSocketDir(paths.cluster, account, known);
  const settings = {
    ...SETTINGS,
    ...(durable ? {} : CARELESS),
    unix_socket_directories: socketDir,
    unix_socket_permissions: '0700',
  };
  return launchServer(paths, programs, account, settings, START_DEADLINE_MS);
}

/** Restarts the server when it is gone, at once the first time and with growing pauses while it keeps dying. */
function watch(paths: EmbeddedPaths, durable: boolean, socketDir: string, log: StoreLog): () => Promise<void> {
  let pause_ms = 0;
  let notBefore = 0;
  let round: Promise<void> | undefined;
  const look = async () => {
    if (Date.now() < notBefore || (await runningServer(paths.cluster))) return;
    // A minute of life after the last pause makes the next death a first one again.
    pause_ms = Date.now() - notBefore > 60_000 ? WATCH_MS : Math.min(2 * pause_ms, LONGEST_PAUSE_MS);
    log.warn({ data_dir: paths.dataDir }, 'embedded PostgreSQL is gone, starting it again');
    const { server } = await ensureServer(paths, durable, socketDir);
    notBefore = Date.now() + pause_ms;
    log.warn({ pid: server.pid, data_dir: paths.dataDir }, 'embedded PostgreSQL runs again');
  };
  const timer = setInterval(() => {
    round ??= look()
      .catch((error: unknown) => {
        notBefore = Date.now() + pause_ms;
        log.error({ err: error, pause_ms }, 'embedded PostgreSQL could not be restarted');
      })
      .finally(() => {
        round = undefined;
      });
  }, WATCH_MS).unref();
  return async () => {
    clearInterval(timer);
    await round;
  };
}

/** Notes that this process uses the server. The note appears whole: whoever read an empty one would take its owner for dead. */
async function registerUser(paths: EmbeddedPaths): Promise<string> {
  const name = `${process.pid}-${++usersOfThisProcess}`;
  const [draft, user] = [`${paths.users}.${name}`, join(paths.users, name)];
  await writeFile(draft, await ownerLine(process.pid));
  await rename(draft, user);
  return user;
}

async function inUse(users: string): Promise<boolean> {
  for (const name of await readdir(users)) {
    const line = await readFile(join(users, name), 'utf8').catch(() => '');
    if (await ownerAlive(line)) return true;
    await rm(join(users, name), { force: true });
  }
  return false;
}
