import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Account, codeOf, type EmbeddedPaths, EmbeddedServerError, giveTo } from './embedded-files.ts';
import { exists, processMark } from './process-owner.ts';

/** How often the state of a server is looked at while something is awaited. */
export const POLL_MS = 20;

/** A live server, as its `postmaster.pid` file describes it. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
  readonly status: string;
}

/**
 * The server's process ended before it was ready. `transient` when the reason was a predecessor that had not quite
 * gone.
 */
export class ServerEndedError extends EmbeddedServerError {
  readonly transient: boolean;
  constructor(output: string) {
    super(`The embedded PostgreSQL did not start: ${lastLines(output)}.`);
    this.transient = /lock file .* already exists|shared memory block .* still in use/.test(output);
  }
}

/**
 * The server that runs on a cluster, in whatever state; undefined when there is none. A file left by a dead server
 * is not believed, nor one whose process id has passed to another program: common in containers, where ids start
 * again from 1.
 */
export async function runningServer(cluster: string): Promise<RunningServer | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw new EmbeddedServerError(
      `The cluster ${cluster} cannot be read (${codeOf(error)}): it belongs to another user.`,
      { cause: error },
    );
  });
  const [pid = '', folder, , port = '', socketDir = '', , , status = 'starting'] = text.split('\n');
  if (!(Number(pid) > 0) || folder !== cluster || !(await processMark(Number(pid)))) return undefined;
  // The command line may be read by anyone; the working folder of another user's process may not, not even by root
  // in a container.
  if (process.platform === 'linux') {
    const args = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!args.split('\0').includes(cluster)) return undefined;
  }
  return { pid: Number(pid), port: Number(port), socketDir, status: status.trim() || 'starting' };
}

/**
 * Makes the cluster unless it exists. It is made under another name and renamed, so that a kill leaves none rather
 * than half of one.
 */
export async function makeCluster(
  paths: EmbeddedPaths,
  programs: string,
  account: Account | undefined,
  durable: boolean,
): Promise<void> {
  if (await stat(paths.cluster).catch(() => undefined)) return;
  for (const name of await readdir(paths.dataDir)) {
    if (name.startsWith('cluster.new-'))
      await rm(join(paths.dataDir, name), { recursive: true, force: true, maxRetries: 3 });
  }
  const fresh = join(paths.dataDir, `cluster.new-${process.pid}-${Date.now()}`);
  await mkdir(fresh, { mode: 0o700 });
  await giveTo(account, fresh);
  const child = spawn(
    join(programs, 'bin', 'initdb'),
    [
      ...['--pgdata', fresh, '--username', 'escalera', '--encoding=UTF8', '--locale=C', '--no-instructions'],
      ...['--auth-local=trust', '--auth-host=reject', ...(durable ? [] : ['--no-sync'])],
    ],
    { ...account, cwd: fresh, env: { LC_ALL: 'C', TZ: 'UTC' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = await once(child, 'close').catch((error: unknown) => Promise.reject(cannotRun(error, account)));
  if (code !== 0) throw new EmbeddedServerError(`A database cluster could not be made: ${lastLines(output)}.`);
  await rename(fresh, paths.cluster);
}

/** Starts the server of a cluster and waits until it takes connections. It outlives this process and its terminal. */
export async function launchServer(
  paths: EmbeddedPaths,
  programs: string,
  account: Account | undefined,
  settings: Readonly<Record<string, string>>,
  deadline_ms: number,
): Promise<RunningServer> {
  await dropForeignPidFile(paths.cluster);
  await rename(paths.serverLog, `${paths.serverLog}.1`).catch(() => undefined);
  const log = await open(paths.serverLog, 'a', 0o600);
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(programs, 'bin', 'postgres'), ['-D', paths.cluster, ...options], {
    ...{ ...account, cwd: paths.cluster, env: { LC_ALL: 'C', TZ: 'UTC' }, detached: true },
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  let failure: Error | undefined;
  child.once('error', (error) => (failure = cannotRun(error, account)));
  child.once(
    'exit',
    async () => (failure ??= new ServerEndedError(await readFile(paths.serverLog, 'utf8').catch(() => ''))),
  );
  const givenUpAt = Date.now() + deadline_ms;
  try {
    for (;;) {
      const server = await runningServer(paths.cluster);
      if (server?.status === 'ready' && server.pid === child.pid) return server;
      if (failure) throw failure;
      if (Date.now() > givenUpAt)
        throw new EmbeddedServerError(`The embedded PostgreSQL was not ready after ${deadline_ms} ms.`);
      await delay(POLL_MS);
    }
  } finally {
    await log.close();
  }
}

/**
 * Ends the server of a cluster, if one runs, and waits until its process is gone: first politely, then without a
 * checkpoint.
 */
export async function shutDown(cluster: string, fast_ms: number): Promise<void> {
  const server = await runningServer(cluster);
  if (!server) return;
  for (const [signal, patience_ms] of [
    ['SIGINT', fast_ms],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 10_000],
  ] as const) {
    if (exists(server.pid)) process.kill(server.pid, signal);
    const givenUpAt = Date.now() + patience_ms;
    while (Date.now() < givenUpAt) {
      if (!(await processMark(server.pid))) return void (await rmdir(server.socketDir).catch(() => undefined));
      await delay(POLL_MS);
    }
  }
  throw new Error(`The server with process id ${server.pid} could not be stopped.`);
}

function lastLines(output: string): string {
  return output.trim().replace(/\.$/, '').split('\n').slice(-6).join(' | ');
}

/** PostgreSQL takes any live process of its user for its predecessor and would never start again. */
async function dropForeignPidFile(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
  if (pid > 0 && exists(pid) && !(await runningServer(cluster))) await rm(file, { force: true });
}

function cannotRun(error: unknown, account: Account | undefined): EmbeddedServerError {
  const why =
    codeOf(error) === 'ENOENT'
      ? 'the programs need glibc, which musl systems such as Alpine lack'
      : `${codeOf(error)}${account ? ` as user ${account.uid}` : ''}`;
  return new EmbeddedServerError(`The embedded PostgreSQL cannot run here: ${why}.`, { cause: error });
}
