import { type RawBuilder, sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import type { Spells } from '../domain/fold.ts';
import type { Trx } from './connect.ts';
import { candidates } from './customer-candidates.ts';
import type { ListKey, ListPage, ListSort } from './customer-filter.ts';

/** A customer of a list, with the spells in its model. */
export interface ListedCustomer extends Pick<Spells, 'positions' | 'first_days'> {
  readonly customer_id: string;
  readonly group_ids: readonly number[];
  readonly purchases: number;
  readonly purchase_days: number;
  readonly revenue: bigint;
  readonly profit: bigint;
  readonly last_purchase_day: Day | null;
  readonly last_interaction_day: Day | null;
}

/** One page of a list, in its order. */
export async function pageList(trx: Trx, page: ListPage): Promise<ListedCustomer[]> {
  const { rows } = await sql<ListedCustomer>`
    with page as (
      select customer_id, value from (${sql.join(candidates(page), sql` union all `)}) as page
      order by ${pageOrder(page.sort)} limit ${page.limit})
    select page.customer_id, group_ids, purchases, purchase_days, states.revenue, states.profit, states.last_purchase_day,
      last_interaction_day, positions, first_days
    from page
    join customer_states as states on states.customer_id = page.customer_id
    join customer_stages as stages on stages.customer_id = page.customer_id and stages.model_version = ${page.filter.model_version}
    join customers on customers.customer_id = page.customer_id
    order by ${pageOrder(page.sort)}`.execute(trx);
  return rows;
}

/** The place of a listed customer. */
export function keyOf(row: ListedCustomer, sort: ListSort): ListKey {
  const value = sort === 'customer_id' ? null : row[sort];
  return { value: value === null ? null : Number(value), customer_id: row.customer_id };
}

function pageOrder(sort: ListSort): RawBuilder<unknown> {
  return sort === 'customer_id' ? sql`page.customer_id` : sql`page.value desc nulls last, page.customer_id`;
}
