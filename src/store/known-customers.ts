import { sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import { NO_MODEL } from '../domain/differences.ts';
import type { Trx } from './connect.ts';

/** How many customers are stored, and how many of them were known at the end of a day; of everybody or a group, from the totals by day. */
export async function countKnown(trx: Trx, group_id: number, day: Day): Promise<{ stored: number; known: number }> {
  const { rows } = await sql<{ stored: number; known: number }>`
    select coalesce(sum(customers), 0)::float8 as stored, coalesce(sum(customers) filter (where day <= ${day}), 0)::float8 as known
    from rollup_daily_totals where model_version = ${NO_MODEL} and group_id = ${group_id}`.execute(trx);
  return rows[0]!;
}
