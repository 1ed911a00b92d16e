import type { ActivityDay } from '../domain/activity-day.ts';
import { type Differences, EVERYBODY } from '../domain/differences.ts';
import type { Facts } from '../domain/facts.ts';
import {
  closeDays,
  type FoldPlan,
  type FoldTallies,
  reopenDays,
  type SavedFold,
  type Spells,
  settleTail,
} from '../domain/fold.ts';

/** A customer folded to the end. */
export interface Folded {
  readonly saved: SavedFold;
  readonly spells: readonly Spells[];
  /** After the open day. */
  readonly facts: Facts;
}

/** Adds a customer up (or with sign −1 takes one away) for everybody and for each of the customer's groups. */
export function emitInto(differences: Differences, sign: 1 | -1, groupIds: readonly number[]): FoldTallies {
  return differences.tallies(sign, [EVERYBODY, ...groupIds]);
}

/** Folds a whole history: adds up its whole contribution. `days` is not empty. */
export function foldWhole(plan: FoldPlan, days: readonly ActivityDay[], tallies: FoldTallies): Folded {
  const saved = closeDays(plan, null, days, tallies);
  return settled(plan, saved, tallies);
}

/**
 * Adds activity days to a saved fold, none of them before its open day: takes back the old tail, closes what can be closed, and adds the new
 * tail. The cost does not depend on how long the history is.
 */
export function foldMore(
  plan: FoldPlan,
  saved: SavedFold,
  more: readonly ActivityDay[],
  add: FoldTallies,
  takeBack: FoldTallies,
): Folded {
  settleTail(plan, saved, takeBack);
  const next = closeDays(plan, saved.closed, reopenDays(saved, more), add);
  return settled(plan, next, add);
}

function settled(plan: FoldPlan, saved: SavedFold, tallies: FoldTallies): Folded {
  const { state, spells } = settleTail(plan, saved, tallies);
  return { saved, spells, facts: state.facts };
}
