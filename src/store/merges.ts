import { sql } from 'kysely';
import type { Trx } from './connect.ts';

/** Makes ids stand for a customer; all of them and the customer are locked. `mergedIds` is what the customer lists from now on. */
export async function markMerged(
  trx: Trx,
  oldIds: readonly string[],
  survivorId: string,
  mergedIds: readonly string[],
): Promise<void> {
  await sql`
    update customers set merged_into = ${survivorId}, merged_ids = '{}', known_since = null, group_ids = '{}'
    where customer_id = any(${oldIds}::text[])`.execute(trx);
  await sql`
    update customers set merged_ids = ${mergedIds}::text[] where customer_id = ${survivorId}`.execute(trx);
}

/** An id that was merged. */
export interface Alias {
  readonly customer_id: string;
  readonly merged_into: string;
}

/** The next merged ids in order. */
export async function pageAliases(trx: Trx, after: string, limit: number): Promise<Alias[]> {
  const { rows } = await sql<Alias>`
    select customer_id, merged_into from customers where customer_id > ${after} and merged_into is not null
    order by customer_id limit ${limit}`.execute(trx);
  return rows;
}
