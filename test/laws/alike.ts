import { isDeepStrictEqual } from 'node:util';
import { Mismatch } from './side-by-side.ts';

type Members = Readonly<Record<string, unknown>>;

/** How far quotients may differ: two ways of computing one number differ in their last bits. */
const TOLERANCE = 1e-9;

/** Which members of two answers are compared, and how strictly. */
export interface Likeness {
  /** Members the answer may leave out; if it has them, they must be right. */
  readonly optional?: readonly string[];
  /** Members the answer may have that nothing is expected of. */
  readonly uncompared?: readonly string[];
  /** Wider tolerances, by member. */
  readonly tolerances?: Readonly<Record<string, number>>;
}

/**
 * Throws a `Mismatch` unless an answer has what is expected, member by member and however deep: texts, counts and order exactly, numbers that are not whole
 * to nine decimals. A member nobody expects is a mismatch too.
 */
export function requireAlike(what: string, actual: unknown, expected: unknown, likeness: Likeness = {}): void {
  const [seen, wanted] = [settle(actual, expected, likeness, ''), wantedOf(actual, expected, likeness)];
  if (!isDeepStrictEqual(seen, wanted)) throw new Mismatch(what, seen, wanted);
}

/** The actual value with every number that is close enough replaced by the expected one, without what is not compared. */
function settle(actual: unknown, expected: unknown, likeness: Likeness, member: string): unknown {
  if (typeof actual === 'number' && typeof expected === 'number') {
    const tolerance = likeness.tolerances?.[member] ?? TOLERANCE;
    if (Number.isInteger(actual) && Number.isInteger(expected)) return actual;
    return Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)) ? expected : actual;
  }
  if (Array.isArray(actual)) {
    const others: readonly unknown[] = Array.isArray(expected) ? expected : [];
    return actual.map((one, place) => settle(one, others[place], likeness, member));
  }
  if (!isMembers(actual)) return actual;
  const others = isMembers(expected) ? expected : {};
  const kept = Object.entries(actual).filter(([name]) => !likeness.uncompared?.includes(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, settle(value, others[name], likeness, name)]));
}

/** The expected value without what is optional and left out. */
function wantedOf(actual: unknown, expected: unknown, likeness: Likeness): unknown {
  if (Array.isArray(expected)) {
    const others: readonly unknown[] = Array.isArray(actual) ? actual : [];
    return expected.map((one, place) => wantedOf(others[place], one, likeness));
  }
  if (!isMembers(expected)) return expected;
  const others = isMembers(actual) ? actual : {};
  const isLeftOut = (name: string): boolean => !(name in others) && likeness.optional?.includes(name) === true;
  const kept = Object.entries(expected).filter(([name]) => !likeness.uncompared?.includes(name) && !isLeftOut(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, wantedOf(others[name], value, likeness)]));
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
