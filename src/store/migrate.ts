import { readdir, readFile } from 'node:fs/promises';
import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import type { StoreLog } from './log.ts';

/**
 * The database holds migrations that this code does not know: it was migrated by newer code, and older code could
 * corrupt it.
 */
export class SchemaTooNewError extends Error {
  readonly unknown: readonly string[];
  constructor(unknown: readonly string[]) {
    super(`The database schema is newer than this code (it has ${unknown.join(', ')}). Run the newer code.`);
    this.name = 'SchemaTooNewError';
    this.unknown = unknown;
  }
}

/**
 * The migrations of the folder cannot follow those of the database: one was inserted, renamed or removed after it
 * had landed.
 */
export class MigrationOrderError extends Error {
  constructor(reason: string) {
    super(`${reason} Migrations that have landed must keep their names and order; add a new one at the end.`);
    this.name = 'MigrationOrderError';
  }
}

/** A server that is not heard of must not hold up the next attempt. */
const CONNECT_TIMEOUT_MS = 10_000;

type Queryable = Pick<pg.Pool, 'query'>;

/**
 * Brings the schema of a database up to the numbered `0001_name.sql` files of a folder, and answers the names it
 * applied, in order. All of them run in one transaction under a lock of the server, so several processes may call
 * it at once and each file runs exactly once; a process that dies leaves the schema as it was. So no file may hold
 * `BEGIN`, `COMMIT` or anything that PostgreSQL refuses inside a transaction. It connects by itself, with one
 * session, which must not go through a transaction pooler. Throws `SchemaTooNewError`, `MigrationOrderError`, or an
 * error that names the failing file and line.
 */
export async function migrate(
  connection: pg.PoolConfig,
  folder: URL,
  log: StoreLog,
): Promise<{ readonly applied: readonly string[] }> {
  const pool = new pg.Pool({
    ...connection,
    max: 1,
    statement_timeout: 0,
    query_timeout: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'escalera-migrate',
  });
  pool.on('error', (error) => log.warn({ err: error }, 'the connection for migrations was lost while idle'));
  const db = sessionOf(pool);
  try {
    const started_at = performance.now();
    const pending = await pendingMigrations(pool, folder);
    if (pending.length === 0) return { applied: [] };
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => readMigrations(folder) },
      nameComparator: byName,
    });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error) {
      // Newer code may have migrated between the look above and the lock.
      await pendingMigrations(pool, folder);
      throw error;
    }
    const applied = results.map((result) => result.migrationName);
    const duration_ms = Math.round(performance.now() - started_at);
    log.info({ applied, duration_ms }, applied.length > 0 ? 'schema migrated' : 'schema migrated by another process');
    return { applied };
  } finally {
    await db.destroy();
    // Kysely leaves a pool alone that it did not come to use.
    if (!pool.ended) await pool.end();
  }
}

/**
 * The names of the folder's migrations that the database lacks, in order; empty when the schema fits this code.
 * Changes nothing and takes about a millisecond, so it suits a readiness check. Throws `SchemaTooNewError` and
 * `MigrationOrderError`.
 */
export async function pendingMigrations(db: Queryable, folder: URL): Promise<readonly string[]> {
  const known = await migrationNames(folder);
  const landed = await landedMigrations(db);
  const unknown = landed.filter((name) => !known.includes(name));
  const newest = known.at(-1) ?? '';
  if (unknown.some((name) => name > newest)) throw new SchemaTooNewError(unknown.filter((name) => name > newest));
  if (unknown.length > 0)
    throw new MigrationOrderError(`The database has migrations that the code lacks: ${unknown.join(', ')}.`);
  const pending = known.filter((name) => !landed.includes(name));
  const last = landed.at(-1);
  const late = pending.filter((name) => last !== undefined && name < last);
  if (late.length > 0) throw new MigrationOrderError(`The database is already past ${late.join(', ')}.`);
  return pending;
}

/**
 * The names of a folder's migrations without `.sql`, in order. Refuses SQL files without a number of four digits,
 * and equal numbers.
 */
export async function migrationNames(folder: URL): Promise<readonly string[]> {
  const names = (await readdir(folder))
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -'.sql'.length));
  const sorted = names.sort(byName);
  for (const [i, name] of sorted.entries()) {
    if (!/^\d{4}_\w+$/.test(name))
      throw new MigrationOrderError(`The migration ${name}.sql is not named like 0001_name.sql.`);
    if (name.slice(0, 4) === sorted[i + 1]?.slice(0, 4)) {
      throw new MigrationOrderError(`The migrations ${name} and ${sorted[i + 1]} have the same number.`);
    }
  }
  return sorted;
}

function sessionOf(pool: pg.Pool): Kysely<unknown> {
  // The server then notices within a second that a migrating process was killed, and frees the lock for the next one.
  // Not every platform can; without it the lock is freed when the running statement ends.
  const interval = CompiledQuery.raw(`set client_connection_check_interval = '1s'`);
  return new Kysely<unknown>({
    dialect: new PostgresDialect({
      pool,
      onCreateConnection: async (session) => {
        await session.executeQuery(interval).catch(() => undefined);
      },
    }),
  });
}

async function landedMigrations(db: Queryable): Promise<readonly string[]> {
  const table = await db.query<{ exists: boolean }>(`select to_regclass('kysely_migration') is not null as exists`);
  if (!table.rows[0]?.exists) return [];
  const landed = await db.query<{ name: string }>('select name from kysely_migration order by name collate "C"');
  return landed.rows.map((row) => row.name);
}

async function readMigrations(folder: URL): Promise<Record<string, Migration>> {
  const base = folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`);
  const migrations: Record<string, Migration> = {};
  for (const name of await migrationNames(folder)) {
    const text = await readFile(new URL(`${name}.sql`, base), 'utf8');
    migrations[name] = { up: (db) => runWhole(db, name, text) };
  }
  return migrations;
}

/** Without parameters `pg` uses the simple protocol, which takes many statements at once. */
async function runWhole(db: Kysely<unknown>, name: string, text: string): Promise<void> {
  try {
    await sql.raw(text).execute(db);
  } catch (error) {
    const position = error instanceof pg.DatabaseError ? Number(error.position) : Number.NaN;
    const line = position > 0 ? ` at line ${text.slice(0, position).split('\n').length}` : '';
    throw new Error(`Migration ${name}.sql failed${line}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
