import type pg from 'pg';
import { compareText } from '../domain/activity-day.ts';
import { type Day, LAST_DAY } from '../domain/calendar.ts';
import { Differences } from '../domain/differences.ts';
import { activityDays } from '../domain/history.ts';
import { encodeFold } from '../domain/saved-fold.ts';
import { positionIn, writeStanding } from '../domain/standing.ts';
import {
  advanceBuild,
  type BuildPage,
  beginBuild,
  type ExtendedFold,
  extendFolds,
  holdBuild,
  pageLacking,
  readPlaces,
  type StoredPlace,
} from '../store/builds.ts';
import { limitStatements, onConnection, type Trx } from '../store/connect.ts';
import { copyStages } from '../store/customer-copy.ts';
import { standingOn } from '../store/customer-figures.ts';
import { deleteCustomers, type KnownCustomer, lockCustomers, readCustomers } from '../store/customers.ts';
import { decodeHistories, readHistories } from '../store/history-pages.ts';
import { shareVersions } from '../store/versions.ts';
import { type BuildFold, type Built, buildFold } from './build-fold.ts';
import { type Engine, todayOf } from './engine.ts';
import { retrying } from './retrying.ts';
import { finishBuild } from './switch-models.ts';
import { writeDifferences } from './write-differences.ts';

/** What one transaction builds: small writes of the same customers wait for it, and all their events are in memory. */
const PAGE: BuildPage = { customers: 2_000, events: 30_000 };

/** How a build is run. */
export interface BuildOptions {
  /** No further chunk is begun once it is aborted. */
  readonly signal?: { readonly aborted: boolean };
  /** Customers of one transaction at most. */
  readonly chunk?: number;
  /** Events of theirs together at most. */
  readonly events?: number;
}

/** True if customers lack something of what they are to be folded into. */
export function isBuilding({ published, unready }: Pick<Engine, 'published' | 'unready'>): boolean {
  return unready.size > 0 || published.some(({ state }) => state === 'building');
}

/**
 * Folds every customer into the models and projections that are being built, chunk by chunk under the locks of ingest, beside it and beside reads; then switches to
 * them. A chunk stores how far it is, so a build that was killed goes on where it was. Returns false if it was stopped, or if another process builds. Throws
 * `ModelsChangedError` if there is something else to build.
 */
export async function build(
  engine: Engine,
  { signal, chunk = PAGE.customers, events = PAGE.events }: BuildOptions = {},
): Promise<boolean> {
  const { complete } = engine.foldings;
  await beginBuild(engine.db, { models_revision: engine.versions.models_revision, started_at: engine.now(), complete });
  const folds = new Map<number, BuildFold>();
  const foldOf = (layout: number): BuildFold => {
    const fold = folds.get(layout) ?? buildFold(engine.foldings, layout);
    folds.set(layout, fold);
    return fold;
  };
  const page = { customers: chunk, events };
  while (!signal?.aborted) {
    const built = await onConnection(engine.pool, (db, client) =>
      retrying(() => db.transaction().execute((trx) => buildChunk(trx, client, engine, { page, foldOf }))),
    );
    if (built === null) return false;
    if (built === 0 && (await finishBuild(engine))) return true;
  }
  return false;
}

interface Chunk {
  readonly page: BuildPage;
  readonly foldOf: (layout: number) => BuildFold;
}

/** How many customers were found; null if somebody else builds. */
async function buildChunk(
  trx: Trx,
  client: pg.ClientBase,
  engine: Engine,
  { page, foldOf }: Chunk,
): Promise<number | null> {
  const { complete, whole } = engine.foldings;
  await limitStatements(trx, engine.statement_timeout_ms);
  await shareVersions(trx, engine.versions);
  const held = await holdBuild(trx, engine.versions.models_revision);
  if (held === null) return null;
  const found = await pageLacking(trx, complete, held.after_id, page);
  const [first, last] = [found[0], found.at(-1)];
  if (first === undefined || last === undefined) return 0;
  const customers = await lockLacking(trx, engine, found);
  const ids = customers.map(({ customer_id }) => customer_id);
  const places = await readPlaces(trx, ids);
  const differences = new Differences(engine.plan);
  const histories = decodeHistories(await readHistories(client, customers, { first, last }));
  const built = customers.map((customer, index) =>
    foldOf(customer.layout).fold(customer, activityDays(histories[index]!), differences),
  );
  const today = todayOf(engine);
  const extended = built.map((one) => extend(one, places.get(one.customer_id)!, today));
  await extendFolds(trx, whole.layout, extended);
  await copyStages(client, built, today);
  await advanceBuild(trx, last, customers.length);
  await writeDifferences(trx, differences);
  return found.length;
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
