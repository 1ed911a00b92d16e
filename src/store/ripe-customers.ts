import { sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import type { Spells } from '../domain/fold.ts';
import { writeStanding } from '../domain/standing.ts';
import type { Trx } from './connect.ts';
import type { Standing } from './customer-figures.ts';

/** Ends any wait for a lock of the transaction after so long, as a `timeout` failure. */
export async function limitLocks(trx: Trx, timeout_ms: number): Promise<void> {
  await sql`select set_config('lock_timeout', ${String(Math.trunc(timeout_ms))}, true)`.execute(trx);
}

/** Where a walk through the customers whose position is over goes on: after this day and id. */
export interface RipeKey {
  readonly next_change: Day;
  readonly customer_id: string;
}

/** The next customers with a position that is over on `today`, by the day on which it was. */
export async function pageRipe(trx: Trx, today: Day, after: RipeKey | null, limit: number): Promise<RipeKey[]> {
  const rest =
    after === null ? sql`` : sql`and (next_change, customer_id) > (${after.next_change}::int4, ${after.customer_id})`;
  const { rows } = await sql<RipeKey>`
    select next_change, customer_id from customer_states
    where next_change <= ${today} ${rest} order by next_change, customer_id limit ${limit}`.execute(trx);
  return rows;
}

/** The spells of a customer in one model version. */
export interface ModelSpells extends Pick<Spells, 'positions' | 'first_days'> {
  readonly customer_id: string;
  readonly model_version: number;
}

/** Whom a walk has found, and what to read of them. */
export interface RipeCustomers {
  readonly customer_ids: readonly string[];
  readonly model_versions: readonly number[];
  readonly today: Day;
}

/** The spells, in these model versions, of those of the customers whose position is over on `today`. Their rows in `customers` must be locked. */
export async function readRipe(
  trx: Trx,
  { customer_ids, model_versions, today }: RipeCustomers,
): Promise<ModelSpells[]> {
  const { rows } = await sql<ModelSpells>`
    select stages.customer_id, model_version, positions, first_days from customer_stages as stages
    join customer_states as states on states.customer_id = stages.customer_id
    where states.customer_id = any(${customer_ids}::text[]) and next_change <= ${today}
      and model_version = any(${model_versions}::int2[])
    order by stages.customer_id, model_version`.execute(trx);
  return rows;
}

/** Where one customer stands, and in which model versions. */
export interface Advance extends Standing {
  readonly customer_id: string;
  /** Those of the places, in order: ascending. */
  readonly model_versions: readonly number[];
}

/** Writes where customers stand, and nothing else. Their rows in `customers` must be locked. */
export async function advanceCustomers(trx: Trx, advances: readonly Advance[]): Promise<void> {
  const places = advances.flatMap(({ customer_id, model_versions, places }) =>
    places.map((place, index) => ({ customer_id, model_version: model_versions[index]!, ...place })),
  );
  const texts = advances.map(({ model_versions, places }) =>
    writeStanding(
      model_versions,
      places.map(({ position }) => position),
    ),
  );
  await sql`
    update customer_stages set position = given.position, until = given.until
    from unnest(${places.map((place) => place.customer_id)}::text[], ${places.map((place) => place.model_version)}::int2[],
      ${places.map((place) => place.position)}::int2[], ${places.map((place) => place.until)}::int4[])
      as given (customer_id, model_version, position, until)
    where customer_stages.model_version = given.model_version and customer_stages.until <> given.until
      and customer_stages.customer_id = given.customer_id`.execute(trx);
  await sql`
    update customer_states set next_change = given.next_change, standing = given.standing
    from unnest(${advances.map((advance) => advance.customer_id)}::text[], ${advances.map((advance) => advance.next_change)}::int4[], ${texts}::text[])
      as given (customer_id, next_change, standing)
    where customer_states.customer_id = given.customer_id`.execute(trx);
}
