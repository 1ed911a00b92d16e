import { compileLapse } from './lapse.ts';
import { isLapsed, type LapseCandidate } from './lapse-candidates.ts';
import type { ObservedBuyer } from './observed-buyer.ts';
import { complement, type Estimate, meanOfShares, type Share, wilson } from './wilson.ts';

/** How well a policy foresees who stays silent. */
export interface LapseScore {
  readonly candidate: LapseCandidate;
  /** Of those who returned, the share that it called lapsed. */
  readonly false_lapse: Share;
  /** Of those who stayed silent, the share that it called lapsed. */
  readonly caught: Share;
  /** (caught + 1 − false_lapse) / 2: 0.5 is as good as a coin. */
  readonly balanced_accuracy: Estimate;
}

/** A buyer, and whether the model itself calls them lapsed. */
export interface JudgedBuyer extends ObservedBuyer {
  readonly lapsed_now: boolean;
}

/** Scores candidates against what came. The one whose source is `current` is taken as the model itself judges. */
export function scoreCandidates(buyers: readonly JudgedBuyer[], candidates: readonly LapseCandidate[]): LapseScore[] {
  const returners = buyers.filter(({ returned }) => returned).length;
  return candidates.map((candidate) => {
    const lapse = compileLapse(candidate.policy);
    let wrong = 0;
    let right = 0;
    for (const buyer of buyers) {
      const lapsed = candidate.source === 'current' ? buyer.lapsed_now : isLapsed(lapse, buyer);
      if (!lapsed) continue;
      if (buyer.returned) wrong += 1;
      else right += 1;
    }
    const false_lapse = wilson(wrong, returners);
    const caught = wilson(right, buyers.length - returners);
    return { candidate, false_lapse, caught, balanced_accuracy: meanOfShares(complement(false_lapse), caught) };
  });
}
