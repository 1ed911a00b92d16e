import { sql } from 'kysely';
import t from 'tap';
import { verify } from '../../src/ingest/verify.ts';
import { testService } from '../support/service.ts';

const service = await testService(t);

async function post(route: string, ...items: readonly object[]): Promise<void> {
  const { body } = await service.call('POST', `/v1/${route}`, { items });
  for (const item of body.items) if (item.status !== 'created') throw new Error(JSON.stringify(item));
}

/** The stored years as `customer_id year: purchases revenue costs products discounted`. */
async function years(): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`
    select customer_id || ' ' || year || ': ' || concat_ws(' ', purchases, revenue, costs, product_lines, discounted_purchases) as line
    from customer_years order by customer_id, year`.execute(service.db);
  return rows.map(({ line }) => line);
}

const bought = (customer_id: string, purchase_id: string, purchased_at: string, amount: string, more = {}) => {
  return { customer_id, purchase_id, purchased_at, amount, ...more };
};

t.test('a customer’s years follow whatever is sent', async (t) => {
  await post('purchases', bought('ana', 'p1', '2024-12-31', '10', { products: ['a', 'b'], cost: '4' }));
  t.strictSame(await years(), ['ana 2024: 1 1000 400 2 0']);

  await post('purchases', bought('ana', 'p2', '2025-02-01', '7', { discount: '1', products: ['a'] }));
  await post('purchases', bought('ana', 'p3', '2025-02-01', '5'), bought('ana', 'p4', '2025-03-01', '1'));
  await post('interactions', {
    customer_id: 'ana',
    interaction_id: 'i1',
    occurred_at: '2025-03-02',
    kind: 'contact',
    cost: '0.50',
  });
  t.strictSame(await years(), ['ana 2024: 1 1000 400 2 0', 'ana 2025: 3 1300 50 1 1'], 'later days are added');

  await post('purchases', bought('ana', 'p0', '2023-01-01', '2'));
  await post('refunds', {
    customer_id: 'ana',
    refund_id: 'r1',
    purchase_id: 'p1',
    refunded_at: '2025-01-05',
    amount: '3',
  });
  t.strictSame(await years(), ['ana 2023: 1 200 0 0 0', 'ana 2024: 1 700 400 2 0', 'ana 2025: 3 1300 50 1 1']);

  t.equal((await service.call('DELETE', '/v1/customers/ana/purchases/p0')).status, 204);
  t.strictSame(await years(), ['ana 2024: 1 700 400 2 0', 'ana 2025: 3 1300 50 1 1'], 'a year of nothing goes');

  await post('purchases', bought('bo', 'p1', '2025-01-01', '4'));
  t.equal((await service.call('POST', '/v1/customers/bo/merge', { into: 'ana' })).status, 409, 'both have a p1');
  await post('purchases', bought('cy', 'p9', '2025-01-01', '4'), bought('cy', 'p8', '2022-06-01', '9'));
  t.equal((await service.call('POST', '/v1/customers/cy/merge', { into: 'ana' })).status, 200);
  t.strictSame(await years(), [
    'ana 2022: 1 900 0 0 0',
    'ana 2024: 1 700 400 2 0',
    'ana 2025: 4 1700 50 1 1',
    'bo 2025: 1 400 0 0 0',
  ]);
  t.strictSame((await verify(service.engine)).differences, []);

  await service.call('DELETE', '/v1/customers/ana');
  t.strictSame(await years(), ['bo 2025: 1 400 0 0 0']);
  t.strictSame((await verify(service.engine)).differences, []);
});
