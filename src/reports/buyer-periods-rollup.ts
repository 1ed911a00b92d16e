import { sql } from 'kysely';
import { type Day, FIRST_DAY, LAST_DAY, nextPeriodStart } from '../domain/calendar.ts';
import { NO_MODEL } from '../domain/differences.ts';
import type { Facts } from '../domain/facts.ts';
import type { Minor } from '../domain/money.ts';
import { GRAINS, grainNumber, grainStart, isOver, previousPeriodStart } from '../domain/period.ts';
import type { Projection, Tally } from '../domain/projection.ts';
import type { PeriodRange } from './period-range.ts';
import type { ReportContext } from './report.ts';

/**
 * The latest day with a purchase or revenue, and for each grain the revenue of the period that holds it, and that of the period before if the customer
 * bought in that one, else null. Null before the first such day.
 */
type RunningPeriods = readonly [day: Day, ...revenues: (Minor | null)[]] | null;

/** Whoever buys on the last day is dormant in the week after it, which begins up to seven days later. */
const DAYS_BEYOND = 7;

/** Key columns of everything that is counted by grain and period: the first day of a week, month, quarter or year. */
const PERIOD_KEY = [
  { name: 'grain', least: 0, size: GRAINS.length },
  { name: 'period', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 + DAYS_BEYOND },
] as const;

const MEASURES = [
  'new_buyers',
  'returning_buyers',
  'reactivated_buyers',
  'dormant_buyers',
  'new_revenue',
  'returning_revenue',
  'reactivated_revenue',
  'expansion_revenue',
  'contraction_revenue',
  'lost_revenue',
  'lost_floor_revenue',
  'existing_revenue',
] as const;
const NEW_BUYERS = MEASURES.indexOf('new_buyers');
const RETURNING_BUYERS = MEASURES.indexOf('returning_buyers');
const REACTIVATED_BUYERS = MEASURES.indexOf('reactivated_buyers');
const DORMANT_BUYERS = MEASURES.indexOf('dormant_buyers');
const NEW_REVENUE = MEASURES.indexOf('new_revenue');
const RETURNING_REVENUE = MEASURES.indexOf('returning_revenue');
const REACTIVATED_REVENUE = MEASURES.indexOf('reactivated_revenue');
const EXPANSION_REVENUE = MEASURES.indexOf('expansion_revenue');
const CONTRACTION_REVENUE = MEASURES.indexOf('contraction_revenue');
const LOST_REVENUE = MEASURES.indexOf('lost_revenue');
const LOST_FLOOR_REVENUE = MEASURES.indexOf('lost_floor_revenue');
const EXISTING_REVENUE = MEASURES.indexOf('existing_revenue');

/**
 * Buyers of each period by how they came to buy in it, those who bought in the period before and not in this one, and the revenue of both. Distinct
 * customers do not add up over days, so each grain has rows of its own, and a customer's period stays open until a later one begins.
 * Customer-flow, revenue-movements and loyalty-economics read it.
 */
export const buyerPeriodsRollup: Projection<RunningPeriods> = {
  name: 'buyer-periods',
  version: 1,
  per_model: false,
  key: PERIOD_KEY,
  measures: MEASURES,
  start: null,
  advance(running, { day, before }, tally) {
    if (day.purchases === 0 && day.revenue === 0) return running;
    if (running === null) return [day.day, ...GRAINS.flatMap(() => [day.revenue, null])];
    const next: [Day, ...(Minor | null)[]] = [day.day];
    for (let grain = 0; grain < GRAINS.length; grain += 1) {
      const revenue = running[1 + 2 * grain]!;
      const revenueBefore = running[2 + 2 * grain]!;
      const later = grainNumber(day.day, grain) - grainNumber(running[0], grain);
      if (later === 0) next.push(revenue + day.revenue, revenueBefore);
      else {
        const bought = tallyPeriod(tally, grain, running[0], revenue, revenueBefore, before!);
        if (bought && later > 1) tallyAfter(tally, grain, running[0], revenue);
        next.push(day.revenue, bought && later === 1 ? revenue : null);
      }
    }
    return next;
  },
  settle(running, facts, _scheduled, tally) {
    if (running === null) return;
    for (let grain = 0; grain < GRAINS.length; grain += 1) {
      const revenue = running[1 + 2 * grain]!;
      const bought = tallyPeriod(tally, grain, running[0], revenue, running[2 + 2 * grain]!, facts);
      if (bought) tallyAfter(tally, grain, running[0], revenue);
    }
  },
};

/** What a customer adds to the latest period with a purchase or revenue, that of `day`; the facts reach to its end. True for a buyer of it. */
function tallyPeriod(
  tally: Tally,
  grain: number,
  day: Day,
  revenue: Minor,
  before: Minor | null,
  facts: Facts,
): boolean {
  const { first_purchase_day: first, last_purchase_day: last } = facts;
  if (first === null || last === null) return false;
  const period = grainStart(day, grain);
  if (last < period) {
    if (before !== null) tallyAway(tally, grain, period, before, revenue);
    else if (revenue !== 0) tally.at(grain, period).add(EXISTING_REVENUE, revenue);
    return false;
  }
  const row = tally.at(grain, period);
  if (first >= period) row.add(NEW_BUYERS, 1).add(NEW_REVENUE, revenue);
  else {
    row.add(EXISTING_REVENUE, revenue);
    if (before === null) row.add(REACTIVATED_BUYERS, 1).add(REACTIVATED_REVENUE, revenue);
    else {
      row.add(RETURNING_BUYERS, 1).add(RETURNING_REVENUE, revenue);
      if (revenue > before) row.add(EXPANSION_REVENUE, revenue - before);
      else row.add(CONTRACTION_REVENUE, before - revenue);
    }
  }
  return true;
}

/** A buyer of the period of `day` who does nothing in the one after it. */
function tallyAfter(tally: Tally, grain: number, day: Day, revenue: Minor): void {
  tallyAway(tally, grain, nextPeriodStart(day, GRAINS[grain]!), revenue, 0);
}

/** Bought in the period before, for `lost`, and not in this one. */
function tallyAway(tally: Tally, grain: number, period: Day, lost: Minor, existing: Minor): void {
  const row = tally.at(grain, period).add(DORMANT_BUYERS, 1).add(LOST_REVENUE, lost).add(EXISTING_REVENUE, existing);
  if (lost < 0) row.add(LOST_FLOOR_REVENUE, lost);
}

/** The sums of one period: customers, and revenue in minor units. */
export interface BuyerPeriod {
  readonly new_buyers: number;
  readonly returning_buyers: number;
  readonly reactivated_buyers: number;
  readonly dormant_buyers: number;
  readonly new_revenue: bigint;
  readonly returning_revenue: bigint;
  readonly reactivated_revenue: bigint;
  readonly expansion_revenue: bigint;
  readonly contraction_revenue: bigint;
  readonly lost_revenue: bigint;
  /** The lost revenue of those alone whose revenue was negative. */
  readonly lost_floor_revenue: bigint;
  /** Revenue of all who had bought before the period, buyers of the period or not. */
  readonly existing_revenue: bigint;
}

const NOBODY: BuyerPeriod = {
  new_buyers: 0,
  returning_buyers: 0,
  reactivated_buyers: 0,
  dormant_buyers: 0,
  new_revenue: 0n,
  returning_revenue: 0n,
  reactivated_revenue: 0n,
  expansion_revenue: 0n,
  contraction_revenue: 0n,
  lost_revenue: 0n,
  lost_floor_revenue: 0n,
  existing_revenue: 0n,
};

/** Customers with at least one purchase day in a period. */
export function buyersOf({ new_buyers, returning_buyers, reactivated_buyers }: BuyerPeriod): number {
  return new_buyers + returning_buyers + reactivated_buyers;
}

/** Revenue dated in a period of its buyers, in minor units. */
export function revenueOfBuyers({ new_revenue, returning_revenue, reactivated_revenue }: BuyerPeriod): bigint {
  return new_revenue + returning_revenue + reactivated_revenue;
}

/** A period of a range, with the one before it. */
export interface PeriodWithEve {
  readonly start: Day;
  /** Whether its last day is before today. */
  readonly complete: boolean;
  readonly sums: BuyerPeriod;
  readonly before: BuyerPeriod;
}

/** The sums of every period of a range, and of the one before each; one statement. */
export async function readBuyerPeriods(
  { trx, group_id, today }: ReportContext,
  { grain, starts, end }: PeriodRange,
): Promise<PeriodWithEve[]> {
  const { rows } = await sql<BuyerPeriod & { readonly period: Day }>`
    select period, new_buyers::float8, returning_buyers::float8, reactivated_buyers::float8, dormant_buyers::float8,
      new_revenue, returning_revenue, reactivated_revenue, expansion_revenue, contraction_revenue, lost_revenue,
      lost_floor_revenue, existing_revenue
    from rollup_buyer_periods
    where model_version = ${NO_MODEL} and group_id = ${group_id} and grain = ${GRAINS.indexOf(grain)}
      and period >= ${previousPeriodStart(starts[0]!, grain)} and period < ${end}`.execute(trx);
  const found = new Map(rows.map((row) => [row.period, row]));
  return starts.map((start) => ({
    start,
    complete: isOver(start, grain, today),
    sums: found.get(start) ?? NOBODY,
    before: found.get(previousPeriodStart(start, grain)) ?? NOBODY,
  }));
}
