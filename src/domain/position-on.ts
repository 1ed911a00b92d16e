import type { ActivityDay } from './activity-day.ts';
import type { Day } from './calendar.ts';
import { type Classifier, daysUntil } from './classify.ts';
import { type Position, UNKNOWN } from './compile-model.ts';
import { placeOn, walk } from './walk.ts';

/** Where a history stands in one model at the end of `asOf`, without the reasons; `UNKNOWN` if the customer is not known by then. Days ascend. */
export function positionOn(
  { memory, compiled }: Pick<Classifier, 'memory' | 'compiled'>,
  days: readonly ActivityDay[],
  asOf: Day,
): Position {
  const past = daysUntil(days, asOf);
  if (past.length === 0) return UNKNOWN;
  const { facts, place } = walk(memory, compiled, past, null);
  return placeOn(compiled, place, facts, asOf).position;
}
