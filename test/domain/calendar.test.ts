import t from 'tap';
import {
  dayOf,
  FIRST_DAY,
  formatDay,
  INTERVALS,
  isDate,
  LAST_DAY,
  monthNumber,
  monthStart,
  nextPeriodStart,
  parseDay,
  periodStart,
} from '../../src/domain/calendar.ts';

/** A calendar made by counting days one by one from 1900-01-01, a Monday, with the Gregorian rule of leap years. */
function* counted(): Generator<{ number: number; year: number; month: number; dayOfMonth: number; weekday: number }> {
  let number = -25_567;
  let weekday = 0;
  for (let year = 1900; year <= 2199; year += 1) {
    const leap = year % 400 === 0 || (year % 4 === 0 && year % 100 !== 0);
    const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (const [index, length] of lengths.entries()) {
      for (let dayOfMonth = 1; dayOfMonth <= length; dayOfMonth += 1) {
        yield { number, year, month: index + 1, dayOfMonth, weekday };
        number += 1;
        weekday = (weekday + 1) % 7;
      }
    }
  }
}

const pad = (value: number): string => String(value).padStart(2, '0');

t.test('every day from 1900 to 2199 reads and writes as a calendar counted day by day says', async (t) => {
  const wrong: string[] = [];
  let days = 0;
  for (const { number, year, month, dayOfMonth } of counted()) {
    const text = `${year}-${pad(month)}-${pad(dayOfMonth)}`;
    days += 1;
    if (parseDay(text) !== number || formatDay(number) !== text || dayOf(year, month, dayOfMonth) !== number)
      wrong.push(text);
  }
  t.strictSame(wrong, []);
  t.equal(days, LAST_DAY - FIRST_DAY + 1);
  t.equal(formatDay(FIRST_DAY), '1900-01-01');
  t.equal(formatDay(LAST_DAY), '2199-12-31');
  t.equal(parseDay('1970-01-01'), 0);
});

t.test('every day lies in the week, month, quarter and year of the counted calendar', async (t) => {
  const wrong: string[] = [];
  const starts = { day: 0, week: 0, month: 0, quarter: 0, year: 0 };
  for (const { number, month, dayOfMonth, weekday } of counted()) {
    starts.day = number;
    if (weekday === 0) starts.week = number;
    if (dayOfMonth === 1) starts.month = number;
    if (dayOfMonth === 1 && month % 3 === 1) starts.quarter = number;
    if (dayOfMonth === 1 && month === 1) starts.year = number;
    for (const interval of INTERVALS) {
      if (periodStart(number, interval) !== starts[interval]) wrong.push(`${interval} of ${formatDay(number)}`);
    }
    if (monthStart(number) !== starts.month) wrong.push(`month of ${formatDay(number)}`);
  }
  t.strictSame(wrong, []);
});

t.test(
  'the number of a month counts months from January of the year 0, far beyond the days that are accepted too',
  async (t) => {
    const wrong: string[] = [];
    for (const { number, year, month } of counted()) {
      if (monthNumber(number) !== year * 12 + month - 1) wrong.push(formatDay(number));
    }
    t.strictSame(wrong, []);
    for (const [year, month, dayOfMonth] of [
      [1600, 2, 29],
      [1899, 12, 31],
      [2200, 2, 28],
      [2200, 3, 1],
      [2399, 12, 31],
      [2400, 2, 29],
      [2400, 3, 1],
    ] as const) {
      t.equal(monthNumber(dayOf(year, month, dayOfMonth)), year * 12 + month - 1, `${year}-${month}-${dayOfMonth}`);
    }
  },
);

t.test('the next period begins where the counted calendar begins one', async (t) => {
  const wrong: string[] = [];
  const previous: Record<string, number> = {};
  const check = (interval: (typeof INTERVALS)[number], begins: number): void => {
    const before = previous[interval];
    if (before !== undefined) {
      for (const inside of [before, begins - 1]) {
        if (nextPeriodStart(inside, interval) !== begins) wrong.push(`${interval} after ${formatDay(inside)}`);
      }
    }
    previous[interval] = begins;
  };
  for (const { number, month, dayOfMonth, weekday } of counted()) {
    check('day', number);
    if (weekday === 0) check('week', number);
    if (dayOfMonth === 1) check('month', number);
    if (dayOfMonth === 1 && month % 3 === 1) check('quarter', number);
    if (dayOfMonth === 1 && month === 1) check('year', number);
  }
  t.strictSame(wrong, []);
});

t.test('an ISO week 53 reaches over New Year and begins on its Monday', async (t) => {
  for (const [inside, monday] of [
    ['2020-12-31', '2020-12-28'],
    ['2021-01-03', '2020-12-28'],
    ['2016-01-01', '2015-12-28'],
    ['1969-12-31', '1969-12-29'],
    ['1970-01-01', '1969-12-29'],
  ] as const) {
    t.equal(formatDay(periodStart(parseDay(inside)!, 'week')), monday, inside);
  }
  t.equal(formatDay(nextPeriodStart(parseDay('2020-12-31')!, 'week')), '2021-01-04');
});

t.test(
  'a month outside the accepted days is still known: the stock of the last day asks for the month after it',
  async (t) => {
    t.equal(formatDay(monthStart(LAST_DAY + 1)), '2200-01-01');
    t.equal(formatDay(monthStart(LAST_DAY + 40)), '2200-02-01');
    t.equal(formatDay(monthStart(FIRST_DAY - 1)), '1899-12-01');
  },
);

t.test('no month has a day after its last', async (t) => {
  const ends = [
    '01-31',
    '02-28',
    '03-31',
    '04-30',
    '05-31',
    '06-30',
    '07-31',
    '08-31',
    '09-30',
    '10-31',
    '11-30',
    '12-31',
  ];
  for (const end of ends) {
    t.type(parseDay(`2025-${end}`), 'number', end);
    t.equal(parseDay(`2025-${end.slice(0, 3)}${Number(end.slice(3)) + 1}`), null, `the day after ${end}`);
  }
});

t.test('29 February exists in leap years only', async (t) => {
  for (const text of ['2024-02-29', '2000-02-29', '1904-02-29']) t.type(parseDay(text), 'number', text);
  for (const text of ['2023-02-29', '1900-02-29', '2100-02-29', '2024-02-30']) t.equal(parseDay(text), null, text);
});

t.test('a text that names no day from 1900 to 2199 is no day', async (t) => {
  for (const text of [
    '1899-12-31',
    '2200-01-01',
    '2025-00-10',
    '2025-13-01',
    '2025-01-00',
    '2025-01-32',
    '2025-04-31',
    '2025-12-32',
  ]) {
    t.equal(parseDay(text), null, text);
  }
  for (const text of [
    '',
    '2025-1-01',
    '2025-01-1',
    '20250101',
    '2025/01/01',
    '2025-01/01',
    '2025-1-001',
    '2025-01-1 ',
    '-025-01-01',
    ' 2025-01-01',
    '2025-01-01 ',
    '2025-01-01T00:00:00Z',
    '２０２５-01-01',
  ]) {
    t.equal(parseDay(text), null, JSON.stringify(text));
  }
});

t.test('a date of three numbers exists or not', async (t) => {
  t.equal(isDate(2025, 6, 30), true);
  t.equal(isDate(2025, 6, 31), false);
  t.equal(isDate(2025, 0, 1), false);
  t.equal(isDate(1899, 12, 31), false);
});
