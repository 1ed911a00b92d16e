import type pg from 'pg';
import { type Classifier, compileClassifier } from '../domain/classify.ts';
import type { FoldPlan } from '../domain/fold.ts';
import { type TimeZone, timeZone } from '../domain/time-zone.ts';
import { type Database, inSnapshot, type Trx } from '../store/connect.ts';
import type { Saving } from '../store/customer-saves.ts';
import { readLayouts, type StoredLayout } from '../store/fold-layouts.ts';
import type { StoreLog } from '../store/log.ts';
import { readModels, type StoredModel } from '../store/models.ts';
import { readProjections } from '../store/projections.ts';
import { readVersions, requireVersions, type Versions } from '../store/versions.ts';
import { createFoldings, type Foldings } from './foldings.ts';

/** What reads and writes need of a started process: made anew whenever the models change, and never changed itself. */
export interface Engine {
  readonly db: Database;
  /** The connections behind `db`, for COPY. */
  readonly pool: pg.Pool;
  readonly log: StoreLog;
  readonly versions: Versions;
  readonly zone: TimeZone;
  /** Decimals of the currency. */
  readonly decimals: number;
  /** What customers are folded into: the active models first, then those that are being built. */
  readonly plan: FoldPlan;
  readonly foldings: Foldings;
  /** The active models, in the order of the plan's. */
  readonly models: readonly StoredModel[];
  /** Every version of every model that was ever published. */
  readonly published: readonly StoredModel[];
  /** Projections that are being built: the sums of their roll-ups are those of some customers only. */
  readonly unready: ReadonlySet<string>;
  /** One for each of the active models, for questions about single histories. */
  readonly classifiers: readonly Classifier[];
  /** Microseconds since 1970-01-01T00:00:00Z. */
  readonly now: () => number;
  /** The server stops any statement that takes longer. */
  readonly statement_timeout_ms: number;
}

/** What an engine is made of besides what the database holds. */
export type EngineParts = Pick<Engine, 'db' | 'pool' | 'log' | 'now' | 'statement_timeout_ms'>;

/** What a database says of versions, models and layouts, all of one moment. */
export interface EngineContents {
  readonly versions: Versions;
  readonly models: readonly StoredModel[];
  readonly layouts: readonly StoredLayout[];
  readonly unready: ReadonlySet<string>;
}

/** Makes the engine of a database. */
export function createEngine(parts: EngineParts, { versions, models, layouts, unready }: EngineContents): Engine {
  const decimals = versions.currency_decimals;
  const active = models.filter(({ state }) => state === 'active');
  const foldings = createFoldings(models, layouts, decimals);
  return {
    ...parts,
    versions,
    zone: timeZone(versions.reporting_time_zone),
    decimals,
    plan: foldings.whole.plan,
    foldings,
    models: active,
    published: models,
    unready,
    classifiers: active.map(({ model, model_version }) => compileClassifier(model, model_version, decimals)),
  };
}

/**
 * Makes the engine of what a started database holds now. Throws `VersionMismatchError` if other code than this one writes the database. Waits for nobody, not even
 * for a rebuild.
 */
export async function loadEngine(parts: EngineParts): Promise<Engine> {
  return await inSnapshot(parts.db, parts.statement_timeout_ms, async (trx) => await readEngineIn(trx, parts));
}

/** As `loadEngine`, of what the transaction sees: a snapshot, or one that holds the versions row. */
export async function readEngineIn(trx: Trx, parts: EngineParts): Promise<Engine> {
  const versions = await readVersions(trx);
  if (versions === undefined) throw new Error('the database has not been started once yet');
  requireVersions(versions, versions);
  const projections = await readProjections(trx);
  const unready = new Set(projections.flatMap(({ name, ready }) => (ready ? [] : [name])));
  return createEngine(parts, { versions, models: await readModels(trx), layouts: await readLayouts(trx), unready });
}

/** How customers are saved now: with where they stand today. */
export function savingOf(engine: Engine): Saving {
  return { today: todayOf(engine) };
}

/** Today in the reporting time zone. */
export function todayOf(engine: Pick<Engine, 'zone' | 'now'>): number {
  return engine.zone.dayOf(engine.now());
}
