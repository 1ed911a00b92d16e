import type { Test } from 'tap';
import type { Rng } from '../oracle/rng.ts';
import { type Batch, sendBatch } from './stream.ts';

const READS = ['/v1/reports/stage-population', '/v1/reports/stage-moves', '/v1/status', '/v1/customers/c-1'];

/** Reads and writes that go on while a test makes faults. */
export interface Load {
  /** Batches of which 200 was answered. */
  readonly acknowledged: Batch[];
  /** Requests counted by what was answered. */
  readonly answers: ReadonlyMap<string, number>;
  /** Items that were called duplicate: a refused batch had been stored all the same. */
  duplicates(): number;
  /** Answers that neither do what was asked for nor say to come again. */
  surprises(): Readonly<Record<string, number>>;
  /** Ends the load, and waits for the last answers. */
  stop(): Promise<unknown>;
}

/** What a database that cannot be reached is answered with. */
export function refused(what: 'write' | 'read', code = 'database_unavailable'): string {
  return `${what}: 503 application/problem+json ${code} retryable after 1`;
}

/** Writes and reads until told to stop, at last by the end of the test; a batch that is refused is sent again, and again. `codes`: the refusals to expect. */
export function putUnderLoad(t: Test, rng: Rng, url: string, waiting: Batch[], codes = ['database_unavailable']): Load {
  const acknowledged: Batch[] = [];
  const answers = new Map<string, number>();
  const expected = ['written', 'read', ...codes.flatMap((code) => [refused('write', code), refused('read', code)])];
  let duplicates = 0;
  let stopped = false;
  const count = (what: string): unknown => answers.set(what, (answers.get(what) ?? 0) + 1);
  const writer = async (): Promise<void> => {
    for (let batch = waiting.pop(); batch !== undefined; batch = stopped ? undefined : waiting.pop()) {
      const reply = await sendBatch(url, batch);
      if (reply?.status === 200) {
        acknowledged.push(batch);
        duplicates += reply.body.summary.duplicate;
        count(reply.body.summary.conflict + reply.body.summary.invalid === 0 ? 'written' : 'in conflict or invalid');
      } else {
        waiting.push(batch);
        if (reply === undefined) count('a write without an answer');
        else count(describe('write', reply.status, reply.content_type, reply.retry_after, reply.body));
      }
    }
  };
  const reader = async (): Promise<void> => {
    while (!stopped) {
      try {
        const answer = await fetch(`${url}${rng.pick(READS)}`);
        const body: unknown = await answer.json();
        const { status, headers } = answer;
        if (status === 200 || (body as { code?: string }).code === 'customer_not_found') count('read');
        else count(describe('read', status, headers.get('content-type'), headers.get('retry-after'), body));
      } catch {
        count('a read without an answer');
      }
    }
  };
  const ended = Promise.all([...Array.from({ length: 6 }, writer), ...Array.from({ length: 3 }, reader)]);
  t.teardown(() => {
    stopped = true;
  });
  return {
    acknowledged,
    answers,
    duplicates: () => duplicates,
    surprises: () => Object.fromEntries([...answers].filter(([what]) => !expected.includes(what))),
    stop() {
      stopped = true;
      return ended;
    },
  };
}

function describe(what: string, status: number, type: string | null, retryAfter: string | null, body: unknown): string {
  const { code, retryable } = body as { code?: string; retryable?: boolean };
  return `${what}: ${status} ${type?.split(';')[0]} ${code} ${retryable ? 'retryable' : 'final'} after ${retryAfter}`;
}
