import type { LapseScore } from './lapse-calibration.ts';
import type { LapseCandidate } from './lapse-candidates.ts';
import type { Share } from './wilson.ts';

/** Later returners, and silent ones, that a recommendation needs at least. */
export const LEAST_OUTCOMES = 100;

/** A lapse policy to use. */
export interface LapseAdvice {
  readonly policy: LapseCandidate['policy'];
  /** Days of silence for everybody; null if they differ by customer. */
  readonly lapsed_after_days: number | null;
  readonly at_risk_after_days: number | null;
  /** True if it is the model's present one. */
  readonly keeps_present: boolean;
  readonly reason: string;
}

/** A recommendation, or what is missing for one. */
export type Advised = { readonly recommendation: LapseAdvice } | { readonly missing: string };

/** Recommends the best of the scored policies, if it can be told from the present one, which is the first of them; else to keep that. */
export function adviseLapse(scores: readonly LapseScore[]): Advised {
  const present = scores[0]!;
  const [returners, silent] = [present.false_lapse.denominator, present.caught.denominator];
  if (returners < LEAST_OUTCOMES || silent < LEAST_OUTCOMES) {
    const missing = `A recommendation needs ${LEAST_OUTCOMES} buyers who bought again in the window and ${LEAST_OUTCOMES} who did not; there are ${returners} and ${silent}. Ask for an earlier day, a longer horizon or a larger group.`;
    return { missing };
  }
  // Of equals the first: the present one, then the simplest.
  const best = scores.reduce((leader, score) => (accuracyOf(score) > accuracyOf(leader) ? score : leader));
  if (best === present) {
    const reason = `No candidate has a better balanced accuracy than the present policy, ${interval(present)}.`;
    return { recommendation: advice(present, true, reason) };
  }
  if (best.balanced_accuracy.lower! <= present.balanced_accuracy.upper!) {
    const reason = `Keep the present policy: its balanced accuracy is ${interval(present)}, that of the best candidate (${wordsOf(best.candidate)}) ${interval(best)}; the intervals overlap, so the data do not tell them apart.`;
    return { recommendation: advice(present, true, reason) };
  }
  const reason = `With ${wordsOf(best.candidate)} the balanced accuracy is ${interval(best)}, with the present policy ${interval(present)}; the intervals do not overlap. Of those who bought again ${percent(best.false_lapse)} would have been called lapsed (now ${percent(present.false_lapse)}), of those who stayed silent ${percent(best.caught)} (now ${percent(present.caught)}).`;
  return { recommendation: advice(best, false, reason) };
}

function accuracyOf({ balanced_accuracy }: LapseScore): number {
  return balanced_accuracy.share!;
}

function advice({ candidate: { policy } }: LapseScore, keeps_present: boolean, reason: string): LapseAdvice {
  const { lapsed_after_days: lapsed, at_risk_after_days: atRisk } = policy;
  return {
    policy,
    lapsed_after_days: typeof lapsed === 'number' ? lapsed : null,
    at_risk_after_days: typeof atRisk === 'number' ? atRisk : null,
    keeps_present,
    reason,
  };
}

function wordsOf({ source, percentile, policy }: LapseCandidate): string {
  if (policy.policy === 'cadence') return `thresholds by each customer's own cadence`;
  const days = `${policy.lapsed_after_days} days of silence`;
  return source === 'gap_percentile' ? `${days}, percentile ${percentile} of the completed gaps,` : days;
}

function interval({ balanced_accuracy: { share, lower, upper } }: LapseScore): string {
  return `${share!.toFixed(3)} (${lower!.toFixed(3)} to ${upper!.toFixed(3)})`;
}

function percent({ share }: Share): string {
  return `${(100 * share!).toFixed(1)} %`;
}
