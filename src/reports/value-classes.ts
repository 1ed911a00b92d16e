import { type RawBuilder, sql } from 'kysely';
import { boundsOf } from '../domain/value-buckets.ts';
import { COSTS, PROFIT, REVENUE } from './customer-values-rollup.ts';
import type { ReportContext } from './report.ts';
import {
  classesToRead,
  customersOf,
  lastRanks,
  levelIfSure,
  levelOf,
  rankIn,
  refine,
  type ValueClass,
} from './value-ranking.ts';

/** What customers can be ranked by. */
export const VALUES = ['revenue', 'profit'] as const;
/** One of `VALUES`. */
export type Value = (typeof VALUES)[number];

/** The segments, from the most valuable. */
export const SEGMENTS = ['top', 'middle', 'bottom'] as const;
/** One of `SEGMENTS`. */
export type Segment = (typeof SEGMENTS)[number];

/** What values are read with. */
export type ValueContext = Pick<ReportContext, 'trx' | 'group_id'>;

/** Customers without a purchase day that cost something, and what they cost. */
export interface CostsAlone {
  readonly customers: number;
  readonly costs: bigint;
}

/** How the values of all ranked customers lie, and what the others cost. */
export interface Values {
  /** Descending, exact wherever a segment or the 80 % end. */
  readonly classes: readonly ValueClass[];
  readonly costs_alone: CostsAlone;
}

/** Who is ranked, and by what: customers with a purchase day, or with one in a calendar year by what is dated in it. */
export interface Ranking {
  readonly by: Value;
  /** Null for the lifetime. */
  readonly year: number | null;
}

/** The table that holds the figures a ranking goes by; everybody is in it once, of those of whom `isRanked` is true. */
export function tableOf({ year }: Ranking): 'customer_states' | 'customer_years' {
  return year === null ? 'customer_states' : 'customer_years';
}

/** What a row of the ranking's table is worth. */
export function worthOf({ by, year }: Ranking): RawBuilder<number> {
  if (year === null) return sql`${sql.ref(`customer_states.${by}`)}`;
  return by === 'revenue' ? sql`customer_years.revenue` : sql`(customer_years.revenue - customer_years.costs)`;
}

/** Whether a row of the ranking's table is ranked in a group. */
export function isRanked(ranking: Ranking, group_id: number): RawBuilder<boolean> {
  const bought =
    ranking.year === null
      ? sql`customer_states.first_purchase_day is not null`
      : sql`customer_years.year = ${ranking.year}::int2 and customer_years.purchases > 0`;
  return sql`${bought} ${inGroup(group_id, tableOf(ranking))}`;
}

/** A customer by their place in the ranking: value descending, then customer_id ascending. */
export interface Border {
  readonly value: number;
  readonly customer_id: string;
}

/** The roll-up's kind of a value. */
export function kindOf(by: Value): number {
  return by === 'revenue' ? REVENUE : PROFIT;
}

/** Reads the roll-up, and those customers whose buckets must be known exactly. Two statements. */
export async function readLifetimeValues(context: ValueContext, by: Value): Promise<Values> {
  const kind = kindOf(by);
  const { rows } = await sql<{ kind: number; bucket: number; customers: number; value: bigint }>`
    select kind, bucket, customers::float8 as customers, value from rollup_customer_values
    where model_version = 0 and group_id = ${context.group_id} and kind = any(${[kind, COSTS]}::int2[]) and customers <> 0
    order by kind, bucket desc`.execute(context.trx);
  const costs = rows.find((row) => row.kind === COSTS);
  const classes = rows
    .filter((row) => row.kind === kind)
    .map(({ bucket, customers, value }) => levelIfSure({ ...boundsOf(bucket), customers, value }));
  return {
    classes: refine(classes, await readLevels(context, by, classes, classesToRead(classes))),
    costs_alone: { customers: costs?.customers ?? 0, costs: costs?.value ?? 0n },
  };
}

/** The customers of some classes, one value at a time, descending. */
async function readLevels(
  { trx, group_id }: ValueContext,
  by: Value,
  classes: readonly ValueClass[],
  wanted: readonly number[],
): Promise<Map<number, ValueClass[]>> {
  const levels = new Map<number, ValueClass[]>(wanted.map((index) => [index, []]));
  if (wanted.length === 0) return levels;
  const ranking = { by, year: null };
  const value = worthOf(ranking);
  // One branch for each class: of bounds that are constants the planner knows how few customers they hold.
  const branches = wanted.map(
    (index) => sql`
    select ${index}::int4 as index, ${value}::float8 as value, count(*)::float8 as customers from customer_states
    where ${value} between ${classes[index]!.least}::int8 and ${classes[index]!.greatest}::int8
      and ${isRanked(ranking, group_id)}
    group by 2`,
  );
  const { rows } = await sql<{ index: number; value: number; customers: number }>`
    ${sql.join(branches, sql` union all `)} order by 1, 2 desc`.execute(trx);
  for (const { index, value, customers } of rows) levels.get(index)!.push(levelOf(value, customers));
  return levels;
}

/** A further condition on the customers of a table: that they carry the group. None for everybody. */
export function inGroup(group_id: number, table = 'customer_states'): RawBuilder<unknown> {
  if (group_id === 0) return sql``;
  return sql`and exists (select from customers
    where customers.customer_id = ${sql.ref(`${table}.customer_id`)} and ${group_id} = any(customers.group_ids))`;
}

/** The last customers of the top and of the middle segment; null if nobody has a purchase day. */
export async function readBorders(
  { trx, group_id }: ValueContext,
  ranking: Ranking,
  classes: readonly ValueClass[],
): Promise<readonly [top: Border, middle: Border] | null> {
  const customers = customersOf(classes);
  if (customers === 0) return null;
  const [top, middle] = lastRanks(customers).map((rank) => rankIn(classes, rank));
  const border = async ({ index, place }: { index: number; place: number }): Promise<Border> => {
    const value = classes[index]!.greatest;
    const { rows } = await sql<{ customer_id: string }>`
      select customer_id from ${sql.table(tableOf(ranking))}
      where ${worthOf(ranking)} = ${value}::int8 and ${isRanked(ranking, group_id)}
      order by customer_id offset ${place - 1} limit 1`.execute(trx);
    return { value, customer_id: rows[0]!.customer_id };
  };
  return [await border(top!), await border(middle!)];
}

/** Where a segment lies in the ranking of customers with a purchase day, by value descending, then customer_id ascending. */
export interface SegmentRange {
  /** The last customer before the segment; null if it begins with the first. */
  readonly after: Border | null;
  /** The last customer of the segment; null if it ends with the last of all. */
  readonly last: Border | null;
}

/** Where a lifetime segment lies today; null if nobody is in it. The segment of a group is that among its members. */
export async function readSegmentRange(
  context: ValueContext,
  by: Value,
  segment: Segment,
): Promise<SegmentRange | null> {
  const { classes } = await readLifetimeValues(context, by);
  const borders = await readBorders(context, { by, year: null }, classes);
  if (borders === null) return null;
  const [topRank, middleRank, bottomRank] = lastRanks(customersOf(classes));
  const [top, middle] = borders;
  if (segment === 'top') return { after: null, last: top };
  if (segment === 'middle') return middleRank > topRank ? { after: top, last: middle } : null;
  return bottomRank > middleRank ? { after: middle, last: null } : null;
}
