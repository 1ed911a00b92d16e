/** A numerator over its denominator; null, for "not defined", unless the denominator is above zero. */
export function quotient(numerator: number, denominator: number): number | null {
  return denominator > 0 ? numerator / denominator : null;
}
