/** What can be packed: null, safe integers, and lists of such. */
export type Packable = null | number | readonly Packable[];

// Packed are a version, values one after the other, and a checksum. A value is a token, followed by the values of a list. A token is a number n ≥ 0. Its first
// byte says in the lowest two bits what n means and holds the next five bits of n; while the highest bit of a byte is set, another one with seven more bits
// follows.

/** Of a token: n itself. */
export const NUMBER = 0;
/** Of a token: the number that is n less than the day of reference. */
export const BEFORE = 1;
/** Of a token: a list of n values. */
export const LIST = 2;
/** Of a token: null for 0, else −n. */
export const NULL_OR_NEGATIVE = 3;

/** Bytes of the checksum, the lowest first. */
export const CHECKSUM_BYTES = 4;
/** Lists within lists at most. */
export const MOST_NESTED = 8;
/** Values of a list in runs at most: few bytes can say many. */
export const MOST_IN_RUNS = 65_535;

/** FNV-1a of 32 bits, of the bytes from `start` to `end`: whichever one of them is changed, it changes. */
export function checksum(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0x811c9dc5;
  for (let index = start; index < end; index += 1) sum = Math.imul(sum ^ bytes[index]!, 0x01000193);
  return sum;
}
