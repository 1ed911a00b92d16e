import type { ActivityDay } from './activity-day.ts';
import type { Day } from './calendar.ts';

/** A buyer as known at the end of a past day, and what came of them in the window after it. */
export interface ObservedBuyer {
  /** Days from the last purchase day to the day asked about. */
  readonly silence_days: number;
  /** Completed gaps between purchase days, and their sum in days. */
  readonly gaps: number;
  readonly gap_days: number;
  /** They had stated their departure on or after their last purchase day. */
  readonly departed: boolean;
  /** They have a purchase day in the window. */
  readonly returned: boolean;
}

/** The days from the end of `at` to the end of `until`. */
export interface Horizon {
  readonly at: Day;
  readonly until: Day;
}

/**
 * Observes a history, whose days ascend: null if there is no purchase day on or before `at`. Only what is dated until then says who they were; the lengths of their
 * completed gaps are added to `gaps`, customers by days.
 */
export function observeBuyer(
  days: readonly ActivityDay[],
  { at, until }: Horizon,
  gaps: Map<number, number>,
): ObservedBuyer | null {
  let first: Day | null = null;
  let last: Day | null = null;
  let departure: Day | null = null;
  let purchaseDays = 0;
  let returned = false;
  for (const { day, purchases, departure: stated } of days) {
    if (day > at) {
      if (purchases > 0 && day <= until) returned = true;
      continue;
    }
    if (stated !== null) departure = day;
    if (purchases === 0) continue;
    if (last !== null) gaps.set(day - last, (gaps.get(day - last) ?? 0) + 1);
    first ??= day;
    last = day;
    purchaseDays += 1;
  }
  if (first === null || last === null) return null;
  const departed = departure !== null && departure >= last;
  return { silence_days: at - last, gaps: purchaseDays - 1, gap_days: last - first, departed, returned };
}
