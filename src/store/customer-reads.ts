import { sql } from 'kysely';
import type { Statements, Trx } from './connect.ts';
import { type KnownCustomer, readCustomers } from './customers.ts';
import type { EventKind } from './histories.ts';
import { ID_COLUMNS } from './histories.ts';

/** The customers these ids stand for, by the id asked for: the survivor of a merged one. Unknown ids are absent. To be read in a snapshot. */
export async function resolveCustomers(trx: Trx, customerIds: readonly string[]): Promise<Map<string, KnownCustomer>> {
  const { customers, survivors } = await readCustomers(trx, customerIds);
  const elsewhere = [...new Set(survivors.values())].filter((id) => !customers.has(id));
  const found = new Map([...customers, ...(await readCustomers(trx, elsewhere)).customers]);
  const resolved = customerIds.map((id) => [id, found.get(survivors.get(id) ?? id)] as const);
  return new Map(resolved.filter((pair): pair is [string, KnownCustomer] => pair[1] !== undefined));
}

/** The customer an id stands for, with the saved state; undefined if unknown. */
export async function readCustomer(trx: Trx, customerId: string): Promise<KnownCustomer | undefined> {
  return (await resolveCustomers(trx, [customerId])).get(customerId);
}

/** Where a page of events begins: after this instant and id. */
export interface EventKey {
  readonly at: number;
  readonly id: string;
}

/** A stored event as a row of its table. */
export type EventRow = Readonly<Record<string, unknown>> & {
  readonly at: bigint;
  readonly day: number;
  readonly plain: boolean;
  readonly voided: boolean;
};

/** A customer's events by instant, then id; at most `limit` after the key. */
export async function pageEvents(
  trx: Trx,
  kind: EventKind,
  customerId: string,
  after: EventKey | null,
  limit: number,
): Promise<EventRow[]> {
  const id = sql.ref(ID_COLUMNS[kind]);
  const rest = after === null ? sql`` : sql`and (at, ${id}) > (${after.at}::int8, ${after.id})`;
  const { rows } = await sql<EventRow>`
    select * from ${sql.table(kind)} where customer_id = ${customerId} ${rest} order by at, ${id} limit ${limit}`.execute(
    trx,
  );
  return rows;
}

/** Sums of the refunds that are not voided, by purchase; purchases without any are absent. */
export async function readRefunded(
  trx: Trx,
  customerId: string,
  purchaseIds: readonly string[],
): Promise<Map<string, bigint>> {
  const { rows } = await sql<{ purchase_id: string; refunded: bigint }>`
    select purchase_id, sum(amount)::int8 as refunded from refunds
    where customer_id = ${customerId} and not voided and purchase_id = any(${purchaseIds}::text[])
    group by purchase_id`.execute(trx);
  return new Map(rows.map((row) => [row.purchase_id, row.refunded]));
}

/** Which of the purchases are stored and not voided. */
export async function readEffectivePurchases(
  trx: Trx,
  customerId: string,
  purchaseIds: readonly string[],
): Promise<Set<string>> {
  const { rows } = await sql<{ purchase_id: string }>`
    select purchase_id from purchases
    where customer_id = ${customerId} and not voided and purchase_id = any(${purchaseIds}::text[])`.execute(trx);
  return new Set(rows.map((row) => row.purchase_id));
}

/** What is stored in all. */
export interface StoredCounts {
  readonly customers: number;
  readonly purchases: number;
  readonly refunds: number;
  readonly interactions: number;
  readonly pending_refunds: number;
}

/** Counts of everything stored, from the totals by day. */
export async function readStoredCounts(trx: Trx): Promise<StoredCounts> {
  const { rows } = await sql<StoredCounts>`
    select coalesce(sum(customers), 0)::float8 as customers, coalesce(sum(purchases), 0)::float8 as purchases,
      coalesce(sum(refunds), 0)::float8 as refunds, coalesce(sum(interactions), 0)::float8 as interactions,
      coalesce(sum(pending_refunds), 0)::float8 as pending_refunds
    from rollup_daily_totals where model_version = 0 and group_id = 0`.execute(trx);
  return rows[0]!;
}

/** The latest activity day stored, null without any: a feed that died shows here. */
export async function readDataThrough(trx: Statements): Promise<number | null> {
  const { rows } = await sql<{ day: number }>`
    select day from rollup_daily_totals where model_version = 0 and group_id = 0 and activity_days <> 0
    order by day desc limit 1`.execute(trx);
  return rows[0]?.day ?? null;
}
