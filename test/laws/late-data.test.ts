import t, { type Test } from 'tap';
import { verify } from '../../src/ingest/verify.ts';
import { type TestService, testService } from '../support/service.ts';

// Law 4: whatever comes late, is corrected or is taken back restates the past, as if it had always been so.
// Every count in this file was made by hand.

t.setTimeout(120_000);

/** A test with a service of its own, whose clock stands at noon of 2026-06-15 until the test moves it; in the end everything stored must add up. */
function late(title: string, story: (t: Test, service: TestService, clock: { day: string }) => Promise<void>): void {
  t.test(title, async (t) => {
    const clock = { day: '2026-06-15' };
    const service = await testService(t, { clock: () => Date.parse(`${clock.day}T12:00:00Z`) });
    await story(t, service, clock);
    t.strictSame((await verify(service.engine)).differences, [], 'the roll-ups equal a recomputation');
  });
}

/** Posts a batch and says what became of each item: its status, or why it is invalid. */
async function post(service: TestService, route: string, ...items: readonly object[]): Promise<string[]> {
  const { body } = await service.call('POST', `/v1/${route}`, { items });
  return body.items.map((item: { status: string; error: { code: string } | null }) => item.error?.code ?? item.status);
}

function bought(purchase_id: string, purchased_at: string, amount = '10.00', customer_id = 'ana') {
  return { customer_id, purchase_id, purchased_at, amount };
}

function refunded(refund_id: string, purchase_id: string, refunded_at: string, amount: string) {
  return { customer_id: 'ana', refund_id, purchase_id, refunded_at, amount };
}

/** Who stands where at the end of a day, and what they have brought until then: `['2 first_time_buyer/active: 20.00']`. */
async function standing(service: TestService, asOf: string, filter = ''): Promise<string[]> {
  const { body } = await service.call('GET', `/v1/reports/stage-population?as_of=${asOf}${filter}`);
  const rows = body.items as { stage: string; activity: string; customers: number; revenue: string }[];
  return rows
    .filter((row) => row.customers !== 0 || row.revenue !== '0.00')
    .map((row) => `${row.customers} ${row.stage}/${row.activity}: ${row.revenue}`);
}

/** The moves of one day: `['1 core_customer/active -> core_customer/at_risk']`. */
async function moves(service: TestService, from: string, to: string): Promise<string[]> {
  const { body } = await service.call('GET', `/v1/reports/stage-moves?from=${from}&to=${to}`);
  return body.items.map((row: Record<string, unknown>) => {
    const before = row.from_stage === null ? 'unknown' : `${row.from_stage}/${row.from_activity}`;
    return `${row.customers} ${before} -> ${row.to_stage}/${row.to_activity}`;
  });
}

async function pendingRefunds(service: TestService): Promise<number> {
  return (await service.call('GET', '/v1/status')).body.stored.pending_refunds;
}

late('a late first purchase makes the one that was first the second', async (t, service) => {
  await post(service, 'purchases', bought('march', '2026-03-01'));
  t.strictSame(await standing(service, '2026-02-01'), []);
  t.strictSame(await standing(service, '2026-03-01'), ['1 first_time_buyer/active: 10.00']);
  t.strictSame(await moves(service, '2026-03-01', '2026-03-02'), ['1 unknown -> first_time_buyer/active']);

  t.strictSame(await post(service, 'purchases', bought('january', '2026-01-10', '5.00')), ['created']);
  t.strictSame(await standing(service, '2026-01-09'), []);
  t.strictSame(await standing(service, '2026-02-01'), ['1 first_time_buyer/active: 5.00']);
  t.strictSame(await standing(service, '2026-03-01'), ['1 early_repeat_buyer/active: 15.00']);
  t.strictSame(await moves(service, '2026-01-10', '2026-01-11'), ['1 unknown -> first_time_buyer/active']);
  t.strictSame(await moves(service, '2026-03-01', '2026-03-02'), [
    '1 first_time_buyer/active -> early_repeat_buyer/active',
  ]);
});

late('a late purchase undoes a lapse that had happened', async (t, service) => {
  await post(service, 'purchases', bought('august', '2025-08-01'), bought('march', '2026-03-01'));
  // 2025-08-01 and 181 days are 2026-01-29.
  t.strictSame(await moves(service, '2026-01-29', '2026-01-30'), [
    '1 first_time_buyer/at_risk -> first_time_buyer/lapsed',
  ]);
  t.strictSame(await standing(service, '2026-02-01'), ['1 first_time_buyer/lapsed: 10.00']);

  await post(service, 'purchases', bought('december', '2025-12-01'));
  t.strictSame(await standing(service, '2026-02-01'), ['1 early_repeat_buyer/active: 20.00']);
  // 91 days after 2025-08-01 is 2025-10-31; 91 days after 2025-12-01 is 2026-03-02, a day after the purchase of March.
  t.strictSame(await moves(service, '2025-08-02', '2026-05-31'), [
    '1 first_time_buyer/active -> first_time_buyer/at_risk',
    '1 first_time_buyer/at_risk -> early_repeat_buyer/active',
  ]);
  t.strictSame(await standing(service, '2026-03-01'), ['1 early_repeat_buyer/active: 30.00']);
});

late('a refund may come before its purchase and waits for it', async (t, service) => {
  t.strictSame(await post(service, 'refunds', refunded('r1', 'p1', '2026-03-05', '10.00')), ['created']);
  t.equal(await pendingRefunds(service), 1);
  t.strictSame(await standing(service, '2026-03-04'), []);
  t.strictSame(await standing(service, '2026-03-05'), ['1 prospect/none: 0.00'], 'the refund makes the customer known');

  t.strictSame(await post(service, 'purchases', bought('p1', '2026-03-01')), ['created']);
  t.equal(await pendingRefunds(service), 0);
  t.strictSame(await standing(service, '2026-03-01'), ['1 prospect/none: 0.00'], 'bought, and wholly paid back');

  await post(service, 'refunds', refunded('r2', 'p2', '2026-04-01', '4.00'));
  t.equal(await pendingRefunds(service), 1);
  await post(service, 'purchases', bought('p2', '2026-04-01', '20.00'));
  t.equal(await pendingRefunds(service), 0);
  t.strictSame(await standing(service, '2026-04-01'), ['1 first_time_buyer/active: 16.00']);
});

late('refunds count on the day of their purchase, and in whole they take the purchase back', async (t, service) => {
  await post(service, 'purchases', bought('p1', '2026-01-10'), bought('p2', '2026-02-10', '30.00'));
  t.strictSame(await standing(service, '2026-03-01'), ['1 early_repeat_buyer/active: 40.00']);

  await post(service, 'refunds', refunded('r1', 'p2', '2026-03-15', '12.50'));
  t.strictSame(await standing(service, '2026-03-01'), ['1 early_repeat_buyer/active: 27.50'], 'refunded in part');
  await post(service, 'refunds', refunded('r2', 'p2', '2026-04-01', '17.50'));
  t.strictSame(
    await standing(service, '2026-03-01'),
    ['1 first_time_buyer/active: 10.00'],
    'refunded in two parts that make the whole',
  );

  t.equal((await service.call('DELETE', '/v1/customers/ana/refunds/r1')).status, 204);
  t.strictSame(
    await standing(service, '2026-03-01'),
    ['1 early_repeat_buyer/active: 22.50'],
    'one of the refunds voided',
  );
  await post(service, 'refunds', refunded('r3', 'p2', '2026-05-01', '20.00'));
  t.strictSame(
    await standing(service, '2026-03-01'),
    ['1 first_time_buyer/active: 2.50'],
    'refunded beyond what was paid',
  );
});

late(
  'a voided purchase stops counting and still dates the customer; a re-send leaves it void, PUT revives it',
  async (t, service) => {
    const [p1, p2] = [bought('p1', '2026-01-10'), bought('p2', '2026-02-10')];
    await post(service, 'purchases', p1, p2);
    t.equal((await service.call('DELETE', '/v1/customers/ana/purchases/p2')).status, 204);
    t.strictSame(await standing(service, '2026-03-01'), ['1 first_time_buyer/active: 10.00']);
    t.strictSame(await post(service, 'purchases', p2), ['duplicate']);
    t.strictSame(await standing(service, '2026-03-01'), ['1 first_time_buyer/active: 10.00'], 'still void');

    const revived = await service.call('PUT', '/v1/customers/ana/purchases/p2', {
      purchased_at: '2026-02-10',
      amount: '10.00',
    });
    t.strictSame([revived.status, revived.body.status], [200, 'updated']);
    t.strictSame(await standing(service, '2026-03-01'), ['1 early_repeat_buyer/active: 20.00']);

    await service.call('DELETE', '/v1/customers/ana/purchases/p1');
    t.strictSame(await standing(service, '2026-01-10'), ['1 prospect/none: 0.00'], 'known since, though not a buyer');
    t.strictSame(await standing(service, '2026-03-01'), ['1 first_time_buyer/active: 10.00']);
  },
);

late('PUT moves a purchase to another day', async (t, service) => {
  const put = (id: string, day: string) =>
    service.call('PUT', `/v1/customers/ana/purchases/${id}`, { purchased_at: day, amount: '10.00' });
  await post(service, 'purchases', bought('p1', '2026-01-10'));
  t.strictSame(await standing(service, '2026-02-01'), ['1 first_time_buyer/active: 10.00']);
  t.strictSame(await post(service, 'purchases', bought('p1', '2026-03-01')), ['conflict'], 'POST does not move it');
  t.strictSame(await standing(service, '2026-02-01'), ['1 first_time_buyer/active: 10.00']);

  t.equal((await put('p1', '2026-03-01')).body.status, 'updated');
  t.strictSame(await standing(service, '2026-02-01'), [], 'nothing dates the customer before March any more');
  t.strictSame(await standing(service, '2026-03-01'), ['1 first_time_buyer/active: 10.00']);

  t.equal((await put('p2', '2026-04-01')).body.status, 'created');
  t.strictSame(await standing(service, '2026-04-02'), ['1 early_repeat_buyer/active: 20.00']);
  t.equal((await put('p2', '2026-03-01')).body.status, 'updated');
  t.strictSame(
    await standing(service, '2026-04-02'),
    ['1 first_time_buyer/active: 20.00'],
    'two purchases, one purchase day',
  );
});

late('erasure removes a customer from every past day, and only later events begin anew', async (t, service, clock) => {
  const old = bought('p1', '2026-01-10');
  await post(service, 'purchases', old, bought('p2', '2026-05-10'), bought('p1', '2026-05-20', '7.00', 'ben'));
  t.strictSame(await standing(service, '2026-05-31'), [
    '1 first_time_buyer/active: 7.00',
    '1 early_repeat_buyer/active: 20.00',
  ]);

  t.equal((await service.call('DELETE', '/v1/customers/ana')).status, 204);
  t.strictSame(await standing(service, '2026-01-31'), []);
  t.strictSame(await standing(service, '2026-05-31'), ['1 first_time_buyer/active: 7.00']);
  t.equal((await service.call('GET', '/v1/customers/ana')).status, 404);
  t.strictSame(await post(service, 'purchases', old, bought('p3', '2026-06-15')), [
    'customer_erased',
    'customer_erased',
  ]);
  const put = await service.call('PUT', '/v1/customers/ana/purchases/p1', {
    purchased_at: '2026-01-10',
    amount: '10.00',
  });
  t.strictSame([put.status, put.body.code], [409, 'customer_erased']);

  clock.day = '2026-06-20';
  t.strictSame(await post(service, 'customers', { customer_id: 'ana' }), ['customer_erased']);
  t.strictSame(await post(service, 'purchases', bought('p3', '2026-06-15'), bought('p4', '2026-06-16')), [
    'customer_erased',
    'created',
  ]);
  t.strictSame(await post(service, 'purchases', old), ['customer_erased'], 'what was erased does not come back');
  t.strictSame(await standing(service, '2026-06-15'), ['1 first_time_buyer/active: 7.00']);
  t.strictSame(await standing(service, '2026-06-16'), ['2 first_time_buyer/active: 17.00']);
});

late('groups are those of today, for past days too', async (t, service) => {
  const ben = bought('p1', '2026-01-20', '8.00', 'ben');
  await post(service, 'purchases', bought('p1', '2026-01-10'), bought('p2', '2026-05-01'), ben);
  t.equal((await service.call('GET', '/v1/reports/stage-population?group=vip')).body.code, 'unknown_group');

  t.strictSame(await post(service, 'customers', { customer_id: 'ana', groups: ['vip'] }), ['updated']);
  t.strictSame(
    await standing(service, '2026-01-31', '&group=vip'),
    ['1 first_time_buyer/active: 10.00'],
    'months before ana joined',
  );
  await post(service, 'customers', { customer_id: 'ben', groups: ['vip', 'b2b'] });
  t.strictSame(await standing(service, '2026-01-31', '&group=vip'), ['2 first_time_buyer/active: 18.00']);
  await post(service, 'customers', { customer_id: 'ana', groups: ['b2b'] });
  t.strictSame(await standing(service, '2026-01-31', '&group=vip'), ['1 first_time_buyer/active: 8.00']);
  t.strictSame(await standing(service, '2026-05-01', '&group=b2b'), [
    '1 first_time_buyer/at_risk: 8.00',
    '1 early_repeat_buyer/active: 20.00',
  ]);
  await post(service, 'customers', { customer_id: 'ben', groups: [] });
  t.strictSame(await standing(service, '2026-05-01', '&group=vip'), [], 'a group without anybody');
  t.strictSame(
    await standing(service, '2026-01-31'),
    ['2 first_time_buyer/active: 18.00'],
    'everybody stays everybody',
  );
});

late('known_since moves the day a customer becomes known, but never past the first event', async (t, service) => {
  t.strictSame(await post(service, 'customers', { customer_id: 'ana', known_since: '2026-02-01' }), ['created']);
  t.strictSame(await standing(service, '2026-01-31'), []);
  t.strictSame(await standing(service, '2026-02-01'), ['1 prospect/none: 0.00']);
  t.strictSame(await post(service, 'customers', { customer_id: 'ana', known_since: '2026-01-01' }), ['updated']);
  t.strictSame(await standing(service, '2026-01-01'), ['1 prospect/none: 0.00']);

  await post(service, 'purchases', bought('p1', '2026-03-01'));
  t.strictSame(await moves(service, '2026-03-01', '2026-03-02'), ['1 prospect/none -> first_time_buyer/active']);
  t.strictSame(await post(service, 'customers', { customer_id: 'ana', known_since: '2026-04-01' }), ['updated']);
  t.strictSame(await standing(service, '2026-02-28'), []);
  t.strictSame(await moves(service, '2026-01-01', '2026-05-01'), ['1 unknown -> first_time_buyer/active']);
});

late('an undated customer is known from the day of receipt until an event says earlier', async (t, service, clock) => {
  t.strictSame(await post(service, 'customers', { customer_id: 'ana' }), ['created']);
  clock.day = '2026-06-18';
  t.strictSame(await post(service, 'customers', { customer_id: 'ana' }), ['duplicate']);
  t.strictSame(await standing(service, '2026-06-14'), []);
  t.strictSame(await standing(service, '2026-06-15'), ['1 prospect/none: 0.00']);
  await post(service, 'purchases', bought('p1', '2026-06-17'));
  t.strictSame(await standing(service, '2026-06-16'), [], 'the first event dates the customer, even after the receipt');
  await post(service, 'purchases', bought('p2', '2026-05-01'));
  t.strictSame(await standing(service, '2026-05-01'), ['1 first_time_buyer/active: 10.00']);
});

late('a late answer of a survey holds until the next one', async (t, service) => {
  const survey = (interaction_id: string, occurred_at: string, score: number) => {
    return { customer_id: 'ana', interaction_id, occurred_at, kind: 'survey', score };
  };
  const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'];
  await post(service, 'purchases', ...days.map((day) => bought(day, day)));
  await post(service, 'interactions', survey('happy', '2026-03-01', 9));
  const loyal = ['1 loyalty/active: 40.00'];
  t.strictSame(await standing(service, '2026-02-15', '&model=relationship'), loyal);
  await post(service, 'interactions', survey('annoyed', '2026-02-01', 5));
  t.strictSame(await standing(service, '2026-01-31', '&model=relationship'), loyal);
  t.strictSame(await standing(service, '2026-02-01', '&model=relationship'), ['1 continuation/active: 40.00']);
  t.strictSame(await standing(service, '2026-02-28', '&model=relationship'), ['1 continuation/active: 40.00']);
  t.strictSame(await standing(service, '2026-03-01', '&model=relationship'), loyal);
});

late('a late departure is a loss from its day until the next purchase', async (t, service) => {
  const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04', '2026-03-10'];
  await post(service, 'purchases', ...days.map((day) => bought(day, day)));
  const left = {
    customer_id: 'ana',
    interaction_id: 'i1',
    occurred_at: '2026-02-01',
    kind: 'departure',
    reason: 'price',
  };
  t.strictSame(await standing(service, '2026-02-15'), ['1 core_customer/active: 40.00']);
  t.strictSame(await post(service, 'interactions', left), ['created']);
  t.strictSame(await standing(service, '2026-01-31'), ['1 core_customer/active: 40.00']);
  t.strictSame(await standing(service, '2026-02-15'), ['1 core_defector/lapsed: 40.00']);
  t.strictSame(await moves(service, '2026-02-01', '2026-04-01'), [
    '1 core_customer/active -> core_defector/lapsed',
    '1 core_defector/lapsed -> core_customer/active',
  ]);
  await service.call('DELETE', '/v1/customers/ana/interactions/i1');
  t.strictSame(await moves(service, '2026-02-01', '2026-04-01'), [], 'voided, it was never said');
});
