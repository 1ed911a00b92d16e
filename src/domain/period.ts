import { type Day, dayOf, formatDay, nextPeriodStart, parseDay, periodStart } from './calendar.ts';

/** Lengths of the periods that reports count in. The order is that of the codes in roll-up keys. Weeks are ISO weeks. */
export const GRAINS = ['week', 'month', 'quarter', 'year'] as const;
/** One of `GRAINS`. */
export type Grain = (typeof GRAINS)[number];

/** First day of the period before the one that begins on `start`. */
export function previousPeriodStart(start: Day, grain: Grain): Day {
  return periodStart(start - 1, grain);
}

/** How many periods lie between the beginnings of two periods of one grain. */
export function periodsBetween(from: Day, to: Day, grain: Grain): number {
  if (grain === 'week') return (to - from) / 7;
  const months = monthNumber(to) - monthNumber(from);
  return grain === 'month' ? months : grain === 'quarter' ? months / 3 : months / 12;
}

function monthNumber(day: Day): number {
  const text = formatDay(day);
  return Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7));
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
 * Reads a period of the grain in its own notation, or a day that is the first of one. Returns the period's first day; null if the text is neither, or lies
 * outside 1900–2199.
 */
export function parsePeriod(text: string, grain: Grain): Day | null {
  const day = parseDay(text);
  if (day !== null) return periodStart(day, grain) === day ? day : null;
  const match = /^(19|20|21)(\d{2})(?:-(?:Q([1-4])|W(\d{2})|(\d{2})))?$/.exec(text);
  if (match === null) return null;
  const year = Number(`${match[1]}${match[2]}`);
  const start = startOf(year, match[3], match[4], match[5]);
  return start !== null && formatPeriod(start, grain) === text ? start : null;
}

function startOf(
  year: number,
  quarter: string | undefined,
  week: string | undefined,
  month: string | undefined,
): Day | null {
  if (week !== undefined) return isoYearStart(year) + (Number(week) - 1) * 7;
  const first = quarter !== undefined ? Number(quarter) * 3 - 2 : Number(month ?? 1);
  return first >= 1 && first <= 12 ? dayOf(year, first, 1) : null;
}

/** The periods that begin in [from, to), by their first days, at most `most` + 1 of them. */
export function periodsIn(from: Day, to: Day, grain: Grain, most: number): Day[] {
  const starts: Day[] = [];
  for (let start = from; start < to && starts.length <= most; start = nextPeriodStart(start, grain)) starts.push(start);
  return starts;
}
