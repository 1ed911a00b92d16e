import pg from 'pg';
import type { Test } from 'tap';
import { verify } from '../../src/ingest/verify.ts';
import { type TestService, testService } from '../support/service.ts';

export const WRITERS = 16;
/** The day on which the clocks of all instances stand. */
export const TODAY = '2026-06-15';

/** What a service answered. */
export interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  readonly body: any;
}

/** A request over a socket. */
export async function request(method: string, url: string, body?: unknown): Promise<Answered> {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(url, { method, ...(body === undefined ? {} : json) });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
}

interface Instances {
  readonly service: TestService;
  /** Two instances of the service on one database. */
  readonly urls: readonly [string, string];
}

export async function twoInstances(t: Test): Promise<Instances> {
  const clock = (): number => Date.parse(`${TODAY}T12:00:00Z`);
  const service = await testService(t, { clock });
  const other = await testService(t, { clock, connection: service.connection });
  return { service, urls: [await service.listen(), await other.listen()] };
}

/** Lets writers take jobs from one queue until it is empty; every other writer talks to the other instance. */
export async function work<Job>(
  urls: readonly [string, string],
  jobs: readonly Job[],
  doJob: (url: string, job: Job) => Promise<void>,
) {
  const waiting = [...jobs];
  const write = async (_: unknown, writer: number): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await doJob(urls[writer % 2]!, job);
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

/** How many there are of each. */
export function tally(list: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of list) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

export async function requireAddsUp(t: Test, service: TestService): Promise<void> {
  t.strictSame((await verify(service.engine)).differences, [], 'the roll-ups equal a recomputation');
}

/**
 * How often PostgreSQL had to end a deadlock. One lock order leaves no room for any, even for those that a retry would hide from the client.
 * Sessions report what they counted when they end, so those of the service are ended first; its pools open new ones.
 */
export async function deadlocks(service: TestService): Promise<number> {
  const admin = new pg.Client(service.connection as pg.ClientConfig);
  await admin.connect();
  try {
    const others = `from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`;
    await admin.query(`select pg_terminate_backend(pid) ${others}`);
    const deadline = Date.now() + 10_000;
    while ((await admin.query(`select 1 ${others}`)).rowCount !== 0) {
      if (Date.now() > deadline) throw new Error('the sessions of the service did not end');
    }
    const found = await admin.query('select deadlocks::int4 from pg_stat_database where datname = current_database()');
    return found.rows[0].deadlocks;
  } finally {
    await admin.end();
  }
}
