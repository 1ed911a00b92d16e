import { sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import type { Spells } from '../domain/fold.ts';
import type { Trx } from './connect.ts';

/** A customer's own row. */
export interface CustomerDates {
  readonly customer_id: string;
  readonly known_since: Day | null;
  readonly received_on: Day;
  readonly group_ids: readonly number[];
}

/** A customer's row and saved state, as read under its lock. */
export interface CustomerRow extends CustomerDates {
  readonly events: number;
  readonly turnover: number;
  readonly pending_refunds: number;
  /** The saved fold (`decodeFold`). */
  readonly fold: string;
}

/** A customer's own row, with every other id that stands for the same one since a merge, sorted (`compareText`). */
export interface ListedCustomer extends CustomerDates {
  readonly merged_ids: readonly string[];
}

/** A customer with the saved state and the other ids. */
export type KnownCustomer = CustomerRow & ListedCustomer;

/** What is stored of some ids. */
export interface FoundCustomers {
  /** Those that are customers. */
  readonly customers: ReadonlyMap<string, KnownCustomer>;
  /** Those that were merged, and the customer each stands for. */
  readonly survivors: ReadonlyMap<string, string>;
}

/** What is saved of a customer after an ingest. */
export interface CustomerSave extends CustomerRow {
  /** One for each model of the plan. */
  readonly spells: readonly Spells[];
}

/**
 * Locks the customers' rows in the order of the ids, which must be sorted (`compareText`), and creates those that are missing. Returns the ids that
 * were created. The update never takes place: being aimed at is enough to lock a row, and leaves no dead version behind.
 */
export async function lockCustomers(trx: Trx, customerIds: readonly string[], today: Day): Promise<Set<string>> {
  const { rows } = await sql<{ customer_id: string }>`
    insert into customers (customer_id, received_on)
    select customer_id, ${today} from unnest(${customerIds}::text[]) as given (customer_id)
    on conflict (customer_id) do update set customer_id = excluded.customer_id where false
    returning customer_id`.execute(trx);
  return new Set(rows.map((row) => row.customer_id));
}

/** Reads what is stored of the ids: customers with their saved states, and who the merged ones were merged into. */
export async function readCustomers(trx: Trx, customerIds: readonly string[]): Promise<FoundCustomers> {
  const customers = new Map<string, KnownCustomer>();
  const survivors = new Map<string, string>();
  if (customerIds.length === 0) return { customers, survivors };
  const rows = await trx
    .selectFrom('customers')
    .leftJoin('customer_states', 'customer_states.customer_id', 'customers.customer_id')
    .select([
      'customers.customer_id',
      'known_since',
      'received_on',
      'group_ids',
      'merged_into',
      'merged_ids',
      'events',
      'turnover',
      'pending_refunds',
      'fold',
    ])
    .where('customers.customer_id', '=', sql<string>`any(${customerIds}::text[])`)
    .execute();
  for (const { merged_into, events, turnover, pending_refunds, fold, ...row } of rows) {
    if (merged_into !== null) survivors.set(row.customer_id, merged_into);
    else if (events !== null && pending_refunds !== null && fold !== null)
      customers.set(row.customer_id, { ...row, events, turnover: Number(turnover), pending_refunds, fold });
  }
  return { customers, survivors };
}

/** Writes what callers say of customers. Only rows that exist are changed. */
export async function writeAttributes(trx: Trx, rows: readonly CustomerRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    update customers set known_since = given.known_since, received_on = given.received_on, group_ids = given.group_ids::int2[]
    from unnest(${rows.map((row) => row.customer_id)}::text[], ${rows.map((row) => row.known_since)}::int4[],
      ${rows.map((row) => row.received_on)}::int4[], ${rows.map((row) => numberArray(row.group_ids))}::text[])
      as given (customer_id, known_since, received_on, group_ids)
    where customers.customer_id = given.customer_id`.execute(trx);
}

/** Writes the saved states and the spells of all models. `modelVersions` are those of the plan's models, in order. */
export async function saveCustomers(
  trx: Trx,
  rows: readonly CustomerSave[],
  modelVersions: readonly number[],
): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    insert into customer_states (customer_id, model_versions, events, turnover, pending_refunds, fold)
    select customer_id, ${numberArray(modelVersions)}::int2[], events, turnover, pending_refunds, fold
    from unnest(${rows.map((row) => row.customer_id)}::text[], ${rows.map((row) => row.events)}::int4[],
      ${rows.map((row) => row.turnover)}::int8[], ${rows.map((row) => row.pending_refunds)}::int4[], ${rows.map((row) => row.fold)}::text[])
      as given (customer_id, events, turnover, pending_refunds, fold)
    on conflict (customer_id) do update set model_versions = excluded.model_versions, events = excluded.events,
      turnover = excluded.turnover, pending_refunds = excluded.pending_refunds, fold = excluded.fold`.execute(trx);
  const spells = rows.flatMap((row) =>
    row.spells.map((spell, index) => ({ row, spell, version: modelVersions[index]! })),
  );
  await sql`
    insert into customer_stages (customer_id, model_version, positions, first_days)
    select customer_id, model_version, positions::int2[], first_days::int4[]
    from unnest(${spells.map(({ row }) => row.customer_id)}::text[], ${spells.map(({ version }) => version)}::int2[],
      ${spells.map(({ spell }) => numberArray(spell.positions))}::text[], ${spells.map(({ spell }) => numberArray(spell.first_days))}::text[])
      as given (customer_id, model_version, positions, first_days)
    on conflict (customer_id, model_version) do update set positions = excluded.positions, first_days = excluded.first_days`.execute(
    trx,
  );
}

/** The next customers in order of their ids; merged ids are none. */
export async function pageCustomers(trx: Trx, after: string, limit: number): Promise<ListedCustomer[]> {
  return await trx
    .selectFrom('customers')
    .select(['customer_id', 'known_since', 'received_on', 'group_ids', 'merged_ids'])
    .where('customer_id', '>', after)
    .where('merged_into', 'is', null)
    .orderBy('customer_id')
    .limit(limit)
    .execute();
}

/** The stored spells of customers, by customer and model version. */
export async function readSpells(trx: Trx, customerIds: readonly string[]): Promise<Map<string, Spells>> {
  const rows = await trx
    .selectFrom('customer_stages')
    .selectAll()
    .where('customer_id', '=', sql<string>`any(${customerIds}::text[])`)
    .execute();
  return new Map(
    rows.map((row) => [
      spellsKey(row.customer_id, row.model_version),
      { positions: row.positions, first_days: row.first_days },
    ]),
  );
}

/** Key of one customer and model version in the map of `readSpells`. */
export function spellsKey(customerId: string, modelVersion: number): string {
  return `${modelVersion} ${customerId}`;
}

/** What a customer's row owns. */
const OWNED = ['customer_stages', 'customer_states', 'purchases', 'refunds', 'interactions'] as const;

/** Rows of customer tables that belong to no customer, or to an id that was merged, by table; a table without any is absent. */
export async function readOrphans(trx: Trx): Promise<Map<string, number>> {
  const orphans = new Map<string, number>();
  for (const table of OWNED) {
    const { rows } = await sql<{ orphans: number }>`
      select count(*)::int4 as orphans from ${sql.table(table)} as owned
      where not exists (
        select from customers where customers.customer_id = owned.customer_id and merged_into is null)`.execute(trx);
    if (rows[0]!.orphans > 0) orphans.set(table, rows[0]!.orphans);
  }
  return orphans;
}

/** An array literal: unnest cannot hand out one list a row. */
function numberArray(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}

/** Removes the customers' events, saved states and spells; their own rows stay. */
export async function deleteHistories(trx: Trx, customerIds: readonly string[]): Promise<void> {
  for (const table of OWNED) {
    await trx.deleteFrom(table).where('customer_id', '=', sql<string>`any(${customerIds}::text[])`).execute();
  }
}

/** Removes every row of the customers, their events included. */
export async function deleteCustomers(trx: Trx, customerIds: readonly string[]): Promise<void> {
  if (customerIds.length === 0) return;
  await deleteHistories(trx, customerIds);
  await trx.deleteFrom('customers').where('customer_id', '=', sql<string>`any(${customerIds}::text[])`).execute();
}
