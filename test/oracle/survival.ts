/** What happened at one time to those still there: `events` of `at_risk`. */
export interface Step {
  readonly atRisk: number;
  readonly events: number;
}

/** Survival with its 95 % bounds. */
export interface Estimate {
  readonly survival: number;
  readonly lower: number | null;
  readonly upper: number | null;
}

/**
 * Product-limit estimate after the last of some steps, computed from scratch: S = Π(1 − d/r). Greenwood: var(S)/S² = Σ d/(r(r − d)). Bounds on the scale of
 * log(−log S): S to the power exp(±1.96 · sd/|log S|), Kalbfleisch and Prentice. None where S is 0 or 1.
 */
export function estimate(steps: readonly Step[]): Estimate {
  const survival = steps.reduce((product, { atRisk, events }) => product * (1 - events / atRisk), 1);
  if (survival === 0 || survival === 1) return { survival, lower: null, upper: null };
  const greenwood = steps.reduce((sum, { atRisk, events }) => sum + events / (atRisk * (atRisk - events)), 0);
  const theta = (1.959963984540054 * Math.sqrt(greenwood)) / Math.log(survival);
  return { survival, lower: survival ** Math.exp(-theta), upper: survival ** Math.exp(theta) };
}
