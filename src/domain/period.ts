import {
  type Day,
  dayOf,
  FIRST_DAY,
  formatDay,
  LAST_DAY,
  monthNumber,
  nextPeriodStart,
  parseDay,
  periodStart,
} from './calendar.ts';

/** Lengths of the periods that reports count in. The order is that of the codes in roll-up keys. Weeks are ISO weeks. */
export const GRAINS = ['week', 'month', 'quarter', 'year'] as const;
/** One of `GRAINS`. */
export type Grain = (typeof GRAINS)[number];

/** Whether the period that begins on `start` is over on `today`: its last day lies before it. */
export function isOver(start: Day, grain: Grain, today: Day): boolean {
  return nextPeriodStart(start, grain) <= today;
}

/** First day of the period before the one that begins on `start`. */
export function previousPeriodStart(start: Day, grain: Grain): Day {
  return periodStart(start - 1, grain);
}

/** Numbers of the periods that hold a day, in the order of `GRAINS`: those of neighbouring periods differ by one. */
export type PeriodNumbers = readonly [week: number, month: number, quarter: number, year: number];

/** The numbers of the periods that hold a day. */
export function periodNumbers(day: Day): PeriodNumbers {
  const month = monthNumber(day);
  // 1970-01-01 was a Thursday: three days into its week.
  return [Math.floor((day + 3) / 7), month, Math.floor(month / 3), Math.floor(month / 12)];
}

const DAYS = LAST_DAY - FIRST_DAY + 1;
/** For each grain, by day, how many days after `FIRST_DAY`, a Monday, the period begins, plus 1. 0: not asked yet. */
const STARTS = GRAINS.map(() => new Int32Array(DAYS));
/** For each grain, by day, the number of the period, that of the first day counted as 1. 0: not asked yet. */
const NUMBERS = GRAINS.map(() => new Int32Array(DAYS));
const FIRST_NUMBERS = periodNumbers(FIRST_DAY);

/** First day of the period of a grain (by index) that holds a day from 1900 to 2199. Kept in tables: folds ask many times on every activity day. */
export function grainStart(day: Day, grain: number): Day {
  const starts = STARTS[grain]!;
  const known = starts[day - FIRST_DAY]!;
  if (known !== 0) return known + FIRST_DAY - 1;
  const start = periodStart(day, GRAINS[grain]!);
  starts[day - FIRST_DAY] = start - FIRST_DAY + 1;
  return start;
}

/** Number of the period of a grain (by index) that holds a day from 1900 to 2199, as `grainStart`; those of neighbouring periods differ by one. */
export function grainNumber(day: Day, grain: number): number {
  const numbers = NUMBERS[grain]!;
  const known = numbers[day - FIRST_DAY]!;
  if (known !== 0) return known;
  const number = periodNumbers(day)[grain]! - FIRST_NUMBERS[grain]! + 1;
  numbers[day - FIRST_DAY] = number;
  return number;
}

/** How many periods of a grain the period of one day is after that of another; negative if it is before. */
export function periodsBetween(from: Day, to: Day, grain: Grain): number {
  const index = GRAINS.indexOf(grain);
  return periodNumbers(to)[index]! - periodNumbers(from)[index]!;
}

/** Writes the period that begins on a day: `2025`, `2025-Q3`, `2025-07`, `2025-W31`. */
export function formatPeriod(start: Day, grain: Grain): string {
  const text = formatDay(start);
  switch (grain) {
    case 'year':
      return text.slice(0, 4);
    case 'quarter':
      return `${text.slice(0, 4)}-Q${Math.ceil(Number(text.slice(5, 7)) / 3)}`;
    case 'month':
      return text.slice(0, 7);
    case 'week': {
      // The ISO year of a week is that of its Thursday.
      const year = Number(formatDay(start + 3).slice(0, 4));
      const week = (start - isoYearStart(year)) / 7 + 1;
      return `${year}-W${String(week).padStart(2, '0')}`;
    }
  }
}

/** The Monday of the first ISO week of a year: the week that holds January 4th. */
function isoYearStart(year: number): Day {
  return periodStart(dayOf(year, 1, 4), 'week');
}

/**
 * Reads a period of the grain in its own notation, or a day that is the first of one. Returns the period's first day; null if the text is neither, or the
 * period does not begin between 1900-01-01 and 2199-12-31. (`2200-W01` does: on 2199-12-30.)
 */
export function parsePeriod(text: string, grain: Grain): Day | null {
  const day = parseDay(text);
  if (day !== null) return periodStart(day, grain) === day ? day : null;
  const match = /^(\d{4})(?:-(?:Q([1-4])|W(\d{2})|(\d{2})))?$/.exec(text);
  if (match === null) return null;
  const start = startOf(Number(match[1]), match[2], match[3], match[4]);
  if (start < FIRST_DAY || start > LAST_DAY) return null;
  // A week 53 that the year does not have, a month 13 and another grain's notation are written differently.
  return formatPeriod(start, grain) === text ? start : null;
}

function startOf(year: number, quarter: string | undefined, week: string | undefined, month: string | undefined): Day {
  if (week !== undefined) return isoYearStart(year) + (Number(week) - 1) * 7;
  return dayOf(year, quarter === undefined ? Number(month ?? 1) : Number(quarter) * 3 - 2, 1);
}

/** The periods that begin in [from, to), by their first days, at most `most` + 1 of them. */
export function periodsIn(from: Day, to: Day, grain: Grain, most: number): Day[] {
  const starts: Day[] = [];
  for (let start = from; start < to && starts.length <= most; start = nextPeriodStart(start, grain)) starts.push(start);
  return starts;
}
