import { isIPv4 } from 'node:net';
import { type Static, Type } from '@sinclair/typebox';
import currencies from 'currency-codes';
import { envSchema } from 'env-schema';

const schema = Type.Object({
  HOST: Type.String({ default: '127.0.0.1' }),
  PORT: Type.Integer({ default: 3000, minimum: 0, maximum: 65_535 }),
  DATABASE_URL: Type.Optional(Type.String({ minLength: 1 })),
  DATA_DIR: Type.String({ default: './data', minLength: 1 }),
  REPORTING_TIME_ZONE: Type.String({ default: 'UTC', minLength: 1 }),
  CURRENCY: Type.String({ default: 'EUR' }),
  LIFECYCLE_MODELS: Type.String({ default: 'lifecycle,relationship,journey,loyalty_ladder' }),
  MIGRATE_AT_START: Type.Boolean({ default: true }),
  API_KEYS: Type.Optional(Type.String()),
  API_KEYS_FILE: Type.Optional(Type.String({ minLength: 1 })),
  LOG_LEVEL: Type.String({ default: 'info' }),
  BODY_LIMIT_BYTES: Type.Integer({ default: 4_194_304, minimum: 1_024, maximum: 67_108_864 }),
  REQUEST_TIMEOUT_MS: Type.Integer({ default: 30_000, minimum: 1_000, maximum: 600_000 }),
  STATEMENT_TIMEOUT_MS: Type.Integer({ default: 30_000, minimum: 100, maximum: 600_000 }),
  CONNECT_TIMEOUT_MS: Type.Integer({ default: 5_000, minimum: 100, maximum: 60_000 }),
  // A full batch must fit.
  WRITE_QUEUE_LIMIT: Type.Integer({ default: 20_000, minimum: 1_000, maximum: 1_000_000 }),
  IMPORT_PAGE_ROWS: Type.Integer({ default: 100_000, minimum: 1_000, maximum: 1_000_000 }),
  BUILD_CHUNK_CUSTOMERS: Type.Integer({ default: 5_000, minimum: 10, maximum: 100_000 }),
  POOL_SIZE: Type.Integer({ default: 10, minimum: 2, maximum: 500 }),
});

type Environment = Static<typeof schema>;

/** The service's settings, checked. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Null: the embedded PostgreSQL in `data_dir`. */
  readonly database_url: string | null;
  readonly data_dir: string;
  readonly reporting_time_zone: string;
  readonly currency: string;
  /** Decimals of the currency by ISO 4217. */
  readonly currency_decimals: number;
  /** Models an empty database is seeded with. */
  readonly lifecycle_models: readonly ModelName[];
  readonly migrate_at_start: boolean;
  readonly api_keys: string | null;
  readonly api_keys_file: string | null;
  readonly log_level: string;
  readonly body_limit_bytes: number;
  readonly request_timeout_ms: number;
  readonly statement_timeout_ms: number;
  readonly connect_timeout_ms: number;
  readonly pool_size: number;
  /** Items that may wait to be stored. */
  readonly write_queue_limit: number;
  /** Rows of an import that are stored in one transaction at most. */
  readonly import_page_rows: number;
  /** Customers that are folded into a new model version in one transaction. */
  readonly build_customers: number;
}

const MODEL_NAMES = ['lifecycle', 'relationship', 'journey', 'loyalty_ladder'] as const;
/** Name of a built-in model. */
export type ModelName = (typeof MODEL_NAMES)[number];
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** The environment does not make a configuration. The message lists every fault, never a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads the environment once; all faults are reported together. A command that does not listen needs no keys. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  listens = true,
): Config {
  const faults: string[] = [];
  const env = parse(environment, faults);
  const fault = (holds: boolean, text: string): void => {
    if (!holds) faults.push(text);
  };
  const currency = currencies.code(env.CURRENCY);
  const models = env.LIFECYCLE_MODELS.split(',').map((name) => name.trim());
  fault(isTimeZone(env.REPORTING_TIME_ZONE), 'REPORTING_TIME_ZONE is not an IANA time zone such as Europe/Madrid');
  fault(currency !== undefined && currency.digits <= 4, 'CURRENCY is not an ISO 4217 code such as EUR');
  fault(
    models.every((name) => MODEL_NAMES.includes(name as ModelName)),
    `LIFECYCLE_MODELS must be some of ${MODEL_NAMES.join(',')}`,
  );
  fault(new Set(models).size === models.length, 'LIFECYCLE_MODELS names a model twice');
  fault(LOG_LEVELS.includes(env.LOG_LEVEL), `LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`);
  fault(env.DATABASE_URL === undefined || isPostgresUrl(env.DATABASE_URL), 'DATABASE_URL is not a postgresql:// URL');
  fault(!(env.API_KEYS && env.API_KEYS_FILE), 'API_KEYS and API_KEYS_FILE are both set; set one');
  const loopback = env.HOST === 'localhost' || env.HOST === '::1' || (isIPv4(env.HOST) && env.HOST.startsWith('127.'));
  fault(
    !listens || loopback || Boolean(env.API_KEYS?.trim() || env.API_KEYS_FILE),
    'HOST is not a loopback address and no keys are set: set API_KEYS or API_KEYS_FILE (npm run key makes a line)',
  );
  if (faults.length > 0)
    throw new ConfigError(`The configuration is wrong:\n${faults.map((text) => `- ${text}`).join('\n')}`);
  return {
    host: env.HOST,
    port: env.PORT,
    database_url: env.DATABASE_URL ?? null,
    data_dir: env.DATA_DIR,
    reporting_time_zone: env.REPORTING_TIME_ZONE,
    currency: env.CURRENCY,
    currency_decimals: currency!.digits,
    lifecycle_models: models as ModelName[],
    migrate_at_start: env.MIGRATE_AT_START,
    api_keys: env.API_KEYS?.trim() || null,
    api_keys_file: env.API_KEYS_FILE ?? null,
    log_level: env.LOG_LEVEL,
    body_limit_bytes: env.BODY_LIMIT_BYTES,
    request_timeout_ms: env.REQUEST_TIMEOUT_MS,
    statement_timeout_ms: env.STATEMENT_TIMEOUT_MS,
    connect_timeout_ms: env.CONNECT_TIMEOUT_MS,
    pool_size: env.POOL_SIZE,
    write_queue_limit: env.WRITE_QUEUE_LIMIT,
    import_page_rows: env.IMPORT_PAGE_ROWS,
    build_customers: env.BUILD_CHUNK_CUSTOMERS,
  };
}

/** Reads every variable by itself; of one that is faulty the default goes on, so that all faults are found. */
function parse(environment: Readonly<Record<string, string | undefined>>, faults: string[]): Environment {
  // A variable that is set to nothing, as compose files do, counts as not set.
  const given = Object.entries(environment).filter(([name, value]) => name in schema.properties && value !== '');
  try {
    return envSchema<Environment>({ schema, data: Object.fromEntries(given), env: false, dotenv: false });
  } catch (error) {
    const found = (error as { errors?: { instancePath: string; message?: string }[] }).errors ?? [];
    if (found.length === 0) throw error;
    for (const { instancePath, message } of found) faults.push(`${instancePath.slice(1)} ${message ?? 'is wrong'}`);
    const faulty = found.map(({ instancePath }) => instancePath.slice(1));
    return parse(Object.fromEntries(given.filter(([name]) => !faulty.includes(name))), faults);
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

function isPostgresUrl(text: string): boolean {
  return URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);
}
