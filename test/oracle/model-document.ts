/** Whether a customer is still there, beside the stage they are in. */
export type Activity = 'none' | 'active' | 'at_risk' | 'lapsed';

/** Every activity, in the order reports list them. */
export const ACTIVITIES: readonly Activity[] = ['none', 'active', 'at_risk', 'lapsed'];

/** Features whose thresholds are decimal strings of money. */
export type MoneyFeature = 'revenue' | 'profit';

/** Features whose thresholds are whole numbers: counts, days or a score. */
export type NumberFeature =
  | 'purchase_days'
  | 'distinct_products'
  | 'tenure_days'
  | 'days_since_last_purchase'
  | 'days_since_last_interaction'
  | 'days_since_open_complaint'
  | 'latest_score'
  | 'interactions';

export type Feature = MoneyFeature | NumberFeature;

/** What a comparison is made against: a whole number, or a decimal string for money. */
export type Threshold = number | string;

/** A comparison holds when every operator it names holds. `within_days` W looks at the days (t − W, t]. */
export interface Comparison {
  readonly feature: Feature;
  readonly at_least?: Threshold;
  readonly at_most?: Threshold;
  readonly more_than?: Threshold;
  readonly less_than?: Threshold;
  readonly within_days?: number;
  readonly kinds?: readonly string[];
}

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly stage_reached: string }
  | { readonly activity: readonly Activity[] }
  | Comparison;

/** The same words in the three languages of the API. */
export interface Words {
  readonly en: string;
  readonly es: string;
  readonly de: string;
}

export interface StageDocument {
  readonly stage: string;
  readonly title: Words;
  readonly description: Words;
  readonly when?: Condition;
  readonly off_ladder?: boolean;
}

/** Silence of exactly `at_risk_after_days` days is still active, one day more is at risk; likewise for lapsed. */
export interface FixedLapse {
  readonly policy: 'fixed';
  readonly at_risk_after_days: number;
  readonly lapsed_after_days: number;
}

/** A range of days, both ends included. */
export interface Days {
  readonly at_least: number;
  readonly at_most: number;
}

/** Thresholds from the buyer's own mean gap g, as if `weight` gaps of `prior_days` had come before: ⌊1.5·g⌋ and ⌊3·g⌋, within ranges. */
export interface CadenceLapse {
  readonly policy: 'cadence';
  readonly prior_days: number;
  readonly weight: number;
  readonly at_risk_after_days: Days;
  readonly lapsed_after_days: Days;
}

export type LapsePolicy = FixedLapse | CadenceLapse;

/** The numbers of days a lapse policy names; no silence longer than the last of them moves anybody. */
export function lapseDays(lapse: LapsePolicy): number[] {
  if (lapse.policy === 'fixed') return [lapse.at_risk_after_days, lapse.lapsed_after_days];
  const { at_risk_after_days: risk, lapsed_after_days: lapsed } = lapse;
  return [risk.at_least, risk.at_most, lapsed.at_least, lapsed.at_most];
}

/** A lifecycle model as the API publishes it: the first stage has no `when`, the last one that holds wins. */
export interface ModelDocument {
  readonly model_id: string;
  readonly title: Words;
  readonly description: Words;
  readonly lapse: LapsePolicy;
  readonly stages: readonly StageDocument[];
}

/** Every comparison of a condition, however deep. */
export function comparisonsOf(condition: Condition): Comparison[] {
  if ('all' in condition) return condition.all.flatMap(comparisonsOf);
  if ('any' in condition) return condition.any.flatMap(comparisonsOf);
  if ('not' in condition) return comparisonsOf(condition.not);
  if ('stage_reached' in condition || 'activity' in condition) return [];
  return [condition];
}

/**
 * The most days after the last activity day on which anything can still move under this model: the largest number of
 * days named anywhere in it, plus two. Counts and scores are taken along, which only makes the bound longer.
 */
export function longestReachDays(model: ModelDocument): number {
  let longest = Math.max(...lapseDays(model.lapse));
  for (const stage of model.stages) {
    for (const comparison of stage.when === undefined ? [] : comparisonsOf(stage.when)) {
      for (const days of [comparison.within_days, ...thresholdsOf(comparison)]) {
        if (typeof days === 'number') longest = Math.max(longest, days);
      }
    }
  }
  return longest + 2;
}

/** The thresholds a comparison names. */
export function thresholdsOf(comparison: Comparison): Threshold[] {
  const { at_least, at_most, more_than, less_than } = comparison;
  return [at_least, at_most, more_than, less_than].filter((threshold) => threshold !== undefined);
}
