import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchShop } from './database.ts';

const ROOT = new URL('../', import.meta.url);
/** How `npm start` runs the service. */
const START = (JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { scripts: { start: string } })
  .scripts.start;

/** The service in a process of its own. */
export interface ServiceProcess {
  readonly url: string;
  /** The most that was resident so far, if it is watched. */
  peak_mib(): number;
  stop(): Promise<void>;
}

/** Starts the service on a shop, as `npm start` does, and waits until it is ready. Watching its memory takes a processor's time, so only on demand. */
export async function startService({ pool }: BenchShop, { watched = false } = {}): Promise<ServiceProcess> {
  const { host, port, user, database } = pool.options as unknown as Record<string, unknown>;
  const DATABASE_URL = `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(String(host))}&port=${port}`;
  const env = { PATH: process.env.PATH, PORT: '0', DATABASE_URL };
  const child = spawn(process.execPath, START.split(' ').slice(1), {
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
  let peak = 0;
  const measure = async (): Promise<void> => {
    const asked = promisify(execFile)('ps', ['-o', 'rss=', '-p', String(child.pid)]);
    const { stdout } = await asked.catch(() => ({ stdout: '0' }));
    peak = Math.max(peak, Number(stdout));
  };
  const timer = watched ? setInterval(measure, 250) : undefined;
  return {
    url,
    peak_mib: () => Math.round(peak / 1_024),
    async stop() {
      clearInterval(timer);
      child.kill('SIGTERM');
      await once(child, 'close');
    },
  };
}
