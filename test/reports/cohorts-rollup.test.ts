import t from 'tap';
import type { History } from '../../src/domain/history.ts';
import { cohortsRollup } from '../../src/reports/cohorts-rollup.ts';
import { Rng } from '../oracle/rng.ts';
import { date, day, history } from '../support/notation.ts';
import { Adder, differing, type PlainRollup, plainDays, randomLife, rollupOf, seedOf } from './random-shop.ts';

const GRAINS = ['week', 'month', 'quarter', 'year'] as const;

/** True if a period of the grain begins on the day. */
function begins(on: number, grain: (typeof GRAINS)[number]): boolean {
  if (grain === 'week') return new Date(on * 86_400_000).getUTCDay() === 1;
  return { month: /-01$/, quarter: /-(01|04|07|10)-01$/, year: /-01-01$/ }[grain].test(date(on));
}

/** The first day of the day's period, found by walking back to it. */
function startOf(on: number, grain: (typeof GRAINS)[number]): number {
  let start = on;
  while (!begins(start, grain)) start -= 1;
  return start;
}

/** How many periods begin after one day, up to another. */
function periodsAfter(from: number, to: number, grain: (typeof GRAINS)[number]): number {
  let periods = 0;
  for (let on = from + 1; on <= to; on += 1) if (begins(on, grain)) periods += 1;
  return periods;
}

/** The roll-up of histories by the definition: every period of every customer looked at by itself. */
function naive(lives: readonly History[]): PlainRollup {
  const adder = new Adder();
  for (const life of lives) {
    const days = plainDays(life);
    const bought = [...days].filter(([, { purchases }]) => purchases > 0).map(([on]) => on);
    const first = bought[0];
    if (first === undefined) continue;
    for (const [index, grain] of GRAINS.entries()) {
      const ageOf = (on: number): number => periodsAfter(first, on, grain);
      const cohort = startOf(first, grain);
      for (const age of new Set(bought.map(ageOf))) adder.add([index, cohort, age], [1, 0, 0, 0, 0, 0]);
      adder.add([index, cohort, ageOf(bought.at(-1)!)], [0, 1, 0, 0, 0, 0]);
      for (const [on, { purchases, revenue, costs }] of days) {
        adder.add([index, cohort, ageOf(on)], [0, 0, purchases, purchases > 0 ? 1 : 0, revenue, costs]);
      }
    }
  }
  return adder.rollup();
}

/** What one history contributes: `grain cohort age: measures`. */
function contributed(...lines: readonly string[]): string[] {
  return [...rollupOf(cohortsRollup, [history(...lines)], new Rng(1))].map(([key, measures]) => {
    const [grain, cohort, age] = key.split(' ').map(Number);
    return `${GRAINS[grain!]} ${date(cohort!)} ${age}: ${measures}`;
  });
}

const SEED = seedOf();
t.test(`random histories add up to what the definition says (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  for (const [first, days] of [
    ['2019-11-20', 900],
    ['2023-12-25', 20],
    ['1900-01-01', 400],
    ['2199-01-01', 365],
  ] as const) {
    const lives = Array.from({ length: 40 }, () => randomLife(rng, first, days));
    const wanted = naive(lives);
    t.ok(wanted.size > 10);
    t.strictSame(differing(rollupOf(cohortsRollup, lives, rng), wanted), [], `${days} days from ${first}`);
  }
});

t.test('one purchase is a buyer, for the first and the last time, of age 0 in every grain', async (t) => {
  t.strictSame(contributed('2020-12-31 12.00 cost=5'), [
    'week 2020-12-28 0: 1 1 1 1 1200 500',
    'month 2020-12-01 0: 1 1 1 1 1200 500',
    'quarter 2020-10-01 0: 1 1 1 1 1200 500',
    'year 2020-01-01 0: 1 1 1 1 1200 500',
  ]);
});

t.test('week 53 is one week, and New Year lies inside it', async (t) => {
  t.strictSame(contributed('2020-12-31 1', '2021-01-03 1', '2021-01-04 1').slice(0, 4), [
    'week 2020-12-28 0: 1 0 2 2 200 0',
    'week 2020-12-28 1: 1 1 1 1 100 0',
    'month 2020-12-01 0: 1 0 1 1 100 0',
    'month 2020-12-01 1: 1 1 2 2 200 0',
  ]);
});

t.test('what is dated before the first purchase day counts at age 0', async (t) => {
  const rows = contributed('2024-02-10 signup cost=4', '2024-02-20 3', '2024-03-20 refund 5 p1', '2024-05-06 9');
  t.strictSame(
    rows.filter((row) => row.startsWith('month')),
    ['month 2024-05-01 0: 1 1 1 1 700 400'],
    'a signup that cost 4, and a purchase over-refunded by 2',
  );
});

t.test('silence, voided purchases and never-buyers are in no row', async (t) => {
  t.strictSame(contributed('known 2024-01-01', '2024-02-01 contact cost=4', '2024-03-01 5 void'), []);
  t.strictSame(contributed('known 2024-01-01', '2024-02-29 5', '2024-03-15 visit').length, 4, 'a visit without costs');
});

t.test('a purchase on a leap day belongs to February', async (t) => {
  const rows = contributed('2024-02-29 5', '2025-02-28 5', '2025-03-01 5');
  t.strictSame(
    rows.filter((row) => row.startsWith('month')),
    ['month 2024-02-01 0: 1 0 1 1 500 0', 'month 2024-02-01 12: 1 0 1 1 500 0', 'month 2024-02-01 13: 1 1 1 1 500 0'],
  );
});

t.test('the longest time between two purchases has an age of its own', async (t) => {
  const rows = contributed('1900-01-01 1', '2199-12-31 1');
  t.strictSame(
    rows.filter((row) => !row.includes(' 0: ')),
    [
      `week 1900-01-01 ${Math.floor((day('2199-12-31') - day('1900-01-01')) / 7)}: 1 1 1 1 100 0`,
      'month 1900-01-01 3599: 1 1 1 1 100 0',
      'quarter 1900-01-01 1199: 1 1 1 1 100 0',
      'year 1900-01-01 299: 1 1 1 1 100 0',
    ],
  );
});
