import t from 'tap';
import { classify } from '../../src/domain/classify.ts';
import { NEVER } from '../../src/domain/condition.ts';
import { nothingBefore } from '../../src/domain/facts.ts';
import { activityAt, atRiskAfter, compileLapse, lapsedAfter, nextLapseTurn } from '../../src/domain/lapse.ts';
import { ACTIVITIES, type CadenceLapse, type Model } from '../../src/domain/model.ts';
import { classifierOf, date, day, days, modelOf, spells } from '../support/notation.ts';

const CADENCE: CadenceLapse = {
  policy: 'cadence',
  prior_days: 60,
  weight: 2,
  at_risk_after_days: { at_least: 14, at_most: 180 },
  lapsed_after_days: { at_least: 30, at_most: 365 },
};
/** Ranges that hold nobody back. */
const WIDE = {
  at_risk_after_days: { at_least: 0, at_most: 36_524 },
  lapsed_after_days: { at_least: 1, at_most: 36_525 },
};

/** Both thresholds of a buyer with so many purchase days, so many days from the first to the last. */
function thresholds(policy: CadenceLapse, purchase_days: number, between: number): [atRisk: number, lapsed: number] {
  const buyer = { purchase_days, first_purchase_day: 20_000, last_purchase_day: 20_000 + between };
  const lapse = compileLapse(policy);
  return [atRiskAfter(lapse, buyer), lapsedAfter(lapse, buyer)];
}

t.test('after one purchase the prior alone says when', async (t) => {
  t.strictSame(thresholds(CADENCE, 1, 0), [90, 180], 'g = 120/2 = 60');
  t.strictSame(thresholds({ ...CADENCE, prior_days: 45 }, 1, 0), [67, 135], 'g = 45: 67.5 and 135');
  t.strictSame(thresholds({ ...CADENCE, prior_days: 45, weight: 100 }, 1, 0), [67, 135], 'whatever its weight');
});

t.test('each gap moves the thresholds towards the buyer’s own rhythm', async (t) => {
  t.strictSame(thresholds(CADENCE, 2, 10), [65, 130], 'g = (120 + 10)/3 = 43.33');
  t.strictSame(thresholds(CADENCE, 3, 14), [50, 100], 'g = (120 + 14)/4 = 33.5: 50.25 and 100.5');
  t.strictSame(thresholds(CADENCE, 11, 70), [23, 47], 'g = 190/12 = 15.83: 23.75 and 47.5');
  t.strictSame(thresholds({ ...CADENCE, weight: 10 }, 11, 70), [50, 100], 'g = 670/20 = 33.5');
});

t.test('thresholds are whole days, rounded down, and never by a rounded quotient', async (t) => {
  const short = { ...CADENCE, ...WIDE, prior_days: 5, weight: 2 };
  t.strictSame(thresholds(short, 2, 10), [10, 20], 'g = 20/3: 10 and 20 exactly');
  t.strictSame(thresholds(short, 2, 9), [9, 19], 'g = 19/3: 9.5 and 19');
  t.strictSame(thresholds(short, 2, 11), [10, 21], 'g = 7: 10.5 and 21');
  t.strictSame(thresholds({ ...short, weight: 1, prior_days: 1 }, 1, 0), [1, 3], 'g = 1, the least there is');
  for (let purchases = 2; purchases < 60; purchases += 1) {
    for (let between = purchases - 1; between < 400; between += 7) {
      const [gaps, total] = [BigInt(2 + purchases - 1), BigInt(10 + between)];
      const exact = [Number((3n * total) / (2n * gaps)), Number((3n * total) / gaps)];
      const found = thresholds(short, purchases, between);
      if (String(found) !== String(exact)) t.same(found, exact, `${purchases} purchase days in ${between} days`);
    }
  }
});

t.test('thresholds stay in their ranges', async (t) => {
  t.strictSame(thresholds(CADENCE, 101, 100), [14, 30], 'g = 220/102: 3 and 6');
  t.strictSame(thresholds(CADENCE, 2, 2_000), [180, 365], 'g = 706.67: 1060 and 2120');
  t.strictSame(thresholds(CADENCE, 12, 66), [21, 42], 'g = 186/13 = 14.31, inside both');
  t.strictSame(thresholds(CADENCE, 12, 1), [14, 30], 'g = 121/13 = 9.31: 13 and 27');
  t.strictSame(
    thresholds(CADENCE, 12, 11),
    [15, 30],
    'g = 131/13 = 10.08: 15 and 30, the one inside, the other on the border',
  );
  t.strictSame(thresholds({ ...CADENCE, prior_days: 120 }, 1, 0), [180, 360]);
  t.strictSame(thresholds({ ...CADENCE, prior_days: 121 }, 1, 0), [180, 363], 'only one of the two at its end');
  t.strictSame(thresholds({ ...CADENCE, prior_days: 122 }, 1, 0), [180, 365]);
});

const rhythmic: Model = { ...modelOf({}), lapse: CADENCE };

t.test('silence is measured by the rhythm up to the last purchase', async (t) => {
  // g = 60, then (120 + 10)/3: 65 and 130 days from the second purchase on.
  t.strictSame(spells(rhythmic, '2025-01-01 1', '2025-01-11 1'), [
    '2025-01-01 known active',
    '2025-03-18 known at_risk',
    '2025-05-22 known lapsed',
  ]);
  t.equal(day('2025-03-18') - day('2025-01-11'), 66, 'day 65 of silence is still active');
  t.equal(day('2025-05-22') - day('2025-01-11'), 131, 'day 130 of silence is still at risk');
  // A gap of 200 days is 2 × 90 and more: (120 + 200)/3 = 106.67, 160 and 320 days.
  t.strictSame(spells(rhythmic, '2025-01-01 1', '2025-07-20 1').slice(1), [
    '2025-04-02 known at_risk',
    '2025-07-01 known lapsed',
    '2025-07-20 known active',
    '2025-12-28 known at_risk',
    '2026-06-06 known lapsed',
  ]);
});

t.test('two purchases on one day are one purchase day, and a refunded one is none', async (t) => {
  t.strictSame(spells(rhythmic, '2025-01-01 1', '2025-01-01 2'), spells(rhythmic, '2025-01-01 1'));
  t.strictSame(
    spells(rhythmic, '2025-01-01 1', '2025-01-11 5', '2025-02-01 refund 5 p2'),
    spells(rhythmic, '2025-01-01 1'),
  );
});

t.test('a departure lapses at once, until a later purchase day', async (t) => {
  t.strictSame(spells(rhythmic, '2025-01-01 1', '2025-01-05 departure price', '2025-01-11 1').slice(0, 4), [
    '2025-01-01 known active',
    '2025-01-05 known lapsed',
    '2025-01-11 known active',
    '2025-03-18 known at_risk',
  ]);
  t.strictSame(spells(rhythmic, '2025-01-01 1', '2025-01-01 departure price'), ['2025-01-01 known lapsed']);
});

t.test('the next turn is the day after each threshold, and none after the last', async (t) => {
  const facts = {
    ...nothingBefore({ kinds: [], purchase_window_days: 0, money_window_days: 0, kind_window_days: 0, products: 0 }, 0),
  };
  const lapse = compileLapse(CADENCE);
  t.equal(nextLapseTurn(lapse, facts, 0), NEVER, 'who never bought');
  t.equal(activityAt(lapse, facts, 500), ACTIVITIES.indexOf('none'));
  const bought = { ...facts, purchase_days: 2, first_purchase_day: 0, last_purchase_day: 10 };
  t.equal(nextLapseTurn(lapse, bought, 10), 76);
  t.equal(nextLapseTurn(lapse, bought, 75), 76);
  t.equal(nextLapseTurn(lapse, bought, 76), 141);
  t.equal(nextLapseTurn(lapse, bought, 140), 141);
  t.equal(nextLapseTurn(lapse, bought, 141), NEVER);
  const names = [75, 76, 140, 141].map((on) => ACTIVITIES[activityAt(lapse, bought, on)]);
  t.strictSame(names, ['active', 'at_risk', 'at_risk', 'lapsed']);
});

t.test('a stage answer dates the next move by the rhythm', async (t) => {
  const next = (on: string) => {
    const { next_move } = classify(classifierOf(rhythmic), days('2025-01-01 1', '2025-01-11 1'), day(on))!;
    return next_move === null ? null : `${date(next_move.on)} ${next_move.activity}`;
  };
  t.strictSame(
    [next('2025-01-05'), next('2025-01-11'), next('2025-03-18'), next('2025-05-22')],
    ['2025-04-02 at_risk', '2025-03-18 at_risk', '2025-05-22 lapsed', null],
    'events after the day do not count',
  );
});
