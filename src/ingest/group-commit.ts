import { Problem } from '../problems.ts';
import { classifyFailure } from '../store/failures.ts';
import { ModelsChangedError, VersionMismatchError } from '../store/versions.ts';
import type { Change, Outcome } from './change.ts';
import type { Engine } from './engine.ts';
import { ingest } from './ingest.ts';

/** How requests share transactions. */
export interface GroupOptions {
  /** Changes that may wait; what would go beyond them is refused. At least as many as one request can have. */
  readonly queue_limit?: number;
  /** Changes of one shared transaction at most; a request that has more goes alone. 1: nobody shares. */
  readonly group_limit?: number;
  /** Transactions at once. */
  readonly transactions?: number;
  /** Told of every transaction that ended: how many requests were in it, and how many changes. */
  readonly onGroup?: (requests: number, changes: number) => void;
}

/** Writes of many requests that share transactions. */
export interface GroupCommit {
  /**
   * Stores the changes of one request, as `ingest` does, in a transaction that may be shared with other requests. Throws a `Problem` with `too_busy` if too many
   * changes wait already; nothing of these is stored then.
   */
  store(engine: Engine, changes: readonly Change[]): Promise<Outcome[]>;
  /** Changes that wait for a transaction. */
  waiting(): number;
}

/** Twenty full batches: with single purchases what a process stores in some ten seconds. */
const QUEUE_LIMIT = 20_000;
/** All that share a transaction wait for the whole of it: with 64 connections a group is rarely larger anyway. */
const GROUP_LIMIT = 100;
/** While one transaction writes, the next one can be folded. */
const TRANSACTIONS = 2;
/** A shared transaction that meets a lock held for longer is undone, and its requests go one by one: whoever needs the locked row then waits alone. */
const SHARED_LOCK_WAIT_MS = 1_000;

/** A request whose changes are to be stored. */
interface Write {
  readonly engine: Engine;
  readonly changes: readonly Change[];
  readonly customers: readonly string[];
  readonly asked_at: number;
  readonly resolve: (outcomes: Outcome[]) => void;
  readonly reject: (error: unknown) => void;
  /** It was in a shared transaction that failed, and shares none again. */
  alone: boolean;
}

/**
 * Collects the changes of concurrent requests while a transaction runs, and stores them together in the next one: the cost of a transaction is paid once for
 * all of them. Nobody waits for company: a lone request goes at once. Requests that name the same customer are stored in the order in which they came.
 */
export function createGroupCommit(options: GroupOptions): GroupCommit {
  const { queue_limit = QUEUE_LIMIT, group_limit = GROUP_LIMIT, transactions = TRANSACTIONS, onGroup } = options;
  const queue: Write[] = [];
  const running = new Set<readonly Write[]>();
  let waiting = 0;

  const start = (): void => {
    while (running.size < transactions) {
      for (const write of takeExpired(queue)) {
        waiting -= write.changes.length;
        write.reject(new Problem('busy'));
      }
      const group = takeGroup(queue, running, group_limit);
      if (group.length === 0) return;
      waiting -= sizeOf(group);
      running.add(group);
      void run(group);
    }
  };
  const run = async (group: readonly Write[]): Promise<void> => {
    const again = await storeGroup(group);
    running.delete(group);
    onGroup?.(group.length, sizeOf(group));
    for (const write of again) write.alone = true;
    waiting += sizeOf(again);
    queue.unshift(...again);
    start();
  };
  return {
    waiting: () => waiting,
    async store(engine, changes) {
      if (changes.length === 0) return [];
      if (waiting + changes.length > queue_limit) throw new Problem('too_busy');
      return await new Promise<Outcome[]>((resolve, reject) => {
        const customers = [...new Set(changes.map((change) => change.customer_id))];
        queue.push({ engine, changes, customers, asked_at: performance.now(), resolve, reject, alone: false });
        waiting += changes.length;
        start();
      });
    },
  };
}

function sizeOf(group: readonly Write[]): number {
  return group.reduce((sum, write) => sum + write.changes.length, 0);
}

/** Takes the requests out of the queue that have waited as long as a statement may take: the oldest are always first. */
function takeExpired(queue: Write[]): Write[] {
  const now = performance.now();
  const fresh = queue.findIndex((write) => now - write.asked_at <= write.engine.statement_timeout_ms);
  return queue.splice(0, fresh === -1 ? queue.length : fresh);
}

/**
 * Takes what the next transaction stores out of the queue, in order. Whoever names a customer of a running transaction, or of a request left waiting, waits
 * as well.
 */
function takeGroup(queue: Write[], running: ReadonlySet<readonly Write[]>, limit: number): Write[] {
  const taken: Write[] = [];
  const left: Write[] = [];
  const held = new Set([...running].flatMap((group) => group.flatMap((write) => write.customers)));
  let room = limit;
  for (const write of queue) {
    const first = taken[0];
    const fits = write.changes.length <= room && !write.alone && !first?.alone && write.engine === first?.engine;
    if ((first === undefined || fits) && !write.customers.some((id) => held.has(id))) {
      taken.push(write);
      room -= write.changes.length;
    } else {
      for (const id of write.customers) held.add(id);
      left.push(write);
    }
  }
  queue.splice(0, queue.length, ...left);
  return taken;
}

/** Stores a group in one transaction and answers its requests. Returns those that must be tried alone, because one of them may be why it failed. */
async function storeGroup(group: readonly Write[]): Promise<readonly Write[]> {
  const { engine } = group[0]!;
  const shared = group.length > 1;
  try {
    const changes = shared ? group.flatMap((write) => write.changes) : group[0]!.changes;
    const outcomes = await ingest(engine, changes, shared ? { lock_wait_ms: SHARED_LOCK_WAIT_MS } : {});
    let next = 0;
    for (const write of group) {
      write.resolve(outcomes.slice(next, next + write.changes.length));
      next += write.changes.length;
    }
  } catch (error) {
    if (shared && concernsOne(error)) return group;
    for (const write of group) write.reject(error);
  }
  return [];
}

/** False if the transaction failed for a reason that concerns every request alike. */
function concernsOne(error: unknown): boolean {
  const outdated = error instanceof VersionMismatchError || error instanceof ModelsChangedError;
  return !outdated && classifyFailure(error) !== 'unavailable';
}
