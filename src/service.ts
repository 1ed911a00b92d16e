import type { Logger } from 'pino';
import { buildApp } from './app.ts';
import { type Config, ConfigError } from './config.ts';
import { BUILT_IN_MODELS } from './domain/models.ts';
import { fixedKeys, type KeyRing, keysFromFile } from './http/keys.ts';
import { startBuilding } from './ingest/keep-building.ts';
import { startStoring } from './ingest/keep-storing.ts';
import { machineClock } from './ingest/machine-clock.ts';
import { startRipening } from './ingest/ripen.ts';
import { startEngine } from './ingest/start.ts';
import { type Connected, connect, type PoolOptions } from './store/connect.ts';
import { startEmbedded } from './store/embedded.ts';

/** Where the migrations are. */
export const MIGRATIONS = new URL('../migrations/', import.meta.url);

/** A database to work with, and how to let go of it. */
export interface OpenDatabase extends Connected {
  /** How it was connected, for those who need connections of their own. */
  readonly options: PoolOptions;
  close(): Promise<void>;
}

/** Beyond the longest statement, for the server's answer to arrive. */
const SILENCE_MARGIN_MS = 5_000;

/** Opens the configured database; without DATABASE_URL the embedded PostgreSQL, which it starts or adopts. Commands may run statements of any length. */
export async function openDatabase(
  config: Config,
  log: Logger,
  limits: Pick<PoolOptions, 'silence_ms'> = {},
): Promise<OpenDatabase> {
  const embedded = config.database_url === null ? await startEmbedded({ dataDir: config.data_dir, log }) : null;
  const connection = embedded === null ? { connectionString: config.database_url! } : { ...embedded.connection };
  const options = { connection, max: config.pool_size, connect_timeout_ms: config.connect_timeout_ms, ...limits };
  const connected = connect(options, log);
  return {
    ...connected,
    options,
    async close() {
      await connected.pool.end();
      await embedded?.stop();
    },
  };
}

/** What `startEngine` needs of a configuration. */
export function startOptions(config: Config, database: OpenDatabase, log: Logger) {
  const { reporting_time_zone, currency, currency_decimals, migrate_at_start, statement_timeout_ms } = config;
  return {
    db: database.db,
    pool: database.pool,
    connection: database.options.connection,
    migrations: MIGRATIONS,
    migrate_at_start,
    deployment: { reporting_time_zone, currency, currency_decimals },
    models: config.lifecycle_models.map((name) => BUILT_IN_MODELS[name]),
    log,
    now: machineClock,
    statement_timeout_ms,
  };
}

/** A service that listens. */
export interface Service {
  /** Base URL it answers on. */
  readonly url: string;
  /** Resolves when it is ready to answer; rejects with the reason to exit. Neither, if it is closed before. */
  readonly ready: Promise<unknown>;
  /** Lets requests in flight finish, then ends; the embedded server too. */
  close(): Promise<void>;
}

/** Starts the whole service. It listens at once and answers 503 until the database is there. */
export async function startService(config: Config, log: Logger): Promise<Service> {
  const keys = await openKeys(config, log);
  if (!keys.configured)
    log.warn(
      { host: config.host },
      'no keys are configured: listening on loopback only, everybody there may do everything',
    );
  const database = await openDatabase(config, log, { silence_ms: config.statement_timeout_ms + SILENCE_MARGIN_MS });
  const stopStarting = new AbortController();
  const source = startEngine(startOptions(config, database, log), stopStarting.signal);
  const limits = {
    body_bytes: config.body_limit_bytes,
    request_timeout_ms: config.request_timeout_ms,
    queue_limit: config.write_queue_limit,
  };
  const app = await buildApp({ source, keys, log, pool: database.pool, limits });
  const url = await app.server.listen({ host: config.host, port: config.port });
  const ripening = startRipening(source);
  const building = startBuilding(source, {
    database: database.options,
    customers: config.build_customers,
  });
  const storing = startStoring(source.started, {
    database: database.options,
    page_rows: config.import_page_rows,
    onStored: app.ingested,
  });
  return {
    url,
    ready: source.started.catch((error: unknown) =>
      stopStarting.signal.aborted ? new Promise<never>(() => undefined) : Promise.reject(error),
    ),
    async close() {
      stopStarting.abort();
      await app.leave();
      await Promise.all([ripening.stop(), building.stop(), storing.stop()]);
      await database.close();
    },
  };
}

/** The configured keys. API_KEYS that holds none, say a comment only, is refused: it would leave every door open. */
async function openKeys(config: Config, log: Logger): Promise<KeyRing> {
  const name = config.api_keys_file === null ? 'API_KEYS' : 'API_KEYS_FILE';
  try {
    const keys =
      config.api_keys_file === null
        ? fixedKeys(config.api_keys ?? '')
        : await keysFromFile(config.api_keys_file, log, Date.now);
    if (config.api_keys !== null && !keys.configured) throw new Error('there is no key in it');
    return keys;
  } catch (error) {
    throw new ConfigError(`${name} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
