import { digits } from './digits.ts';

/** A calendar day of the reporting time zone: whole days since 1970-01-01, negative before it. */
export type Day = number;

const DAY_MS = 86_400_000;

/** The first day the service accepts, 1900-01-01. */
export const FIRST_DAY: Day = Date.UTC(1900, 0, 1) / DAY_MS;
/** The last day the service accepts, 2199-12-31. Moves scheduled after it are not kept. */
export const LAST_DAY: Day = Date.UTC(2199, 11, 31) / DAY_MS;

/** Day number of a proleptic Gregorian date; the month counts from 1. The date must exist. */
export function dayOf(year: number, month: number, dayOfMonth: number): Day {
  return Date.UTC(year, month - 1, dayOfMonth) / DAY_MS;
}

/** True if the three numbers name a day of the Gregorian calendar between 1900-01-01 and 2199-12-31. */
export function isDate(year: number, month: number, dayOfMonth: number): boolean {
  if (year < 1900 || year > 2199 || month < 1 || month > 12 || dayOfMonth < 1) return false;
  return dayOfMonth <= daysInMonth(year, month);
}

/** Days of a month, 28–31; the month counts from 1. */
function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Reads `YYYY-MM-DD`; null if the text has another form, or names no day between 1900-01-01 and 2199-12-31. */
export function parseDay(text: string): Day | null {
  return text.length === 10 ? leadingDay(text) : null;
}

/** Reads the `YYYY-MM-DD` a text begins with, as `parseDay` does. */
export function leadingDay(text: string): Day | null {
  if (text[4] !== '-' || text[7] !== '-') return null;
  const [year, month, dayOfMonth] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  return isDate(year, month, dayOfMonth) ? dayOf(year, month, dayOfMonth) : null;
}

/** Writes a day of the years 1000 to 9999 as `YYYY-MM-DD`; by arithmetic, because dates as objects are slow. */
export function formatDay(day: Day): string {
  const months = monthNumber(day);
  const month = (months % 12) + 1;
  const dayOfMonth = day - monthStart(day) + 1;
  return `${Math.floor(months / 12)}-${month < 10 ? '0' : ''}${month}-${dayOfMonth < 10 ? '0' : ''}${dayOfMonth}`;
}

/** Lengths of a series' steps. Weeks are ISO weeks, Monday to Sunday. */
export const INTERVALS = ['day', 'week', 'month', 'quarter', 'year'] as const;
/** One of `INTERVALS`. */
export type Interval = (typeof INTERVALS)[number];

/** First day of the period of the given length that holds the day. */
export function periodStart(day: Day, interval: Interval): Day {
  switch (interval) {
    case 'day':
      return day;
    case 'week':
      return day - ((((day + 3) % 7) + 7) % 7);
    case 'month':
      return monthStart(day);
    case 'quarter':
      return kept(QUARTER_STARTS, day, quarterOf);
    case 'year':
      return kept(YEAR_STARTS, day, yearOf);
  }
}

/** First day of the next period of the given length. */
export function nextPeriodStart(day: Day, interval: Interval): Day {
  const longest = { day: 1, week: 7, month: 31, quarter: 92, year: 366 }[interval];
  return periodStart(periodStart(day, interval) + longest, interval);
}

/**
 * Months from January of the year 0 to the day's month, by arithmetic alone: folds ask on every purchase day, and dates as objects are slow. Counts in
 * years from March, in which the leap day comes last, and in spans of 400 years of 146,097 days (Hinnant, `civil_from_days`).
 */
export function monthNumber(day: Day): number {
  const fromMarch = day + 719_468;
  const span = Math.floor(fromMarch / 146_097);
  const inSpan = fromMarch - span * 146_097;
  const leaps = Math.floor(inSpan / 1_460) - Math.floor(inSpan / 36_524) + Math.floor(inSpan / 146_096);
  const year = Math.floor((inSpan - leaps) / 365);
  const inYear = inSpan - (year * 365 + Math.floor(year / 4) - Math.floor(year / 100));
  return (span * 400 + year) * 12 + Math.floor((5 * inYear + 2) / 153) + 2;
}

function firstOfMonth(number: number): Day {
  return dayOf(Math.floor(number / 12), (number % 12) + 1, 1);
}

function monthOf(day: Day): Day {
  return firstOfMonth(monthNumber(day));
}

function quarterOf(day: Day): Day {
  return firstOfMonth(Math.floor(monthNumber(day) / 3) * 3);
}

function yearOf(day: Day): Day {
  return firstOfMonth(Math.floor(monthNumber(day) / 12) * 12);
}

const MONTH_STARTS = new Int32Array(LAST_DAY - FIRST_DAY + 1);
const QUARTER_STARTS = new Int32Array(LAST_DAY - FIRST_DAY + 1);
const YEAR_STARTS = new Int32Array(LAST_DAY - FIRST_DAY + 1);

/** First day of the day's month. Months, quarters and years are kept in tables: every move of every fold asks for them. */
export function monthStart(day: Day): Day {
  return kept(MONTH_STARTS, day, monthOf);
}

function kept(starts: Int32Array, day: Day, firstDay: (day: Day) => Day): Day {
  const index = day - FIRST_DAY;
  const known = starts[index];
  if (known !== undefined && known !== 0) return known;
  const start = firstDay(day);
  if (index >= 0 && index < starts.length) starts[index] = start;
  return start;
}
