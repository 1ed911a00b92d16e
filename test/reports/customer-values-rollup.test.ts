import t from 'tap';
import { takeDay } from '../../src/domain/facts.ts';
import { customerValuesRollup } from '../../src/reports/customer-values-rollup.ts';
import { days } from '../support/notation.ts';
import { RowRecorder } from '../support/row-recorder.ts';

const MEMORY = { kinds: [], purchase_window_days: 0, money_window_days: 0, kind_window_days: 0, products: 0 };

/** What the projection emits of a history: kind, bucket, customers, value. */
function emitted(...lines: readonly string[]): number[][] {
  const tally = new RowRecorder(customerValuesRollup);
  let facts = null;
  for (const day of days(...lines)) {
    const after = takeDay(MEMORY, facts, day);
    customerValuesRollup.advance(null, { day, before: facts, after, moves: [], position: 0 }, tally);
    facts = after;
  }
  t.strictSame(tally.rows, [], 'no day is worth anything by itself');
  customerValuesRollup.settle(null, facts!, [], tally);
  return tally.rows.map(({ key, measures }) => [...key, ...measures]);
}

t.test('a customer with a purchase day lies in one bucket by revenue and in one by profit', async (t) => {
  t.strictSame(emitted('2025-01-05 3.00 cost=1.00', '2025-02-01 10.00 cost=0.50', '2025-02-02 contact cost=7.25'), [
    [0, 837, 1, 1_300],
    [1, 425, 1, 425],
  ]);
  t.strictSame(emitted('2025-01-05 0'), [
    [0, 0, 1, 0],
    [1, 0, 1, 0],
  ]);
});

t.test('refunds beyond the amount and costs beyond the revenue make a value negative', async (t) => {
  t.strictSame(
    emitted('2025-01-05 1.00', '2025-01-06 5.00', '2025-01-20 refund 8.00 p2', '2025-02-02 contact cost=9'),
    [
      [0, -200, 1, -200],
      [1, -787, 1, -1_100],
    ],
  );
});

t.test('without a purchase day only costs are kept, and nothing if there are none', async (t) => {
  t.strictSame(emitted('2025-01-05 contact cost=2.50', '2025-01-06 visit', '2025-02-05 contact cost=1.00'), [
    [2, 0, 1, 350],
  ]);
  t.strictSame(emitted('known 2025-01-05', '2025-01-06 visit'), []);
  t.strictSame(
    emitted('2025-01-05 4.00 cost=1.00', '2025-01-09 refund 4.00 p1'),
    [[2, 0, 1, 100]],
    'what was wholly refunded is no purchase day',
  );
});

t.test('it depends on no model, and its key has a place for every bucket', async (t) => {
  t.equal(customerValuesRollup.per_model, false);
  t.strictSame(customerValuesRollup.key, [
    { name: 'kind', least: 0, size: 3 },
    { name: 'bucket', least: -11_776, size: 23_553 },
  ]);
});
