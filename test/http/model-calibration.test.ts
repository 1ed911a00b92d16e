import t from 'tap';
import { SAMPLING } from '../../src/http/population-basis.ts';
import { Shop } from './shop.ts';

const PATH = '/v1/models/lifecycle/calibration';
const YEAR = { clock: () => Date.parse('2026-12-31T12:00:00Z') };

/** So many customers who bought on these days. */
async function crowd(shop: Shop, name: string, size: number, ...on: readonly string[]): Promise<void> {
  const items = Array.from({ length: size }, (_, index) => `${name}-${index}`).flatMap((customer_id) =>
    on.map((purchased_at) => ({ customer_id, purchase_id: purchased_at, purchased_at, amount: '10' })),
  );
  for (let start = 0; start < items.length; start += 1_000)
    if (!(await shop.post('purchases', ...items.slice(start, start + 1_000))).startsWith('created'))
      throw new Error(name);
}

/** 150 who bought at every turn of the season and will again, 150 who fell silent 70 days before the day. */
async function filled(shop: Shop): Promise<void> {
  await crowd(shop, 'faithful', 150, '2026-02-10', '2026-04-01', '2026-05-20', '2026-08-01', '2026-12-31');
  await crowd(shop, 'gone', 150, '2026-02-20', '2026-03-22');
}

// biome-ignore lint/suspicious/noExplicitAny: rows of an answer
const fixed = (body: any, days: number) =>
  body.candidates.find(
    (row: { source: string; lapsed_after_days: number }) => row.source === 'fixed' && row.lapsed_after_days === days,
  );

t.test('thresholds that tell apart who came back are recommended, ready to use', async (t) => {
  const shop = await Shop.open(t, YEAR);
  await filled(shop);
  const { status, body } = await shop.get(`${PATH}?at=2026-05-31&horizon_days=90`);
  t.equal(status, 200);
  t.match(body, {
    model: 'lifecycle',
    model_version: 1,
    group: null,
    until: '2026-08-29',
    data_through: '2026-12-31',
    buyers: 300,
    returners: 150,
    silent: 150,
    missing: null,
    recommendation: {
      policy: { policy: 'fixed', at_risk_after_days: 15, lapsed_after_days: 30 },
      lapsed_after_days: 30,
      at_risk_after_days: 15,
      keeps_present: false,
    },
  });
  t.match(body.candidates[0], { source: 'current', false_lapse: { numerator: 0 }, caught: { numerator: 0 } });
  t.match(fixed(body, 60), { false_lapse: { numerator: 0, denominator: 150 }, caught: { numerator: 150 } });
  t.match(fixed(body, 90), { caught: { numerator: 0 } });
  t.match(body.gaps[0], { percentile: 50, days: 49, gaps: 450 });
  const model = (await shop.get('/v1/models/lifecycle')).body.document;
  const draft = { ...model, lapse: body.recommendation.policy };
  const preview = await shop.send('POST', '/v1/models/preview', { model: draft, as_of: '2026-05-31' });
  t.equal(preview.status, 200, 'the policy fits a model document');
  t.ok(
    preview.body.counts.some(
      (row: { activity: string; customers: number }) => row.activity === 'lapsed' && row.customers === 150,
    ),
  );
});

t.test('a stated departure is lapsed under every candidate', async (t) => {
  const shop = await Shop.open(t, YEAR);
  await filled(shop);
  await shop.tells('faithful-1', 'departure', '2026-05-25', { reason: 'price' });
  await shop.tells('faithful-2', 'departure', '2026-05-19', { reason: 'price' });
  const { body } = await shop.get(`${PATH}?at=2026-05-31&horizon_days=90`);
  for (const source of ['current', 'fixed', 'gap_percentile', 'cadence']) {
    const last = body.candidates.findLast((row: { source: string }) => row.source === source);
    t.equal(last.false_lapse.numerator, 1, `${source}: the one who left after their last purchase`);
  }
});

t.test('a calibration may be about a group', async (t) => {
  const shop = await Shop.open(t, YEAR);
  await filled(shop);
  const ids = Array.from({ length: 120 }, (_, index) => (index < 20 ? `gone-${index}` : `faithful-${index}`));
  await shop.post('customers', ...ids.map((customer_id) => ({ customer_id, groups: ['some'] })));
  const { body } = await shop.get(`${PATH}?at=2026-05-31&horizon_days=90&group=some`);
  t.match(body, { group: 'some', basis: { customers: 120 }, buyers: 120, returners: 100, silent: 20 });
  t.match(body.repeat[0], { purchase_number: 1, customers: 120, bought_again: 120 });
  t.equal(body.recommendation, null);
  t.match(body.missing, /needs 100 buyers who bought again .* there are 100 and 20\./);
  t.match(await shop.get(`${PATH}?group=nobody`), { status: 400, body: { code: 'unknown_group' } });
});

t.test('before the window is stored nobody is called silent, and what is missing is said', async (t) => {
  const shop = await Shop.open(t, YEAR);
  t.match((await shop.get(PATH)).body, {
    at: '2026-07-04',
    until: '2026-12-31',
    data_through: null,
    buyers: 0,
    returners: null,
    silent: null,
    candidates: [],
    survival: [],
    repeat: [],
    recommendation: null,
    missing: 'Nothing is stored yet.',
  });
  await crowd(shop, 'some', 3, '2026-05-20', '2026-06-19');
  const { body } = await shop.get(`${PATH}?at=2026-05-31&horizon_days=30`);
  t.match(body, { returners: null, candidates: [], gaps: [], recommendation: null });
  t.equal(
    body.missing,
    'The window ends on 2026-06-30, but what is stored ends on 2026-06-19: who is silent is not known yet. Ask for an earlier day or a shorter horizon.',
  );
  await crowd(shop, 'one', 1, '2026-06-30');
  t.match((await shop.get(`${PATH}?at=2026-05-31&horizon_days=30`)).body, { returners: 3, silent: 0 });
});

t.test('a day is refused unless it is past, and so is every other parameter that is none', async (t) => {
  const shop = await Shop.open(t, YEAR);
  for (const [query, parameter, code] of [
    ['at=2026-12-31', 'at', 'out_of_range'],
    ['at=2026-02-30', 'at', 'not_a_day'],
    ['at=now', 'at', 'wrong_format'],
    ['horizon_days=29', 'horizon_days', 'out_of_range'],
    ['horizon_days=1097', 'horizon_days', 'out_of_range'],
    ['core_share=1.1', 'core_share', 'out_of_range'],
    ['core_share=0', 'core_share', 'out_of_range'],
    ['x=1', 'x', 'unknown_field'],
  ] as const) {
    const { status, body } = await shop.get(`${PATH}?${query}`);
    t.match([status, body.errors], [400, [{ parameter, code }]], query);
  }
  t.equal((await shop.get(`${PATH}?at=2026-12-30`)).status, 200);
  t.equal((await shop.get(`${PATH}?at=1900-01-01`)).status, 200, 'long before anybody');
  t.match(await shop.get('/v1/models/none/calibration'), { status: 404, body: { code: 'not_found' } });
});

t.test('above the limit a sample of the customers is judged, its counts as they are', async (t) => {
  const shop = await Shop.open(t, YEAR);
  await filled(shop);
  const sampled = await shop.again(t, { ...YEAR, sampling: { ...SAMPLING, above: 299, size: 240, seed: 4 } });
  const ask = async () => (await sampled.get(`${PATH}?at=2026-05-31&horizon_days=90`)).body;
  const body = await ask();
  t.match(body.basis, { customers: 300, sampled: true, sample_customers: 240, seed: 4 });
  t.equal(body.buyers, 240);
  t.equal(body.returners + body.silent, 240);
  t.equal(fixed(body, 60).caught.denominator, body.silent);
  t.match(body.repeat[0], { customers: 300 }, 'who goes on is read from everybody');
  t.strictSame(await ask(), body, 'asked again');
});
