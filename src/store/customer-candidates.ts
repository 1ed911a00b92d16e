import { type RawBuilder, sql } from 'kysely';
import { LAST_DAY } from '../domain/calendar.ts';
import type { Position } from '../domain/compile-model.ts';
import type { CustomerFilter, Entered, ListKey, ListPage, ListSort, Ranked } from './customer-filter.ts';

type Sql = RawBuilder<unknown>;

const STATES = sql`states`;
const STAGES = sql`stages`;

/**
 * Statements that together find every customer of a page once, as `customer_id` and the `value` the list is sorted by. Each gives the first rows of its
 * own in the order of the list, so that it reads a page of an index where there is one for it.
 *
 * A stored position that is over (`until` has come) is not trusted: those customers (`next_change` has come) are judged by their spells.
 */
export function candidates(page: ListPage): Sql[] {
  const { positions, entered, today } = page.filter;
  if (positions === null) return everybody(page);
  if (entered === null) return [...standing(page, positions, []), moving(page, standsNow(page.filter, positions))];
  const begins = beginsBetween(page.filter, positions, entered);
  const changes = sql`states.next_change < ${Math.max(entered.to, today + 1)}`;
  if (entered.from > today) return [moving(page, [changes, begins])];
  const elsewhere = sql`not (stages.until > ${today} and stages.position = any(${positions}::int2[]))`;
  return [...standing(page, positions, [begins]), moving(page, [changes, elsewhere, begins])];
}

/** Everybody, whatever their position. */
function everybody({ filter, sort, after, limit }: ListPage): Sql[] {
  return behind(sort, after, STATES).map(
    (rest) => sql`(
      select states.customer_id, ${sortValue(sort, STATES)} as value from customer_states as states ${joinGroups(filter, STATES)}
      where ${every([rest, ...conditions(filter, STATES)])} order by ${orderOf(sort, STATES)} limit ${limit})`,
  );
}

/**
 * Those whose stored position is one of these and not over. By a value, each position is read in the order of its index; by anything else, all of them
 * are.
 */
function standing(
  { filter, sort, after, limit }: ListPage,
  positions: readonly Position[],
  more: readonly Sql[],
): Sql[] {
  const here = sql`stages.model_version = ${filter.model_version} and stages.until > ${filter.today}`;
  const select = (rest: Sql, position: Sql): Sql => sql`(
    select stages.customer_id, ${sortValue(sort, STAGES)} as value from customer_stages as stages
    ${joinStates(filter)} ${joinGroups(filter, STAGES)}
    where ${every([here, position, rest, ...conditions(filter, STAGES), ...more])} order by ${orderOf(sort, STAGES)} limit ${limit})`;
  const asked = sql`unnest(${positions}::int2[]) as asked (position)`;
  if (sort !== 'revenue' && sort !== 'profit') {
    return [select(oneOf(behind(sort, after, STAGES)), sql`stages.position = any(${positions}::int2[])`)];
  }
  return behind(sort, after, STAGES).map(
    (rest) =>
      sql`(select found.* from ${asked} cross join lateral ${select(rest, sql`stages.position = asked.position`)} as found)`,
  );
}

/** Those whose next change is near or has come. There are few, so that no index gives them in order. */
function moving({ filter, sort, after, limit }: ListPage, where: readonly Sql[]): Sql {
  return sql`(
    select states.customer_id, ${sortValue(sort, STATES)} as value from customer_states as states
    join customer_stages as stages on stages.customer_id = states.customer_id and stages.model_version = ${filter.model_version}
    ${joinGroups(filter, STATES)}
    where ${every([...where, oneOf(behind(sort, after, STATES)), ...conditions(filter, STATES)])}
    order by ${orderOf(sort, STATES)} limit ${limit})`;
}

function standsNow({ today }: CustomerFilter, positions: readonly Position[]): Sql[] {
  const position = sql`stages.positions[width_bucket(${today}::int4, stages.first_days)]`;
  return [
    sql`states.next_change <= ${today}`,
    sql`stages.until <= ${today}`,
    sql`${position} = any(${positions}::int2[])`,
  ];
}

/**
 * True if a time in the positions that has not ended by today begins in the range. Times are those of the spells, neighbours in the positions being
 * one; the first may have begun before its spell, as the row says.
 */
function beginsBetween(
  { today }: CustomerFilter,
  positions: readonly Position[],
  { from, to, unbroken }: Entered,
): Sql {
  const asked = sql`(${positions}::int2[])`;
  const since = { stage: sql`stages.stage_since`, activity: sql`stages.activity_since`, both: sql`spell.first_day` }[
    unbroken
  ];
  const begin = sql`case spell.place when 1 then ${since} else spell.first_day end`;
  return sql`exists (
    select from unnest(stages.positions, stages.first_days) with ordinality as spell (position, first_day, place)
    where spell.position = any${asked} and (spell.place = 1 or stages.positions[spell.place::int4 - 1] <> all${asked})
      and ${begin} >= ${from} and ${begin} < ${to}
      and ${today} < coalesce((
        select min(later.first_day) from unnest(stages.positions, stages.first_days) as later (position, first_day)
        where later.first_day > spell.first_day and later.position <> all${asked}), ${LAST_DAY + 1}))`;
}

/** The conditions besides where they stand; `own` is the table whose figures are read anyway. */
function conditions(filter: CustomerFilter, own: Sql): Sql[] {
  const { group_id, last_interaction_by, last_purchase_by, open_complaint_by, ranked } = filter;
  return [
    ...(group_id === null ? [] : [sql`customers.group_ids @> array[${group_id}]::int2[]`]),
    ...(last_purchase_by === null ? [] : [sql`${own}.last_purchase_day <= ${last_purchase_by}`]),
    ...(last_interaction_by === null ? [] : [sql`states.last_interaction_day <= ${last_interaction_by}`]),
    ...(open_complaint_by === null ? [] : [sql`states.open_complaint_day <= ${open_complaint_by}`]),
    ...(ranked === null ? [] : ranked === 'nobody' ? [sql`false`] : inRanking(ranked, own)),
  ];
}

function inRanking({ by, after, through }: Ranked, own: Sql): Sql[] {
  const value = sql`${own}.${sql.ref(by)}`;
  const bounds = [sql`${own}.last_purchase_day is not null`];
  if (after !== null)
    bounds.push(
      sql`${value} <= ${after.value}`,
      sql`(${value} < ${after.value} or ${own}.customer_id > ${after.customer_id})`,
    );
  if (through !== null)
    bounds.push(
      sql`${value} >= ${through.value}`,
      sql`(${value} > ${through.value} or ${own}.customer_id <= ${through.customer_id})`,
    );
  return bounds;
}

function joinGroups({ group_id }: CustomerFilter, own: Sql): Sql {
  return group_id === null ? sql`` : sql`join customers on customers.customer_id = ${own}.customer_id`;
}

function joinStates({ last_interaction_by, open_complaint_by }: CustomerFilter): Sql {
  if (last_interaction_by === null && open_complaint_by === null) return sql``;
  return sql`join customer_states as states on states.customer_id = stages.customer_id`;
}

/** What is behind the key, in parts that an index gives in order each: of equal values there may be very many, so they must not be skipped one by one. */
function behind(sort: ListSort, after: ListKey | null, table: Sql): Sql[] {
  if (after === null) return [sql`true`];
  const laterId = sql`${table}.customer_id > ${after.customer_id}`;
  if (sort === 'customer_id') return [laterId];
  const value = sortValue(sort, table);
  if (after.value === null) return [sql`(${value} is null and ${laterId})`];
  const parts = [sql`(${value} = ${after.value} and ${laterId})`, sql`${value} < ${after.value}`];
  return sort === 'last_purchase_day' ? [...parts, sql`${value} is null`] : parts;
}

function sortValue(sort: ListSort, table: Sql): Sql {
  return sort === 'customer_id' ? sql`null::int8` : sql`${table}.${sql.ref(sort)}`;
}

function orderOf(sort: ListSort, table: Sql): Sql {
  const id = sql`${table}.customer_id`;
  return sort === 'customer_id' ? id : sql`${sortValue(sort, table)} desc ${nullsLast(sort)}, ${id}`;
}

/** Only where there are nulls: an index in plain descending order is one with nulls first. */
function nullsLast(sort: ListSort): Sql {
  return sort === 'last_purchase_day' ? sql`nulls last` : sql``;
}

function every(all: readonly Sql[]): Sql {
  return sql.join(all, sql` and `);
}

function oneOf(any: readonly Sql[]): Sql {
  return sql`(${sql.join(any, sql` or `)})`;
}
