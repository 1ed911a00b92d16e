import type { Day } from '../domain/calendar.ts';
import { type GapCounts, type Gaps, survivalSteps } from './purchase-gaps-rollup.ts';
import { kaplanMeier } from './survival.ts';

/** The estimated share of those after a purchase day who have not bought again within so many days. */
export interface SurvivalAt {
  readonly days: number;
  /** Customers without a further purchase day until then who have been watched that long, those included who then bought. */
  readonly at_risk: number;
  /** Null if nobody has been watched that long. */
  readonly survival: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

/** Kaplan–Meier's estimate of the gap to the next purchase day at some times, ascending or not; everybody is watched until the end of `until`. */
export function survivalAt(gaps: Gaps, until: Day, times: readonly number[]): SurvivalAt[] {
  const points = kaplanMeier(survivalSteps(gaps, until));
  return times.map((days) => {
    const at_risk =
      customersOf(gaps.completed, (gap) => gap >= days) + customersOf(gaps.waiting, (since) => until - since >= days);
    if (at_risk === 0) return { days, at_risk, survival: null, lower: null, upper: null };
    const { survival, lower, upper } = points.findLast(({ time }) => time <= days) ?? NOTHING_YET;
    return { days, at_risk, survival, lower, upper };
  });
}

/** Nobody has bought again yet, so no bound is defined. */
const NOTHING_YET = { survival: 1, lower: null, upper: null };

function customersOf({ days, customers }: GapCounts, counts: (days: number) => boolean): number {
  return customers.reduce((sum, count, index) => (counts(days[index]!) ? sum + count : sum), 0);
}
