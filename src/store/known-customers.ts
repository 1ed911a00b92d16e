import { sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import { NO_MODEL } from '../domain/differences.ts';
import type { Trx } from './connect.ts';

/** Numbers of customers and of their events. */
export interface KnownCustomers {
  readonly stored: number;
  /** Those of them who were known at the end of a day. */
  readonly known: number;
  /** Stored events of all of them, voided ones included. */
  readonly events: number;
}

/** Counts everybody or a group, from the totals by day. */
export async function countKnown(trx: Trx, group_id: number, day: Day): Promise<KnownCustomers> {
  const { rows } = await sql<KnownCustomers>`
    select coalesce(sum(customers), 0)::float8 as stored,
      coalesce(sum(customers) filter (where day <= ${day}), 0)::float8 as known,
      coalesce(sum(purchases + refunds + interactions), 0)::float8 as events
    from rollup_daily_totals where model_version = ${NO_MODEL} and group_id = ${group_id}`.execute(trx);
  return rows[0]!;
}
