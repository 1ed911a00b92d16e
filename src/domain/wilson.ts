/** The 97.5th percentile of the standard normal distribution. */
const Z = 1.959963984540054;

/** An estimate with the bounds of its 95 % interval; null where nothing was observed. */
export interface Estimate {
  readonly share: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

/** The share of some who have a property, with its 95 % interval. */
export interface Share extends Estimate {
  readonly numerator: number;
  readonly denominator: number;
}

/**
 * Wilson's score interval of a share (Wilson 1927; Newcombe 1998, method 3), which keeps between 0 and 1 and holds for rare things too. With a `population`, which
 * the denominator was drawn from without replacement, the denominator n counts as n(N − 1)/(N − n): the variance is multiplied by the finite population factor
 * (N − n)/(N − 1), and whoever has looked at everybody knows the share exactly.
 */
export function wilson(numerator: number, denominator: number, population = Number.POSITIVE_INFINITY): Share {
  if (denominator === 0) return { numerator, denominator, share: null, lower: null, upper: null };
  const share = numerator / denominator;
  if (population <= denominator) return { numerator, denominator, share, lower: share, upper: share };
  const size = population === Number.POSITIVE_INFINITY ? denominator : effective(denominator, population);
  const weight = 1 + Z ** 2 / size;
  const centre = (share + Z ** 2 / (2 * size)) / weight;
  const reach = (Z / weight) * Math.sqrt((share * (1 - share)) / size + Z ** 2 / (4 * size ** 2));
  // At the ends the bound is the share itself; rounding would leave it a little beside.
  const lower = numerator === 0 ? 0 : centre - reach;
  const upper = numerator === denominator ? 1 : centre + reach;
  return { numerator, denominator, share, lower, upper };
}

function effective(size: number, population: number): number {
  return (size * (population - 1)) / (population - size);
}

/**
 * The mean of two shares that were observed independently of each other, its interval recovered from theirs (Newcombe 1998, method 10; Zou & Donner 2008): each
 * bound lies off the mean by half the root of the summed squares of how far those of the two lie off their shares. Null if either is.
 */
export function meanOfShares(one: Estimate, two: Estimate): Estimate {
  if (one.share === null || two.share === null) return { share: null, lower: null, upper: null };
  const share = (one.share + two.share) / 2;
  const below = Math.hypot(one.share - one.lower!, two.share - two.lower!) / 2;
  const above = Math.hypot(one.upper! - one.share, two.upper! - two.share) / 2;
  return { share, lower: share - below, upper: share + above };
}

/** The share of those without the property. */
export function complement({ numerator, denominator, share, lower, upper }: Share): Share {
  return {
    numerator: denominator - numerator,
    denominator,
    share: share === null ? null : 1 - share,
    lower: upper === null ? null : 1 - upper,
    upper: lower === null ? null : 1 - lower,
  };
}
