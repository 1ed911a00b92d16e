import t from 'tap';
import { survivalAt } from '../../src/reports/survival-at.ts';
import { naiveSurvival } from './naive-repeat-purchases.ts';

// Five customers on the n-th purchase day: two bought again after 10 and 40 days, three have waited since day 0, 50 and 90 until day 100.
const GAPS = {
  completed: { days: [10, 40], customers: [1, 1] },
  waiting: { days: [0, 50, 90], customers: [1, 1, 1] },
};
const NO_GAPS = { days: [], customers: [] };
const PEOPLE = [[20, 30], [10, 50], [0], [50], [90]];

t.test('the estimate at a time is that of the last gap not longer than it', async (t) => {
  const naive = naiveSurvival(PEOPLE, 100, 1);
  const rows = survivalAt(GAPS, 100, [40, 10, 25]);
  t.strictSame(
    rows.map(({ days, at_risk }) => [days, at_risk]),
    [
      [40, 3],
      [10, 5],
      [25, 3],
    ],
  );
  const near = (one: number | null, other: number | null | undefined): boolean => Math.abs(one! - other!) < 1e-12;
  for (const [row, step] of [
    [rows[0]!, naive[1]!],
    [rows[1]!, naive[0]!],
    [rows[2]!, naive[0]!],
  ] as const) {
    t.ok(
      near(row.survival, step.survival) && near(row.lower, step.lower) && near(row.upper, step.upper),
      `${row.days}`,
    );
  }
});

t.test('before the first gap everybody is still waiting, and beyond the longest wait nothing is known', async (t) => {
  const unknown = { survival: null, lower: null, upper: null };
  t.strictSame(survivalAt(GAPS, 100, [5, 101]), [
    { days: 5, at_risk: 5, survival: 1, lower: null, upper: null },
    { days: 101, at_risk: 0, ...unknown },
  ]);
  t.strictSame(survivalAt({ completed: NO_GAPS, waiting: NO_GAPS }, 100, [30]), [{ days: 30, at_risk: 0, ...unknown }]);
});
