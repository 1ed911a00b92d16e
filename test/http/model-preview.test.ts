import t from 'tap';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { SAMPLING } from '../../src/http/population-basis.ts';
import { modelOf } from '../support/notation.ts';
import { Shop, TODAY } from './shop.ts';

/** Two purchase days make a regular; 30 days of silence are enough to lapse. */
const DRAFT = modelOf(
  { buyer: { feature: 'purchase_days', at_least: 1 }, regular: { feature: 'purchase_days', at_least: 2 } },
  { at_risk: 10, lapsed: 30 },
);

async function filled(shop: Shop): Promise<void> {
  await shop.buys('ana', '2026-01-05', '2026-06-10');
  await shop.buys('ben', '2026-05-20');
  await shop.tells('eve', 'visit', '2026-06-01');
}

/** The rows in which somebody is. */
const people = (rows: { customers: number }[]) =>
  rows.filter(({ customers }) => customers > 0).map((row) => Object.values(row).slice(0, -2).join(' '));

t.test('a draft says how many would stand where, who would move, and stores nothing', async (t) => {
  const shop = await Shop.open(t);
  await filled(shop);
  const { status, body } = await shop.send('POST', '/v1/models/preview', { model: DRAFT });
  t.equal(status, 200);
  t.match(body, {
    model: 'own',
    compared_with: { model: 'lifecycle', model_version: 1 },
    as_of: TODAY,
    projected: false,
    basis: { customers: 3, sampled: false, sample_customers: 3, seed: null, confidence: 0.95 },
    changed: { customers: 3, share: 1, lower: null, upper: null },
  });
  t.strictSame(people(body.counts), [`known none 1 ${1 / 3}`, `buyer at_risk 1 ${1 / 3}`, `regular active 1 ${1 / 3}`]);
  t.strictSame(people(body.moves), [
    'prospect none known none 1',
    'first_time_buyer active buyer at_risk 1',
    'early_repeat_buyer active regular active 1',
  ]);
  t.equal(body.counts.length, 10, 'every stage, zeros too');
  t.strictSame((await shop.get('/v1/models')).body.items.length, 4);
});

t.test('it is compared with the active version of the same model, with lifecycle, or with the one named', async (t) => {
  const shop = await Shop.open(t);
  const compared = async (body: object) =>
    (await shop.send('POST', '/v1/models/preview', body)).body.compared_with.model;
  t.equal(await compared({ model: BUILT_IN_MODELS.journey }), 'journey');
  t.equal(await compared({ model: DRAFT }), 'lifecycle');
  t.equal(await compared({ model: BUILT_IN_MODELS.journey, compare_with: 'loyalty_ladder' }), 'loyalty_ladder');
  const alone = await Shop.open(t, { models: [BUILT_IN_MODELS.journey] });
  const { body } = await alone.send('POST', '/v1/models/preview', { model: DRAFT });
  t.equal(body.compared_with.model, 'journey', 'the first one where there is no lifecycle');
  const none = await Shop.open(t, { models: [] });
  t.match(await none.send('POST', '/v1/models/preview', { model: DRAFT }), {
    status: 400,
    body: { code: 'unknown_model' },
  });
});

t.test('on an earlier day only those known by then count, and only what was dated until then', async (t) => {
  const shop = await Shop.open(t);
  await filled(shop);
  const on = async (as_of: string) => (await shop.send('POST', '/v1/models/preview', { model: DRAFT, as_of })).body;
  const then = await on('2026-05-20');
  t.match(then, { as_of: '2026-05-20', basis: { customers: 2 } });
  t.strictSame(people(then.counts), ['buyer active 1 0.5', 'buyer lapsed 1 0.5']);
  t.match(await on('2026-12-31'), { projected: true, basis: { customers: 3 } });
  t.match(await on('2025-12-31'), { basis: { customers: 0 }, changed: { customers: 0, share: null }, moves: [] });
});

t.test('a merged id is no customer of its own', async (t) => {
  const shop = await Shop.open(t);
  await filled(shop);
  await shop.send('POST', '/v1/customers/ben/merge', { into: 'ana' });
  for (const sampling of [undefined, { ...SAMPLING, above: 1, size: 3, seed: 1 }]) {
    const other = sampling === undefined ? shop : await shop.again(t, { sampling });
    const { body } = await other.send('POST', '/v1/models/preview', { model: DRAFT });
    t.match(body.basis, { customers: 2, sample_customers: 2, sampled: sampling !== undefined });
    t.strictSame(people(body.counts).length, 2);
  }
});

t.test('ids of every kind are read, those that a list of texts would have to escape too', async (t) => {
  const shop = await Shop.open(t);
  for (const id of ['a"b', 'a\\b', 'a,b', '{}', 'null', 'NULL', "o'neill", ' a ', 'ñandú', '🦊'])
    t.equal(await shop.buys(id, '2026-06-10'), 'created', id);
  const { body } = await shop.send('POST', '/v1/models/preview', { model: DRAFT });
  t.strictSame(people(body.counts), ['buyer active 10 1']);
});

t.test('what is wrong with the document is named as in a classification, under /model', async (t) => {
  const shop = await Shop.open(t);
  const wrong: unknown[] = [
    null,
    7,
    {},
    { ...DRAFT, owner: 'x' },
    { ...DRAFT, lapse: { policy: 'fixed', at_risk_after_days: 90, lapsed_after_days: 60 } },
    modelOf({ buyer: { feature: 'purchase_days' } }),
    modelOf({ buyer: { feature: 'revenue', at_least: '1.005' } }),
    modelOf({ buyer: { stage_reached: 'later' } }),
  ];
  for (const model of wrong) {
    const preview = await shop.send('POST', '/v1/models/preview', { model });
    const classification = await shop.send('POST', '/v1/classifications', { model_document: model, histories: [{}] });
    t.equal(preview.status, 400);
    t.match(preview.body.errors[0].pointer, /^\/model(\/|$)/);
    t.strictSame(
      JSON.stringify(preview.body.errors),
      JSON.stringify(classification.body.errors).replaceAll('"/model_document', '"/model'),
      JSON.stringify(preview.body.errors[0]),
    );
  }
});

t.test('everything else that is wrong with the request is named too', async (t) => {
  const shop = await Shop.open(t);
  const faults = async (body: unknown) => {
    const { status, body: problem } = await shop.send('POST', '/v1/models/preview', body);
    return [status, problem.code, problem.errors[0]?.pointer, problem.errors[0]?.code];
  };
  t.strictSame(await faults({}), [400, 'invalid_request', '/model', 'required']);
  t.strictSame(await faults({ model: DRAFT, x: 1 }), [400, 'invalid_request', '/x', 'unknown_field']);
  t.strictSame(await faults({ model: DRAFT, as_of: '2026-02-30' }), [400, 'invalid_request', '/as_of', 'not_a_day']);
  t.strictSame(await faults({ model: DRAFT, as_of: 'now' }), [400, 'invalid_request', '/as_of', 'wrong_format']);
  t.strictSame(await faults({ model: DRAFT, compare_with: 'No' }), [
    400,
    'invalid_request',
    '/compare_with',
    'wrong_format',
  ]);
  t.strictSame(await faults({ model: DRAFT, compare_with: 'none' }), [
    400,
    'unknown_model',
    '/compare_with',
    'unknown_model',
  ]);
});

t.test('a model that would keep the process busy for long is refused, and the next is answered', async (t) => {
  const shop = await Shop.open(t);
  const first = Date.parse('2022-03-01T00:00:00Z');
  const days = Array.from({ length: 1_500 }, (_, index) => new Date(first + index * 86_400_000).toISOString());
  for (const part of [days.slice(0, 1_000), days.slice(1_000)]) t.match(await shop.buys('ana', ...part), /^created/);
  const windows = Array.from({ length: 198 }, (_, index) => {
    return { feature: 'purchase_days', at_least: 1 + index, within_days: 1_096 } as const;
  });
  const { status, body } = await shop.send('POST', '/v1/models/preview', {
    model: modelOf({ buyer: { all: windows } }),
  });
  t.match([status, body.errors], [400, [{ pointer: '/model', code: 'too_complex' }]]);
  t.equal((await shop.send('POST', '/v1/models/preview', { model: DRAFT })).status, 200);
});

t.test('above the limit a sample is read, the same for the same question, wherever the rows lie', async (t) => {
  const shop = await Shop.open(t);
  const purchases = Array.from({ length: 900 }, (_, index) => {
    const purchased_at = index < 600 ? '2026-01-05' : '2026-06-10';
    return { customer_id: `c-${index % 600}`, purchase_id: `p-${index}`, purchased_at, amount: '10' };
  });
  t.match(await shop.post('purchases', ...purchases), /^created/);
  const ask = async (seed: number) => {
    const sampled = await shop.again(t, { sampling: { ...SAMPLING, above: 500, size: 200, seed } });
    return (await sampled.send('POST', '/v1/models/preview', { model: DRAFT })).body;
  };
  const first = await ask(1);
  t.match(first.basis, { customers: 600, sampled: true, sample_customers: 200, seed: 1 });
  t.match(first.basis.method, /sample of 200 of the 600 stored customers/);
  t.match(first.changed, { customers: 600, share: 1, upper: 600 });
  for (const { customers, lower, upper } of [...first.counts, ...first.moves])
    t.ok(lower <= customers && customers <= upper, `${lower} ≤ ${customers} ≤ ${upper}`);
  t.strictSame(await ask(1), first, 'asked again');
  const { db } = shop.service;
  await db.updateTable('customers').set({ known_since: 18_000 }).where('customer_id', '<', 'c-3').execute();
  await db.updateTable('customers').set({ known_since: null }).execute();
  t.strictSame(await ask(1), first, 'after the rows have moved');
  t.notSame((await ask(2)).counts, first.counts, 'another seed draws others');
  const edge = await shop.again(t, { sampling: { ...SAMPLING, above: 600, size: 200, seed: 1 } });
  t.match((await edge.send('POST', '/v1/models/preview', { model: DRAFT })).body.basis, { sampled: false });
  const long = async (events: number) => {
    const sampled = await shop.again(t, { sampling: { ...SAMPLING, above: 600, size: 200, events } });
    return (await sampled.send('POST', '/v1/models/preview', { model: DRAFT })).body.basis;
  };
  t.match(await long(900), { sampled: false });
  t.match(await long(899), { sampled: true, sample_customers: 200 }, 'one event more than is read of everybody');
  t.match(await long(90), { sampled: true, sample_customers: 60 }, 'a tenth of the events');
  t.match(await long(1), { sampled: true, sample_customers: 20 }, 'a tenth of the sample at least');
});
