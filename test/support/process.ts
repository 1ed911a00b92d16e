import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stopEmbedded } from '../../src/store/embedded.ts';

/** The part of a tap test that is used here. */
interface Closing {
  teardown(end: () => Promise<void>): void;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A line of the service's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A service of its own, as an operator would run it. */
export interface ServiceProcess {
  /** Base URL, as the log names it. */
  readonly url: string;
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** Undefined while it runs. */
  ending(): Ending | undefined;
  /** All it has written. */
  output(): string;
  /** The log so far. */
  log(): LogLine[];
  /** Waits until /readyz answers 200, and gives the milliseconds since the start of the process; the deadline counts from now. */
  ready(deadline_ms?: number): Promise<number>;
  /** SIGTERM; waits for the end. */
  stop(): Promise<Ending & { readonly duration_ms: number }>;
  /** SIGKILL; waits for the end. */
  kill(): Promise<void>;
}

/** What a command printed, and how it ended. */
export interface CommandResult extends Ending {
  readonly stdout: string;
  readonly stderr: string;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const POLL_MS = 10;

/** Environment variables of a service; undefined ones are left out. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Looks until something is there; fails with what was awaited after the deadline. */
export async function eventually<Found>(
  what: string,
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  deadline_ms = 30_000,
): Promise<Found> {
  const givenUpAt = Date.now() + deadline_ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > givenUpAt) throw new Error(`not within ${deadline_ms} ms: ${what}`);
    await delay(POLL_MS);
  }
}

/** Starts `node src/main.ts` on a free port and waits until it listens; it is killed when the test ends. */
export async function startProcess(t: Closing, environment: Environment): Promise<ServiceProcess> {
  const run = launch(t, [], { PORT: '0', ...environment });
  const url = await eventually('the service listens', () => {
    if (run.ending() !== undefined) throw new Error(`the service ended with ${run.ending()?.code}: ${run.all()}`);
    return /Server listening at (http:\/\/[^"\s]+)/.exec(run.all())?.[1];
  });
  return {
    url,
    pid: run.child.pid!,
    ended: run.ended,
    ending: run.ending,
    output: run.all,
    log: () =>
      run
        .all()
        .split('\n')
        .filter(isLogLine)
        .map((line) => JSON.parse(line) as LogLine),
    ready: (deadline_ms) => awaitReady(url, run, deadline_ms),
    async stop() {
      const asked_at = performance.now();
      run.child.kill('SIGTERM');
      const ending = await run.ended;
      return { ...ending, duration_ms: Math.round(performance.now() - asked_at) };
    },
    async kill() {
      run.child.kill('SIGKILL');
      await run.ended;
    },
  };
}

/** Runs a command such as `verify` to its end. */
export async function runCommand(
  t: Closing,
  args: readonly string[],
  environment: Environment,
): Promise<CommandResult> {
  const run = launch(t, args, environment);
  const ending = await run.ended;
  return { ...ending, stdout: run.stdout(), stderr: run.stderr() };
}

/** Starts a command that is not waited for; it is killed when the test ends. */
export function startCommand(
  t: Closing,
  args: readonly string[],
  environment: Environment,
): { /** SIGKILL; waits for the end. */ kill(): Promise<void> } {
  const run = launch(t, args, environment);
  return {
    async kill() {
      run.child.kill('SIGKILL');
      await run.ended;
    },
  };
}

/** A folder for an embedded server: its server is stopped and it is removed when the test ends. */
export async function dataDirectory(t: Closing): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'escalera-service-test-'));
  await chmod(parent, 0o755);
  const dataDir = join(parent, 'data');
  t.teardown(async () => {
    await stopEmbedded(dataDir);
    await rm(parent, { recursive: true, force: true, maxRetries: 5 });
  });
  return dataDir;
}

interface Run {
  readonly started_at: number;
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  ending(): Ending | undefined;
  stdout(): string;
  stderr(): string;
  all(): string;
}

function launch(t: Closing, args: readonly string[], environment: Environment): Run {
  const inherited = Object.fromEntries(['PATH', 'HOME', 'TMPDIR', 'TZ'].map((name) => [name, process.env[name]]));
  const given = Object.entries({ ...inherited, ...environment }).filter(([, value]) => value !== undefined);
  const started_at = performance.now();
  const child = spawn(process.execPath, ['src/main.ts', ...args], {
    cwd: ROOT,
    env: Object.fromEntries(given) as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  let ending: Ending | undefined;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      ending = { code, signal };
      resolve(ending);
    });
  });
  t.teardown(async () => {
    if (ending === undefined) child.kill('SIGKILL');
    await ended;
  });
  return {
    started_at,
    child,
    ended,
    ending: () => ending,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    all: () => texts.stdout + texts.stderr,
  };
}

async function awaitReady(url: string, run: Run, deadline_ms?: number): Promise<number> {
  const look = async (): Promise<boolean> => {
    if (run.ending() !== undefined) throw new Error(`the service ended with ${run.ending()?.code}: ${run.all()}`);
    return (await statusOf(`${url}/readyz`)) === 200;
  };
  await eventually('the service is ready', look, deadline_ms);
  return Math.round(performance.now() - run.started_at);
}

/** Status of a GET on a connection of its own; 0 without an answer. */
export async function statusOf(url: string): Promise<number> {
  try {
    const answer = await fetch(url, { headers: { connection: 'close' } });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}

function isLogLine(text: string): boolean {
  return text.startsWith('{') && text.endsWith('}');
}
