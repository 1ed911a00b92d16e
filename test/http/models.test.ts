import t from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { build } from '../../src/ingest/build.ts';
import { removeRetired } from '../../src/ingest/switch-models.ts';
import { verify } from '../../src/ingest/verify.ts';
import { modelOf } from '../support/notation.ts';
import { type Answer, type TestService, testService } from '../support/service.ts';
import { hostileDocuments } from './hostile/model-documents.ts';

const { lifecycle } = BUILT_IN_MODELS;

function lapsingAfter(days: number, model: Model = lifecycle): Model {
  return { ...model, lapse: { policy: 'fixed', at_risk_after_days: 90, lapsed_after_days: days } };
}

function put({ call }: TestService, model: Model, headers: Record<string, string> = {}): Promise<Answer> {
  return call('PUT', `/v1/models/${model.model_id}`, model, headers);
}

/** Does what the background does: builds, and removes what was retired. */
async function settle({ source }: TestService): Promise<void> {
  await build(source.current()!, { chunk: 3 });
  await removeRetired(await source.renew(source.current()!));
  await source.renew(source.current()!);
}

async function stocked(t: Parameters<typeof testService>[0]): Promise<TestService> {
  const service = await testService(t);
  const items = Array.from({ length: 10 }, (_, place) => {
    const purchased_at = `2026-0${1 + (place % 5)}-10`;
    return { customer_id: `c-${place}`, purchase_id: 'p', purchased_at, amount: '10' };
  });
  await service.call('POST', '/v1/purchases', { items });
  return service;
}

t.test('a model is created, replaced and retired by documents, and every change has its tag', async (t) => {
  const service = await stocked(t);
  const { call } = service;
  const own = { ...modelOf({ buyer: { feature: 'purchase_days', at_least: 1 } }), model_id: 'own' };

  const created = await put(service, own, { 'if-none-match': '*' });
  t.match(created, { status: 202, headers: { etag: '"1"', location: '/v1/models/own' } });
  t.match(created.body.summary, { version: 1, state: 'building', building: { version: 1, share: 0 } });
  const asked = await call('GET', '/v1/reports/stage-population?model=own');
  t.match(asked, { status: 503, body: { code: 'rebuilding' } }, 'it does not answer before it is built');
  await settle(service);
  t.match((await call('GET', '/v1/models/own')).body.summary, { version: 1, state: 'active', building: null });
  const buyers = (await call('GET', '/v1/reports/stage-population?model=own')).body.items;
  t.equal(
    buyers.reduce((sum: number, row: { customers: number }) => sum + row.customers, 0),
    10,
    'then it does, for everybody',
  );

  const again = await put(service, { ...own, description: { ...own.description } });
  t.match(again, { status: 200, headers: { etag: '"1"' }, body: { summary: { version: 1, building: null } } });

  const changed = lapsingAfter(120, own);
  t.match(await put(service, changed, { 'if-match': '"1"' }), { status: 202, headers: { etag: '"2"' } });
  t.match((await call('GET', '/v1/models/own')).body, {
    summary: { version: 1, building: { version: 2 } },
    document: { lapse: { lapsed_after_days: 180 } },
  });
  t.match((await call('GET', '/v1/reports/stage-population?model=own')).body.model_version, 1);
  await settle(service);
  t.match((await call('GET', '/v1/models/own')).body, { summary: { version: 2, building: null }, document: changed });

  t.match(await call('DELETE', '/v1/models/own', undefined, { 'if-match': '"1"' }), { status: 412 });
  t.match(await call('DELETE', '/v1/models/own', undefined, { 'if-match': '"2"' }), { status: 204, text: '' });
  t.match(await call('GET', '/v1/models/own'), { status: 404 });
  t.match(await call('GET', '/v1/reports/stage-population?model=own'), {
    status: 400,
    body: { code: 'unknown_model' },
  });
  await settle(service);
  t.strictSame((await verify(service.engine)).differences, []);
  t.match(await put(service, own), { status: 202, headers: { etag: '"3"' } }, 'its versions stay taken');
});

t.test('nobody replaces a version unseen', async (t) => {
  const service = await stocked(t);
  for (const [what, headers, answer] of [
    ['no condition', {}, [428, 'precondition_required']],
    ['another tag', { 'if-match': '"2"' }, [412, 'precondition_failed']],
    ['only to create', { 'if-none-match': '*' }, [412, 'precondition_failed']],
    ['a weak tag', { 'if-match': 'W/"1"' }, [400, 'invalid_request']],
    ['no tag', { 'if-match': 'one' }, [400, 'invalid_request']],
    ['a tag of not', { 'if-none-match': '"1"' }, [400, 'invalid_request']],
    ['both', { 'if-match': '"1"', 'if-none-match': '*' }, [400, 'invalid_request']],
  ] as const) {
    const { status, body } = await put(service, lapsingAfter(100), headers);
    t.strictSame([status, body.code], answer, what);
  }
  t.match(await put(service, lapsingAfter(100), { 'if-match': '"7", "1"' }), { status: 202, headers: { etag: '"2"' } });
  t.match(
    await put(service, lapsingAfter(101), { 'if-match': '"1"' }),
    { status: 412 },
    'one that is being built counts',
  );
  t.match(await put(service, lapsingAfter(101), { 'if-match': '*' }), { status: 202, headers: { etag: '"3"' } });
  const missing = { ...lapsingAfter(100), model_id: 'missing' };
  t.match(await put(service, missing, { 'if-match': '*' }), { status: 412 });
  t.match(await service.call('DELETE', '/v1/models/missing'), { status: 404, body: { code: 'not_found' } });
});

t.test('of two who replace the same version at once, one does', async (t) => {
  const service = await stocked(t);
  const answers = await Promise.all(
    [100, 101, 102, 103].map((days) => put(service, lapsingAfter(days), { 'if-match': '"1"' })),
  );
  t.strictSame(answers.map(({ status }) => status).sort(), [202, 412, 412, 412]);
});

t.test('a document that is wrong is refused with the exact places, and changes nothing', async (t) => {
  const service = await stocked(t);
  const [first, ...rest] = lifecycle.stages;
  const wrong = [
    ['/model_id', { ...lifecycle, model_id: 'other' }],
    ['/stages/0/when', { ...lifecycle, stages: [{ ...first, when: { activity: ['active'] } }, ...rest] }],
    ['/stages/1/stage', { ...lifecycle, stages: [first, { ...rest[0], stage: first!.stage }] }],
    [
      '/stages/1/when/feature',
      { ...lifecycle, stages: [first, { ...rest[0], when: { feature: 'luck', at_least: 1 } }] },
    ],
    [
      '/stages/1/when/stage_reached',
      { ...lifecycle, stages: [first, { ...rest[0], when: { stage_reached: rest[1]!.stage } }, rest[1]] },
    ],
    ['/lapse/lapsed_after_days', lapsingAfter(90)],
    ['', []],
  ] as const;
  for (const [pointer, document] of wrong) {
    const { status, body } = await service.call('PUT', '/v1/models/lifecycle', document, { 'if-match': '*' });
    t.strictSame([status, body.code], [400, 'invalid_request'], pointer);
    t.ok(
      body.errors.some((error: { pointer: string }) => error.pointer === pointer),
      `${pointer} is named: ${JSON.stringify(body.errors)}`,
    );
  }
  t.match(await service.call('GET', '/v1/models/lifecycle'), {
    headers: { etag: '"1"' },
    body: { document: lifecycle },
  });
});

t.test('there are bounds: to the number of models, to what one costs, and the last is not retired', async (t) => {
  const service = await testService(t, { models: [lifecycle] });
  t.match(await service.call('DELETE', '/v1/models/lifecycle'), { status: 409, body: { code: 'last_model' } });
  for (let count = 1; count < 16; count += 1)
    t.match(await put(service, { ...lifecycle, model_id: `m${count}` }), { status: 202 });
  t.match(await put(service, { ...lifecycle, model_id: 'm16' }), { status: 409, body: { code: 'too_many_models' } });
  t.match(await service.call('DELETE', '/v1/models/lifecycle'), { status: 409 }, 'no other one answers yet');
  t.match(
    await put(service, lapsingAfter(100), { 'if-match': '"1"' }),
    { status: 202 },
    'a new version is no new model',
  );
  const condition = { feature: 'distinct_products', at_least: 1_000, within_days: 1_096 } as const;
  const costly = modelOf({ often: { any: Array.from({ length: 100 }, () => condition) } });
  t.match(await put(service, costly), { status: 400, body: { code: 'model_too_costly' } });
});

t.test('models are listed in the order in which they were first published, with what is being built', async (t) => {
  const service = await stocked(t);
  await put(service, lapsingAfter(100), { 'if-match': '"1"' });
  const list = async () =>
    (await service.call('GET', '/v1/models')).body.items.map(
      ({ model_id, version, building }: { model_id: string; version: number; building: { version: number } | null }) =>
        `${model_id} ${version} ${building?.version ?? '-'}`,
    );
  t.strictSame(await list(), ['lifecycle 1 2', 'relationship 1 -', 'journey 1 -', 'loyalty_ladder 1 -']);
  await settle(service);
  t.strictSame(await list(), ['lifecycle 2 -', 'relationship 1 -', 'journey 1 -', 'loyalty_ladder 1 -']);
});

t.test('progress says the share that is done, and when it will be over', async (t) => {
  const clock = { now: Date.UTC(2026, 5, 15, 12) };
  const service = await testService(t, { clock: () => clock.now });
  const items = Array.from({ length: 10 }, (_, place) => ({ customer_id: `c-${place}` }));
  await service.call('POST', '/v1/customers', { items });
  await put(service, lapsingAfter(100), { 'if-match': '"1"' });
  // Stopped behind the first chunk: the build looks at its signal before each.
  let looked = 0;
  const signal = {
    get aborted() {
      looked += 1;
      return looked > 1;
    },
  };
  t.equal(await build(service.engine, { chunk: 4, lanes: 1, signal }), false);
  clock.now += 60_000;
  const { building } = (await service.call('GET', '/v1/models/lifecycle')).body.summary;
  t.match(building, {
    version: 2,
    share: 0.4,
    customers_done: 4,
    customers_total: 10,
    expected_at: '2026-06-15T12:02:30Z',
  });
});

t.test('another instance follows at once, whether it reads or writes', async (t) => {
  const service = await stocked(t);
  const other = await testService(t, { connection: service.connection });
  await put(service, lapsingAfter(100), { 'if-match': '"1"' });
  const buy = { items: [{ customer_id: 'new', purchase_id: 'p', purchased_at: '2026-06-01', amount: '1' }] };
  t.match((await other.call('POST', '/v1/purchases', buy)).body.summary, { created: 1 });
  await build(service.engine);
  t.match((await other.call('GET', '/v1/reports/stage-population')).body, { model_version: 2 });
  t.match((await other.call('GET', '/v1/customers/new/stages?model=lifecycle')).body.items[0], { model_version: 2 });
  await removeRetired(await service.source.renew(service.engine));
  t.strictSame((await verify(service.engine)).differences, []);
});

t.test('hostile documents are refused at their exact place, and quickly', async (t) => {
  const service = await testService(t);
  const documents = hostileDocuments();
  t.ok(documents.length > 150, `${documents.length} documents`);
  for (const { what, json, code, at, refused_as_body } of documents) {
    const { status, body, headers } = await service.call('PUT', '/v1/models/own', json());
    t.ok(status >= 400 && status < 500, `a model with ${what}: ${status}`);
    t.match(headers['content-type'], /^application\/problem\+json/);
    if (refused_as_body) continue;
    const [first] = body.errors as [{ code: string; pointer: string } | undefined];
    t.strictSame([status, body.code, first?.code, first?.pointer], [400, 'invalid_request', code, at], what);
  }
  t.equal((await service.call('GET', '/v1/models')).body.items.length, 4, 'none of them was published');
});
