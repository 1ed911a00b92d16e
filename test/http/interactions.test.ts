import t from 'tap';
import { verify } from '../../src/ingest/verify.ts';
import { type TestService, testService } from '../support/service.ts';

/** Sends what one customer does, one item at a time. */
class Customer {
  readonly id: string;
  private readonly call: TestService['call'];
  private sent = 0;

  constructor({ call }: TestService, id: string) {
    this.call = call;
    this.id = id;
  }

  async isKnownSince(day: string): Promise<void> {
    await this.send('customers', { known_since: day });
  }

  async buys(day: string, purchase_id: string): Promise<void> {
    await this.send('purchases', { purchase_id, purchased_at: day, amount: '10.00' });
  }

  async does(day: string, kind: string, more: object = {}): Promise<void> {
    this.sent += 1;
    await this.send('interactions', { interaction_id: `i-${this.sent}`, occurred_at: day, kind, ...more });
  }

  /** Stage and activity at the end of a day. */
  async on(day: string, model: string): Promise<string> {
    const { body } = await this.call('GET', `/v1/customers/${this.id}/stages?model=${model}&as_of=${day}`);
    return `${body.items[0].stage} ${body.items[0].activity}`;
  }

  async timeline(model: string): Promise<string[]> {
    const { body } = await this.call('GET', `/v1/customers/${this.id}/timeline?model=${model}`);
    return body.items.map(
      (spell: { from: string; stage: string; activity: string; scheduled: boolean }) =>
        `${spell.from} ${spell.stage} ${spell.activity}${spell.scheduled ? ' scheduled' : ''}`,
    );
  }

  private async send(route: string, item: object): Promise<void> {
    const { status, body } = await this.call('POST', `/v1/${route}`, { items: [{ customer_id: this.id, ...item }] });
    if (status !== 200 || body.summary.created !== 1) throw new Error(`not stored: ${JSON.stringify(body)}`);
  }
}

t.test('one customer goes up the whole loyalty ladder, down and up again, and the timeline tells it', async (t) => {
  const service = await testService(t, { clock: () => Date.UTC(2026, 3, 10, 12) });
  const ana = new Customer(service, 'ana');
  const stands = async (day: string, expected: string, why: string): Promise<void> => {
    t.equal(await ana.on(day, 'loyalty_ladder'), expected, why);
  };

  await ana.isKnownSince('2025-01-01');
  await stands('2025-01-09', 'suspect none', 'known, and nothing said yet');
  await ana.does('2025-01-05', 'contact');
  await stands('2025-01-09', 'suspect none', 'that we reached out says nothing of her');
  await ana.does('2025-01-10', 'inquiry');
  await stands('2025-01-10', 'prospect none', 'she asked');
  await ana.buys('2025-02-01', 'one');
  await stands('2025-02-01', 'trier active', 'she bought');
  await ana.buys('2025-02-10', 'two');
  await ana.buys('2025-02-20', 'three');
  await stands('2025-02-20', 'repeat_customer active', 'three times');
  await ana.buys('2025-03-01', 'four');
  await stands('2025-03-01', 'frequent_customer active', 'four times');
  await ana.does('2025-03-05', 'survey', { score: 8 });
  await stands('2025-03-05', 'frequent_customer active', 'content, but she praises nobody');
  await ana.does('2025-03-10', 'testimonial');
  await stands('2025-03-10', 'advocate active', 'she praised us when asked');
  await ana.does('2025-03-20', 'referral');
  await stands('2025-03-20', 'promoter active', 'she recommended us unasked');
  await ana.does('2025-04-01', 'survey', { score: 5 });
  await stands('2025-04-01', 'frequent_customer active', 'whoever is not satisfied recommends nobody');
  await ana.does('2025-04-10', 'survey', { score: 9 });
  await stands('2025-04-10', 'promoter active', 'she is again');
  await stands('2025-05-31', 'promoter at_risk', 'silent for 91 days');
  await stands('2025-08-29', 'frequent_customer lapsed', 'silent for 181 days');
  await ana.buys('2025-09-10', 'five');
  await stands('2025-09-10', 'promoter active', 'won back');
  await ana.does('2025-10-01', 'departure', { reason: 'competitor' });
  await stands('2025-10-01', 'frequent_customer lapsed', 'she says that she leaves');
  await ana.buys('2025-10-20', 'six');
  await stands('2025-10-20', 'promoter active', 'and comes back');
  await stands('2026-03-20', 'advocate at_risk', 'a referral counts for 365 days, the score of 9 stays');
  await ana.does('2026-04-01', 'survey', { score: 7 });
  await stands('2026-04-01', 'frequent_customer at_risk', 'content, and the testimonial is old');

  t.strictSame(await ana.timeline('loyalty_ladder'), [
    '2025-01-01 suspect none',
    '2025-01-10 prospect none',
    '2025-02-01 trier active',
    '2025-02-10 repeat_customer active',
    '2025-03-01 frequent_customer active',
    '2025-03-10 advocate active',
    '2025-03-20 promoter active',
    '2025-04-01 frequent_customer active',
    '2025-04-10 promoter active',
    '2025-05-31 promoter at_risk',
    '2025-08-29 frequent_customer lapsed',
    '2025-09-10 promoter active',
    '2025-10-01 frequent_customer lapsed',
    '2025-10-20 promoter active',
    '2026-01-19 promoter at_risk',
    '2026-03-20 advocate at_risk',
    '2026-04-01 frequent_customer at_risk',
    '2026-04-19 frequent_customer lapsed scheduled',
  ]);

  const path = '/v1/customers/ana/purchases';
  for (const [taken, expected] of [
    [['six', 'five', 'four'], 'repeat_customer lapsed'],
    [['three', 'two'], 'trier lapsed'],
    [['one'], 'prospect none'],
  ] as const) {
    for (const purchase of taken) await service.call('DELETE', `${path}/${purchase}`);
    await stands('2026-04-01', expected, `without ${taken}`);
  }
  t.strictSame(await ana.timeline('loyalty_ladder'), ['2025-01-01 suspect none', '2025-01-10 prospect none']);
  for (const [day, purchase] of [
    ['2025-02-01', 'one'],
    ['2025-02-10', 'two'],
    ['2025-02-20', 'three'],
    ['2025-03-01', 'four'],
    ['2025-09-10', 'five'],
    ['2025-10-20', 'six'],
  ] as const) {
    await service.call('PUT', `${path}/${purchase}`, { purchased_at: day, amount: '10.00' });
  }
  t.equal((await ana.timeline('loyalty_ladder')).length, 18, 'all of it is back');
  await stands('2025-03-20', 'promoter active', 'as it was');
  t.strictSame((await verify(service.engine)).differences, []);
});

t.test('the relationship begins with what the customer says, and loyalty asks for satisfaction', async (t) => {
  const service = await testService(t, { clock: () => Date.UTC(2026, 3, 10, 12) });
  const ben = new Customer(service, 'ben');
  const stands = async (day: string, expected: string): Promise<void> => {
    t.equal(await ben.on(day, 'relationship'), expected, `on ${day}`);
  };
  await ben.isKnownSince('2025-01-01');
  await ben.does('2025-01-02', 'contact');
  await stands('2025-01-02', 'contact none');
  await ben.does('2025-01-03', 'response');
  await stands('2025-01-03', 'acquisition none');
  await ben.buys('2025-01-10', 'one');
  await stands('2025-01-10', 'conversion active');
  await ben.buys('2025-01-20', 'two');
  await stands('2025-01-20', 'continuation active');
  await ben.buys('2025-01-30', 'three');
  await ben.buys('2025-02-10', 'four');
  await stands('2025-02-10', 'loyalty active');
  await ben.does('2025-02-11', 'survey', { score: 6 });
  await stands('2025-02-11', 'continuation active');
  const { body } = await service.call('GET', '/v1/customers/ben/stages?model=relationship&as_of=2025-02-11');
  t.match(body.items[0].next_stage, { stage: 'loyalty', missing: [{ feature: 'latest_score', have: 6 }] });
  await ben.does('2025-02-12', 'survey', { score: 7 });
  await stands('2025-02-12', 'loyalty active');
});

t.test('who leaves says why, or an open complaint does, or nobody knows; win-backs are counted', async (t) => {
  const service = await testService(t, { clock: () => Date.UTC(2026, 11, 31, 12) });
  const { call } = service;
  const people = ['told', 'angry', 'soothed', 'silent'].map((id) => new Customer(service, id));
  const [told, angry, soothed] = people as [Customer, Customer, Customer];
  for (const person of people) {
    await person.isKnownSince('2025-01-01');
    await person.buys('2025-01-10', 'one');
  }
  await told.does('2025-03-15', 'departure', { reason: 'unattended_service' });
  await angry.does('2025-02-01', 'complaint');
  await soothed.does('2025-02-01', 'complaint');
  await soothed.does('2025-03-01', 'resolution');
  await told.buys('2025-05-01', 'again');

  const { items } = (await call('GET', '/v1/reports/defections?grain=quarter&from=2025-Q1&to=2026-Q1')).body;
  const left = items
    .filter((row: { defections: number }) => row.defections > 0)
    .map((row: Record<string, unknown>) => [
      row.period,
      row.reason,
      row.defections,
      row.won_back_90,
      row.with_open_complaint,
    ])
    .sort();
  t.strictSame(left, [
    ['2025-Q1', 'unattended_service', 1, 1, 0],
    ['2025-Q3', 'open_complaint', 1, 0, 1],
    ['2025-Q3', 'unknown', 2, 0, 0],
    ['2025-Q4', 'unknown', 1, 0, 0],
  ]);
  const waiting = await call('GET', '/v1/customers?open_complaint_days_at_least=30');
  t.strictSame(
    waiting.body.items.map((row: { customer_id: string }) => row.customer_id),
    ['angry'],
    'whose complaint nobody has closed',
  );
  await angry.does('2026-12-30', 'resolution');
  t.strictSame((await call('GET', '/v1/customers?open_complaint_days_at_least=30')).body.items, []);
  t.strictSame((await verify(service.engine)).differences, []);
});
