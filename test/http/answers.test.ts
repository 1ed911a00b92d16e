import t, { type Test } from 'tap';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { testDatabase } from '../support/postgres.ts';
import { type Answer, testService } from '../support/service.ts';
import { bought, Shop, TODAY } from './shop.ts';

t.setTimeout(120_000);

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
    for (let cursor: string | null = ''; cursor !== null && pages <= items.length + 1; pages += 1) {
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
