import t from 'tap';
import type { Grain } from '../../src/domain/period.ts';
import { readPeriods } from '../../src/reports/period-range.ts';
import { date, day } from '../support/notation.ts';

const TODAY = day('2025-06-15');
type Asked = Parameters<typeof readPeriods>[0];

/** `grain: first first … end` of what was read. */
function read(asked: Asked, today = TODAY): string {
  const range = readPeriods(asked, today);
  if ('code' in range) return `${range.parameter} ${range.code}`;
  return `${range.grain}: ${range.starts.map(date).join(' ')} | ${date(range.end)}`;
}

/** First and last period, their number, and the end. */
function ends(asked: Asked, today = TODAY): readonly unknown[] {
  const range = readPeriods(asked, today);
  if ('code' in range) return [range.parameter, range.code];
  return [range.starts.length, date(range.starts[0]!), date(range.starts.at(-1)!), date(range.end)];
}

t.test('without parameters it is the twelve months that end with the running one', async (t) => {
  t.strictSame(ends({}), [12, '2024-07-01', '2025-06-01', '2025-07-01']);
  t.match(readPeriods({}, TODAY), { grain: 'month' });
  t.strictSame(ends({}, day('2025-06-01')), [12, '2024-07-01', '2025-06-01', '2025-07-01'], 'on the first of a month');
  t.strictSame(ends({}, day('2025-06-30')), [12, '2024-07-01', '2025-06-01', '2025-07-01'], 'on the last of a month');
  t.strictSame(ends({}, day('2024-02-29')), [12, '2023-03-01', '2024-02-01', '2024-03-01'], 'on a leap day');
});

t.test('every grain has twelve periods of its own', async (t) => {
  t.strictSame(ends({ grain: 'week' }), [12, '2025-03-24', '2025-06-09', '2025-06-16'], 'a Sunday ends the week');
  t.strictSame(ends({ grain: 'week' }, day('2025-06-16')), [12, '2025-03-31', '2025-06-16', '2025-06-23']);
  t.strictSame(ends({ grain: 'week' }, day('2021-01-03')), [12, '2020-10-12', '2020-12-28', '2021-01-04'], 'week 53');
  t.strictSame(ends({ grain: 'quarter' }), [12, '2022-07-01', '2025-04-01', '2025-07-01']);
  t.strictSame(ends({ grain: 'year' }), [12, '2014-01-01', '2025-01-01', '2026-01-01']);
});

t.test('a range holds its first period and ends before its last', async (t) => {
  t.equal(read({ from: '2025-01', to: '2025-03' }), 'month: 2025-01-01 2025-02-01 | 2025-03-01');
  t.equal(read({ grain: 'quarter', from: '2024-Q4', to: '2025-Q2' }), 'quarter: 2024-10-01 2025-01-01 | 2025-04-01');
  t.equal(read({ grain: 'year', from: '2024', to: '2025' }), 'year: 2024-01-01 | 2025-01-01');
  t.equal(read({ grain: 'week', from: '2020-W53', to: '2021-W02' }), 'week: 2020-12-28 2021-01-04 | 2021-01-11');
  t.equal(read({ grain: 'week', from: '2020-12-28', to: '2021-W01' }), 'week: 2020-12-28 | 2021-01-04');
});

t.test('half a range is completed: from then until today, or the twelve before the end', async (t) => {
  t.equal(read({ from: '2025-05' }), 'month: 2025-05-01 2025-06-01 | 2025-07-01');
  t.strictSame(ends({ to: '2025-03' }), [12, '2024-03-01', '2025-02-01', '2025-03-01']);
  t.strictSame(ends({ grain: 'year', to: '2000' }), [12, '1988-01-01', '1999-01-01', '2000-01-01']);
  t.strictSame(ends({ from: '2026-01' }), ['to', 'invalid_range'], 'what has not begun is asked for with its end');
  t.equal(read({ from: '2026-01', to: '2026-02' }), 'month: 2026-01-01 | 2026-02-01');
});

t.test('the twelve before an end do not reach before 1900', async (t) => {
  t.strictSame(ends({ to: '1900-04' }), [3, '1900-01-01', '1900-03-01', '1900-04-01']);
  t.strictSame(ends({ to: '1901-01' }), [12, '1900-01-01', '1900-12-01', '1901-01-01']);
  t.strictSame(ends({ to: '1901-02' }), [12, '1900-02-01', '1901-01-01', '1901-02-01']);
  t.strictSame(ends({}, day('1900-01-01')), [1, '1900-01-01', '1900-01-01', '1900-02-01']);
  t.strictSame(ends({ to: '1900-01' }), ['to', 'invalid_range'], 'nothing lies before the first month');
});

t.test('the last period of 2199 is answered while it runs', async (t) => {
  t.strictSame(ends({}, day('2199-12-31')), [12, '2199-01-01', '2199-12-01', '2200-01-01']);
  t.strictSame(ends({ grain: 'week' }, day('2199-12-31')), [12, '2199-10-14', '2199-12-30', '2200-01-06']);
  t.strictSame(ends({ grain: 'year', from: '2199' }, day('2199-06-01')), [1, '2199-01-01', '2199-01-01', '2200-01-01']);
});

t.test('an empty or reversed range is refused', async (t) => {
  t.equal(read({ from: '2025-03', to: '2025-03' }), 'to invalid_range');
  t.equal(read({ from: '2025-03', to: '2025-02' }), 'to invalid_range');
});

t.test(
  'what is no period of the grain is refused by the name of its parameter, with an example of the grain',
  async (t) => {
    const written: Readonly<Record<Grain, RegExp>> = {
      week: /2025-W31/,
      month: /2025-07/,
      quarter: /2025-Q3/,
      year: /like 2025,/,
    };
    for (const grain of ['week', 'month', 'quarter', 'year'] as const) {
      for (const text of ['2025-W54', '2025-13', '1899', '2200', '2025-07-02']) {
        t.match(readPeriods({ grain, from: text, to: text }, TODAY), {
          parameter: 'to',
          code: 'not_a_period',
          detail: written[grain],
        });
        t.match(readPeriods({ grain, from: text }, TODAY), {
          parameter: 'from',
          code: 'not_a_period',
          detail: written[grain],
        });
      }
    }
  },
);

t.test('at most 400 periods are answered', async (t) => {
  t.equal(ends({ from: '1992-03', to: '2025-07' })[0], 400);
  t.strictSame(ends({ from: '1992-02', to: '2025-07' }), ['to', 'range_too_wide']);
  t.strictSame(ends({ grain: 'week', from: '1900-W01' }), ['to', 'range_too_wide']);
  t.equal(ends({ grain: 'year', from: '1900', to: '2199' })[0], 299);
});
