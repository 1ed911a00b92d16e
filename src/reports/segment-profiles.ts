import { type RawBuilder, sql } from 'kysely';
import type { Position } from '../domain/compile-model.ts';
import { positionIn } from '../domain/standing.ts';
import { boundsOf, bucketOf } from '../domain/value-buckets.ts';
import { positionToday } from './position-today.ts';
import type { ReportContext } from './report.ts';
import {
  type Border,
  isRanked,
  kindOf,
  type Ranking,
  SEGMENTS,
  type Segment,
  tableOf,
  worthOf,
} from './value-classes.ts';

/** Customers of a segment in one position of the model today, and what they are worth; UNKNOWN are those first known tomorrow. */
export interface StandingSum {
  readonly segment: Segment;
  readonly position: Position;
  readonly customers: number;
  readonly value: bigint;
}

/** What the customers of a segment have in common. */
export interface ProfileSum {
  readonly segment: Segment;
  readonly customers: number;
  /** Days since the first purchase day, added up. */
  readonly tenure_days: number;
  readonly purchases: number;
  readonly revenue: bigint;
  readonly product_lines: number;
  readonly discounted_purchases: number;
}

/** How many customers of a segment carry a group. */
export interface GroupSum {
  readonly segment: Segment;
  readonly group: string;
  readonly customers: number;
}

/** Everything read of the customers of segments. */
export interface Profiles {
  readonly standings: readonly StandingSum[];
  readonly sums: readonly ProfileSum[];
  readonly groups: readonly GroupSum[];
}

type Context = Pick<ReportContext, 'trx' | 'group_id' | 'model' | 'today'>;
type Borders = readonly [top: Border, middle: Border];

/**
 * Reads the profiles of the segments that end with these customers: over all that are ranked, by indices that hold what is asked for. What was bought is that
 * of the ranking's period; tenure, positions and groups are as of today.
 */
export async function readProfiles(context: Context, ranking: Ranking, borders: Borders): Promise<Profiles> {
  await sql`select set_config('work_mem', '64MB', true)`.execute(context.trx);
  const rows = await readPlaces(context, ranking, borders);
  const ripe = await readRipe(context, ranking, borders);
  const standings = rows.map(({ standing, ...row }) => ({
    ...row,
    segment: segmentOf(row),
    position: positionIn(standing, context.model.version),
  }));
  return {
    standings: [
      ...standings,
      ...ripe.flatMap((row) => {
        const segment = segmentOf(row);
        const { customers, value } = row;
        return [
          { segment, position: row.stale, customers: -customers, value: -value },
          { segment, position: row.position, customers, value },
        ];
      }),
    ],
    sums: standings,
    groups: await readGroups(context, ranking, borders),
  };
}

interface Placed {
  readonly in_top: boolean;
  readonly above_bottom: boolean;
}

function segmentOf({ in_top, above_bottom }: Placed): Segment {
  return in_top ? 'top' : above_bottom ? 'middle' : 'bottom';
}

/** Whether a row of the ranking's table comes no later in the ranking than a customer. */
function notAfter(ranking: Ranking, { value, customer_id }: Border): RawBuilder<boolean> {
  const own = worthOf(ranking);
  const id = sql.ref(`${tableOf(ranking)}.customer_id`);
  return sql`(${own} > ${value}::int8 or (${own} = ${value}::int8 and ${id} <= ${customer_id}))`;
}

/** The ranking's table, for a year with the states of its customers beside it. */
function withStates(ranking: Ranking): RawBuilder<unknown> {
  const table = tableOf(ranking);
  if (table === 'customer_states') return sql.table(table);
  return sql`${sql.table(table)} join customer_states on customer_states.customer_id = ${sql.table(table)}.customer_id`;
}

// Grouped by two truths, not by one number: the planner takes a truth for two groups, a number computed from values for half a million,
// and then it does not divide the work.
async function readPlaces({ trx, group_id, today }: Context, ranking: Ranking, [top, middle]: Borders) {
  const sum = (name: string) => sql`sum(${sql.ref(`${tableOf(ranking)}.${name}`)})`;
  const { rows } = await sql<Placed & Omit<ProfileSum & StandingSum, 'segment' | 'position'> & { standing: string }>`
    select standing, ${notAfter(ranking, top)} as in_top, ${notAfter(ranking, middle)} as above_bottom,
      count(*)::float8 as customers, sum(${worthOf(ranking)})::int8 as value,
      ${sum('revenue')}::int8 as revenue, ${sum('purchases')}::float8 as purchases,
      ${sum('product_lines')}::float8 as product_lines, ${sum('discounted_purchases')}::float8 as discounted_purchases,
      sum(greatest(${today} - first_purchase_day, 0))::float8 as tenure_days
    from ${withStates(ranking)}
    where ${isRanked(ranking, group_id)}
    group by 1, 2, 3`.execute(trx);
  return rows;
}

/** Customers whose stored position is over: what it was, and what holds today. */
async function readRipe({ trx, group_id, model, today }: Context, ranking: Ranking, [top, middle]: Borders) {
  const { rows } = await sql<Placed & Omit<StandingSum, 'segment'> & { readonly stale: Position }>`
    select customer_stages.position as stale, ${positionToday(today)} as position,
      ${notAfter(ranking, top)} as in_top, ${notAfter(ranking, middle)} as above_bottom,
      count(*)::float8 as customers, sum(${worthOf(ranking)})::int8 as value
    from ${withStates(ranking)} join customer_stages on customer_stages.customer_id = customer_states.customer_id
    where next_change <= ${today} and model_version = ${model.version} and until <= ${today} and ${isRanked(ranking, group_id)}
    group by 1, 2, 3, 4`.execute(trx);
  return rows;
}

/**
 * Groups by segment. For everybody's lifetime the roll-up has them but for the two buckets in which the segments meet; of a year and among the members of
 * a group everything is counted.
 */
async function readGroups(context: Context, ranking: Ranking, borders: Borders): Promise<GroupSum[]> {
  const { trx, group_id } = context;
  const [upper, lower] = borders.map(({ value }) => bucketOf(value)) as [number, number];
  const summed = ranking.year === null && group_id === 0;
  const apart = summed ? sql`and (${inBucket(ranking, upper)} or ${inBucket(ranking, lower)})` : sql``;
  const table = sql.table(tableOf(ranking));
  const { rows } = await sql<Carried>`
    select unnest(customers.group_ids) as group_id, ${notAfter(ranking, borders[0])} as in_top, ${notAfter(ranking, borders[1])} as above_bottom,
      count(*)::float8 as customers
    from ${table} join customers on customers.customer_id = ${table}.customer_id
    where customers.group_ids <> '{}' and ${isRanked(ranking, group_id)} ${apart}
    group by 1, 2, 3`.execute(trx);
  const buckets = summed ? await readGroupBuckets(context, ranking, upper, lower) : [];
  return nameGroups(trx, [...rows, ...buckets]);
}

interface Carried extends Placed {
  readonly group_id: number;
  readonly customers: number;
}

async function readGroupBuckets({ trx }: Context, { by }: Ranking, upper: number, lower: number): Promise<Carried[]> {
  const { rows } = await sql<Carried>`
    select group_id, bucket > ${upper} as in_top, bucket > ${lower} as above_bottom, sum(customers)::float8 as customers
    from rollup_customer_values
    where model_version = 0 and group_id > 0 and kind = ${kindOf(by)} and bucket not in (${upper}, ${lower})
    group by 1, 2, 3`.execute(trx);
  return rows;
}

/** Adds up what was counted of each group and segment, by the names of the groups; what nobody carries is left out. */
async function nameGroups(trx: Context['trx'], counted: readonly Carried[]): Promise<GroupSum[]> {
  if (counted.length === 0) return [];
  const { rows } = await sql<{ group_id: number; name: string }>`select group_id, name from groups`.execute(trx);
  return rows.flatMap(({ group_id, name }) =>
    SEGMENTS.flatMap((segment) => {
      const own = counted.filter((one) => one.group_id === group_id && segmentOf(one) === segment);
      const customers = own.reduce((sum, one) => sum + one.customers, 0);
      return customers === 0 ? [] : [{ segment, group: name, customers }];
    }),
  );
}

function inBucket(ranking: Ranking, bucket: number): RawBuilder<boolean> {
  const { least, greatest } = boundsOf(bucket);
  return sql`${worthOf(ranking)} between ${least}::int8 and ${greatest}::int8`;
}
