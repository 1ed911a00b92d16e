import type pg from 'pg';
import { compareText } from '../domain/activity-day.ts';
import { type Day, LAST_DAY } from '../domain/calendar.ts';
import { Differences } from '../domain/differences.ts';
import { activityDays } from '../domain/history.ts';
import { encodeFold } from '../domain/saved-fold.ts';
import { positionIn, writeStanding } from '../domain/standing.ts';
import {
  type BuildPage,
  beginBuild,
  claimCustomers,
  countBuilt,
  type ExtendedFold,
  extendFolds,
  readPlaces,
  type StoredPlace,
} from '../store/builds.ts';
import { limitStatements, onConnection, type Trx } from '../store/connect.ts';
import { copyStages } from '../store/customer-copy.ts';
import { standingOn } from '../store/customer-figures.ts';
import { deleteCustomers, type KnownCustomer, lockCustomers, readCustomers } from '../store/customers.ts';
import { decodeHistories, readHistories } from '../store/history-pages.ts';
import { ModelsChangedError, shareVersions } from '../store/versions.ts';
import { type BuildFold, type Built, buildFold } from './build-fold.ts';
import { type Engine, todayOf } from './engine.ts';
import { remembering } from './remembering.ts';
import { retrying } from './retrying.ts';
import { finishBuild } from './switch-models.ts';
import { writeDifferences } from './write-differences.ts';

/** What one transaction builds, unless configured otherwise: small writes of the same customers wait for it, and all their events are in memory. */
const PAGE: BuildPage = { customers: 5_000, events: 50_000 };

/** Transactions at once: while one is written by the database, the next is read and folded. */
const LANES = 2;

/** How a build is run. */
export interface BuildOptions {
  /** No further chunk is begun once it is aborted. */
  readonly signal?: { readonly aborted: boolean };
  /** Customers of one transaction at most. */
  readonly chunk?: number;
  /** Events of theirs together at most. */
  readonly events?: number;
  /** Transactions at once. */
  readonly lanes?: number;
}

/** True if customers lack something of what they are to be folded into. */
export function isBuilding({ published, unready }: Pick<Engine, 'published' | 'unready'>): boolean {
  return unready.size > 0 || published.some(({ state }) => state === 'building');
}

/**
 * Folds every customer into the models and projections that are being built, chunk by chunk under the locks of ingest, beside it and beside reads; then switches to
 * them. Any number of processes may build at once, and be killed anywhere. Returns false if it was stopped. Throws `ModelsChangedError` if there is something else to
 * build, or if another process has switched.
 */
export async function build(
  engine: Engine,
  { signal, chunk = PAGE.customers, events = PAGE.events, lanes = LANES }: BuildOptions = {},
): Promise<boolean> {
  const { complete } = engine.foldings;
  const { models_revision } = engine.versions;
  await beginBuild(engine.db, { models_revision, started_at: engine.now(), complete });
  const foldOf = remembering((layout: number) => buildFold(engine.foldings, layout));
  const page = { customers: chunk, events };
  /** True if nobody is left, false if it was stopped. */
  const lane = async (): Promise<boolean> => {
    while (!signal?.aborted) {
      const customer_ids = await claimCustomers(engine.db, { models_revision, complete, page });
      if (customer_ids === null) throw new ModelsChangedError('there is something else to build');
      if (customer_ids.length === 0) return true;
      const built = await onConnection(engine.pool, (db, client) =>
        retrying(() => db.transaction().execute((trx) => buildChunk(trx, client, engine, { customer_ids, foldOf }))),
      );
      // Only for those who watch, and so not within the transaction, where the other chunk would wait for it.
      await countBuilt(engine.db, models_revision, built);
    }
    return false;
  };
  for (;;) {
    const ended = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    if (ended.some((one) => one.status === 'fulfilled' && !one.value)) return false;
    if (await finishBuild(engine)) return true;
  }
}

interface Chunk {
  readonly customer_ids: readonly string[];
  readonly foldOf: (layout: number) => BuildFold;
}

async function buildChunk(
  trx: Trx,
  client: pg.ClientBase,
  engine: Engine,
  { customer_ids, foldOf }: Chunk,
): Promise<number> {
  await limitStatements(trx, engine.statement_timeout_ms);
  await shareVersions(trx, engine.versions);
  const customers = await lockLacking(trx, engine, customer_ids);
  const [first, last] = [customers[0], customers.at(-1)];
  if (first === undefined || last === undefined) return 0;
  const ids = customers.map(({ customer_id }) => customer_id);
  const places = await readPlaces(trx, ids);
  const differences = new Differences(engine.plan);
  const range = { first: first.customer_id, last: last.customer_id };
  const histories = decodeHistories(await readHistories(client, customers, range));
  const built = customers.map((customer, index) =>
    foldOf(customer.layout).fold(customer, activityDays(histories[index]!), differences),
  );
  const today = todayOf(engine);
  const extended = built.map((one) => extend(one, places.get(one.customer_id)!, today));
  await extendFolds(trx, engine.foldings.whole.layout, extended);
  await copyStages(client, built, today);
  await writeDifferences(trx, differences);
  return customers.length;
}

/** Locks the customers as ingest does, and reads those who still lack something. */
async function lockLacking(trx: Trx, engine: Engine, ids: readonly string[]): Promise<KnownCustomer[]> {
  const sorted = [...ids].sort(compareText);
  const created = await lockCustomers(trx, sorted, todayOf(engine));
  // Erased since they were found: the lock must not bring them back.
  await deleteCustomers(trx, [...created]);
  const { customers } = await readCustomers(trx, sorted);
  const complete = new Set(engine.foldings.complete);
  return sorted.flatMap((id) => {
    const customer = customers.get(id);
    return customer === undefined || complete.has(customer.layout) ? [] : [customer];
  });
}

/** What is stored of a customer besides events, with what was built added. The day of the next change may come too soon, never too late: it only finds who is to be looked at. */
function extend(
  { customer_id, saved, kept, model_versions, spells }: Built,
  stored: StoredPlace,
  today: Day,
): ExtendedFold {
  const { places, next_change } = standingOn(spells, today);
  const versions = [...kept, ...model_versions];
  const positions = [
    ...kept.map((version) => positionIn(stored.standing, version)),
    ...places.map((one) => one.position),
  ];
  const next = Math.min(stored.next_change ?? LAST_DAY + 1, next_change ?? LAST_DAY + 1);
  return {
    customer_id,
    fold: encodeFold(saved),
    next_change: next > LAST_DAY ? null : next,
    standing: writeStanding(versions, positions),
  };
}
