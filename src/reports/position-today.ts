import { type RawBuilder, sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import type { Position } from '../domain/compile-model.ts';

/**
 * The position of a row of `customer_stages` (or an alias of it) at the end of a day, by its arrays: right on any day since the last closed one, where the
 * column `position` holds only until the row's `until`. 0 (`UNKNOWN`) before the first of its days.
 */
export function positionToday(today: Day, table = 'customer_stages'): RawBuilder<Position> {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  // Counts the first days that have come: the array ascends.
  return sql`coalesce((${column('positions')})[width_bucket(${today}::int4, ${column('first_days')})], 0::int2)`;
}
