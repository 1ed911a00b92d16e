import type { Day } from './calendar.ts';
import { NEVER } from './condition.ts';
import type { Facts } from './facts.ts';
import { ACTIVITIES, type DayRange, type LapsePolicy } from './model.ts';

/**
 * A lapse policy made ready to be asked: one form for all policies, so that asking costs a fixed one nothing. A weight of 0 means that everybody has the
 * same thresholds, `at_risk_least` and `lapsed_least`.
 */
export interface Lapse {
  readonly weight: number;
  /** `weight · prior_days`: what the prior adds to the sum of gaps. */
  readonly prior: number;
  /** The thresholds lie in these ranges, in days of silence. */
  readonly at_risk_least: number;
  readonly at_risk_most: number;
  readonly lapsed_least: number;
  readonly lapsed_most: number;
}

/** Makes the lapse policy of a checked model ready. */
export function compileLapse(policy: LapsePolicy): Lapse {
  if (policy.policy === 'fixed') {
    const { at_risk_after_days: atRisk, lapsed_after_days: lapsed } = policy;
    return lapseOf(0, 0, { at_least: atRisk, at_most: atRisk }, { at_least: lapsed, at_most: lapsed });
  }
  const { weight, prior_days, at_risk_after_days, lapsed_after_days } = policy;
  return lapseOf(weight, weight * prior_days, at_risk_after_days, lapsed_after_days);
}

function lapseOf(weight: number, prior: number, atRisk: DayRange, lapsed: DayRange): Lapse {
  return {
    weight,
    prior,
    at_risk_least: atRisk.at_least,
    at_risk_most: atRisk.at_most,
    lapsed_least: lapsed.at_least,
    lapsed_most: lapsed.at_most,
  };
}

/** What the thresholds of a buyer are made from. */
type Buyer = Pick<Facts, 'first_purchase_day' | 'last_purchase_day' | 'purchase_days'>;

/** Day so many of a buyer's silence is still active: ⌊1.5·g⌋ clamped to its range, or the fixed threshold. */
export function atRiskAfter(lapse: Lapse, buyer: Buyer): number {
  if (lapse.weight === 0) return lapse.at_risk_least;
  return clamped(lapse.at_risk_least, timesGap(3, 2, lapse, buyer), lapse.at_risk_most);
}

/** Day so many of a buyer's silence is still at risk: ⌊3·g⌋ clamped to its range, or the fixed threshold. Greater than `atRiskAfter`. */
export function lapsedAfter(lapse: Lapse, buyer: Buyer): number {
  if (lapse.weight === 0) return lapse.lapsed_least;
  return clamped(lapse.lapsed_least, timesGap(3, 1, lapse, buyer), lapse.lapsed_most);
}

/**
 * ⌊g · times / by⌋ with the buyer's own mean gap shrunk towards the prior: g = (weight·prior_days + sum of gaps) / (weight + number of gaps). The gaps between
 * purchase days add up to the days from the first to the last. Whole numbers throughout: a quotient of doubles could round up to the next.
 */
function timesGap(times: number, by: number, lapse: Lapse, buyer: Buyer): number {
  const gaps = buyer.last_purchase_day! - buyer.first_purchase_day!;
  const dividend = times * (lapse.prior + gaps);
  const divisor = by * (lapse.weight + buyer.purchase_days - 1);
  return (dividend - (dividend % divisor)) / divisor;
}

function clamped(least: number, value: number, most: number): number {
  if (value < least) return least;
  return value > most ? most : value;
}

const NONE = ACTIVITIES.indexOf('none');
const ACTIVE = ACTIVITIES.indexOf('active');
const AT_RISK = ACTIVITIES.indexOf('at_risk');
const LAPSED = ACTIVITIES.indexOf('lapsed');

/** Index of the activity at the end of a day, by the lapse policy and stated departures. */
export function activityAt(lapse: Lapse, facts: Facts, day: Day): number {
  const { last_purchase_day: last, departure_day: departed } = facts;
  if (last === null) return NONE;
  if (departed !== null && departed >= last) return LAPSED;
  const silence = day - last;
  if (silence > lapsedAfter(lapse, facts)) return LAPSED;
  return silence > atRiskAfter(lapse, facts) ? AT_RISK : ACTIVE;
}

/** The first day after `after` on which silence alone could change the activity; `NEVER` if there is none. */
export function nextLapseTurn(lapse: Lapse, facts: Facts, after: Day): Day {
  const { last_purchase_day: last } = facts;
  if (last === null) return NEVER;
  const atRisk = last + atRiskAfter(lapse, facts) + 1;
  if (atRisk > after) return atRisk;
  const lapsed = last + lapsedAfter(lapse, facts) + 1;
  return lapsed > after ? lapsed : NEVER;
}
