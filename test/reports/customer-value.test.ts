import t from 'tap';
import { changeByFivePoints, customerValue, discountOfPeriod } from '../../src/reports/customer-value.ts';

/** What the formula sums, summed: the margin of each period, discounted, with the chance of still being there. */
function summed(margin: number, retention: number, discount: number, first: number): number {
  let sum = 0;
  for (let period = first; period < 100_000; period += 1) sum += margin * (retention / (1 + discount)) ** period;
  return sum;
}

const near = (found: number | null, wanted: number, within = 5e-5): boolean =>
  found !== null && Math.abs(found - wanted) <= within;

t.test(
  'a margin of 100, retention .8 and a discount of .1 give the three closed forms of the literature',
  async (t) => {
    const value = customerValue(100, 0.8, 0.1)!;
    t.ok(near(value, 366.6667), 'with the margin of the first period, received at once');
    t.ok(near(value - 100, 266.6667), 'without the margin of the first period');
    t.ok(near(value / 1.1, 333.3333), 'with every margin received a period later');
  },
);

t.test('it is the sum over all periods to come', async (t) => {
  for (const [margin, retention, discount] of [
    [100, 0.8, 0.1],
    [7.25, 0, 0.1],
    [12, 1, 0.02],
    [3, 0.999, 0],
    [-40, 0.5, 10],
  ] as const) {
    const value = customerValue(margin, retention, discount);
    t.ok(near(value, summed(margin, retention, discount, 0), 1e-6), `${margin} ${retention} ${discount}: ${value}`);
  }
});

t.test('a customer who never leaves is worth no finite sum without a discount', async (t) => {
  t.equal(customerValue(100, 1, 0), null);
  t.equal(customerValue(0, 1, 0), null);
});

t.test('five points more of retention lift 366.67 to 440, by a fifth', async (t) => {
  t.ok(near(customerValue(100, 0.85, 0.1), 440));
  t.ok(near(changeByFivePoints(100, 0.8, 0.1, 0), 0.2, 1e-12));
  t.ok(near(changeByFivePoints(1, 0.8, 0.1, 0), 0.2, 1e-12), 'whatever the margin');
});

t.test('after a cost of acquisition the same step is a larger part of what is left', async (t) => {
  // (440 − 146.6667) / (366.6667 − 146.6667) = 293.3333 / 220
  t.ok(near(changeByFivePoints(100, 0.8, 0.1, 146.666666666667), 1 / 3, 1e-9));
});

t.test('retention is at most 1', async (t) => {
  t.equal(changeByFivePoints(100, 1, 0.1, 0), 0);
  // From .98 to 1: .12 / .10 − 1.
  t.ok(near(changeByFivePoints(100, 0.98, 0.1, 0), 0.2, 1e-9));
});

t.test('without a value to compare with there is no change', async (t) => {
  t.equal(changeByFivePoints(0, 0.8, 0.1, 0), null, 'worth nothing');
  t.equal(changeByFivePoints(-5, 0.8, 0.1, 0), null, 'worth less');
  t.equal(changeByFivePoints(100, 0.8, 0.1, 366.7), null, 'not worth the cost of winning them');
  t.equal(changeByFivePoints(100, 1, 0, 0), null, 'already endless');
  t.equal(changeByFivePoints(100, 0.96, 0, 0), null, 'endless after five points more');
});

t.test('the discount of a period compounds to that of a year of 52 weeks, 12 months or 4 quarters', async (t) => {
  for (const [grain, periods] of [
    ['week', 52],
    ['month', 12],
    ['quarter', 4],
    ['year', 1],
  ] as const) {
    t.ok(near((1 + discountOfPeriod(0.1, grain)) ** periods, 1.1, 1e-12), grain);
    t.equal(discountOfPeriod(0, grain), 0);
  }
});
