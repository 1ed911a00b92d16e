/** What happened at one time: how many were still under observation (at least 1), and how many of them had the event. */
export interface SurvivalStep {
  /** In the unit of the report: days, weeks. */
  readonly time: number;
  readonly at_risk: number;
  readonly events: number;
}

/** The Kaplan–Meier estimate after a step, with its bounds. */
export interface SurvivalPoint extends SurvivalStep {
  readonly survival: number;
  /** Bounds of the 95 % interval; null where none is defined (survival 1 or 0). */
  readonly lower: number | null;
  readonly upper: number | null;
}

/** The 97.5th percentile of the standard normal distribution. */
const Z = 1.959963984540054;

/**
 * Kaplan and Meier's product-limit estimate, S = Π (1 − d/r) over the steps, which are ascending in time; with Greenwood's variance Σ d/(r(r − d)) and bounds
 * on the scale of log(−log S), which keeps them between 0 and 1. Kaplan & Meier 1958; Kalbfleisch & Prentice 2002, section 1.4.
 */
export function kaplanMeier(steps: readonly SurvivalStep[]): SurvivalPoint[] {
  let survival = 1;
  let variance = 0;
  return steps.map(({ time, at_risk, events }) => {
    survival *= 1 - events / at_risk;
    variance += events / (at_risk * (at_risk - events));
    const { lower, upper } = bounds(survival, variance);
    return { time, at_risk, events, survival, lower, upper };
  });
}

function bounds(survival: number, variance: number): { lower: number | null; upper: number | null } {
  if (survival <= 0 || survival >= 1) return { lower: null, upper: null };
  const spread = (Z * Math.sqrt(variance)) / -Math.log(survival);
  return { lower: survival ** Math.exp(spread), upper: survival ** Math.exp(-spread) };
}
