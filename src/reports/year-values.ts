import { type RawBuilder, sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import { positionToday } from './position-today.ts';
import type { ReportContext } from './report.ts';
import { type GroupSum, nameGroups, type ProfileSum, type Profiles, type StandingSum } from './segment-profiles.ts';
import { type CostsAlone, inGroup, type Segment, type Value } from './value-classes.ts';
import type { ValueClass } from './value-ranking.ts';

/** A span of days, its end excluded. */
export interface Span {
  readonly from: Day;
  readonly to: Day;
}

/** The values of a span, ranked, as they were read. */
export interface SpanValues {
  readonly customers: number;
  readonly total: bigint;
  readonly segments: readonly SpanSegment[];
  readonly customers_for_80_percent: number | null;
  readonly gini: number | null;
  /** Between the ranks on both sides of every point of the Lorenz curve, descending; what is below zero counts as zero. */
  readonly classes: readonly ValueClass[];
  readonly negative: { readonly customers: number; readonly value: bigint };
  readonly costs_alone: CostsAlone;
  /** Null if they were not asked for. */
  readonly profiles: Profiles | null;
}

/** A segment of a span; only those with customers are read. */
export interface SpanSegment {
  readonly segment: Segment;
  readonly customers: number;
  readonly value: bigint;
  readonly threshold: bigint;
  readonly tied_at_threshold: number;
}

type Context = Pick<ReportContext, 'trx' | 'group_id' | 'model' | 'today'>;

/** What the statement answers: integers that may exceed 2⁵³ are texts. */
interface Found {
  readonly totals: Totals;
  readonly alone: { readonly customers: number; readonly costs: string };
  readonly marks: readonly { readonly rank: number; readonly running: string }[];
  readonly segments: readonly FoundSegment[];
  /** Of profiles, if they were asked for. */
  readonly standings?: readonly FoundStanding[];
  readonly groups?: readonly FoundGroup[];
}

interface Totals {
  readonly customers: number;
  readonly total: string;
  readonly gini: number | null;
  readonly negative_customers: number;
  readonly negative_value: string;
  readonly customers_for_80_percent: number | null;
}

interface FoundGroup {
  readonly segment: Segment;
  readonly group_id: number;
  readonly customers: number;
}

interface FoundSegment {
  readonly segment: Segment;
  readonly customers: number;
  readonly value: string;
  readonly threshold: string;
  readonly tied_at_threshold: number;
}

interface FoundStanding {
  readonly segment: Segment;
  readonly position: number;
  readonly customers: number;
  readonly value: string;
  readonly tenure_days: number;
  readonly purchases: number;
  readonly revenue: string;
  readonly product_lines: number;
  readonly discounted_purchases: number;
}

/** Ranks all customers with a purchase day in the span by what is dated in it: one statement over the events of the span. */
export async function readSpanValues(context: Context, by: Value, span: Span, profile: boolean): Promise<SpanValues> {
  // Of a ranking the planner expects few rows, and would look every customer up one by one: 20 s instead of 10 s on a busy machine.
  await sql`select set_config('work_mem', '128MB', true), set_config('enable_nestloop', 'off', true)`.execute(
    context.trx,
  );
  const { rows } = await sql<{ found: Found }>`
    with ${eventsOf(context, by, span)}, ${RANKING}
    select json_build_object(
      'totals', (select row_to_json(totals) from totals),
      'alone', (select json_build_object('customers', count(*), 'costs', coalesce(sum(costs), 0)::text) from worth where purchases = 0 and costs > 0),
      'marks', (select coalesce(json_agg(json_build_object('rank', rank, 'running', running::text) order by rank), '[]') from ranked
        where rank in (select unnest(array[customers - customers * step / 20, customers - (customers * step + 19) / 20])
          from totals, generate_series(0, 20) as step)),
      'segments', (select coalesce(json_agg(row_to_json(ends)), '[]') from ends)
      ${profile ? profileOf(context) : sql``}
    ) as found`.execute(context.trx);
  const { found } = rows[0]!;
  const { standings, groups } = found;
  const profiles = profile ? profilesOf(standings!, await nameGroups(context.trx, groups!)) : null;
  return { ...spanValues(found), profiles };
}

/** What each customer bought, was refunded and cost in the span, of purchases and interactions dated in it. */
function eventsOf({ group_id }: Context, by: Value, { from, to }: Span): RawBuilder<unknown> {
  const value = by === 'revenue' ? sql`revenue` : sql`revenue - costs`;
  return sql`refunded as (
      select customer_id, purchase_id, sum(amount)::int8 as refunded from refunds where not voided ${inGroup(group_id, 'refunds')} group by 1, 2
    ), bought as (
      select purchases.customer_id, sum(amount - coalesce(refunded, 0)) as revenue, sum(cost) as costs,
        count(*) filter (where counts) as purchases, sum(cardinality(products)) filter (where counts) as product_lines,
        count(*) filter (where counts and discount > 0) as discounted_purchases
      from purchases left join refunded on refunded.customer_id = purchases.customer_id and refunded.purchase_id = purchases.purchase_id
      cross join lateral (select refunded is null or amount = 0 or refunded < amount as counts) as judged
      where day >= ${from} and day < ${to} and not voided ${inGroup(group_id, 'purchases')}
      group by 1
    ), touched as (
      select customer_id, sum(cost) as costs from interactions
      where day >= ${from} and day < ${to} and not voided and cost > 0 ${inGroup(group_id, 'interactions')} group by 1
    ), summed as (
      select customer_id, coalesce(bought.revenue, 0)::int8 as revenue,
        (coalesce(bought.costs, 0) + coalesce(touched.costs, 0))::int8 as costs,
        coalesce(purchases, 0) as purchases, product_lines, discounted_purchases
      from bought full join touched using (customer_id)
    ), worth as materialized (
      select customer_id, revenue, costs, ${value} as value, purchases, product_lines, discounted_purchases from summed
    )`;
}

const RANKING = sql`ranked as materialized (
      select customer_id, value, revenue, purchases, product_lines, discounted_purchases,
        row_number() over ranking as rank, sum(greatest(value, 0)) over ranking as running
      from worth where purchases > 0
      window ranking as (order by value desc, customer_id rows unbounded preceding)
    ), summary as materialized (
      select count(*) as customers, coalesce(sum(value), 0) as total, coalesce(sum(greatest(value, 0)), 0) as positive,
        sum(rank::float8 * greatest(value, 0)) as weighted,
        count(*) filter (where value < 0) as negative_customers, coalesce(sum(value) filter (where value < 0), 0) as negative_value
      from ranked
    ), totals as materialized (
      select customers, total::text as total, negative_customers, negative_value::text as negative_value,
        case when positive > 0 then (customers + 1 - 2 * weighted / positive::float8) / customers end as gini,
        (select min(rank) from ranked where summary.total > 0 and 5 * running >= 4 * summary.total) as customers_for_80_percent
      from summary
    ), placed as (
      select ranked.*, case when rank <= (customers + 4) / 5 then 'top' when rank <= (4 * customers + 4) / 5 then 'middle' else 'bottom' end as segment
      from ranked, totals
    ), sums as (
      select segment, count(*) as customers, sum(value)::text as value, min(value) as threshold from placed group by 1
    ), ends as (
      select segment, sums.customers, sums.value, threshold::text as threshold, count(*) as tied_at_threshold
      from sums join ranked on ranked.value = threshold
      group by segment, sums.customers, sums.value, threshold
    )`;

/**
 * The profiles of the segments: what was bought in the span, tenure, position and groups as of today. Stored positions come from an index; those that
 * are over are judged by their rows.
 */
function profileOf({ model, today }: Context): RawBuilder<unknown> {
  return sql`,
      'standings', (select coalesce(json_agg(row_to_json(standings)), '[]') from (
        select segment, coalesce(ripe.position, customer_stages.position) as position, count(*) as customers, sum(value)::text as value, sum(placed.revenue)::text as revenue,
          sum(purchases) as purchases, sum(product_lines) as product_lines, sum(discounted_purchases) as discounted_purchases,
          sum(greatest(${today} - first_purchase_day, 0)) as tenure_days
        from placed
        join (select customer_id, first_purchase_day from customer_states where first_purchase_day is not null) as states using (customer_id)
        join customer_stages on customer_stages.customer_id = placed.customer_id and model_version = ${model.version}
        left join (
          select customer_stages.customer_id, ${positionToday(today)} as position
          from customer_states join customer_stages on customer_stages.customer_id = customer_states.customer_id
          where next_change <= ${today} and model_version = ${model.version} and until <= ${today}
        ) as ripe on ripe.customer_id = placed.customer_id
        group by 1, 2
      ) as standings),
      'groups', (select coalesce(json_agg(row_to_json(carried)), '[]') from (
        select segment, unnest(group_ids) as group_id, count(*) as customers from placed join customers using (customer_id) group by 1, 2
      ) as carried)`;
}

function spanValues({ totals, alone, marks, segments }: Found): Omit<SpanValues, 'profiles'> {
  return {
    customers: totals.customers,
    total: BigInt(totals.total),
    segments: segments.map((one) => ({ ...one, value: BigInt(one.value), threshold: BigInt(one.threshold) })),
    customers_for_80_percent: totals.customers_for_80_percent,
    gini: totals.gini,
    // Every point of the curve falls between two of them or on one customer, so that bounds are of no use.
    classes: marks.map(({ rank, running }, index): ValueClass => {
      const before = marks[index - 1];
      const value = BigInt(running) - BigInt(before?.running ?? 0);
      return { least: 0, greatest: 0, customers: rank - (before?.rank ?? 0), value };
    }),
    negative: { customers: totals.negative_customers, value: BigInt(totals.negative_value) },
    costs_alone: { customers: alone.customers, costs: BigInt(alone.costs) },
  };
}

function profilesOf(found: readonly FoundStanding[], groups: readonly GroupSum[]): Profiles {
  const rows = found.map((one): StandingSum & ProfileSum => ({
    ...one,
    value: BigInt(one.value),
    revenue: BigInt(one.revenue),
  }));
  return { standings: rows, sums: rows, groups };
}
