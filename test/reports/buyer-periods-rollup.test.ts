import { randomInt } from 'node:crypto';
import t from 'tap';
import type { ActivityDay } from '../../src/domain/activity-day.ts';
import { Differences } from '../../src/domain/differences.ts';
import { closeDays, forgetfulTallies, reopenDays, settleTail } from '../../src/domain/fold.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { decodeFold, encodeFold } from '../../src/domain/saved-fold.ts';
import { buyerPeriodsRollup } from '../../src/reports/buyer-periods-rollup.ts';
import { Rng } from '../oracle/rng.ts';
import { date, day, days, planOf } from '../support/notation.ts';
import { RowRecorder } from '../support/row-recorder.ts';
import { GRAIN_NAMES, labelOf, labelsOf, naivePeriods, randomCustomers, type ToldCustomer } from './naive-buyers.ts';

const PLAN = planOf([], [buyerPeriodsRollup as Projection]);
const { measures: MEASURES } = buyerPeriodsRollup;

type Row = Readonly<Record<string, number | string>>;

/** What histories contribute: grain, first day of the period, and the measures that are not zero. Each is folded in pieces that `cut` chooses, saved in between. */
function contributed(histories: readonly ActivityDay[][], cut: (most: number) => number = (most) => most): Row[] {
  const differences = new Differences(PLAN);
  const recorder = new RowRecorder(buyerPeriodsRollup);
  for (const history of histories) {
    const first = cut(history.length);
    let saved = closeDays(PLAN, null, history.slice(0, first), [recorder]);
    for (let place = first; place < history.length; ) {
      const end = place + cut(history.length - place);
      const restored = decodeFold(encodeFold(saved));
      saved = closeDays(PLAN, restored.closed, reopenDays(restored, history.slice(place, end)), [recorder]);
      place = end;
    }
    settleTail(PLAN, saved, [recorder]);
  }
  for (const { key, measures } of recorder.rows) {
    if (measures.every((measure) => measure === 0)) throw new Error(`a row of zeros: ${key}`);
    differences.add(0, 0, 1, key, measures);
  }
  return differences.rows(buyerPeriodsRollup as Projection).map(({ key: [grain, period], measures }) => {
    const named = MEASURES.map((name, index) => [name, Number(measures[index])] as const);
    const shown = Object.fromEntries(named.filter(([, measure]) => measure !== 0));
    return { grain: GRAIN_NAMES[grain!]!, period: date(period!), ...shown };
  });
}

/** The rows of one history in one grain. */
function rowsOf(grain: string, ...lines: readonly string[]): Row[] {
  return contributed([days(...lines)])
    .filter((row) => row.grain === grain)
    .map(({ grain: _, ...row }) => row);
}

const lost = (period: string, cents: number) => ({ period, dormant_buyers: 1, lost_revenue: cents });

t.test('a first purchase makes a new buyer, who is lost to the period after', async (t) => {
  t.strictSame(contributed([days('2025-01-15 5.00')]), [
    { grain: 'week', period: '2025-01-13', new_buyers: 1, new_revenue: 500 },
    { grain: 'week', ...lost('2025-01-20', 500) },
    { grain: 'month', period: '2025-01-01', new_buyers: 1, new_revenue: 500 },
    { grain: 'month', ...lost('2025-02-01', 500) },
    { grain: 'quarter', period: '2025-01-01', new_buyers: 1, new_revenue: 500 },
    { grain: 'quarter', ...lost('2025-04-01', 500) },
    { grain: 'year', period: '2025-01-01', new_buyers: 1, new_revenue: 500 },
    { grain: 'year', ...lost('2026-01-01', 500) },
  ]);
});

t.test('who buys in the next period returns, with more or with less', async (t) => {
  t.strictSame(rowsOf('month', '2025-01-31 5', '2025-02-01 3', '2025-02-28 4', '2025-03-31 1'), [
    { period: '2025-01-01', new_buyers: 1, new_revenue: 500 },
    {
      period: '2025-02-01',
      returning_buyers: 1,
      returning_revenue: 700,
      expansion_revenue: 200,
      existing_revenue: 700,
    },
    {
      period: '2025-03-01',
      returning_buyers: 1,
      returning_revenue: 100,
      contraction_revenue: 600,
      existing_revenue: 100,
    },
    lost('2025-04-01', 100),
  ]);
});

t.test('who comes back after a pause was dormant once, and is reactivated', async (t) => {
  t.strictSame(rowsOf('quarter', '2024-02-29 5', '2025-02-28 7', '2025-03-01 1'), [
    { period: '2024-01-01', new_buyers: 1, new_revenue: 500 },
    lost('2024-04-01', 500),
    { period: '2025-01-01', reactivated_buyers: 1, reactivated_revenue: 800, existing_revenue: 800 },
    lost('2025-04-01', 800),
  ]);
});

t.test('days without a purchase and without revenue change nothing', async (t) => {
  const bought = ['2025-01-15 5', '2025-03-15 5'];
  t.strictSame(
    rowsOf('month', 'known 2024-12-01', '2025-02-03 visit', ...bought, '2025-06-01 complaint'),
    rowsOf('month', ...bought),
  );
  t.strictSame(contributed([days('known 2024-12-01', '2025-01-03 visit')]), []);
});

t.test('a wholly refunded purchase makes no buyer, an over-refunded one takes revenue away', async (t) => {
  t.strictSame(rowsOf('year', '2025-01-15 5 id=a', '2025-01-16 refund 5 a'), []);
  t.strictSame(rowsOf('year', '2025-01-15 5 id=a', '2025-01-16 refund 9 a'), [], 'nobody’s loss is no buyer’s');
  t.strictSame(
    rowsOf('month', '2025-01-15 5', '2025-02-15 5 id=a', '2025-02-16 refund 9 a', '2025-03-02 2'),
    [
      { period: '2025-01-01', new_buyers: 1, new_revenue: 500 },
      { ...lost('2025-02-01', 500), existing_revenue: -400 },
      { period: '2025-03-01', reactivated_buyers: 1, reactivated_revenue: 200, existing_revenue: 200 },
      lost('2025-04-01', 200),
    ],
    'a month with revenue alone is no month bought in',
  );
  t.strictSame(
    rowsOf('month', '2025-01-15 5', '2025-03-15 5 id=a', '2025-03-16 refund 9 a').slice(1),
    [lost('2025-02-01', 500), { period: '2025-03-01', existing_revenue: -400 }],
    'nor is it later',
  );
});

t.test('a buyer’s negative revenue is lost as such, and is the floor of what can be kept', async (t) => {
  const refunded = ['2025-01-15 5 id=a', '2025-01-15 refund 9 a', '2025-01-20 1'];
  t.strictSame(rowsOf('month', ...refunded), [
    { period: '2025-01-01', new_buyers: 1, new_revenue: -300 },
    { ...lost('2025-02-01', -300), lost_floor_revenue: -300 },
  ]);
  t.strictSame(rowsOf('month', ...refunded, '2025-02-01 1')[1], {
    period: '2025-02-01',
    returning_buyers: 1,
    returning_revenue: 100,
    expansion_revenue: 400,
    existing_revenue: 100,
  });
});

t.test('revenue before the first purchase day belongs to the period it is made in', async (t) => {
  const rows = rowsOf('month', '2025-01-03 5 id=a', '2025-01-03 refund 9 a', '2025-01-20 1', '2025-02-01 1');
  t.match(rows[0], { period: '2025-01-01', new_buyers: 1, new_revenue: -300 });
  const later = rowsOf('month', '2025-01-03 5 id=a', '2025-01-03 refund 9 a', '2025-02-20 1');
  t.strictSame(later[0], { period: '2025-02-01', new_buyers: 1, new_revenue: 100 });
});

t.test('a free purchase makes a buyer without revenue', async (t) => {
  t.strictSame(rowsOf('month', '2025-01-03 0', '2025-02-03 0', '2025-04-03 0'), [
    { period: '2025-01-01', new_buyers: 1 },
    { period: '2025-02-01', returning_buyers: 1 },
    { period: '2025-03-01', dormant_buyers: 1 },
    { period: '2025-04-01', reactivated_buyers: 1 },
    { period: '2025-05-01', dormant_buyers: 1 },
  ]);
});

t.test('the 53rd week of a year is followed by the first, and a leap day by March', async (t) => {
  const weeks = rowsOf('week', '2020-12-28 1', '2021-01-04 1', '2021-01-17 1').map((row) => Object.values(row)[0]);
  t.strictSame(weeks, ['2020-12-28', '2021-01-04', '2021-01-11', '2021-01-18']);
  t.match(rowsOf('week', '2021-01-03 1', '2021-01-04 1')[1], { period: '2021-01-04', returning_buyers: 1 });
  t.match(rowsOf('month', '2024-02-29 1', '2024-03-01 1')[1], { period: '2024-03-01', returning_buyers: 1 });
});

t.test(
  'the first and the last day the service accepts have their periods, and the last ones a period after',
  async (t) => {
    const rows = contributed([days('1900-01-01 1', '2199-12-31 1')]);
    const firsts = rows.filter((row) => 'new_buyers' in row).map((row) => row.period);
    t.strictSame(firsts, ['1900-01-01', '1900-01-01', '1900-01-01', '1900-01-01']);
    const after = rows.filter((row) => String(row.period) > '2199-12-31').map((row) => row.period);
    t.strictSame(after, ['2200-01-06', '2200-01-01', '2200-01-01', '2200-01-01']);
  },
);

t.test('what is saved of a customer does not grow with the history', async (t) => {
  const lines = Array.from({ length: 3_000 }, (_, index) => `${date(day('2010-01-01') + index)} 12.34`);
  const { closed } = closeDays(PLAN, null, days(...lines), forgetfulTallies(PLAN));
  t.ok(JSON.stringify(closed!.states).length < 80, JSON.stringify(closed!.states));
});

/** The told history as activity days, in the notation of the tests. */
function historyOf({ purchases, interactions }: ToldCustomer): ActivityDay[] {
  const mark = ({ voided }: { voided: boolean }): string => (voided ? ' void' : '');
  const money = (cents: number): string => (cents / 100).toFixed(2);
  const lines = purchases.flatMap((purchase, index) => [
    `${date(purchase.day)} ${money(purchase.cents)} cost=${money(purchase.cost)} id=p${index}${mark(purchase)}`,
    ...purchase.refunds.map((refund) => `${date(refund.day)} refund ${money(refund.cents)} p${index}${mark(refund)}`),
  ]);
  const talks = interactions.map((talk) => `${date(talk.day)} visit cost=${money(talk.cost)}${mark(talk)}`);
  return days('known 2018-01-01', ...lines, ...talks);
}

const [FIRST, LAST] = [day('2019-06-01'), day('2021-06-30')];
const SEEDS = [11, 53, 366, randomInt(1_000_000_000)];
for (const seed of SEEDS) {
  t.test(`random histories add up to what each customer says of each period (seed ${seed})`, async (t) => {
    const rng = new Rng(seed);
    const customers = randomCustomers(rng, 150, FIRST, LAST);
    const rows = contributed(customers.map(historyOf), (most) => rng.between(1, most));
    for (const grain of GRAIN_NAMES) {
      const expected = naivePeriods(customers, labelsOf(FIRST - 370, LAST + 370, grain), grain).map((row) => {
        const named = MEASURES.map((name) => [name, row[name as 'new_buyers']] as const);
        return { period: row.period, ...Object.fromEntries(named.filter(([, measure]) => measure !== 0)) };
      });
      const found = rows.filter((row) => row.grain === grain);
      t.ok(
        found.every(({ period }) => labelOf(day(String(period)) - 1, grain) !== labelOf(day(String(period)), grain)),
      );
      t.strictSame(
        found.map(({ grain: _, period, ...row }) => ({ period: labelOf(day(String(period)), grain), ...row })),
        expected.filter((row) => Object.keys(row).length > 1),
        grain,
      );
    }
  });
}
