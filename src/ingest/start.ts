import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Model } from '../domain/model.ts';
import type { Database } from '../store/connect.ts';
import { classifyFailure } from '../store/failures.ts';
import type { StoreLog } from '../store/log.ts';
import { migrate, pendingMigrations } from '../store/migrate.ts';
import type { ModelState } from '../store/tables.ts';
import {
  CODE_VERSIONS,
  type Deployment,
  ModelsChangedError,
  readVersions,
  requireVersions,
  seedVersions,
  takeoverOf,
  type Versions,
  versionsHold,
} from '../store/versions.ts';
import { type Engine, loadEngine } from './engine.ts';
import { takeOver } from './take-over.ts';

/** What starting needs. */
export interface StartOptions {
  readonly db: Database;
  readonly pool: pg.Pool;
  /** For the migrations, which hold a lock of a session: not through a transaction pooler. */
  readonly connection: Readonly<pg.PoolConfig>;
  readonly migrations: URL;
  readonly migrate_at_start: boolean;
  readonly deployment: Deployment;
  /** What an empty database is seeded with. */
  readonly models: readonly Model[];
  readonly log: StoreLog;
  readonly now: () => number;
  readonly statement_timeout_ms: number;
}

/** The configuration does not fit the database: starting again would not help. */
export class StartRefusedError extends Error {
  override readonly name = 'StartRefusedError';
}

/** A process on its way to being ready. */
export interface EngineSource {
  /** The newest engine, or null until the database has answered once. */
  current(): Engine | null;
  /** The engine after one that is out of date (`ModelsChangedError`); throws `VersionMismatchError` if newer code has taken over. */
  renew(outdated: Engine): Promise<Engine>;
  /** True if reads and writes would be answered now: the database answers and no other version has changed it. */
  ready(): Promise<boolean>;
}

/** A source that is still starting; `started` settles when it is done. */
export interface StartingEngine extends EngineSource {
  /** Rejects with `StartRefusedError`, `SchemaTooNewError` or a failed migration: reasons to exit. */
  readonly started: Promise<Engine>;
}

/** Runs with the newest engine of a source that has one, and again with a newer one as long as the models change meanwhile. */
export async function withEngine<Result>(
  source: EngineSource,
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  for (let engine = source.current()!; ; ) {
    try {
      return await use(engine);
    } catch (error) {
      if (!(error instanceof ModelsChangedError)) throw error;
      const newer = await source.renew(engine);
      // Nothing has changed after all: what is stored names something that nobody has registered.
      if (newer.versions.models_revision === engine.versions.models_revision) throw error;
      engine = newer;
    }
  }
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
const READY_TIMEOUT_MS = 2_000;

/**
 * Starts in the background: waits for the database however long it takes, brings the schema up (or waits until somebody has), seeds an empty
 * database, and checks that what is fixed in it is what is configured. Aborting the signal ends the waiting.
 */
export function startEngine(options: StartOptions, signal: AbortSignal): StartingEngine {
  let engine: Engine | null = null;
  let renewing: Promise<Engine> | null = null;
  const started = prepare(options, signal).then((made) => {
    engine = made;
    options.log.info({ ...modelsOf(made), time_zone: made.zone.name }, 'ready');
    return made;
  });
  // Whoever awaits `started` sees the failure; without this, nobody awaiting yet would end the process.
  started.catch(() => undefined);
  return {
    started,
    current: () => engine,
    async renew(outdated) {
      if (engine !== null && engine !== outdated) return engine;
      // Everybody who finds out at once waits for the same.
      renewing ??= loadEngine(options).finally(() => {
        renewing = null;
      });
      const made = await renewing;
      requireVersions({ ...made.versions, models_revision: outdated.versions.models_revision }, outdated.versions);
      if (engine !== made) options.log.info(modelsOf(made), 'models changed');
      engine = made;
      return made;
    },
    ready: async () => engine !== null && (await answers(engine)),
  };
}

function modelsOf(engine: Engine) {
  const named = (state: ModelState): string[] =>
    engine.published.flatMap((one) => (one.state === state ? [`${one.model.model_id} ${one.version}`] : []));
  return { models: named('active'), building: named('building') };
}

async function prepare(options: StartOptions, signal: AbortSignal): Promise<Engine> {
  const { log } = options;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      const engine = await attempt(options);
      if (engine !== null) return engine;
      log.warn({}, 'the schema is behind this code; waiting for npm run migrate');
    } catch (error) {
      if (classifyFailure(error) === 'unexpected') throw error;
      log.warn(
        { reason: (error as { code?: string }).code ?? 'no answer', wait_ms: wait },
        'the database does not answer yet',
      );
    }
    await delay(wait, undefined, { signal });
  }
}

/** Null if the schema is behind. Every step may be repeated. */
async function attempt(options: StartOptions): Promise<Engine | null> {
  const { db } = options;
  if (!(await schemaIsUp(options))) return null;
  await seedVersions(db, options.deployment, options.models, options.now());
  const versions = (await readVersions(db))!;
  requireDeployment(versions, options.deployment);
  if (takeoverOf(versions.code_versions) === 'build') await takeOver(options);
  return await loadEngine(options);
}

async function schemaIsUp({ pool, connection, migrations, migrate_at_start, log }: StartOptions): Promise<boolean> {
  if (migrate_at_start) {
    await migrate(connection, migrations, log);
    return true;
  }
  return (await pendingMigrations(pool, migrations)).length === 0;
}

/** Time zone and currency are fixed at first start, roll-ups belong to the code that wrote them. */
function requireDeployment(versions: Versions, deployment: Deployment): void {
  const differs = (what: string, stored: string, configured: string): StartRefusedError =>
    new StartRefusedError(
      `The database was filled with ${what} ${stored}, but ${configured} is configured. Configure ${stored}, or run "npm run rebuild" to fold everything anew.`,
    );
  if (versions.reporting_time_zone !== deployment.reporting_time_zone) {
    throw differs('REPORTING_TIME_ZONE', versions.reporting_time_zone, deployment.reporting_time_zone);
  }
  if (versions.currency !== deployment.currency) throw differs('CURRENCY', versions.currency, deployment.currency);
  const takeover = takeoverOf(versions.code_versions);
  if (takeover === 'rebuild') throw differs('roll-ups of', versions.code_versions, CODE_VERSIONS);
  if (takeover === 'newer') {
    throw new StartRefusedError(
      `Newer code fills this database (${versions.code_versions}); this one is of ${CODE_VERSIONS} and could corrupt it. Run the newer code.`,
    );
  }
}

async function answers({ db, versions }: Engine): Promise<boolean> {
  const asked = versionsHold(db, versions).catch(() => false);
  const limit = new AbortController();
  const late = delay(READY_TIMEOUT_MS, false, { signal: limit.signal, ref: false }).catch(() => false);
  return await Promise.race([asked, late]).finally(() => limit.abort());
}
