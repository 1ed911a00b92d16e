/** Whole numbers from the first to the second, both included; the ends may be infinite. */
export type Span = readonly [least: number, most: number];

/** What a quantity can be: one of the whole numbers in the spans, which ascend and do not touch, or, where `absent`, nothing (it does not exist yet). */
export interface ValueSet {
  readonly absent: boolean;
  readonly spans: readonly Span[];
}

/** The only value is that there is none. */
export const ABSENT: ValueSet = { absent: true, spans: [] };

/** The numbers of one span; empty if its ends are the wrong way round. */
export function spanOf(least: number, most: number): ValueSet {
  return { absent: false, spans: least <= most ? [[least, most]] : [] };
}

/** Every number outside the span, and absence. */
export function outside(least: number, most: number): ValueSet {
  if (least > most) return { absent: true, spans: [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]] };
  const below = spanOf(Number.NEGATIVE_INFINITY, least - 1).spans;
  const above = spanOf(most + 1, Number.POSITIVE_INFINITY).spans;
  // One below the least number of all, or one above the greatest, is no number.
  return {
    absent: true,
    spans: [...(least === Number.NEGATIVE_INFINITY ? [] : below), ...(most === Number.POSITIVE_INFINITY ? [] : above)],
  };
}

/** What is in both sets. */
export function both(one: ValueSet, other: ValueSet): ValueSet {
  const spans: Span[] = [];
  for (const [least, most] of one.spans) {
    for (const [low, high] of other.spans) {
      if (Math.max(least, low) <= Math.min(most, high)) spans.push([Math.max(least, low), Math.min(most, high)]);
    }
  }
  return { absent: one.absent && other.absent, spans };
}

/** True if nothing is in the set. */
export function isNothing({ absent, spans }: ValueSet): boolean {
  return !absent && spans.length === 0;
}

/** The least and the greatest number of a set that has one. */
export function endsOf({ spans }: ValueSet): Span {
  return [spans[0]![0], spans[spans.length - 1]![1]];
}

/** True if both sets hold the same. */
export function isSame(one: ValueSet, other: ValueSet): boolean {
  return one.absent === other.absent && String(one.spans) === String(other.spans);
}
