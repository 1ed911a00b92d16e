import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { rebuild } from '../../src/ingest/rebuild.ts';
import { verify } from '../../src/ingest/verify.ts';
import { dumpOf } from '../support/database-dump.ts';
import { type Answer, type TestService, testService } from '../support/service.ts';
import { bought, refunded, Shop, TODAY } from './shop.ts';

t.setTimeout(240_000);

/** A test with a shop of its own; in the end everything stored must add up. */
function merging(title: string, story: (t: Test, shop: Shop, service: TestService) => Promise<void>): void {
  t.test(title, async (t) => {
    const service = await testService(t);
    await story(t, new Shop(service), service);
    t.strictSame((await verify(service.engine)).differences, [], 'everything stored adds up');
  });
}

async function merge(shop: Shop, customer_id: string, into: string): Promise<Answer> {
  return await shop.send('POST', `/v1/customers/${encodeURIComponent(customer_id)}/merge`, { into });
}

/** Requires that a merge is refused, and that not a byte of the database was changed. Gives the problem. */
async function refusedMerge(t: Test, service: TestService, from: string, into: string, code: string) {
  const before = await dumpOf(service.db);
  const { status, body } = await merge(new Shop(service), from, into);
  t.strictSame([status, body.code], [409, code], `${from} into ${into}`);
  t.strictSame(await dumpOf(service.db), before, 'nothing was changed');
  return body;
}

const PATHS = ['', '/stages', '/timeline', '/purchases', '/refunds', '/interactions'];
const NOTHING = { purchases: 0, refunds: 0, interactions: 0 };

merging('a guest becomes part of a customer: the history moves, and both ids answer', async (t, shop) => {
  await shop.post('customers', { customer_id: 'ana', known_since: '2026-02-01', groups: ['vip', 'b2b'] });
  await shop.buys('ana', '2026-03-01', '2026-04-01');
  await shop.post('customers', { customer_id: 'guest', known_since: '2026-01-20', groups: ['channel:search', 'vip'] });
  await shop.buys('guest', '2026-01-10', '2026-05-01');
  await shop.tells('guest', 'visit', '2026-05-02');
  await shop.buys('ben', '2026-01-10');

  const { status, body } = await merge(shop, 'guest', 'ana');
  t.equal(status, 200);
  t.strictSame(body, {
    customer_id: 'ana',
    merged_ids: ['guest'],
    moved: { purchases: 2, refunds: 0, interactions: 1 },
  });
  const ana = (await shop.get('/v1/customers/ana')).body;
  t.strictSame(ana, {
    customer_id: 'ana',
    known_since: '2026-01-10',
    groups: ['b2b', 'channel:search', 'vip'],
    merged_ids: ['guest'],
    purchases: 4,
    purchase_days: 4,
    revenue: '40.00',
    profit: '40.00',
    first_purchase_day: '2026-01-10',
    last_purchase_day: '2026-05-01',
  });
  for (const path of PATHS) {
    const [one, other] = [await shop.get(`/v1/customers/ana${path}`), await shop.get(`/v1/customers/guest${path}`)];
    t.equal(other.status, 200);
    t.equal(other.text, one.text, `both ids give the same answer at ${path}`);
  }
  t.match(await shop.stands('guest'), { lifecycle: 'core_customer active', journey: 'loyalty active' });
  t.match((await shop.get('/v1/customers/guest/stages')).body.items, [{ customer_id: 'ana' }]);
  t.equal((await shop.get('/v1/customers/guest/timeline')).body.customer_id, 'ana');
  t.strictSame((await shop.get('/v1/status')).body.stored, {
    customers: 2,
    purchases: 5,
    refunds: 0,
    interactions: 1,
    pending_refunds: 0,
  });
  const stock = async (filter: string): Promise<number> => {
    const { items } = (await shop.get(`/v1/reports/stage-population?${filter}`)).body;
    return items.reduce((sum: number, row: { customers: number }) => sum + row.customers, 0);
  };
  t.equal(await stock(`as_of=${TODAY}`), 2, 'the reports count one person');
  t.equal(await stock('group=vip'), 1);
  t.equal(await stock('group=channel:search'), 1, 'in every group of both');
  t.equal(await stock('as_of=2026-01-15'), 2, 'from the day the earlier of the two became known');
});

merging('pages of a list go on under the old id, and a lookup answers under the ids it was asked', async (t, shop) => {
  await shop.buys('guest', '2026-01-10', '2026-02-10');
  await shop.buys('ana', '2026-03-01');
  const first = (await shop.get('/v1/customers/guest/purchases?limit=1')).body;
  await merge(shop, 'guest', 'ana');
  const rest = (await shop.get(`/v1/customers/guest/purchases?limit=5&cursor=${first.next_cursor}`)).body;
  t.match(rest, { items: [{ day: '2026-02-10' }, { day: '2026-03-01' }], next_cursor: null });
  const { body } = await shop.send('POST', '/v1/customers/lookup', { customer_ids: ['guest', 'nobody', 'ana'] });
  t.match(
    body.items.map((item: { customer_id: string; stage: string }) => `${item.customer_id} ${item.stage}`),
    ['guest early_repeat_buyer', 'ana early_repeat_buyer'],
  );
  t.strictSame(body.not_found, ['nobody']);
  const alone = await shop.send('POST', '/v1/customers/lookup', { customer_ids: ['guest'] });
  t.match(alone.body.items, [{ customer_id: 'guest', stage: 'early_repeat_buyer' }]);
});

merging('whatever comes for the old id reaches the survivor, late or not', async (t, shop, service) => {
  await shop.post('purchases', bought({ customer_id: 'guest' }));
  await shop.buys('ana', '2026-03-01');
  await merge(shop, 'guest', 'ana');
  const items = [
    bought({ customer_id: 'guest' }),
    bought(),
    bought({ customer_id: 'guest', amount: '11' }),
    bought({ customer_id: 'guest', purchase_id: 'late', purchased_at: '2025-11-05' }),
    bought({ customer_id: 'ana', purchase_id: 'late', purchased_at: '2025-11-05' }),
    bought({ customer_id: 'guest', purchase_id: 'new', purchased_at: TODAY }),
    bought({ customer_id: 'ben' }),
  ];
  const { body } = await shop.send('POST', '/v1/purchases', { items });
  t.strictSame(
    body.items.map((item: { customer_id: string; status: string }) => `${item.customer_id} ${item.status}`),
    [
      'guest duplicate',
      'ana duplicate',
      'guest conflict',
      'guest created',
      'ana duplicate',
      'guest created',
      'ben created',
    ],
    'answered under the id that was sent',
  );
  t.match((await shop.get('/v1/customers/ana')).body, { purchases: 4, first_purchase_day: '2025-11-05' });
  t.equal(await shop.post('refunds', refunded({ customer_id: 'guest' })), 'created');
  t.equal(await shop.tells('guest', 'visit', '2026-04-01'), 'created');
  t.equal((await shop.get('/v1/customers/ana')).body.revenue, '36.00');

  const put = await shop.send('PUT', '/v1/customers/guest/purchases/p', { purchased_at: '2026-01-05', amount: '20' });
  t.match([put.status, put.body.status], [200, 'updated']);
  t.equal((await shop.get('/v1/customers/ana')).body.revenue, '46.00');
  const made = await shop.send('PUT', '/v1/customers/guest/purchases/q', { purchased_at: '2026-01-05', amount: '1' });
  t.equal(made.status, 201);
  t.equal((await shop.send('DELETE', '/v1/customers/guest/purchases/late')).status, 204);
  t.equal((await shop.send('DELETE', '/v1/customers/guest/purchases/never')).status, 404);
  t.match((await shop.get('/v1/customers/ana')).body, { revenue: '37.00', first_purchase_day: '2026-01-05' });

  t.equal(await shop.post('customers', { customer_id: 'guest' }), 'duplicate');
  t.equal(
    await shop.post('customers', { customer_id: 'guest', known_since: '2025-01-01', groups: ['vip'] }),
    'updated',
  );
  t.match((await shop.get('/v1/customers/ana')).body, { known_since: '2025-01-01', groups: ['vip'] });
  const { rows } = await sql`select * from customers where customer_id = 'guest'`.execute(service.db);
  t.match(rows, [{ merged_into: 'ana', known_since: null, group_ids: [], merged_ids: [] }], 'the alias holds nothing');
});

merging('refunds that waited find the purchases of the other history', async (t, shop) => {
  await shop.post(
    'refunds',
    refunded({ customer_id: 'guest', amount: '10' }),
    refunded({ customer_id: 'guest', refund_id: 's', purchase_id: 'never' }),
  );
  await shop.post('purchases', bought(), bought({ purchase_id: 'o', purchased_at: '2026-02-01' }));
  t.match((await shop.get('/v1/status')).body.stored, { pending_refunds: 2 });
  t.equal((await merge(shop, 'guest', 'ana')).status, 200);
  t.match((await shop.get('/v1/status')).body.stored, { pending_refunds: 1, refunds: 2, customers: 1 });
  t.match((await shop.get('/v1/customers/ana')).body, {
    purchases: 1,
    revenue: '10.00',
    first_purchase_day: '2026-02-01',
  });
  t.match((await shop.get('/v1/customers/guest/refunds')).body.items, [
    { refund_id: 'r', pending: false },
    { refund_id: 's', pending: true },
  ]);
  await shop.post('purchases', bought({ customer_id: 'guest', purchase_id: 'never' }));
  t.match(
    (await shop.get('/v1/status')).body.stored,
    { pending_refunds: 0 },
    'and of later ones, whichever id they come under',
  );
});

merging('an item that both have with the same content counts once, voided in both or in neither', async (t, shop) => {
  const same = { purchase_id: 'both', purchased_at: '2026-01-05T11:00:00+01:00', amount: '10.0', products: ['b', 'a'] };
  const gone = { purchase_id: 'gone', purchased_at: '2026-02-01', amount: '5' };
  await shop.post(
    'purchases',
    bought({ ...same, products: ['a', 'b'] }),
    bought(gone),
    bought({ purchase_id: 'mine' }),
  );
  await shop.post(
    'purchases',
    ...[same, gone, { purchase_id: 'yours', purchased_at: '2026-03-01', amount: '1' }].map((one) => ({
      customer_id: 'guest',
      ...one,
    })),
  );
  for (const id of ['ana', 'guest']) {
    await shop.send('DELETE', `/v1/customers/${id}/purchases/gone`);
    await shop.post('refunds', refunded({ customer_id: id, purchase_id: 'both' }));
    await shop.post('interactions', { customer_id: id, interaction_id: 'i', kind: 'visit', occurred_at: '2026-01-07' });
  }
  const { body } = await merge(shop, 'guest', 'ana');
  t.strictSame(body.moved, { purchases: 1, refunds: 0, interactions: 0 }, 'only what the survivor did not have');
  t.match((await shop.get('/v1/customers/ana')).body, { purchases: 3, revenue: '17.00' });
  t.match((await shop.get('/v1/status')).body.stored, { purchases: 4, refunds: 1, interactions: 1 });
});

merging(
  'items that contradict each other are named, and nothing is changed until they agree',
  async (t, shop, service) => {
    await shop.post('purchases', bought(), bought({ purchase_id: 'v' }), bought({ purchase_id: 'mine' }));
    await shop.post(
      'purchases',
      bought({ customer_id: 'guest', amount: '11' }),
      bought({ customer_id: 'guest', purchase_id: 'v' }),
    );
    await shop.post('refunds', refunded(), refunded({ customer_id: 'guest', purchase_id: 'o' }));
    for (const [customer_id, score] of [
      ['ana', 9],
      ['guest', 8],
    ]) {
      await shop.post('interactions', { customer_id, interaction_id: 'i', kind: 'survey', occurred_at: TODAY, score });
    }
    await shop.send('DELETE', '/v1/customers/guest/purchases/v');
    const problem = await refusedMerge(t, service, 'guest', 'ana', 'merge_conflict');
    t.strictSame(problem.errors, [
      { code: 'other_content', detail: 'interactions "i" has other content under one of the two customers.' },
      { code: 'other_content', detail: 'purchases "p" has other content under one of the two customers.' },
      { code: 'voided_in_one', detail: 'purchases "v" is voided under one of the two customers.' },
      { code: 'other_content', detail: 'refunds "r" has other content under one of the two customers.' },
    ]);
    t.match(problem.detail, /^Items in conflict: 4\. PUT the same content .* Nothing was changed\.$/);
    t.equal(problem.retryable, false);
    await refusedMerge(t, service, 'ana', 'guest', 'merge_conflict');

    await shop.send('PUT', '/v1/customers/guest/purchases/p', {
      purchased_at: '2026-01-05T10:00:00Z',
      amount: '10.00',
    });
    await shop.send('DELETE', '/v1/customers/ana/purchases/v');
    await shop.send('PUT', '/v1/customers/ana/refunds/r', { purchase_id: 'o', refunded_at: '2026-01-09', amount: '4' });
    t.equal((await refusedMerge(t, service, 'guest', 'ana', 'merge_conflict')).errors.length, 1);
    await shop.send('PUT', '/v1/customers/ana/interactions/i', { kind: 'survey', occurred_at: TODAY, score: 8 });
    t.equal((await merge(shop, 'guest', 'ana')).status, 200, 'the remedy that the problem names helps');
    t.match((await shop.get('/v1/customers/ana')).body, { purchases: 2, revenue: '20.00' });
  },
);

merging('of many conflicts ten are named', async (t, shop, service) => {
  const items = (customer_id: string, amount: string) =>
    Array.from({ length: 12 }, (_, place) => bought({ customer_id, purchase_id: `p${place + 10}`, amount }));
  await shop.post('purchases', ...items('ana', '1'), ...items('guest', '2'));
  const { errors, detail } = await refusedMerge(t, service, 'guest', 'ana', 'merge_conflict');
  t.equal(errors.length, 10);
  t.match(errors[9].detail, /"p19"/, 'in order of their ids');
  t.match(detail, /^Items in conflict: 12; `errors` names the first 10\. /);
});

merging('a union beyond a limit is refused with every reason and its remedy', async (t, shop, service) => {
  const groups = (from: number, count: number) => Array.from({ length: count }, (_, place) => `g${from + place}`);
  await shop.post(
    'customers',
    { customer_id: 'ana', groups: groups(0, 10) },
    { customer_id: 'guest', groups: groups(9, 8) },
  );
  t.strictSame((await refusedMerge(t, service, 'guest', 'ana', 'merge_refused')).errors, [
    {
      code: 'too_many_groups',
      detail:
        'Together they carry 17 groups, and a customer has at most 16. POST /v1/customers with fewer `groups` for one of them, then merge again.',
    },
  ]);
  const huge = { purchased_at: '2026-01-01', amount: '100000000000', cost: '100000000000', discount: '100000000000' };
  for (const customer_id of ['ana', 'guest']) {
    const items = Array.from({ length: 200 }, (_, place) => ({
      customer_id,
      purchase_id: `${customer_id} ${place}`,
      ...huge,
    }));
    await shop.send('POST', '/v1/purchases', { items });
  }
  const { errors } = await refusedMerge(t, service, 'guest', 'ana', 'merge_refused');
  t.match(errors, [{ code: 'too_many_groups' }, { code: 'total_out_of_range' }]);
  for (let place = 0; place < 100; place += 1) {
    const path = `/v1/customers/guest/purchases/guest%20${place}`;
    await shop.send('PUT', path, { purchased_at: '2026-01-01', amount: '1' });
  }
  await shop.post('customers', { customer_id: 'guest', groups: groups(9, 7) });
  t.equal((await merge(shop, 'guest', 'ana')).status, 200, 'sixteen groups and a sum within the range are fine');
  t.equal((await shop.get('/v1/customers/ana')).body.groups.length, 16);
});

merging('who cannot be merged is told why', async (t, shop, service) => {
  await shop.buys('ana', '2026-01-05');
  await shop.buys('ben', '2026-01-05');
  const before = await dumpOf(service.db);
  const itself = await merge(shop, 'ana', 'ana');
  t.match(itself, {
    status: 400,
    body: { code: 'invalid_request', errors: [{ pointer: '/into', code: 'same_customer' }] },
  });
  const unknown = { code: 'customer_not_found' };
  t.match(await merge(shop, 'nobody', 'ana'), {
    status: 404,
    body: { ...unknown, errors: [{ parameter: 'customer_id' }] },
  });
  t.match(await merge(shop, 'ana', 'nobody'), { status: 404, body: { ...unknown, errors: [{ pointer: '/into' }] } });
  t.match(await merge(shop, 'nobody', 'nothing'), { status: 404, body: unknown });
  const bodies = [
    {},
    { into: 7 },
    { into: '' },
    { into: 'x'.repeat(129) },
    { into: 'a\u0000b' },
    { into: '\ud800' },
    { into: 'ben', x: 1 },
    [],
    '{',
  ];
  for (const body of bodies) {
    const answer = await shop.send('POST', '/v1/customers/ana/merge', body);
    t.equal(answer.status, 400, JSON.stringify(body));
  }
  t.strictSame(await dumpOf(service.db), before, 'nothing was changed, and nobody was made');
});

merging('a merge may be repeated, go on in chains, and name any id of the survivor', async (t, shop, service) => {
  for (const id of ['a', 'b', 'c', 'd', 'e']) await shop.buys(id, '2026-01-05');
  t.match((await merge(shop, 'b', 'c')).body, { customer_id: 'c', merged_ids: ['b'], moved: { purchases: 1 } });
  const before = await dumpOf(service.db);
  for (const [from, into] of [
    ['b', 'c'],
    ['c', 'b'],
  ] as const) {
    const again = await merge(shop, from, into);
    t.strictSame(again.body, { customer_id: 'c', merged_ids: ['b'], moved: NOTHING }, `${from} and ${into} are one`);
  }
  t.strictSame(await dumpOf(service.db), before, 'and nothing is changed');

  t.match((await merge(shop, 'c', 'a')).body, { customer_id: 'a', merged_ids: ['b', 'c'], moved: { purchases: 2 } });
  t.match((await merge(shop, 'd', 'b')).body, {
    customer_id: 'a',
    merged_ids: ['b', 'c', 'd'],
    moved: { purchases: 1 },
  });
  t.strictSame(
    (await merge(shop, 'b', 'c')).body,
    { customer_id: 'a', merged_ids: ['b', 'c', 'd'], moved: NOTHING },
    'the first merge, sent again',
  );
  for (const id of ['a', 'b', 'c', 'd'])
    t.match((await shop.get(`/v1/customers/${id}`)).body, { customer_id: 'a', purchases: 4 });
  const { rows } = await sql<{ chain: string }>`
    select customer_id || ' ' || merged_into as chain from customers where merged_into is not null order by 1`.execute(
    service.db,
  );
  t.strictSame(
    rows.map(({ chain }) => chain),
    ['b a', 'c a', 'd a'],
    'every id names the last survivor itself',
  );

  const problem = await refusedMerge(t, service, 'b', 'e', 'customer_merged');
  t.match(problem.detail, /names the customer this id stands for; merge that one/);
  t.equal((await merge(shop, 'b', 'nobody')).status, 404);
  t.match((await merge(shop, 'a', 'e')).body, {
    customer_id: 'e',
    merged_ids: ['a', 'b', 'c', 'd'],
    moved: { purchases: 4 },
  });
  t.equal((await shop.get('/v1/customers/b')).body.customer_id, 'e');
});

merging('customers who have only been recorded are merged too, and the earlier dates hold', async (t, shop) => {
  await shop.post(
    'customers',
    { customer_id: 'ana' },
    { customer_id: 'guest' },
    { customer_id: 'ben', known_since: '2026-02-02' },
  );
  t.strictSame((await merge(shop, 'guest', 'ana')).body.moved, NOTHING);
  t.match((await shop.get('/v1/customers/guest')).body, { customer_id: 'ana', known_since: TODAY });
  await merge(shop, 'ana', 'ben');
  t.match((await shop.get('/v1/customers/guest')).body, {
    customer_id: 'ben',
    known_since: '2026-02-02',
    merged_ids: ['ana', 'guest'],
  });
  t.equal((await shop.get('/v1/status')).body.stored.customers, 1);
});

for (const through of ['ana', 'guest', 'older'] as const) {
  merging(`erasing through the id ${through} erases the person under every id`, async (t, shop, service) => {
    for (const id of ['ana', 'guest', 'older', 'ben']) await shop.buys(id, '2026-01-05');
    await merge(shop, 'older', 'guest');
    await merge(shop, 'guest', 'ana');
    await shop.post('customers', { customer_id: 'ana', groups: ['vip'] });
    t.equal((await shop.send('DELETE', `/v1/customers/${through}`)).status, 204);
    for (const id of ['ana', 'guest', 'older']) {
      for (const path of PATHS) t.equal((await shop.get(`/v1/customers/${id}${path}`)).status, 404, `${id}${path}`);
      t.equal((await shop.send('DELETE', `/v1/customers/${id}`)).status, 204, 'once more is no error');
      t.equal(await shop.post('purchases', bought({ customer_id: id })), 'invalid', 'a re-send brings nothing back');
      t.equal(await shop.post('customers', { customer_id: id }), 'invalid');
      t.equal((await merge(shop, id, 'ben')).status, 404);
    }
    const left = await dumpOf(service.db);
    t.strictSame(
      [left.customers?.length, left.customer_states?.length, left.purchases?.length],
      [1, 1, 1],
      'ben is left',
    );
    t.equal(left.erased_customers?.length, 3);
    const anew = ['ana', 'guest'].map((customer_id) => bought({ customer_id, purchased_at: '2026-06-16' }));
    t.equal(await shop.post('purchases', ...anew), 'created created');
    t.match(
      (await shop.get('/v1/customers/guest')).body,
      { customer_id: 'guest', merged_ids: [], purchases: 1 },
      'what comes later belongs to the id it comes for',
    );
  });
}

merging('an erasure holds for the id that was erased, also when it is merged later', async (t, shop) => {
  await shop.buys('guest', '2026-01-05');
  await shop.send('DELETE', '/v1/customers/guest');
  await shop.post('purchases', bought({ customer_id: 'guest', purchased_at: '2026-06-16' }));
  await shop.buys('ana', '2026-03-01');
  await merge(shop, 'guest', 'ana');
  const old = { purchase_id: 'old', purchased_at: '2026-01-05' };
  t.equal(await shop.post('purchases', bought({ customer_id: 'guest', ...old }), bought(old)), 'invalid created');
  t.equal(
    (await shop.send('PUT', '/v1/customers/guest/purchases/x', { purchased_at: TODAY, amount: '1' })).body.code,
    'customer_erased',
  );
  t.equal((await shop.get('/v1/customers/ana')).body.purchases, 3);
});

merging('a rebuild keeps who was merged into whom', async (t, shop, service) => {
  for (const id of ['a', 'b', 'c']) await shop.buys(id, '2026-01-05', '2026-02-05');
  await merge(shop, 'a', 'b');
  const before = await dumpOf(service.db);
  const { reporting_time_zone, currency, currency_decimals } = service.engine.versions;
  t.match(await rebuild(service.engine, { reporting_time_zone, currency, currency_decimals }), { customers: 2 });
  const { customers, purchases, customer_states } = await dumpOf(service.db);
  t.strictSame(
    { customers, purchases, customer_states },
    { customers: before.customers, purchases: before.purchases, customer_states: before.customer_states },
  );
});

t.test('verify finds ids that stand for nobody, for somebody else, or still own something', async (t) => {
  const service = await testService(t);
  const shop = new Shop(service);
  for (const id of ['a', 'b', 'c']) await shop.buys(id, '2026-01-05');
  await merge(shop, 'a', 'b');
  t.match(await verify(service.engine), { customers: 2, difference_count: 0 });
  const found = async (): Promise<readonly string[]> => (await verify(service.engine)).differences;
  await sql`update customers set merged_into = 'c' where customer_id = 'a'`.execute(service.db);
  t.strictSame(await found(), [
    'whom a was merged into: stored "c", the events give "b"',
    'a was merged into c, which does not list it',
  ]);
  await sql`update customers set merged_into = 'gone' where customer_id = 'a'`.execute(service.db);
  t.match(await found(), [/whom a was merged into/, 'a was merged into gone, which does not list it']);
  await sql`update customers set merged_into = 'b' where customer_id = 'a'`.execute(service.db);
  await sql`update customers set merged_ids = '{}' where customer_id = 'b'`.execute(service.db);
  t.strictSame(await found(), ['a was merged into b, which does not list it']);
  await sql`update customers set merged_ids = '{a,x}' where customer_id = 'b'`.execute(service.db);
  t.strictSame(await found(), ['whom x was merged into: stored nothing, the events give "b"']);
  await sql`update customers set merged_ids = '{a}' where customer_id = 'b'`.execute(service.db);
  await sql`insert into interactions (customer_id, interaction_id, at, day, plain, kind, cost) values ('a', 'i', 0, 0, false, 'visit', 0)`.execute(
    service.db,
  );
  t.strictSame(await found(), ['interactions: 1 rows belong to no customer']);
});
