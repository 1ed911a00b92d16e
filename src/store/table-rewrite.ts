import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Trx } from './connect.ts';
import { classifyFailure } from './failures.ts';
import type { StoreLog } from './log.ts';

/** A table whose rows are all written anew in one transaction. Until it is committed, reads answer what the table held before. */
export interface TableRewrite<Table extends string = string> {
  readonly table: Table;
  /** Where the rows go. */
  readonly target: string;
  /** True if the target is a new table without indexes, which takes the old one's place at the end. */
  readonly replaces: boolean;
}

/** A wait for reads to let go of a table, in which new reads wait too; shorter than the server's look for deadlocks (1 s). */
const LOCK_WAIT_MS = 400;
/** Between two such waits, for those reads. */
const LOCK_PAUSE_MS = 200;
const SORT_MEMORY = '256MB';

/**
 * Begins to write a table anew. Rows without indexes, and then every index at once, cost a quarter of rows with indexes (measured among 100,000 customers: 1.2 s
 * against 5.4 s of the server's time), so the rows go into a new table if it can stand in for the old one in every way. It cannot if
 * something of the operator's hangs on the old one, a view say, or rights: then the old one is emptied and filled again.
 */
export async function beginRewrite<Table extends string>(trx: Trx, table: Table): Promise<TableRewrite<Table>> {
  if (!(await isReplaceable(trx, table))) {
    await sql`delete from ${sql.table(table)}`.execute(trx);
    return { table, target: table, replaces: false };
  }
  const target = `${table}_rewritten`;
  const { rows } = await sql<{ options: string[] | null }>`
    select reloptions as options from pg_class where oid = ${table}::regclass`.execute(trx);
  const options = rows[0]!.options?.length ? sql`with (${sql.raw(rows[0]!.options.join(', '))})` : sql``;
  await sql`create table ${sql.table(target)} (like ${sql.table(table)} including all excluding indexes) ${options}`.execute(
    trx,
  );
  return { table, target, replaces: true };
}

/** An ordinary table of this very user, in the first schema of the path, on which nothing hangs that is not its own. */
async function isReplaceable(trx: Trx, table: string): Promise<boolean> {
  const { rows } = await sql<{ replaceable: boolean }>`
    select relkind = 'r' and relpersistence = 'p' and reltablespace = 0 and relacl is null and not relrowsecurity and relreplident = 'd'
      and pg_get_userbyid(relowner) = current_user and relnamespace = current_schema()::regnamespace
      and not exists (select from pg_attribute where attrelid = pg_class.oid and attacl is not null)
      and not exists (select from pg_inherits where pg_class.oid in (inhrelid, inhparent))
      and not exists (
        select from pg_depend where refclassid = 'pg_class'::regclass and refobjid = pg_class.oid
          and (deptype = 'n' or classid::regclass::text not in ('pg_class', 'pg_attrdef', 'pg_constraint', 'pg_type', 'pg_statistic_ext'))
      ) as replaceable
    from pg_class where oid = ${table}::regclass`.execute(trx);
  return rows[0]!.replaceable;
}

/** Lets the rest of the transaction sort at least so much in memory: an index of a million customers. */
export async function growSortMemory(trx: Trx): Promise<void> {
  await sql`
    select set_config('maintenance_work_mem', ${SORT_MEMORY}, true)
    where pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes(${SORT_MEMORY})`.execute(trx);
}

interface StoredIndex {
  readonly name: string;
  /** From `using` on. */
  readonly method: string;
  readonly is_unique: boolean;
  readonly is_primary: boolean;
}

/** Gives new tables the indexes of the old ones, under names of their own, and what the planner must know of them. */
export async function indexRewrites(trx: Trx, rewrites: readonly TableRewrite[]): Promise<void> {
  for (const { table, target, replaces } of rewrites) {
    if (!replaces) continue;
    for (const { name, method, is_unique, is_primary } of await readIndexes(trx, table)) {
      const index = sql.ref(newName(name));
      const unique = is_unique ? sql`unique` : sql``;
      await sql`create ${unique} index ${index} on ${sql.table(target)} ${sql.raw(method)}`.execute(trx);
      if (is_primary) await sql`alter table ${sql.table(target)} add primary key using index ${index}`.execute(trx);
    }
    await sql`analyze ${sql.table(target)}`.execute(trx);
  }
}

async function readIndexes(trx: Trx, table: string): Promise<StoredIndex[]> {
  const { rows } = await sql<StoredIndex>`
    select indexrelid::regclass::text as name, indisunique as is_unique, indisprimary as is_primary,
      substring(pg_get_indexdef(indexrelid) from position(' USING ' in pg_get_indexdef(indexrelid))) as method
    from pg_index where indrelid = ${table}::regclass and indisvalid order by indisprimary desc, indexrelid`.execute(
    trx,
  );
  return rows;
}

function newName(index: string): string {
  return `${index}_rewritten`;
}

/**
 * Puts the new tables in the place of the old ones. From here to the commit reads of them wait, so hardly anything may come after it. A read that goes on and on keeps
 * the old tables: it is waited for in short turns, between which others come through.
 */
export async function finishRewrites(trx: Trx, rewrites: readonly TableRewrite[], log: StoreLog): Promise<void> {
  const replaced = rewrites.filter(({ replaces }) => replaces);
  if (replaced.length === 0) return;
  const tables = sql.join(replaced.map(({ table }) => sql.table(table)));
  await sql`set local lock_timeout = ${sql.lit(LOCK_WAIT_MS)}`.execute(trx);
  for (let turn = 1; !(await tryLock(trx, sql`lock table ${tables} in access exclusive mode`)); turn += 1) {
    if (turn % 50 === 1) log.warn({ tables: replaced.map(({ table }) => table) }, 'waiting for reads that go on');
    await delay(LOCK_PAUSE_MS);
  }
  for (const { table, target } of replaced) {
    const indexes = await readIndexes(trx, table);
    await sql`drop table ${sql.table(table)}`.execute(trx);
    await sql`alter table ${sql.table(target)} rename to ${sql.ref(table)}`.execute(trx);
    for (const { name } of indexes)
      await sql`alter index ${sql.ref(newName(name))} rename to ${sql.ref(name)}`.execute(trx);
  }
}

/** False if the lock could not be had in time. */
async function tryLock(trx: Trx, lock: ReturnType<typeof sql>): Promise<boolean> {
  await sql`savepoint before_lock`.execute(trx);
  try {
    await lock.execute(trx);
    return true;
  } catch (error) {
    if (classifyFailure(error) !== 'timeout') throw error;
    await sql`rollback to savepoint before_lock`.execute(trx);
    return false;
  }
}
