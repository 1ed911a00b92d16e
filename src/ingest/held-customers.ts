import { compareText } from '../domain/activity-day.ts';
import type { Day } from '../domain/calendar.ts';
import { liftLockLimit, limitStatements, type Trx } from '../store/connect.ts';
import {
  deleteCustomers,
  type KnownCustomer,
  lockCustomers,
  readCustomers,
  readSurvivors,
} from '../store/customers.ts';
import { shareVersions } from '../store/versions.ts';
import { type Engine, todayOf } from './engine.ts';
import { retrying } from './retrying.ts';

/** Customers whose rows a transaction has locked. */
export interface HeldCustomers {
  /** Today in the reporting time zone. */
  readonly today: Day;
  /** Those of the named ids that are customers, and the survivors of those that were merged; none if they are not read. */
  readonly customers: ReadonlyMap<string, KnownCustomer>;
  /** The named ids of which nothing was stored. */
  readonly created: ReadonlySet<string>;
  /** The customer an id stands for: the survivor of a merged one, otherwise the id itself. */
  readonly survivorOf: (customerId: string) => string;
}

/** How long a transaction waits for others. */
export interface LockLimits {
  /** For the customers' rows and what is locked before them; absent, as long as a statement may take. */
  readonly lock_wait_ms?: number;
}

/**
 * How much is locked: the named ids and whom they stand for, or besides every other id of these. Of the survivors what is stored may be left unread (`readPart`),
 * since it takes a kilobyte each.
 */
export type Reach = 'survivors' | 'survivors unread' | 'every id';

/**
 * Runs a writing transaction behind the fence of the versions, with the customers locked in order of their ids; ids that are not known have an empty row,
 * which the transaction fills or deletes.
 *
 * Who was merged into whom is certain only under the locks. An id that then turns out to be missing among them cannot be locked out of order, which could
 * deadlock; so everything is let go and begun again with it. From the third attempt on each is due to a merge or an erasure that was committed meanwhile.
 * Without merged ids among the named ones this costs nothing.
 */
export async function holding<Result>(
  engine: Engine,
  customerIds: readonly string[],
  reach: Reach,
  write: (trx: Trx, held: HeldCustomers) => Promise<Result>,
  { lock_wait_ms }: LockLimits = {},
): Promise<Result> {
  const named = [...new Set(customerIds)];
  for (let locked = named; ; ) {
    try {
      return await retrying(() =>
        engine.db.transaction().execute(async (trx) => {
          await limitStatements(trx, engine.statement_timeout_ms, lock_wait_ms);
          await shareVersions(trx, engine.versions);
          const held = await hold(trx, engine, named, locked, reach);
          if (lock_wait_ms !== undefined) await liftLockLimit(trx);
          return await write(trx, held);
        }),
      );
    } catch (error) {
      if (!(error instanceof MoreToLock)) throw error;
      locked = error.customerIds;
    }
  }
}

/** Reads what is stored of some of the customers that are held unread. */
export async function readPart(trx: Trx, held: HeldCustomers, customerIds: readonly string[]): Promise<HeldCustomers> {
  const ids = [...new Set(customerIds.map(held.survivorOf))].filter((id) => !held.created.has(id));
  return { ...held, customers: (await readCustomers(trx, ids)).customers };
}

class MoreToLock extends Error {
  readonly customerIds: string[];
  constructor(customerIds: string[]) {
    super('customers were merged meanwhile');
    this.customerIds = customerIds;
  }
}

async function hold(
  trx: Trx,
  engine: Engine,
  named: readonly string[],
  locked: readonly string[],
  reach: Reach,
): Promise<HeldCustomers> {
  const today = todayOf(engine);
  const ids = [...locked].sort(compareText);
  const created = await lockCustomers(trx, ids, today);
  const known = ids.filter((id) => !created.has(id));
  const { customers, survivors } =
    reach === 'survivors unread'
      ? { customers: new Map<string, KnownCustomer>(), survivors: await readSurvivors(trx, known) }
      : await readCustomers(trx, known);
  const survivorOf = (id: string): string => survivors.get(id) ?? id;
  const needed = new Set(named);
  for (const id of named) {
    needed.add(survivorOf(id));
    const others = reach !== 'every id' ? [] : (customers.get(survivorOf(id))?.merged_ids ?? []);
    for (const other of others) needed.add(other);
  }
  const isLocked = new Set(ids);
  if ([...needed].some((id) => !isLocked.has(id))) throw new MoreToLock([...needed]);
  // An id that an earlier attempt asked for may be gone since, and then it was made anew only to be locked.
  await deleteCustomers(
    trx,
    [...created].filter((id) => !needed.has(id)),
  );
  return { today, customers, created, survivorOf };
}
