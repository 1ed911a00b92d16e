import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchShop } from './database.ts';

const ROOT = new URL('../', import.meta.url);
/** How `npm start` runs the service: settings, `node`, flags and file. */
const START = (
  JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { scripts: { start: string } }
).scripts.start.split(' ');
const NODE = START.indexOf('node');
const SETTINGS = Object.fromEntries(START.slice(0, NODE).map((setting) => setting.split('=')));

/** The service in a process of its own. */
export interface ServiceProcess {
  readonly url: string;
  /** The most that was resident so far, if it is watched. */
  peak_mib(): number;
  stop(): Promise<void>;
}

/** Starts the service on a shop, as `npm start` does, and waits until it is ready. Watching its memory may take a processor's time, so only on demand. */
export async function startService({ pool }: BenchShop, { watched = false } = {}): Promise<ServiceProcess> {
  const { host, port, user, database } = pool.options as unknown as Record<string, unknown>;
  const DATABASE_URL = `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(String(host))}&port=${port}`;
  const env = { ...SETTINGS, PATH: process.env.PATH, PORT: '0', DATABASE_URL };
  const child = spawn(process.execPath, START.slice(NODE + 1), {
    cwd: fileURLToPath(ROOT),
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = `${output}${text}`.slice(-10_000);
  });
  let url: string | undefined;
  while (url === undefined || !(await fetch(`${url}/readyz`)).ok) {
    await delay(50);
    url ??= /Server listening at (http:\/\/[^"\s]+)/.exec(output)?.[1];
  }
  const memory = watched ? watchMemory(child.pid!) : undefined;
  return {
    url,
    peak_mib: () => memory?.peak_mib() ?? 0,
    async stop() {
      memory?.stop();
      child.kill('SIGTERM');
      await once(child, 'close');
    },
  };
}

interface MemoryWatch {
  peak_mib(): number;
  stop(): void;
}

/** The most that a process has had resident: what the system itself has noted (VmHWM of proc(5)), or else the most of what is asked for four times a second. */
function watchMemory(pid: number): MemoryWatch {
  const status = `/proc/${pid}/status`;
  if (existsSync(status)) {
    const peak = (): number => Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(status, 'utf8'))![1]);
    return { peak_mib: () => Math.round(peak() / 1_024), stop: () => undefined };
  }
  let peak = 0;
  const measure = async (): Promise<void> => {
    const asked = promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
    const { stdout } = await asked.catch(() => ({ stdout: '0' }));
    peak = Math.max(peak, Number(stdout));
  };
  const timer = setInterval(measure, 250);
  return { peak_mib: () => Math.round(peak / 1_024), stop: () => clearInterval(timer) };
}
