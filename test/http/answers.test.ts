import t, { type Test } from 'tap';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { testDatabase } from '../support/postgres.ts';
import { type Answer, type TestService, type TestServiceOptions, testService } from '../support/service.ts';

t.setTimeout(120_000);

const TODAY = '2026-06-15';

/** A service, spoken to in short words. Its clock says noon of 2026-06-15, UTC. */
class Shop {
  private readonly service: TestService;
  private made = 0;

  constructor(service: TestService) {
    this.service = service;
  }

  static async open(t: Test, options: TestServiceOptions = {}): Promise<Shop> {
    return new Shop(await testService(t, options));
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return await this.service.call('GET', path, undefined, headers);
  }
  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    return await this.service.call(method, path, body);
  }
  /** Posts items and gives their statuses, joined by spaces. */
  async post(kind: string, ...items: object[]): Promise<string> {
    const { body } = await this.service.call('POST', `/v1/${kind}`, { items });
    return (body.items as { status: string }[]).map((item) => item.status).join(' ');
  }
  /** A customer's purchases on these days, ten euros each. */
  async buys(customer_id: string, ...days: string[]): Promise<string> {
    return await this.post(
      'purchases',
      ...days.map((purchased_at) => ({ customer_id, purchase_id: `p${++this.made}`, purchased_at, amount: '10' })),
    );
  }
  /** An interaction of a customer. */
  async tells(customer_id: string, kind: string, occurred_at: string, more: object = {}): Promise<string> {
    return await this.post('interactions', {
      customer_id,
      interaction_id: `i${++this.made}`,
      kind,
      occurred_at,
      ...more,
    });
  }
  /** The stage answer of one model. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  async stage(customer_id: string, model: string, more = '', headers: Record<string, string> = {}): Promise<any> {
    return (await this.get(`/v1/customers/${customer_id}/stages?model=${model}${more}`, headers)).body.items[0];
  }
  /** Stage and activity in every model: `lifecycle prospect none, …`. */
  async stands(customer_id: string, as_of = TODAY): Promise<Record<string, string>> {
    const { body } = await this.get(`/v1/customers/${customer_id}/stages?as_of=${as_of}`);
    return Object.fromEntries(
      (body.items as Record<string, string>[]).map(({ model, stage, activity }) => [model, `${stage} ${activity}`]),
    );
  }
}

const bought = (more: object = {}) => ({
  customer_id: 'ana',
  purchase_id: 'p',
  purchased_at: '2026-01-05T10:00:00Z',
  amount: '10.00',
  ...more,
});
const refunded = (more: object = {}) => ({
  customer_id: 'ana',
  refund_id: 'r',
  purchase_id: 'p',
  refunded_at: '2026-01-09',
  amount: '4',
  ...more,
});

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

t.test('pages hold every entry once, in order of instant and id, whatever their size', async (t) => {
  const shop = await Shop.open(t);
  const days = [
    '2026-01-05',
    '2026-01-05T00:00:00Z',
    '2026-01-05T00:00:00.000001Z',
    '2026-02-01',
    '1999-12-31',
    '2026-01-04T23:59:59Z',
  ];
  const items = Array.from({ length: 57 }, (_, index) =>
    bought({ purchase_id: `${(index * 37) % 100}-${index}`, purchased_at: days[index % days.length] }),
  );
  t.equal(await shop.post('purchases', ...items), items.map(() => 'created').join(' '));
  const at = (text: string): number => new Date(text).getTime() * 1_000 + (text.includes('000001') ? 1 : 0);
  const expected = items
    .map((item) => ({ id: item.purchase_id, at: at(String(item.purchased_at)) }))
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
  for (const limit of [1, 2, 7, 10, 56, 57, 58, 1_000]) {
    const seen: string[] = [];
    let pages = 0;
    for (let cursor: string | null = ''; cursor !== null; pages += 1) {
      const { body }: Answer = await shop.get(
        `/v1/customers/ana/purchases?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      t.ok(body.items.length <= limit);
      seen.push(...(body.items as { purchase_id: string }[]).map((item) => item.purchase_id));
      cursor = body.next_cursor;
      // What is added behind the reader is not seen, and moves nothing.
      if (pages === 0 && limit === 7)
        await shop.post('purchases', bought({ purchase_id: 'behind', purchased_at: '1950-01-01' }));
    }
    if (limit === 7) await shop.send('DELETE', '/v1/customers/ana/purchases/behind');
    t.strictSame(
      seen.filter((id) => id !== 'behind'),
      expected,
      `pages of ${limit}`,
    );
    t.equal(pages, Math.ceil((limit > 7 ? 58 : 57) / limit), `${pages} of them`);
  }
  t.equal((await shop.get('/v1/customers/ana/purchases')).body.items.length, 50, 'fifty if no limit is given');
});

t.test('plain dates come back as sent, instants in UTC, and days are those of the reporting zone', async (t) => {
  const shop = await Shop.open(t, { time_zone: 'America/New_York' });
  const sent = [
    '2026-01-05',
    '2026-01-05T03:00:00Z',
    '2026-01-05T10:00:00.5+01:00',
    '2026-03-08T06:59:59.999999Z',
    '2026-07-01T04:00:00Z',
  ];
  await shop.post(
    'purchases',
    ...sent.map((purchased_at, index) => bought({ purchase_id: `p${index}`, purchased_at })).slice(0, 4),
  );
  const { body } = await shop.get('/v1/customers/ana/purchases');
  const rows = (body.items as Record<string, string>[]).map(({ purchased_at, day }) => `${purchased_at} ${day}`);
  t.strictSame(rows, [
    '2026-01-05T03:00:00Z 2026-01-04',
    '2026-01-05 2026-01-05',
    '2026-01-05T09:00:00.5Z 2026-01-05',
    '2026-03-08T06:59:59.999999Z 2026-03-08',
  ]);
  t.equal((await shop.get('/v1/customers/ana')).body.purchase_days, 3);
  t.match((await shop.get('/v1/status')).body, { time_zone: 'America/New_York', today: TODAY });
});

t.test('a customer who bought on two days is an early repeat buyer, and is told what comes next', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('ana', '2026-03-01', '2026-04-10', '2026-04-10T18:00:00Z');
  t.strictSame(await shop.stage('ana', 'lifecycle'), {
    customer_id: 'ana',
    model: 'lifecycle',
    model_version: 1,
    as_of: TODAY,
    projected: false,
    stage: 'early_repeat_buyer',
    title: 'Early repeat buyer',
    rung: 3,
    rungs: 5,
    activity: 'active',
    since: '2026-04-10',
    rule: { feature: 'purchase_days', at_least: 2, less_than: 4 },
    inputs: [{ feature: 'purchase_days', within_days: null, kinds: null, value: 2 }],
    next_stage: {
      stage: 'core_customer',
      title: 'Core customer',
      rung: 4,
      missing: [
        {
          text: '2 more purchase days',
          feature: 'purchase_days',
          operator: 'at_least',
          threshold: 4,
          have: 2,
          more: 2,
        },
      ],
    },
    // 10 April and 91 days.
    next_move: { on: '2026-07-10', stage: 'early_repeat_buyer', activity: 'at_risk' },
  });
  t.strictSame(await shop.stands('ana'), {
    lifecycle: 'early_repeat_buyer active',
    relationship: 'continuation active',
    journey: 'retention active',
    loyalty_ladder: 'repeat_customer active',
  });
});

t.test('silence moves a customer on the day it was announced for, and no day earlier', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('ana', '2026-03-01', '2026-04-10');
  const on = async (as_of: string) => {
    const { stage, activity, since, projected, next_move } = await shop.stage('ana', 'lifecycle', `&as_of=${as_of}`);
    return { stands: `${stage} ${activity}`, since, projected, next_move };
  };
  const lapse = { on: '2026-10-08', stage: 'early_repeat_buyer', activity: 'lapsed' };
  t.match(await on('2026-07-09'), { stands: 'early_repeat_buyer active', since: '2026-04-10', projected: true });
  t.match(await on('2026-07-10'), { stands: 'early_repeat_buyer at_risk', since: '2026-07-10', next_move: lapse });
  t.match(await on('2026-10-07'), { stands: 'early_repeat_buyer at_risk', next_move: lapse });
  t.match(await on('2026-10-08'), { stands: 'early_repeat_buyer lapsed', since: '2026-10-08', next_move: null });
  t.match(await on('2026-04-09'), { stands: 'first_time_buyer active', since: '2026-03-01', projected: false });
  t.match(await on('2026-02-28'), { stands: 'null null', since: null, next_move: null });
});

t.test('a timeline holds every spell without a gap, the scheduled ones marked', async (t) => {
  const shop = await Shop.open(t);
  await shop.post('customers', { customer_id: 'ana', known_since: '2026-02-01' });
  await shop.buys('ana', '2026-03-01', '2026-04-10');
  const { body } = await shop.get('/v1/customers/ana/timeline');
  t.strictSame(body, {
    customer_id: 'ana',
    model: 'lifecycle',
    model_version: 1,
    items: [
      { stage: 'prospect', activity: 'none', from: '2026-02-01', to: '2026-03-01', scheduled: false },
      { stage: 'first_time_buyer', activity: 'active', from: '2026-03-01', to: '2026-04-10', scheduled: false },
      { stage: 'early_repeat_buyer', activity: 'active', from: '2026-04-10', to: '2026-07-10', scheduled: false },
      { stage: 'early_repeat_buyer', activity: 'at_risk', from: '2026-07-10', to: '2026-10-08', scheduled: true },
      { stage: 'early_repeat_buyer', activity: 'lapsed', from: '2026-10-08', to: null, scheduled: true },
    ],
  });
});

t.test('somebody who only asked is a prospect, and one purchase away from the next stage', async (t) => {
  const shop = await Shop.open(t);
  await shop.tells('ben', 'inquiry', '2026-05-01');
  await shop.tells('cem', 'contact', '2026-05-01');
  t.strictSame(await shop.stands('ben'), {
    lifecycle: 'prospect none',
    relationship: 'acquisition none',
    journey: 'acquisition none',
    loyalty_ladder: 'prospect none',
  });
  t.strictSame(await shop.stands('cem'), {
    lifecycle: 'prospect none',
    relationship: 'contact none',
    journey: 'acquisition none',
    loyalty_ladder: 'suspect none',
  });
  const { rule, since, next_stage, next_move } = await shop.stage('ben', 'lifecycle');
  t.strictSame(
    { rule, since, next_move, missing: next_stage.missing[0].text },
    { rule: null, since: '2026-05-01', next_move: null, missing: '1 more purchase day' },
  );
  const suspect = await shop.stage('cem', 'loyalty_ladder');
  t.match(suspect.next_stage, { stage: 'prospect', missing: [{ feature: 'interactions', more: 1 }] });
});

t.test('a core customer who recommends us is on the top rung, and scheduled to be at risk', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('eva', '2026-02-01', '2026-03-01', '2026-04-01', '2026-05-01');
  t.equal((await shop.stands('eva')).loyalty_ladder, 'frequent_customer active');
  const advocate = (await shop.stage('eva', 'loyalty_ladder')).next_stage;
  t.equal(advocate.stage, 'advocate');
  t.match(advocate.missing, [
    {
      text: /latest score: at least 9 \(now none\) or 1 more interaction \(testimonial\) within 365 days/,
      feature: null,
    },
  ]);
  await shop.tells('eva', 'survey', '2026-05-10', { score: 9 });
  t.equal((await shop.stands('eva')).loyalty_ladder, 'advocate active');
  await shop.tells('eva', 'referral', '2026-05-20');
  t.strictSame(await shop.stands('eva'), {
    lifecycle: 'core_customer active',
    relationship: 'loyalty active',
    journey: 'loyalty active',
    loyalty_ladder: 'promoter active',
  });
  for (const model of ['lifecycle', 'relationship', 'journey', 'loyalty_ladder'])
    t.equal((await shop.stage('eva', model)).next_stage, null, `nothing is above in ${model}`);
  // 1 May and 91 days.
  t.strictSame((await shop.stage('eva', 'loyalty_ladder')).next_move, {
    on: '2026-07-31',
    stage: 'promoter',
    activity: 'at_risk',
  });
  // 1 May and 181 days: who is lost is neither core nor loyal.
  t.strictSame(await shop.stands('eva', '2026-10-29'), {
    lifecycle: 'core_defector lapsed',
    relationship: 'continuation lapsed',
    journey: 'retention lapsed',
    loyalty_ladder: 'frequent_customer lapsed',
  });
  t.equal((await shop.stands('eva', '2026-10-28')).lifecycle, 'core_customer at_risk');
});

t.test('a low score keeps a core customer from loyalty and says so', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('fay', '2026-02-01', '2026-03-01', '2026-04-01', '2026-05-01');
  await shop.tells('fay', 'survey', '2026-05-10', { score: 5 });
  const { stage, next_stage } = await shop.stage('fay', 'relationship');
  t.equal(stage, 'continuation');
  t.match(next_stage, {
    stage: 'loyalty',
    missing: [
      {
        text: 'latest score: at least 7 (now 5)',
        feature: 'latest_score',
        operator: 'at_least',
        threshold: 7,
        have: 5,
        more: null,
      },
    ],
  });
  t.equal((await shop.stands('fay')).lifecycle, 'core_customer active', 'the lifecycle does not ask');
});

t.test('a core customer who lapsed is a core defector until the next purchase', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('leo', '2025-01-01', '2025-02-01', '2025-03-01', '2025-04-01');
  // 1 April 2025 and 181 days.
  t.match(await shop.stage('leo', 'lifecycle'), {
    stage: 'core_defector',
    activity: 'lapsed',
    since: '2025-09-29',
    rung: 5,
    next_stage: null,
    next_move: null,
  });
  t.match(await shop.stage('leo', 'journey'), { stage: 'retention', next_stage: { stage: 'loyalty' } });
  await shop.buys('leo', '2026-06-01');
  t.match(await shop.stage('leo', 'lifecycle'), { stage: 'core_customer', activity: 'active', since: '2026-06-01' });
});

t.test('a stated departure makes a buyer lapsed from that day, until a later purchase day', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('dan', '2026-06-01');
  await shop.tells('dan', 'departure', '2026-06-10', { reason: 'price' });
  t.match(await shop.stage('dan', 'lifecycle'), {
    stage: 'first_time_buyer',
    activity: 'lapsed',
    since: '2026-06-10',
    next_move: null,
  });
  await shop.buys('dan', '2026-06-10');
  t.match(await shop.stage('dan', 'lifecycle'), { stage: 'early_repeat_buyer', activity: 'lapsed' });
  await shop.buys('dan', '2026-06-11');
  t.match(await shop.stage('dan', 'lifecycle'), {
    stage: 'early_repeat_buyer',
    activity: 'active',
    since: '2026-06-11',
  });
});

t.test('titles and what is missing are said in the language the caller prefers', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('ana', '2026-03-01', '2026-04-10');
  const said = async (language: string) => {
    const { title, next_stage } = await shop.stage('ana', 'lifecycle', '', { 'accept-language': language });
    return [title, next_stage.title, next_stage.missing[0].text];
  };
  const english = ['Early repeat buyer', 'Core customer', '2 more purchase days'];
  const spanish = ['Comprador temprano que repite', 'Cliente principal', '2 días de compra más'];
  const german = ['Früher Wiederholungskäufer', 'Kernkunde', 'noch 2 Kauftage'];
  for (const language of ['en', 'en-US', 'fr', '*', 'xx;q=1', '', 'de;q=0', ';;;,q='])
    t.strictSame(await said(language), english, JSON.stringify(language));
  for (const language of ['es', 'es-MX', 'fr, es;q=0.5', 'de;q=0.2, es;q=0.9', 'ES'])
    t.strictSame(await said(language), spanish, language);
  for (const language of ['de', 'de-AT,de;q=0.9,en;q=0.1', 'es;q=0.1, de'])
    t.strictSame(await said(language), german, language);
  const { body } = await shop.get('/v1/models', { 'accept-language': 'de' });
  t.strictSame(
    (body.items as { title: string }[]).map((model) => model.title),
    ['Kundenlebenszyklus', 'Stufen der Beziehung', 'Kundenreise', 'Treueleiter'],
  );
});

t.test('a lookup answers each id once, in the order asked, and names who is not known', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('ana', '2026-03-01', '2026-04-10');
  await shop.buys('ben', '2026-03-01');
  const { body } = await shop.send('POST', '/v1/customers/lookup', {
    customer_ids: ['ben', 'nobody', 'ana', 'ben', 'Ana'],
  });
  t.strictSame(
    (body.items as { customer_id: string }[]).map((item) => item.customer_id),
    ['ben', 'ana'],
  );
  t.strictSame(body.not_found, ['nobody', 'Ana']);
  t.strictSame(body.items[1], await shop.stage('ana', 'lifecycle'), 'the answer is that of the customer');
  const past = await shop.send('POST', '/v1/customers/lookup', {
    customer_ids: ['ana'],
    model: 'journey',
    as_of: '2026-03-05',
  });
  t.match(past.body.items, [{ model: 'journey', stage: 'activation', as_of: '2026-03-05' }]);
});

t.test('a classification says of a history what would be said of a stored one, and stores nothing', async (t) => {
  const shop = await Shop.open(t);
  const purchases = ['2026-03-01', '2026-04-10'].map((purchased_at, index) => ({
    purchase_id: `p${index}`,
    purchased_at,
    amount: '10',
  }));
  const histories = [
    { customer_id: 'ana', purchases },
    {},
    { known_since: '2026-05-01' },
    { purchases: [{ purchased_at: '2030-01-01', amount: '1' }] },
  ];
  const { body } = await shop.send('POST', '/v1/classifications', { histories });
  t.strictSame((await shop.get('/v1/status')).body.stored, {
    customers: 0,
    purchases: 0,
    refunds: 0,
    interactions: 0,
    pending_refunds: 0,
  });
  await shop.post('purchases', ...purchases.map((purchase) => ({ ...purchase, customer_id: 'ana' })));
  t.strictSame(body.items[0], {
    index: 0,
    status: 'classified',
    answer: await shop.stage('ana', 'lifecycle'),
    error: null,
  });
  t.match(
    body.items[1].answer,
    { customer_id: null, stage: null, activity: null, since: null },
    'nobody is known by an empty history',
  );
  t.match(body.items[2].answer, { stage: 'prospect', activity: 'none', since: '2026-05-01' });
  t.match(body.items[3].answer, { stage: null }, 'what comes after the day does not count');
  const later = await shop.send('POST', '/v1/classifications', { histories, as_of: '2030-01-01' });
  t.match(later.body.items[3].answer, { stage: 'first_time_buyer', as_of: '2030-01-01', projected: true });
});

t.test('a classification takes a model from the request, for this request only', async (t) => {
  const shop = await Shop.open(t);
  const words = (en: string) => ({ en, es: `${en} (es)`, de: `${en} (de)` });
  const model_document = {
    model_id: 'value',
    title: words('Value'),
    description: words('By revenue'),
    lapse: { policy: 'fixed', at_risk_after_days: 10, lapsed_after_days: 20 },
    stages: [
      { stage: 'known', title: words('Known'), description: words('All') },
      {
        stage: 'big',
        title: words('Big'),
        description: words('500 in a year'),
        when: { feature: 'revenue', at_least: '500', within_days: 365 },
      },
    ],
  };
  const histories = [
    { purchases: [{ purchased_at: '2026-06-01', amount: '499.99' }] },
    { purchases: [{ purchased_at: '2026-06-01', amount: '500' }] },
    {
      purchases: [{ purchase_id: 'p', purchased_at: '2026-06-01', amount: '500' }],
      refunds: [{ purchase_id: 'p', refunded_at: '2026-06-02', amount: '0.01' }],
    },
  ];
  const { status, body } = await shop.send('POST', '/v1/classifications', { model_document, histories });
  t.equal(status, 200);
  const answers = (body.items as { answer: Record<string, unknown> }[]).map(({ answer }) => answer);
  t.strictSame(
    answers.map(({ stage, activity }) => `${stage} ${activity}`),
    ['known at_risk', 'big at_risk', 'known at_risk'],
  );
  t.match(answers[0]?.next_stage, {
    stage: 'big',
    missing: [{ text: '0.01 more revenue within 365 days', threshold: '500.00', have: '499.99', more: '0.01' }],
  });
  t.match(answers[1], {
    model: 'value',
    model_version: 1,
    next_move: { on: '2026-06-22', stage: 'big', activity: 'lapsed' },
  });
  t.equal((await shop.get('/v1/models/value')).status, 404, 'it is not kept');
  t.equal((await shop.get('/v1/models')).body.items.length, 4);
});

t.test('models are told with their stages, and each with the document it is made of', async (t) => {
  const shop = await Shop.open(t);
  const { body } = await shop.get('/v1/models');
  t.strictSame(
    (body.items as { model_id: string; version: number }[]).map(({ model_id, version }) => `${model_id} ${version}`),
    ['lifecycle 1', 'relationship 1', 'journey 1', 'loyalty_ladder 1'],
  );
  t.strictSame(
    (body.items[0].stages as { stage: string }[]).map(({ stage }) => stage),
    ['prospect', 'first_time_buyer', 'early_repeat_buyer', 'core_customer', 'core_defector'],
  );
  for (const [model_id, document] of Object.entries(BUILT_IN_MODELS)) {
    const one = await shop.get(`/v1/models/${model_id}`);
    t.strictSame(one.body.document, document, `${model_id} is stored as it was given`);
    t.strictSame(
      one.body.summary,
      body.items.find((item: { model_id: string }) => item.model_id === model_id),
    );
  }
});

t.test('a definition says in words what each number of a report means', async (t) => {
  const shop = await Shop.open(t);
  const { body } = await shop.get('/v1/definitions');
  const reports = (body.items as { report: string }[]).map(({ report }) => report);
  t.ok(reports.includes('stage-population') && reports.includes('stage-moves'));
  for (const report of reports) {
    const one = await shop.get(`/v1/definitions/${report}`);
    t.match(one.body, {
      report,
      formula: /.{40}/,
      denominator: /.+/,
      window: /.{20}/,
      exclusions: /.{20}/,
      reading: /.{30}/,
      question: /\?$/,
    });
    t.equal((await shop.get(`/v1/reports/${report}`)).status, 200, `${report} needs no parameter`);
  }
});

t.test('a report is as of today unless asked, and names its zone, currency and latest day', async (t) => {
  const shop = await Shop.open(t);
  t.match((await shop.get('/v1/reports/stage-population')).body, {
    as_of: TODAY,
    data_through: null,
    group: null,
    time_zone: 'UTC',
    currency: 'EUR',
  });
  await shop.buys('ana', '2026-03-01', '2026-04-10');
  await shop.post(
    'customers',
    { customer_id: 'ana', groups: ['vip'] },
    { customer_id: 'ben', known_since: '2026-05-05' },
  );
  const { body, headers } = await shop.get('/v1/reports/stage-population');
  const standing = (items: { stage: string; activity: string; customers: number; revenue: string }[]) =>
    items
      .filter((row) => row.customers > 0)
      .map((row) => `${row.stage} ${row.activity} ${row.customers} ${row.revenue}`);
  t.match(body, {
    report: 'stage-population',
    model: 'lifecycle',
    model_version: 1,
    as_of: TODAY,
    data_through: '2026-05-05',
  });
  t.equal(body.projected, undefined);
  t.strictSame(standing(body.items), ['prospect none 1 0.00', 'early_repeat_buyer active 1 20.00']);
  t.equal(headers['cache-control'], 'private, no-cache');
  const future = (await shop.get('/v1/reports/stage-population?as_of=2026-10-08&group=vip')).body;
  t.match(future, { projected: true, group: 'vip' });
  t.strictSame(standing(future.items), ['early_repeat_buyer lapsed 1 20.00']);
  const moves = (await shop.get('/v1/reports/stage-moves?from=2026-03-01&to=2026-05-01')).body;
  t.strictSame(moves.items, [
    { from_stage: null, from_activity: null, to_stage: 'first_time_buyer', to_activity: 'active', customers: 1 },
    {
      from_stage: 'first_time_buyer',
      from_activity: 'active',
      to_stage: 'early_repeat_buyer',
      to_activity: 'active',
      customers: 1,
    },
  ]);
  t.strictSame(
    moves.balance.find((row: { stage: string }) => row.stage === 'first_time_buyer'),
    { stage: 'first_time_buyer', opening: 0, entered: 1, left: 1, closing: 0 },
  );
});

t.test('the status tells what is stored and what runs', async (t) => {
  const shop = await Shop.open(t, { currency: 'JPY', currency_decimals: 0, time_zone: 'Asia/Tokyo' });
  await shop.post('purchases', bought({ amount: '500', currency: 'JPY' }), bought({ purchase_id: 'q', amount: '5.5' }));
  await shop.send('DELETE', '/v1/customers/ana/purchases/p');
  await shop.post('customers', { customer_id: 'ben', known_since: '2026-05-05' });
  const { body } = await shop.get('/v1/status');
  t.strictSame(body.stored, { customers: 2, purchases: 1, refunds: 0, interactions: 0, pending_refunds: 0 });
  t.match(body, {
    currency: 'JPY',
    time_zone: 'Asia/Tokyo',
    today: TODAY,
    data_through: '2026-05-05',
    version: /^\d+\.\d+\.\d+$/,
  });
  t.strictSame(
    (body.models as { model: string }[]).map(({ model }) => model),
    ['lifecycle', 'relationship', 'journey', 'loyalty_ladder'],
  );
});

/** The samples of a text in Prometheus' exposition format, each line of which must be well-formed. */
function samples(t: Test, text: string): Map<string, number> {
  const found = new Map<string, number>();
  const typed = new Set<string>();
  for (const line of text.trimEnd().split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) .+$/.exec(line);
    if (comment !== null) {
      typed.add(comment[2]!);
      continue;
    }
    const sample = /^([a-z_]+)(\{(?:[a-z_]+="[^"\\\n]*",?)*\})? (-?[0-9.e+]+|NaN)$/.exec(line);
    t.ok(sample !== null || line === '', `well-formed: ${line}`);
    if (sample === null) continue;
    t.ok(typed.has(sample[1]!.replace(/_(bucket|sum|count)$/, '')) || typed.has(sample[1]!), `${sample[1]} has a type`);
    found.set(`${sample[1]}${sample[2] ?? ''}`, Number(sample[3]));
  }
  return found;
}

t.test('the metrics count items and requests, by route and never by path', async (t) => {
  const shop = await Shop.open(t);
  await shop.post('purchases', bought(), bought(), bought({ amount: '1' }), {});
  await shop.get('/v1/customers/ana');
  await shop.get('/v1/customers/nobody');
  await shop.get('/v1/nothing/here');
  await shop.send('DELETE', '/v1/customers/ana/purchases/p');
  const { headers, text } = await shop.get('/metrics');
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const found = samples(t, text);
  for (const [result, items] of Object.entries({ created: 1, duplicate: 1, conflict: 1, invalid: 1, voided: 1 })) {
    t.equal(found.get(`escalera_ingest_items_total{kind="purchases",result="${result}"}`), items, result);
  }
  const requests = (method: string, route: string, status: number) =>
    found.get(`escalera_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`);
  t.equal(requests('GET', '/v1/customers/:customer_id', 200), 1);
  t.equal(requests('GET', '/v1/customers/:customer_id', 404), 1);
  t.equal(requests('GET', 'unknown', 404), 1);
  t.equal(requests('POST', '/v1/purchases', 200), 1);
  t.equal(found.get('escalera_data_through_timestamp_seconds'), Date.UTC(2026, 0, 5) / 1_000);
  t.notOk(text.includes('ana') || text.includes('nobody'), 'no id is a label');
});

t.test('HEAD answers like GET without the body', async (t) => {
  const shop = await Shop.open(t);
  for (const path of ['/v1/status', '/v1/models', '/livez', '/readyz', '/openapi.json', '/v1/customers/nobody']) {
    const [get, head] = [await shop.get(path), await shop.send('HEAD', path)];
    t.strictSame(
      [head.status, head.text, head.headers['content-type']],
      [get.status, '', get.headers['content-type']],
      path,
    );
  }
});

t.test('answers forbid guessing their type and framing them', async (t) => {
  const shop = await Shop.open(t);
  for (const path of ['/v1/status', '/v1/nothing', '/docs']) {
    const { headers } = await shop.get(path);
    t.match(headers, { 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN' }, path);
    t.equal(headers['x-powered-by'], undefined);
  }
});

t.test('the sign of life needs nothing, readiness a database', async (t) => {
  const database = await testDatabase(t);
  const service = await testService(t, { connection: { ...database.connection } });
  t.strictSame((await service.call('GET', '/livez')).body, { status: 'alive' });
  t.strictSame((await service.call('GET', '/readyz')).body, { status: 'ready' });
  await database.drop();
  t.strictSame((await service.call('GET', '/livez')).body, { status: 'alive' });
  const { status, body, headers } = await service.call('GET', '/readyz');
  t.match([status, body.code, body.retryable, headers['retry-after']], [503, 'not_ready', true, '1']);
});

t.test('the document and the pages that show it are served', async (t) => {
  const shop = await Shop.open(t);
  const { body } = await shop.get('/openapi.json');
  t.match(body, { openapi: '3.1.0', info: { title: 'Escalera' } });
  const { headers, text } = await shop.get('/docs');
  t.match(headers['content-type'], /^text\/html/);
  t.match(text, '<title>Escalera</title>');
});
