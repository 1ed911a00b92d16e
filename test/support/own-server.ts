import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import {
  type Account,
  type EmbeddedPaths,
  embeddedPaths,
  prepareDataDir,
  prepareSocketDir,
  serverAccount,
} from '../../src/store/embedded-files.ts';
import { launchServer, makeCluster, ServerEndedError, shutDown } from '../../src/store/embedded-process.ts';
import { findPrograms } from '../../src/store/embedded-programs.ts';
import { processMark } from '../../src/store/process-owner.ts';
import { dataDirectory } from './process.ts';

/** The part of a tap test that is used here. */
interface Closing {
  teardown(end: () => Promise<void>): void;
}

/** A PostgreSQL server that a test may take away. It keeps what it acknowledged, and nobody restarts it. */
export interface OwnServer {
  /** The folder of its socket. */
  readonly socketDir: string;
  readonly connection: Readonly<pg.ClientConfig>;
  readonly url: string;
  start(): Promise<void>;
  /** As an operator would: connections are ended. */
  stop(): Promise<void>;
  /** SIGKILL of the server's first process; the others follow. */
  crash(): Promise<void>;
}

const DEADLINE_MS = 60_000;
const PORT = 5432;

/** Prepares a server on a new data folder; it is not started yet. It is stopped and removed when the test ends. */
export async function ownServer(t: Closing): Promise<OwnServer> {
  const paths = await embeddedPaths(await dataDirectory(t));
  const account = await serverAccount(paths.cluster);
  await prepareDataDir(paths, account);
  const programs = await findPrograms(paths, account);
  await makeCluster(paths, programs, account, false);
  const socketDir = await prepareSocketDir(paths.cluster, account, undefined);
  let pid = 0;
  return {
    socketDir,
    connection: { host: socketDir, port: PORT, user: 'escalera', database: 'postgres' },
    url: `postgresql://escalera@localhost/postgres?host=${encodeURIComponent(socketDir)}&port=${PORT}`,
    async start() {
      await prepareSocketDir(paths.cluster, account, socketDir);
      pid = await launch(paths, programs, account, socketDir);
    },
    stop: () => shutDown(paths.cluster, DEADLINE_MS),
    async crash() {
      process.kill(pid, 'SIGKILL');
      while ((await processMark(pid)) !== undefined) await delay(5);
    },
  };
}

/** The backends of a killed server live on for a moment, and keep the next one from starting. */
async function launch(
  paths: EmbeddedPaths,
  programs: string,
  account: Account | undefined,
  socketDir: string,
): Promise<number> {
  const settings = {
    listen_addresses: '',
    port: String(PORT),
    unix_socket_directories: socketDir,
    max_connections: '40',
    client_connection_check_interval: '1s',
  };
  for (;;) {
    try {
      return (await launchServer(paths, programs, account, settings, DEADLINE_MS)).pid;
    } catch (error) {
      if (!(error instanceof ServerEndedError && error.transient)) throw error;
      await delay(20);
    }
  }
}
