import t from 'tap';
import { bought, refunded, Shop, TODAY } from './shop.ts';

t.setTimeout(120_000);

t.test('what is sent again is a duplicate, however it is written', async (t) => {
  const shop = await Shop.open(t);
  const item = bought({ products: ['tea', 'cup'], cost: '0' });
  t.equal(await shop.post('purchases', item), 'created');
  t.equal(await shop.post('purchases', item, item), 'duplicate duplicate');
  const others = [
    { amount: '10' },
    { amount: '10.0' },
    { purchased_at: '2026-01-05T11:00:00.000000+01:00' },
    { products: ['cup', 'tea', 'cup'] },
    { currency: 'EUR' },
    { discount: '0.00' },
  ];
  for (const other of others)
    t.equal(await shop.post('purchases', { ...item, ...other }), 'duplicate', JSON.stringify(other));
  t.equal((await shop.get('/v1/customers/ana')).body.revenue, '10.00');
});

t.test('another content under a known id is a conflict, and the first stays', async (t) => {
  const shop = await Shop.open(t);
  t.equal(await shop.post('purchases', bought(), bought({ amount: '11' }), bought()), 'created conflict duplicate');
  for (const other of [
    { amount: '10.01' },
    { cost: '1' },
    { discount: '1' },
    { products: ['tea'] },
    { purchased_at: '2026-01-05T10:00:00.000001Z' },
  ]) {
    t.equal(await shop.post('purchases', bought(other)), 'conflict', JSON.stringify(other));
  }
  t.equal(
    await shop.post('refunds', refunded(), refunded({ amount: '5' }), refunded({ purchase_id: 'q' })),
    'created conflict conflict',
  );
  t.equal(await shop.tells('ana', 'survey', '2026-01-06', { interaction_id: 'i', score: 9 }), 'created');
  t.equal(await shop.tells('ana', 'survey', '2026-01-06', { interaction_id: 'i', score: 8 }), 'conflict');
  t.match((await shop.get('/v1/customers/ana/purchases')).body.items, [
    { amount: '10.00', cost: '0.00', products: [] },
  ]);
});

t.test('an id belongs to its customer and its kind', async (t) => {
  const shop = await Shop.open(t);
  t.equal(await shop.post('purchases', bought(), bought({ customer_id: 'ben', amount: '7' })), 'created created');
  t.equal(await shop.post('refunds', refunded({ refund_id: 'p' })), 'created');
  t.equal((await shop.get('/v1/customers/ben')).body.revenue, '7.00');
});

t.test('an answer to a batch names every item in its order and sums them up', async (t) => {
  const shop = await Shop.open(t);
  const items = [bought(), bought(), bought({ amount: '1' }), { customer_id: 'eva' }];
  const { status, body } = await shop.send('POST', '/v1/purchases', { items });
  t.equal(status, 200);
  t.strictSame(body.summary, { created: 1, updated: 0, duplicate: 1, conflict: 1, invalid: 1 });
  t.strictSame(body.items[0], { index: 0, customer_id: 'ana', purchase_id: 'p', status: 'created', error: null });
  t.match(body.items[3], {
    index: 3,
    customer_id: 'eva',
    purchase_id: null,
    status: 'invalid',
    error: { pointer: '/items/3/purchase_id', code: 'required' },
  });
  t.strictSame(Object.keys(body.items[3].error).sort(), ['code', 'detail', 'pointer']);
});

t.test('PUT stores, corrects and revives; what is the same already is a duplicate', async (t) => {
  const shop = await Shop.open(t);
  const put = async (amount: string) => {
    const { status, body } = await shop.send('PUT', '/v1/customers/ana/purchases/p', {
      purchased_at: '2026-01-05',
      amount,
    });
    return `${status} ${body.status}`;
  };
  t.equal(await put('10'), '201 created');
  t.equal(await put('10.00'), '200 duplicate');
  t.equal(await put('12'), '200 updated');
  t.equal((await shop.get('/v1/customers/ana')).body.revenue, '12.00');
  t.equal((await shop.send('DELETE', '/v1/customers/ana/purchases/p')).status, 204);
  t.equal(await put('12'), '200 updated', 'the same content revives what was voided');
  t.equal((await shop.get('/v1/customers/ana')).body.purchases, 1);
});

t.test('DELETE voids: the row stays, counts no longer, and a re-send does not bring it back', async (t) => {
  const shop = await Shop.open(t);
  await shop.post('purchases', bought());
  t.equal(
    (await shop.send('DELETE', '/v1/customers/ana/purchases/q')).status,
    404,
    'what is not there cannot be voided',
  );
  t.equal((await shop.send('DELETE', '/v1/customers/ben/purchases/p')).status, 404, 'nor another customer’s');
  t.equal((await shop.get('/v1/customers/ben')).status, 404, 'and nobody is made by trying');
  const voided = await shop.send('DELETE', '/v1/customers/ana/purchases/p');
  t.strictSame([voided.status, voided.text], [204, '']);
  t.equal((await shop.send('DELETE', '/v1/customers/ana/purchases/p')).status, 204, 'once more is no error');
  t.match((await shop.get('/v1/customers/ana/purchases')).body.items, [
    { purchase_id: 'p', voided: true, counts: false },
  ]);
  t.equal(await shop.post('purchases', bought(), bought({ amount: '11' })), 'duplicate conflict');
  const { body } = await shop.get('/v1/customers/ana');
  t.match(
    body,
    { purchases: 0, purchase_days: 0, revenue: '0.00', first_purchase_day: null, known_since: '2026-01-05' },
    'it still dates the customer',
  );
  t.equal((await shop.stands('ana')).lifecycle, 'prospect none');
});

t.test('a refund may come before its purchase; it waits without effect', async (t) => {
  const shop = await Shop.open(t);
  t.equal(await shop.post('refunds', refunded()), 'created');
  t.match((await shop.get('/v1/customers/ana/refunds')).body.items, [
    { refund_id: 'r', pending: true, amount: '4.00', refunded_at: '2026-01-09' },
  ]);
  t.equal((await shop.get('/v1/status')).body.stored.pending_refunds, 1);
  t.match((await shop.get('/v1/customers/ana')).body, { revenue: '0.00', known_since: '2026-01-09' });
  await shop.post('purchases', bought());
  t.match((await shop.get('/v1/customers/ana/refunds')).body.items, [{ pending: false }]);
  t.match((await shop.get('/v1/customers/ana/purchases')).body.items, [{ refunded: '4.00', counts: true }]);
  t.equal((await shop.get('/v1/status')).body.stored.pending_refunds, 0);
  t.match((await shop.get('/v1/customers/ana')).body, { revenue: '6.00', known_since: '2026-01-05' });
});

t.test('a wholly refunded purchase counts no longer, until the refund is voided', async (t) => {
  const shop = await Shop.open(t);
  await shop.post('purchases', bought({ cost: '3' }));
  await shop.post('refunds', refunded({ amount: '6' }), refunded({ refund_id: 's', amount: '4.00' }));
  t.match((await shop.get('/v1/customers/ana/purchases')).body.items, [
    { counts: false, voided: false, refunded: '10.00' },
  ]);
  t.match((await shop.get('/v1/customers/ana')).body, { purchases: 0, revenue: '0.00', profit: '-3.00' });
  t.equal((await shop.send('DELETE', '/v1/customers/ana/refunds/s')).status, 204);
  t.match((await shop.get('/v1/customers/ana')).body, { purchases: 1, revenue: '4.00', profit: '1.00' });
  await shop.send('PUT', '/v1/customers/ana/refunds/s', { purchase_id: 'p', refunded_at: '2026-01-09', amount: '9' });
  t.equal((await shop.get('/v1/customers/ana')).body.revenue, '-5.00', 'more may be paid back than was paid');
});

t.test('a free purchase counts, with or without a refund', async (t) => {
  const shop = await Shop.open(t);
  await shop.post('purchases', bought({ amount: '0' }));
  t.match((await shop.get('/v1/customers/ana')).body, { purchases: 1, purchase_days: 1, revenue: '0.00' });
  await shop.post('refunds', refunded({ amount: '1' }));
  t.match((await shop.get('/v1/customers/ana')).body, { purchases: 1, revenue: '-1.00' });
});

t.test('POST of a customer keeps what is not said and replaces the groups', async (t) => {
  const shop = await Shop.open(t);
  t.equal(await shop.post('customers', { customer_id: 'ana' }), 'created');
  t.match((await shop.get('/v1/customers/ana')).body, { known_since: TODAY, groups: [] }, 'without a day, today');
  t.equal(await shop.post('customers', { customer_id: 'ana' }), 'duplicate');
  t.equal(
    await shop.post('customers', { customer_id: 'ana', known_since: '2026-02-01', groups: ['b', 'a', 'b'] }),
    'updated',
  );
  t.match((await shop.get('/v1/customers/ana')).body, { known_since: '2026-02-01', groups: ['a', 'b'] });
  t.equal(await shop.post('customers', { customer_id: 'ana', groups: ['a', 'b'] }), 'duplicate');
  t.equal(await shop.post('customers', { customer_id: 'ana', groups: [] }), 'updated');
  t.match((await shop.get('/v1/customers/ana')).body, { known_since: '2026-02-01', groups: [] });
  await shop.buys('ana', '2026-01-05');
  t.equal((await shop.get('/v1/customers/ana')).body.known_since, '2026-01-05', 'an earlier event dates the customer');
  await shop.buys('ben', '2026-01-05');
  t.equal(await shop.post('customers', { customer_id: 'ben' }), 'duplicate', 'who has bought is known');
});

t.test('erasing removes everything for all days, and only later events start anew', async (t) => {
  const shop = await Shop.open(t);
  await shop.post('purchases', bought(), bought({ customer_id: 'ben' }));
  await shop.post('refunds', refunded());
  await shop.tells('ana', 'visit', '2026-01-01');
  await shop.post('customers', { customer_id: 'ana', groups: ['vip'] });
  t.equal((await shop.send('DELETE', '/v1/customers/nobody')).status, 404);
  t.equal((await shop.send('DELETE', '/v1/customers/ana')).status, 204);
  for (const path of ['', '/stages', '/timeline', '/purchases', '/refunds', '/interactions']) {
    t.equal((await shop.get(`/v1/customers/ana${path}`)).status, 404, `nothing is left at ${path}`);
  }
  t.strictSame((await shop.get('/v1/status')).body.stored, {
    customers: 1,
    purchases: 1,
    refunds: 0,
    interactions: 0,
    pending_refunds: 0,
  });
  const population = await shop.get('/v1/reports/stage-population?as_of=2026-03-01');
  t.equal(
    (population.body.items as { customers: number }[]).reduce((sum, row) => sum + row.customers, 0),
    1,
    'past days are restated',
  );
  t.equal((await shop.send('DELETE', '/v1/customers/ana')).status, 204, 'once more is no error');

  const { body } = await shop.send('POST', '/v1/purchases', {
    items: [bought(), bought({ purchase_id: 'q', purchased_at: TODAY })],
  });
  t.match(body.items, [
    { status: 'invalid', error: { code: 'customer_erased', pointer: '/items/0' } },
    { status: 'invalid' },
  ]);
  t.equal(
    await shop.post('customers', { customer_id: 'ana' }, { customer_id: 'ana', known_since: TODAY }),
    'invalid invalid',
  );
  const put = await shop.send('PUT', '/v1/customers/ana/purchases/p', { purchased_at: TODAY, amount: '1' });
  t.match([put.status, put.body.code], [409, 'customer_erased']);
  t.equal((await shop.get('/v1/customers/ana')).status, 404, 'none of it brings the customer back');

  t.equal(
    await shop.post('purchases', bought({ purchased_at: '2026-06-16', amount: '3' })),
    'created',
    'tomorrow does',
  );
  t.match((await shop.get('/v1/customers/ana')).body, { known_since: '2026-06-16', groups: [], revenue: '3.00' });
  t.equal(await shop.post('customers', { customer_id: 'ana' }), 'invalid', 'an undated record is still refused');
});
