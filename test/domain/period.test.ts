import t from 'tap';
import {
  formatPeriod,
  GRAINS,
  type Grain,
  grainNumber,
  grainStart,
  parsePeriod,
  periodNumbers,
  periodsBetween,
  periodsIn,
  previousPeriodStart,
} from '../../src/domain/period.ts';
import { date, day } from '../support/notation.ts';

interface Counted {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/**
 * Every period that begins from 1900 to 2199, counted from Monday 1900-01-01 with the Gregorian rule of leap years and the rule of ISO 8601 that a year has
 * 53 weeks if it begins on a Thursday, or is a leap year and begins on a Wednesday.
 */
function counted(): Readonly<Record<Grain, readonly Counted[]>> {
  const found: Record<Grain, Counted[]> = { week: [], month: [], quarter: [], year: [] };
  const next = { week: -25_567, month: -25_567, quarter: -25_567, year: -25_567 };
  const take = (grain: Grain, name: string, days: number): void => {
    found[grain].push({ name, first: next[grain], last: next[grain] + days - 1 });
    next[grain] += days;
  };
  const pad = (value: number): string => String(value).padStart(2, '0');
  let weekday = 0;
  for (let year = 1900; year <= 2199; year += 1) {
    const leap = year % 400 === 0 || (year % 4 === 0 && year % 100 !== 0);
    const months = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    const quarters = [leap ? 91 : 90, 91, 92, 92];
    for (const [index, days] of months.entries()) take('month', `${year}-${pad(index + 1)}`, days);
    for (const [index, days] of quarters.entries()) take('quarter', `${year}-Q${index + 1}`, days);
    take('year', String(year), leap ? 366 : 365);
    const weeks = weekday === 3 || (leap && weekday === 2) ? 53 : 52;
    for (let week = 1; week <= weeks; week += 1) take('week', `${year}-W${pad(week)}`, 7);
    weekday = (weekday + (leap ? 366 : 365)) % 7;
  }
  take('week', '2200-W01', 7);
  return found;
}

const PERIODS = counted();

t.test('every period of 1900 to 2199 is written and read as a calendar counted by hand names it', async (t) => {
  const wrong: string[] = [];
  for (const grain of GRAINS) {
    for (const { name, first } of PERIODS[grain]) {
      if (formatPeriod(first, grain) !== name || parsePeriod(name, grain) !== first) wrong.push(name);
    }
  }
  t.strictSame(wrong, []);
  t.equal(PERIODS.week.filter(({ name }) => name.endsWith('W53')).length, 53, 'about every sixth year has a week 53');
  t.equal(PERIODS.week.at(-1)?.first, day('2199-12-30'), 'the last day lies in the first ISO week of 2200');
});

t.test('a first day names its period, in every length it is the first day of', async (t) => {
  t.equal(parsePeriod('2025-07-01', 'month'), day('2025-07-01'));
  t.equal(parsePeriod('2025-07-01', 'quarter'), day('2025-07-01'));
  t.equal(parsePeriod('2025-07-01', 'year'), null);
  t.equal(parsePeriod('2025-06-30', 'week'), day('2025-06-30'), 'a Monday');
  t.equal(parsePeriod('2025-07-01', 'week'), null, 'a Tuesday');
  t.equal(parsePeriod('2025-07-02', 'month'), null);
  t.equal(parsePeriod('2025-01-01', 'year'), day('2025-01-01'));
});

t.test('weeks are those of ISO 8601, around the turn of years too', async (t) => {
  const weeks = {
    '2009-W53': '2009-12-28',
    '2010-W01': '2010-01-04',
    '2015-W53': '2015-12-28',
    '2020-W53': '2020-12-28',
    '2021-W01': '2021-01-04',
    '2024-W09': '2024-02-26',
    '2024-W52': '2024-12-23',
    '2025-W01': '2024-12-30',
    '2026-W53': '2026-12-28',
  };
  for (const [name, monday] of Object.entries(weeks)) {
    t.equal(formatPeriod(day(monday), 'week'), name);
    t.equal(parsePeriod(name, 'week'), day(monday));
  }
  for (const name of ['2021-W53', '2024-W53', '2025-W53', '2020-W54', '2020-W00']) {
    t.equal(parsePeriod(name, 'week'), null, `${name} does not exist`);
  }
});

t.test('a text that names no period of the grain is refused', async (t) => {
  const texts = ['', '2025', '2025-Q3', '2025-07', '2025-W31'];
  for (const [index, grain] of (['year', 'quarter', 'month', 'week'] as const).entries()) {
    for (const [place, text] of texts.entries()) {
      t.equal(parsePeriod(text, grain) !== null, place === index + 1, `${grain}: '${text}'`);
    }
  }
  const malformed = [
    '2025-13',
    '2025-00',
    '2025-7',
    '2025-Q0',
    '2025-Q5',
    '2025-q3',
    '25',
    '02025',
    '2025-W5',
    '2025-w05',
  ]
    .concat(
      '2025-W031',
      '2025-',
      ' 2025',
      '2025\n',
      '2025-07-32',
      '2025-02-29',
      '2025/07',
      '2025Q3',
      '２０２５',
      '0000',
      '0099',
    )
    .concat('-2025', '+2025', '2025-07Z', 'now');
  for (const text of malformed) {
    t.strictSame(
      GRAINS.filter((grain) => parsePeriod(text, grain) !== null),
      [],
      JSON.stringify(text),
    );
  }
});

t.test('periods that begin before 1900 or after 2199 are refused', async (t) => {
  const first = { year: '1900', quarter: '1900-Q1', month: '1900-01', week: '1900-W01' };
  const before = { year: '1899', quarter: '1899-Q4', month: '1899-12', week: '1899-W52' };
  const last = { year: '2199', quarter: '2199-Q4', month: '2199-12', week: '2200-W01' };
  const after = { year: '2200', quarter: '2200-Q1', month: '2200-01', week: '2200-W02' };
  for (const grain of GRAINS) {
    t.equal(parsePeriod(first[grain], grain), day('1900-01-01'));
    t.equal(parsePeriod(before[grain], grain), null);
    t.ok(parsePeriod(last[grain], grain));
    t.equal(parsePeriod(after[grain], grain), null);
  }
  t.equal(parsePeriod('1899-12-31', 'month'), null);
  t.equal(parsePeriod('2200-01-01', 'year'), null);
});

t.test('numbers of periods count them without gaps, from any day in one to any day in another', async (t) => {
  const wrong: string[] = [];
  for (const [index, grain] of GRAINS.entries()) {
    const origin = periodNumbers(day('1900-01-01'))[index]!;
    for (const [place, { name, first, last }] of PERIODS[grain].entries()) {
      const numbers = [periodNumbers(first)[index], periodNumbers(last)[index]];
      if (numbers.some((number) => number !== origin + place)) wrong.push(`${name}: ${numbers}`);
      if (periodsBetween(day('1900-01-01'), last, grain) !== place) wrong.push(`${name} since 1900`);
      if (periodsBetween(last, day('1900-01-01'), grain) !== -place && place !== 0) wrong.push(`1900 since ${name}`);
    }
  }
  t.strictSame(wrong, []);
});

t.test('the period before is the one that ends on the eve', async (t) => {
  const wrong: string[] = [];
  for (const grain of GRAINS) {
    PERIODS[grain].forEach(({ name, first }, index, all) => {
      const before = all[index - 1];
      if (before !== undefined && previousPeriodStart(first, grain) !== before.first) wrong.push(`before ${name}`);
    });
  }
  t.strictSame(wrong, []);
});

t.test('the periods of a range begin in it, one more than asked for at most', async (t) => {
  const starts = (from: string, to: string, grain: Grain, most = 400) =>
    periodsIn(day(from), day(to), grain, most).map(date);
  t.strictSame(starts('2024-12-01', '2025-03-01', 'month'), ['2024-12-01', '2025-01-01', '2025-02-01']);
  t.strictSame(starts('2020-12-21', '2021-01-11', 'week'), ['2020-12-21', '2020-12-28', '2021-01-04']);
  t.strictSame(starts('2024-10-01', '2025-04-01', 'quarter'), ['2024-10-01', '2025-01-01']);
  t.strictSame(starts('2024-01-01', '2026-01-01', 'year'), ['2024-01-01', '2025-01-01']);
  t.strictSame(starts('2024-01-01', '2024-01-01', 'year'), []);
  t.equal(starts('1900-01-01', '2199-12-01', 'month', 400).length, 401, 'enough to see that there are too many');
  t.equal(starts('2000-01-01', '2000-05-01', 'month', 4).length, 4);
});

t.test('the tables of the grains hold the period of every day, asked once or again', async (t) => {
  const wrong: string[] = [];
  for (const [index, grain] of GRAINS.entries()) {
    const origin = grainNumber(day('1900-01-01'), index);
    for (const [place, { name, first, last }] of PERIODS[grain].entries()) {
      const days = [first, Math.min(last, day('2199-12-31')), first];
      if (days.some((on) => grainStart(on, index) !== first)) wrong.push(`first day of ${name}`);
      if (days.some((on) => grainNumber(on, index) !== origin + place)) wrong.push(`number of ${name}`);
    }
  }
  t.strictSame(wrong, []);
});
