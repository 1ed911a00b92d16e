import type { ActivityDay } from '../../src/domain/activity-day.ts';
import { Differences } from '../../src/domain/differences.ts';
import { closeDays, type FoldPlan, reopenDays, type SavedFold, settleTail } from '../../src/domain/fold.ts';
import { decodeFold, encodeFold } from '../../src/domain/saved-fold.ts';
import type { Rng } from '../oracle/random.ts';

/** What a history contributes for everybody, folded at once. */
export function folded(plan: FoldPlan, days: readonly ActivityDay[]): Differences {
  const differences = new Differences(plan);
  const tallies = differences.tallies(1, [0]);
  settleTail(plan, closeDays(plan, null, days, tallies), tallies);
  return differences;
}

/** The same, told in parts of one to four days: each time the tail is taken back, and what was saved is written and read again. */
export function foldedInParts(plan: FoldPlan, days: readonly ActivityDay[], rng: Rng): Differences {
  const differences = new Differences(plan);
  let saved: SavedFold | null = null;
  for (let begin = 0; begin < days.length; ) {
    const end = begin + rng.between(1, 4);
    const more = days.slice(begin, end);
    if (saved !== null) settleTail(plan, saved, differences.tallies(-1, [0]));
    const days_to_close: readonly ActivityDay[] = saved === null ? more : reopenDays(saved, more);
    saved = closeDays(plan, saved === null ? null : saved.closed, days_to_close, differences.tallies(1, [0]));
    settleTail(plan, saved, differences.tallies(1, [0]));
    saved = decodeFold(encodeFold(saved));
    begin = end;
  }
  return differences;
}
