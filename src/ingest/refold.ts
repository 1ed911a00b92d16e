import type { ActivityDay } from '../domain/activity-day.ts';
import { type Differences, EVERYBODY } from '../domain/differences.ts';
import type { Facts } from '../domain/facts.ts';
import {
  closeDays,
  type FoldEmit,
  type FoldPlan,
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

/** Receives a customer's emits for everybody and for each of the customer's groups. */
export function emitInto(differences: Differences, sign: 1 | -1, groupIds: readonly number[]): FoldEmit {
  return (fold, key, measures) => {
    differences.add(fold, EVERYBODY, sign, key, measures);
    for (const group of groupIds) differences.add(fold, group, sign, key, measures);
  };
}

/** Folds a whole history: emits its whole contribution. `days` is not empty. */
export function foldWhole(plan: FoldPlan, days: readonly ActivityDay[], emit: FoldEmit): Folded {
  const saved = closeDays(plan, null, days, emit);
  return settled(plan, saved, emit);
}

/**
 * Adds activity days to a saved fold, none of them before its open day: takes back the old tail, closes what can be closed, and adds the new
 * tail. The cost does not depend on how long the history is.
 */
export function foldMore(
  plan: FoldPlan,
  saved: SavedFold,
  more: readonly ActivityDay[],
  add: FoldEmit,
  takeBack: FoldEmit,
): Folded {
  settleTail(plan, saved, takeBack);
  const next = closeDays(plan, saved.closed, reopenDays(saved, more), add);
  return settled(plan, next, add);
}

function settled(plan: FoldPlan, saved: SavedFold, emit: FoldEmit): Folded {
  const { state, spells } = settleTail(plan, saved, emit);
  return { saved, spells, facts: state.facts };
}
