import { sql } from 'kysely';
import { type Day, FIRST_DAY, LAST_DAY } from '../domain/calendar.ts';
import { NO_MODEL } from '../domain/differences.ts';
import type { Projection } from '../domain/projection.ts';
import type { PeriodRange } from './period-range.ts';
import type { ReportContext } from './report.ts';

const MEASURES = [
  'activity_days',
  'customers',
  'purchases',
  'refunds',
  'interactions',
  'pending_refunds',
  'revenue',
  'costs',
  'acquisition_costs',
  'retention_costs',
] as const;
const ACTIVITY_DAYS = MEASURES.indexOf('activity_days');
const CUSTOMERS = MEASURES.indexOf('customers');
const PURCHASES = MEASURES.indexOf('purchases');
const REFUNDS = MEASURES.indexOf('refunds');
const INTERACTIONS = MEASURES.indexOf('interactions');
const PENDING_REFUNDS = MEASURES.indexOf('pending_refunds');
const REVENUE = MEASURES.indexOf('revenue');
const COSTS = MEASURES.indexOf('costs');
const ACQUISITION_COSTS = MEASURES.indexOf('acquisition_costs');
const RETENTION_COSTS = MEASURES.indexOf('retention_costs');

/**
 * All that adds up by day. What is stored: customers by the day they became known, rows of each kind by their own day (voided ones included), refunds that
 * wait for their purchase, and how many customers have anything on the day. What counts: revenue, costs, and of these the costs of interactions with
 * customers who had not bought before the day (acquisition) and who had (retention). `GET /v1/status`, `data_through` and loyalty-economics read it.
 */
export const dailyTotalsRollup: Projection<null> = {
  name: 'daily-totals',
  version: 1,
  per_model: false,
  key: [{ name: 'day', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 }],
  measures: MEASURES,
  start: null,
  advance(state, { day, before }, tally) {
    const row = tally.at(day.day).add(ACTIVITY_DAYS, 1).add(REVENUE, day.revenue).add(COSTS, day.costs);
    if (before === null) row.add(CUSTOMERS, 1);
    row.add(PURCHASES, day.stored_purchases).add(REFUNDS, day.stored_refunds);
    row.add(INTERACTIONS, day.stored_interactions).add(PENDING_REFUNDS, day.pending_refunds);
    const hadBought = before !== null && before.first_purchase_day !== null;
    row.add(hadBought ? RETENTION_COSTS : ACQUISITION_COSTS, day.interaction_costs);
    return state;
  },
  settle() {},
};

/** The money of one period, in minor units. */
export interface PeriodMoney {
  readonly revenue: bigint;
  readonly costs: bigint;
  readonly acquisition_costs: bigint;
  readonly retention_costs: bigint;
}

const NO_MONEY: PeriodMoney = { revenue: 0n, costs: 0n, acquisition_costs: 0n, retention_costs: 0n };

/** Sums the money of every period of a range, in its order; one statement. */
export async function readPeriodMoney(
  { trx, group_id }: ReportContext,
  { starts, end }: PeriodRange,
): Promise<PeriodMoney[]> {
  const { rows } = await sql<PeriodMoney & { readonly place: number }>`
    select width_bucket(day, ${starts}::int[]) as place, sum(revenue)::int8 as revenue, sum(costs)::int8 as costs,
      sum(acquisition_costs)::int8 as acquisition_costs, sum(retention_costs)::int8 as retention_costs
    from rollup_daily_totals
    where model_version = ${NO_MODEL} and group_id = ${group_id} and day >= ${starts[0]} and day < ${end}
    group by 1`.execute(trx);
  const found = new Map(rows.map((row) => [row.place, row]));
  return starts.map((_: Day, index) => found.get(index + 1) ?? NO_MONEY);
}
