import t from 'tap';
import type { History } from '../../src/domain/history.ts';
import { gapPercentiles, purchaseGapsRollup, survivalSteps } from '../../src/reports/purchase-gaps-rollup.ts';
import { purchaseNumbersRollup } from '../../src/reports/purchase-numbers-rollup.ts';
import { Rng } from '../oracle/rng.ts';
import { date, day, history } from '../support/notation.ts';
import { Adder, differing, type PlainRollup, purchaseDays, randomLife, rollupOf, seedOf } from './random-shop.ts';

function naiveNumbers(lives: readonly History[]): PlainRollup {
  const adder = new Adder();
  for (const days of lives.map(purchaseDays)) {
    for (const [index, on] of days.slice(0, 50).entries()) {
      const next = days[index + 1] ?? Number.POSITIVE_INFINITY;
      const within = [30, 90, 180, 365].map((limit) => Number(next - on <= limit));
      adder.add([index + 1, day(`${date(on).slice(0, 7)}-01`)], [1, Number(next < 1e9), ...within]);
    }
  }
  return adder.rollup();
}

function naiveGaps(lives: readonly History[]): PlainRollup {
  const adder = new Adder();
  for (const days of lives.map(purchaseDays)) {
    for (const [index, on] of days.slice(0, 20).entries()) {
      const next = days[index + 1];
      adder.add(next === undefined ? [index + 1, 1, on] : [index + 1, 0, next - on], [1]);
    }
  }
  return adder.rollup();
}

const SEED = seedOf();
t.test(`random histories add up to what the definitions say (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  for (const [first, days] of [
    ['2019-11-20', 1_800],
    ['2024-02-20', 15],
    ['1900-01-01', 109_572],
  ] as const) {
    const lives = Array.from({ length: 60 }, () => randomLife(rng, first, days));
    const numbers = naiveNumbers(lives);
    t.ok(numbers.size > 5);
    t.strictSame(differing(rollupOf(purchaseNumbersRollup, lives, rng), numbers), [], `numbers, ${days} days`);
    t.strictSame(differing(rollupOf(purchaseGapsRollup, lives, rng), naiveGaps(lives)), [], `gaps, ${days} days`);
  }
});

/** A buyer of one purchase on each of so many days, from 2020-01-01 on. */
function daily(days: number): History {
  return history(...Array.from({ length: days }, (_, index) => `${date(day('2020-01-01') + index)} 1`));
}

t.test('the 50th purchase day is the last that is counted, the 20th the last with gaps', async (t) => {
  for (const [days, numbers, gaps] of [
    [19, 19, ['19 1']],
    [20, 20, ['20 1']],
    [21, 21, ['20 0']],
    [50, 50, ['20 0']],
    [51, 50, ['20 0']],
    [60, 50, ['20 0']],
  ] as const) {
    const counted = [...rollupOf(purchaseNumbersRollup, [daily(days)], new Rng(1)).keys()];
    t.equal(Math.max(...counted.map((key) => Number(key.split(' ')[0]))), numbers, `${days} purchase days`);
    const kinds = [...rollupOf(purchaseGapsRollup, [daily(days)], new Rng(1)).keys()];
    t.strictSame([kinds.at(-1)?.split(' ').slice(0, 2).join(' ')], gaps, `${days} purchase days: the last gap`);
  }
});

t.test('day H after the n-th purchase day is still within H days', async (t) => {
  const within = (days: number): string | undefined => {
    const life = history('2023-01-01 1', `${date(day('2023-01-01') + days)} 1`);
    return rollupOf(purchaseNumbersRollup, [life], new Rng(1)).get(`1 ${day('2023-01-01')}`);
  };
  t.equal(within(1), '1 1 1 1 1 1');
  t.equal(within(30), '1 1 1 1 1 1');
  t.equal(within(31), '1 1 0 1 1 1');
  t.equal(within(90), '1 1 0 1 1 1');
  t.equal(within(91), '1 1 0 0 1 1');
  t.equal(within(180), '1 1 0 0 1 1');
  t.equal(within(181), '1 1 0 0 0 1');
  t.equal(within(365), '1 1 0 0 0 1');
  t.equal(within(366), '1 1 0 0 0 0');
});

t.test('the first and the last day there are, and the longest gap, have rows of their own', async (t) => {
  const rows = (...lines: string[]): string[] => [
    ...rollupOf(purchaseGapsRollup, [history(...lines)], new Rng(1)).keys(),
  ];
  const [first, last] = [day('1900-01-01'), day('2199-12-31')];
  t.strictSame(rows('1900-01-01 1', '2199-12-31 1'), [`1 0 ${last - first}`, `2 1 ${last}`]);
  t.strictSame(rows('1900-01-01 1'), [`1 1 ${first}`]);
});

t.test('several purchases on one day are one purchase day, and a refunded one is none', async (t) => {
  const life = history('2024-02-29 1', '2024-02-29 1', '2024-03-01 5', '2024-03-05 refund 5 p3', '2024-03-10 1');
  t.strictSame(
    [...rollupOf(purchaseGapsRollup, [life], new Rng(1))],
    [
      ['1 0 10', '1'],
      [`2 1 ${day('2024-03-10')}`, '1'],
    ],
  );
});

/** Gaps by length, and waiting days by how long ago they began. */
function gapsOf(completed: Record<number, number>, waiting: Record<number, number> = {}) {
  const rows = (counts: Record<number, number>, at: (days: number) => number) => {
    const sorted = Object.entries(counts)
      .map(([days, customers]) => ({ days: at(Number(days)), customers }))
      .sort((one, other) => one.days - other.days);
    return { days: sorted.map(({ days }) => days), customers: sorted.map(({ customers }) => customers) };
  };
  return { completed: rows(completed, (days) => days), waiting: rows(waiting, (days) => 20_000 - days) };
}

t.test('at risk are all whose time is as long or longer, who waits as well as who bought again', async (t) => {
  // Waiting for 5 days is at risk on day 5 and no longer on day 6; an event of tomorrow waits for no time at all.
  const gaps = gapsOf({ 1: 2, 5: 1, 6: 3, 30: 1 }, { [-1]: 4, 0: 1, 5: 10, 6: 20, 40: 100 });
  t.strictSame(survivalSteps(gaps, 20_000), [
    { time: 1, at_risk: 2 + 1 + 3 + 1 + 130, events: 2 },
    { time: 5, at_risk: 1 + 3 + 1 + 130, events: 1 },
    { time: 6, at_risk: 3 + 1 + 120, events: 3 },
    { time: 30, at_risk: 1 + 100, events: 1 },
  ]);
  t.strictSame(survivalSteps(gapsOf({}, { 5: 10 }), 20_000), []);
  t.strictSame(survivalSteps(gapsOf({ 7: 3 }), 20_000), [{ time: 7, at_risk: 3, events: 3 }]);
});

t.test('a percentile is the gap at its nearest rank', async (t) => {
  const at = (completed: Record<number, number>, ...percentiles: number[]): number[] =>
    gapPercentiles(gapsOf(completed), percentiles).map(({ days }) => days);
  // Ranks of 10 gaps: 10 % → 1, 25 % → ⌈2.5⌉ = 3, 50 % → 5, 75 % → 8, 90 % → 9.
  const ten = { 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1 };
  t.strictSame(at(ten, 10, 25, 50, 75, 90, 100), [1, 3, 5, 8, 9, 10]);
  // Of five: ⌈.5⌉ = 1, ⌈1.25⌉ = 2, ⌈2.5⌉ = 3, ⌈3.75⌉ = 4, ⌈4.5⌉ = 5.
  t.strictSame(at({ 7: 1, 8: 1, 9: 1, 20: 1, 400: 1 }, 10, 25, 50, 75, 90), [7, 8, 9, 20, 400]);
  t.strictSame(at({ 7: 3, 20: 1, 400: 1 }, 10, 25, 50, 75, 90), [7, 7, 7, 20, 400], 'with ties');
  t.strictSame(at({ 3: 1 }, 10, 50, 90), [3, 3, 3]);
  t.strictSame(gapPercentiles(gapsOf({ 3: 2, 4: 1 }), [50]), [{ percentile: 50, days: 3, gaps: 3 }]);
  t.strictSame(gapPercentiles(gapsOf({}, { 3: 1 }), [50]), [], 'nothing without completed gaps');
});
