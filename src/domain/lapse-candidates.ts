import { type Lapse, lapsedAfter } from './lapse.ts';
import type { FixedLapse, LapsePolicy } from './model.ts';
import type { ObservedBuyer } from './observed-buyer.ts';

/** Where a candidate comes from: the model itself, a round number of days, the length of completed gaps, or each customer's own gaps. */
export const CANDIDATE_SOURCES = ['current', 'fixed', 'gap_percentile', 'cadence'] as const;
/** One of `CANDIDATE_SOURCES`. */
export type CandidateSource = (typeof CANDIDATE_SOURCES)[number];

/** A lapse policy that could be a model's. */
export interface LapseCandidate {
  readonly source: CandidateSource;
  /** The percentile of the completed gaps that a `gap_percentile` is. */
  readonly percentile: number | null;
  readonly policy: LapsePolicy;
}

/** Days of silence that are tried for everybody. */
const FIXED_DAYS = [30, 45, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 365] as const;
/** Percentiles of the completed gaps that are tried. */
export const GAP_PERCENTILES = [50, 75, 80, 90, 95] as const;

/** How a cadence is tried: shrunk towards the median gap with the weight of two gaps, within the customary ranges. */
const CADENCE = {
  policy: 'cadence',
  weight: 2,
  at_risk_after_days: { at_least: 14, at_most: 180 },
  lapsed_after_days: { at_least: 30, at_most: 365 },
} as const;

/** Completed gaps at a percentile. */
export interface GapPercentile {
  readonly percentile: number;
  readonly days: number;
}

/** The policies that are tried beside the model's own, simple ones first. `percentiles` are those of the completed gaps, none if there is no gap. */
export function lapseCandidates(percentiles: readonly GapPercentile[]): LapseCandidate[] {
  const fixed = FIXED_DAYS.map((days) => ({ source: 'fixed' as const, percentile: null, policy: fixedPolicy(days) }));
  const gaps = percentiles.map(({ percentile, days }) => {
    return { source: 'gap_percentile' as const, percentile, policy: fixedPolicy(days) };
  });
  const median = percentiles.find(({ percentile }) => percentile === 50);
  if (median === undefined) return fixed;
  const policy = { ...CADENCE, prior_days: median.days };
  return [...fixed, ...gaps, { source: 'cadence', percentile: null, policy }];
}

/** A policy for everybody; at risk from half of the days on, as with 90 and 180. */
function fixedPolicy(days: number): FixedLapse {
  return { policy: 'fixed', at_risk_after_days: Math.floor(days / 2), lapsed_after_days: days };
}

/** True if a policy calls the buyer lapsed at the end of the day: silent for longer than its days, or departed. */
export function isLapsed(lapse: Lapse, { departed, silence_days, gaps, gap_days }: ObservedBuyer): boolean {
  const buyer = { first_purchase_day: 0, last_purchase_day: gap_days, purchase_days: gaps + 1 };
  return departed || silence_days > lapsedAfter(lapse, buyer);
}
