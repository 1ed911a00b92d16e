const Z = 1.959963984540054;

/** A share with its bounds; nulls without a denominator. */
export interface Bounds {
  readonly share: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

/**
 * Wilson's 95 % interval by its definition, not by its formula: the shares p that a score test does not reject, |numerator/denominator − p| ≤ z·√(p(1 − p)/n),
 * found by halving. Of a finite population N the variance is (N − n)/(N − 1) of that.
 */
export function wilsonBounds(numerator: number, denominator: number, population?: number): Bounds {
  if (denominator === 0) return { share: null, lower: null, upper: null };
  const share = numerator / denominator;
  const factor = population === undefined ? 1 : (population - denominator) / (population - 1);
  const holds = (p: number): boolean =>
    Math.abs(share - p) <= Z * Math.sqrt(((p * (1 - p)) / denominator) * Math.max(0, factor));
  const edge = (outside: number): number => {
    let [out, inside] = [outside, share];
    if (holds(outside)) return outside;
    for (let step = 0; step < 200; step += 1) {
      const middle = (out + inside) / 2;
      if (holds(middle)) inside = middle;
      else out = middle;
    }
    return inside;
  };
  return { share, lower: edge(0), upper: edge(1) };
}
