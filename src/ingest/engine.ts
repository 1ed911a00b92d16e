import type pg from 'pg';
import { type Classifier, compileClassifier } from '../domain/classify.ts';
import { compileModel, memoryOfModels } from '../domain/compile-model.ts';
import { type FoldPlan, planFold } from '../domain/fold.ts';
import { type TimeZone, timeZone } from '../domain/time-zone.ts';
import { PROJECTIONS } from '../reports/registry.ts';
import type { Database } from '../store/connect.ts';
import type { Saving } from '../store/customer-saves.ts';
import type { StoreLog } from '../store/log.ts';
import type { StoredModel, Versions } from '../store/versions.ts';

/** What reads and writes need of a started process. */
export interface Engine {
  readonly db: Database;
  /** The connections behind `db`, for COPY. */
  readonly pool: pg.Pool;
  readonly log: StoreLog;
  readonly versions: Versions;
  readonly zone: TimeZone;
  /** Decimals of the currency. */
  readonly decimals: number;
  readonly plan: FoldPlan;
  /** The active models, in the order of the plan's. */
  readonly models: readonly StoredModel[];
  /** One for each of the models, for questions about single histories. */
  readonly classifiers: readonly Classifier[];
  /** Microseconds since 1970-01-01T00:00:00Z. */
  readonly now: () => number;
  /** The server stops any statement that takes longer. */
  readonly statement_timeout_ms: number;
}

/** What an engine is made of besides versions and models. */
export type EngineParts = Pick<Engine, 'db' | 'pool' | 'log' | 'now' | 'statement_timeout_ms'>;

/** Makes the engine of a database whose versions and models are known. */
export function createEngine(parts: EngineParts, versions: Versions, models: readonly StoredModel[]): Engine {
  const decimals = versions.currency_decimals;
  const plan = planModels(models, decimals);
  const zone = timeZone(versions.reporting_time_zone);
  const classifiers = models.map(({ model, model_version }) => compileClassifier(model, model_version, decimals));
  return { ...parts, versions, zone, decimals, plan, models, classifiers };
}

/** The plan that folds these models into every report, in a currency of so many decimals. */
export function planModels(models: readonly StoredModel[], decimals: number): FoldPlan {
  const memory = memoryOfModels(models.map(({ model }) => model));
  const compiled = models.map(({ model, model_version }) => compileModel(model, model_version, memory, decimals));
  return planFold(compiled, memory, PROJECTIONS);
}

/** How customers are saved now: for the plan's models, with where they stand today. */
export function savingOf(engine: Engine): Saving {
  return { model_versions: engine.plan.models.map((model) => model.version), today: todayOf(engine) };
}

/** Today in the reporting time zone. */
export function todayOf(engine: Pick<Engine, 'zone' | 'now'>): number {
  return engine.zone.dayOf(engine.now());
}
