import type { Minor } from './money.ts';

/** Linear steps of one octave of magnitudes. */
const STEPS = 256;
/** Bits of the number of steps: magnitudes below two octaves of steps have a bucket each. */
const STEP_BITS = 8;
/** The greatest magnitude that has a bucket: 2⁵³, beyond every safe integer. */
const MOST: Minor = 2 ** 53;

/**
 * The bucket of a value: 256 linear steps an octave of its magnitude, with its sign. It never falls while the value rises, zero has the bucket 0 to
 * itself, and below 512 every value has its own; beyond, a bucket's bounds are less than 1/256 of its values apart. |value| ≤ 2⁵³.
 */
export function bucketOf(value: Minor): number {
  const magnitude = Math.abs(value);
  if (magnitude < 2 * STEPS) return value;
  const shift = octave(magnitude) - STEP_BITS;
  const bucket = shift * STEPS + Math.floor(magnitude / 2 ** shift);
  return value < 0 ? -bucket : bucket;
}

/** The greatest bucket; the least is its negative. */
export const LAST_BUCKET = bucketOf(MOST);

/** The least and the greatest value of a bucket. */
export function boundsOf(bucket: number): { readonly least: Minor; readonly greatest: Minor } {
  const place = Math.abs(bucket);
  const shift = Math.max(Math.floor(place / STEPS) - 1, 0);
  const width = 2 ** shift;
  const near = (place - shift * STEPS) * width;
  const far = Math.min(near + width - 1, MOST);
  return bucket < 0 ? { least: -far, greatest: -near } : { least: near, greatest: far };
}

/** Exponent of the greatest power of two that is not above a positive integer. */
function octave(magnitude: number): number {
  const high = Math.floor(magnitude / 2 ** 32);
  return high === 0 ? 31 - Math.clz32(magnitude) : 63 - Math.clz32(high);
}
