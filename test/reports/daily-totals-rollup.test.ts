import t from 'tap';
import { takeDay } from '../../src/domain/facts.ts';
import { dailyTotalsRollup } from '../../src/reports/daily-totals-rollup.ts';
import { date, days } from '../support/notation.ts';
import { RowRecorder } from '../support/row-recorder.ts';

const MEMORY = { kinds: [], purchase_window_days: 0, money_window_days: 0, kind_window_days: 0, products: 0 };

/** What the projection emits of a history, as the day and the measures in order. */
function emitted(...lines: readonly string[]): [day: string, ...measures: number[]][] {
  const tally = new RowRecorder(dailyTotalsRollup);
  let facts = null;
  for (const day of days(...lines)) {
    const after = takeDay(MEMORY, facts, day);
    t.equal(dailyTotalsRollup.advance(null, { day, before: facts, after, moves: [], position: 0 }, tally), null);
    facts = after;
  }
  dailyTotalsRollup.settle(null, facts!, [], tally);
  return tally.rows.map(({ key, measures }) => [date(key[0]!), ...measures]);
}

/** Activity days, customers, purchases, refunds, interactions, pending refunds. */
const stored = (...lines: readonly string[]) => emitted(...lines).map((row) => row.slice(0, 7));
/** Revenue, costs, acquisition costs, retention costs. */
const money = (...lines: readonly string[]) =>
  emitted(...lines).map(([day, ...measures]) => [day, ...measures.slice(6)]);

t.test('stored rows are counted on their own days, the customer on the first', async (t) => {
  t.strictSame(
    stored(
      'known 2025-01-01',
      '2025-01-05 1',
      '2025-01-05 2 void',
      '2025-01-09 refund 1 p1',
      '2025-01-09 refund 1 missing',
      '2025-01-09 visit',
      '2025-01-09 visit void',
    ),
    [
      ['2025-01-01', 1, 1, 0, 0, 0, 0],
      ['2025-01-05', 1, 0, 2, 0, 0, 0],
      ['2025-01-09', 1, 0, 0, 2, 2, 1],
    ],
  );
});

t.test(
  'revenue is dated by the purchase, less its refunds, and costs are those of purchases and interactions',
  async (t) => {
    t.strictSame(
      money('2025-01-05 9 cost=2', '2025-01-05 7 cost=1 void', '2025-01-09 refund 10 p1', '2025-01-05 visit cost=0.30'),
      [
        ['2025-01-05', -100, 230, 30, 0],
        ['2025-01-09', 0, 0, 0, 0],
      ],
    );
  },
);

t.test('an interaction costs acquisition up to the first purchase day, and retention after it', async (t) => {
  t.strictSame(
    money(
      '2025-01-01 contact cost=1',
      '2025-01-05 7 void',
      '2025-01-06 contact cost=2',
      '2025-01-07 7',
      '2025-01-07 visit cost=4',
      '2025-01-08 visit cost=8',
      '2025-01-08 visit cost=16 void',
    ),
    [
      ['2025-01-01', 0, 100, 100, 0],
      ['2025-01-05', 0, 0, 0, 0],
      ['2025-01-06', 0, 200, 200, 0],
      ['2025-01-07', 700, 400, 400, 0],
      ['2025-01-08', 0, 800, 0, 800],
    ],
  );
  t.strictSame(money('2025-01-01 contact cost=1', '2025-06-01 contact cost=2').at(-1), ['2025-06-01', 0, 200, 200, 0]);
});

t.test('it depends on no model, and has one key and ten measures', async (t) => {
  t.equal(dailyTotalsRollup.per_model, false);
  t.strictSame(dailyTotalsRollup.key, [{ name: 'day', least: -25_567, size: 109_573 }]);
  t.equal(dailyTotalsRollup.measures.length, 10);
});
