import { sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import type { Statements, Trx } from './connect.ts';

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
  /** The saved fold (`decodeFold`), and the layout that says what it contains. */
  readonly fold: Uint8Array;
  readonly layout: number;
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
      'layout',
    ])
    .where('customers.customer_id', '=', sql<string>`any(${customerIds}::text[])`)
    .execute();
  for (const { merged_into, events, turnover, pending_refunds, fold, layout, ...row } of rows) {
    if (merged_into !== null) survivors.set(row.customer_id, merged_into);
    else if (events !== null && pending_refunds !== null && fold !== null && layout !== null)
      customers.set(row.customer_id, { ...row, events, turnover: Number(turnover), pending_refunds, fold, layout });
  }
  return { customers, survivors };
}

/** Of the ids those that were merged, and the customer each stands for. */
export async function readSurvivors(trx: Trx, customerIds: readonly string[]): Promise<Map<string, string>> {
  if (customerIds.length === 0) return new Map();
  const { rows } = await sql<{ customer_id: string; merged_into: string }>`
    select customer_id, merged_into from customers
    where customer_id = any(${customerIds}::text[]) and merged_into is not null`.execute(trx);
  return new Map(rows.map(({ customer_id, merged_into }) => [customer_id, merged_into]));
}

/** Writes what callers say of customers. Only rows that exist are changed. */
export async function writeAttributes(trx: Statements, rows: readonly CustomerRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    update customers set known_since = given.known_since, received_on = given.received_on, group_ids = given.group_ids::int2[]
    from unnest(${rows.map((row) => row.customer_id)}::text[], ${rows.map((row) => row.known_since)}::int4[],
      ${rows.map((row) => row.received_on)}::int4[], ${rows.map((row) => numberArray(row.group_ids))}::text[])
      as given (customer_id, known_since, received_on, group_ids)
    where customers.customer_id = given.customer_id`.execute(trx);
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

/** What a customer's row owns. */
const OWNED = ['customer_stages', 'customer_states', 'customer_years', 'purchases', 'refunds', 'interactions'] as const;

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

/** An array literal of integers: unnest cannot hand out one list a row. */
export function numberArray(values: readonly (number | bigint)[]): string {
  return `{${values.join(',')}}`;
}

/** Removes the customers' events, saved states, spells and years; their own rows stay. */
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
