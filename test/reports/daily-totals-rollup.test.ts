import t from 'tap';
import { takeDay } from '../../src/domain/facts.ts';
import { dailyTotalsRollup } from '../../src/reports/daily-totals-rollup.ts';
import { date, days } from '../support/notation.ts';

const MEMORY = { kinds: [], purchase_window_days: 0, money_window_days: 0, kind_window_days: 0, products: 0 };

/** What the projection emits of a history: day, then activity days, customers, purchases, refunds, interactions, pending refunds. */
function emitted(...lines: readonly string[]): unknown[] {
  const rows: unknown[] = [];
  const emit = (key: readonly number[], measures: readonly number[]): void =>
    void rows.push([date(key[0]!), ...measures]);
  let facts = null;
  for (const day of days(...lines)) {
    const after = takeDay(MEMORY, facts, day);
    t.equal(dailyTotalsRollup.advance(null, { day, before: facts, after, moves: [], position: 0 }, emit), null);
    facts = after;
  }
  dailyTotalsRollup.settle(null, facts!, [], emit);
  return rows;
}

t.test('stored rows are counted on their own days, the customer on the first', async (t) => {
  t.strictSame(
    emitted(
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

t.test('it depends on no model, and has one key and six measures', async (t) => {
  t.equal(dailyTotalsRollup.per_model, false);
  t.strictSame(dailyTotalsRollup.key, [{ name: 'day', least: -25_567, size: 109_573 }]);
  t.equal(dailyTotalsRollup.measures.length, 6);
});
