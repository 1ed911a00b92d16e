import { sql } from 'kysely';
import type { Database, Statements, Trx } from './connect.ts';

/** Distinct groups a deployment can have. */
export const MAX_GROUPS = 200;
/** Groups one customer can carry. */
export const MAX_CUSTOMER_GROUPS = 16;

/** Ids of the named groups; unknown names are absent. */
export async function readGroupIds(trx: Statements, names: readonly string[]): Promise<Map<string, number>> {
  if (names.length === 0) return new Map();
  const { rows } = await sql<{ name: string; group_id: number }>`
    select name, group_id from groups where name = any(${names}::text[])`.execute(trx);
  return new Map(rows.map((row) => [row.name, row.group_id]));
}

/** Names of all groups by id. */
export async function readGroupNames(db: Database | Trx): Promise<Map<number, string>> {
  const rows = await db.selectFrom('groups').selectAll().execute();
  return new Map(rows.map((row) => [row.group_id, row.name]));
}

/**
 * Holds the registry of groups and says how many more it can take. Only transactions that need a new group come here, one after the other, so
 * that the limit holds.
 */
export async function holdGroups(trx: Trx): Promise<number> {
  await sql`lock table groups in share row exclusive mode`.execute(trx);
  const { rows } = await sql<{ groups: number }>`select count(*)::int4 as groups from groups`.execute(trx);
  return MAX_GROUPS - rows[0]!.groups;
}

/** Adds groups to the registry, which must be held, and returns their ids. */
export async function addGroups(trx: Trx, names: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ name: string; group_id: number }>`
    insert into groups (name) select name from unnest(${names}::text[]) as given (name)
    on conflict (name) do update set name = excluded.name
    returning name, group_id`.execute(trx);
  return new Map(rows.map((row) => [row.name, row.group_id]));
}
