import t from 'tap';
import { inSnapshot } from '../../src/store/connect.ts';
import type { CustomerFilter, Ranked, RankKey } from '../../src/store/customer-filter.ts';
import { keyOf, pageList } from '../../src/store/customer-lists.ts';
import { testService } from '../support/service.ts';

// A stretch of a ranking, as segments by value are: bounds are customers, so that equal values are told apart by id.

const service = await testService(t);
/** Revenue in euros; of equal ones the id decides. Profits go the other way round. */
const REVENUES: Readonly<Record<string, number>> = { a: 90, b: 70, c: 70, d: 70, e: 40, f: 0, g: 0 };
const RANKING = Object.keys(REVENUES);
await service.call('POST', '/v1/purchases', {
  items: RANKING.map((customer_id) => ({
    customer_id,
    purchase_id: 'p',
    purchased_at: '2026-06-01',
    amount: String(REVENUES[customer_id]),
    cost: String(3 * REVENUES[customer_id]!),
  })),
});
await service.call('POST', '/v1/customers', { items: [{ customer_id: 'never bought', known_since: '2026-01-01' }] });

const ALL: CustomerFilter = {
  model_version: 1,
  today: Date.parse('2026-06-15') / 86_400_000,
  positions: null,
  entered: null,
  group_id: null,
  last_interaction_by: null,
  last_purchase_by: null,
  open_complaint_by: null,
  ranked: null,
};
/** First-time buyers, whatever their activity. */
const BUYERS = [5, 6, 7, 8];

async function listed(ranked: Ranked, more: Partial<CustomerFilter> = {}): Promise<string> {
  const page = { filter: { ...ALL, ...more, ranked }, sort: 'revenue', after: null, limit: 100 } as const;
  const rows = await inSnapshot(service.db, 10_000, async (trx) => await pageList(trx, page));
  return rows.map((row) => row.customer_id).join('');
}

const at = (customer_id: string, by: Ranked['by'] = 'revenue'): RankKey => {
  const value = REVENUES[customer_id]! * 100;
  return { value: by === 'revenue' ? value : -2 * value, customer_id };
};

t.test('a stretch holds everybody behind its one bound, up to and with its other', async (t) => {
  for (const more of [{}, { positions: BUYERS }]) {
    for (let first = 0; first <= RANKING.length; first += 1) {
      for (let last = first; last <= RANKING.length; last += 1) {
        const after = first === 0 ? null : at(RANKING[first - 1]!);
        const through = last === RANKING.length ? null : last === 0 ? null : at(RANKING[last - 1]!);
        if (last === 0) continue;
        t.equal(await listed({ by: 'revenue', after, through }, more), RANKING.slice(first, last).join(''));
      }
    }
  }
});

t.test('a ranking by profit is one of its own, and who never bought is in none', async (t) => {
  // By profit, the greatest first: those without any, then the losses.
  const byProfit = [...'fgebcda'];
  for (const [place, id] of byProfit.entries()) {
    const through = at(id, 'profit');
    const expected = byProfit.slice(0, place + 1).sort((one, other) => RANKING.indexOf(one) - RANKING.indexOf(other));
    t.equal(await listed({ by: 'profit', after: null, through }), expected.join(''), `through ${id}`);
    const rest = byProfit.slice(place + 1).sort((one, other) => RANKING.indexOf(one) - RANKING.indexOf(other));
    t.equal(await listed({ by: 'profit', after: through, through: null }), rest.join(''), `after ${id}`);
  }
});

t.test('the place of a row is what its list is sorted by', async (t) => {
  const page = { filter: ALL, sort: 'revenue', after: null, limit: 1 } as const;
  const [row] = await inSnapshot(service.db, 10_000, async (trx) => await pageList(trx, page));
  t.strictSame(keyOf(row!, 'revenue'), { value: 9_000, customer_id: 'a' });
  t.strictSame(keyOf(row!, 'profit'), { value: -18_000, customer_id: 'a' });
  t.strictSame(keyOf(row!, 'last_purchase_day'), { value: Date.parse('2026-06-01') / 86_400_000, customer_id: 'a' });
  t.strictSame(keyOf(row!, 'customer_id'), { value: null, customer_id: 'a' });
});
