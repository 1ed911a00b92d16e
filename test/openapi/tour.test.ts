import { pino } from 'pino';
import t, { type Test } from 'tap';
import { buildApp } from '../../src/app.ts';
import { fixedKeys, hashToken } from '../../src/http/keys.ts';
import { REPORTS } from '../../src/reports/registry.ts';
import { type Answer, type TestService, testService } from '../support/service.ts';
import { ApiDocument, type Operation } from './document.ts';

t.setTimeout(120_000);
const api = new ApiDocument();

interface Sending {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** Checks that an answer is one the document promises for the operation. */
function isDocumented(t: Test, operation: Operation, { status, headers, body, text }: Answer): void {
  const what = `${operation.operationId} ${status}`;
  const documented = operation.responses[String(status)];
  t.ok(documented !== undefined, `${what} is documented`);
  if (documented === undefined) return;
  if (documented.content === undefined) {
    t.equal(text, '', `${what} has no body`);
    return;
  }
  const type = String(headers['content-type']).split(';')[0]!;
  const media = documented.content[type];
  t.ok(media !== undefined, `${what} is documented as ${type}`);
  if (media !== undefined)
    t.equal(api.faults(media.schema, /^text\/|ndjson$/.test(type) ? text : body), '', `${what} fits its schema`);
  if (status === 503) t.equal(headers['retry-after'], '1', `${what} says when to come back`);
  if (status === 401) t.equal(headers['www-authenticate'], 'Bearer', `${what} says what is needed`);
}

/** A walk through the API that checks every answer against the document, and remembers where it has been. */
class Tour {
  readonly seen = new Map<string, Set<number>>();
  private readonly t: Test;
  private readonly call: TestService['call'];

  constructor(t: Test, call: TestService['call']) {
    this.t = t;
    this.call = call;
  }

  async go(
    operationId: string,
    status: number,
    { params = {}, query = {}, body, headers = {} }: Sending = {},
  ): Promise<Answer> {
    const operation = api.operation(operationId);
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(params[name] ?? 'missing'),
    );
    const search = new URLSearchParams(query).toString();
    const answer = await this.call(operation.method, search === '' ? path : `${path}?${search}`, body, headers);
    this.t.equal(answer.status, status, `${operationId} answers ${status}`);
    isDocumented(this.t, operation, answer);
    this.seen.set(operationId, (this.seen.get(operationId) ?? new Set()).add(answer.status));
    return answer;
  }
}

const ANA = { customer_id: 'ana' };
const ITEMS = ['purchases', 'refunds', 'interactions'] as const;
const ONE = { purchases: 'Purchase', refunds: 'Refund', interactions: 'Interaction' } as const;

/** Items of every status: created, duplicate, conflict, updated, invalid. */
async function ingest(tour: Tour): Promise<void> {
  await tour.go('postCustomers', 200, {
    body: {
      items: [
        { ...ANA, known_since: '2026-01-01', groups: ['g'] },
        { ...ANA },
        { ...ANA, groups: [] },
        { ...ANA, groups: ['g'] },
        7,
      ],
    },
  });
  const at = '2026-01-05T10:00:00.5+01:00';
  const bought = { ...ANA, purchase_id: 'p', purchased_at: at, amount: '10', cost: '4', products: ['tea'] };
  const more = Array.from({ length: 4 }, (_, index) => ({
    ...bought,
    purchase_id: `p${index}`,
    purchased_at: `2026-0${index + 1}-20`,
  }));
  await tour.go('postPurchases', 200, {
    body: { items: [bought, bought, { ...bought, amount: '11' }, { ...bought, amount: -1 }, ...more] },
  });
  const refunded = { ...ANA, refund_id: 'r', purchase_id: 'p', refunded_at: '2026-01-09', amount: '1.50' };
  await tour.go('postRefunds', 200, {
    body: {
      items: [
        refunded,
        refunded,
        { ...refunded, amount: '2' },
        {},
        { ...refunded, refund_id: 'r2', purchase_id: 'later' },
      ],
    },
  });
  const told = { ...ANA, interaction_id: 'i', occurred_at: '2026-01-10', kind: 'survey', score: 9 };
  const gone = { ...ANA, interaction_id: 'j', occurred_at: '2026-06-01', kind: 'departure', reason: 'price' };
  await tour.go('postInteractions', 200, { body: { items: [told, told, { ...told, score: 3 }, null, gone] } });
  for (const operationId of ['postCustomers', 'postPurchases', 'postRefunds', 'postInteractions']) {
    await tour.go(operationId, 400, { body: { items: [] } });
    await tour.go(operationId, 415, { body: '{}', headers: { 'content-type': 'text/plain' } });
    await tour.go(operationId, 413, { body: `{"items":[]}${' '.repeat(4_194_304)}` });
  }
}

async function correct(tour: Tour): Promise<void> {
  const bodies = {
    purchases: { purchased_at: '2026-01-05', amount: '12' },
    refunds: { purchase_id: 'p', refunded_at: '2026-01-09', amount: '1' },
    interactions: { occurred_at: '2026-01-10', kind: 'visit' },
  };
  for (const kind of ITEMS) {
    const params = { ...ANA, item_id: 'x' };
    const body = bodies[kind];
    await tour.go(`put${ONE[kind]}`, 201, { params, body });
    await tour.go(`put${ONE[kind]}`, 200, { params, body });
    await tour.go(`put${ONE[kind]}`, 200, {
      params,
      body: { ...body, ...(kind === 'interactions' ? { cost: '1' } : { amount: '3' }) },
    });
    await tour.go(`put${ONE[kind]}`, 400, { params, body: {} });
    await tour.go(`put${ONE[kind]}`, 400, { params, body: '{' });
    await tour.go(`put${ONE[kind]}`, 415, { params, body: '{}', headers: { 'content-type': 'text/csv' } });
    await tour.go(`put${ONE[kind]}`, 413, { params, body: ' '.repeat(4_194_305) });
    await tour.go(`put${ONE[kind]}`, 414, { params: { ...params, item_id: 'x'.repeat(2_000) }, body });
    await tour.go(`void${ONE[kind]}`, 204, { params });
    await tour.go(`void${ONE[kind]}`, 404, { params: { ...params, item_id: 'never' } });
    await tour.go(`void${ONE[kind]}`, 400, { params: { ...params, item_id: 'x'.repeat(129) } });
  }
  const huge = { purchased_at: '2026-01-01', amount: '100000000000', cost: '100000000000', discount: '100000000000' };
  const items = Array.from({ length: 300 }, (_, index) => ({ customer_id: 'rich', purchase_id: `p${index}`, ...huge }));
  await tour.go('postPurchases', 200, { body: { items } });
  await tour.go('putPurchase', 409, { params: { customer_id: 'rich', item_id: 'more' }, body: huge });
}

/** Merges that are done, done again, and refused. */
async function merge(tour: Tour): Promise<void> {
  const of = (customer_id: string, amount: string) => {
    return { customer_id, purchase_id: 'p-merge', purchased_at: '2026-01-05', amount };
  };
  const items = [of('ben', '1'), of('eve', '1'), of('kim', '2'), of('zoe', '3')];
  await tour.go('postPurchases', 200, { body: { items } });
  const params = { customer_id: 'eve' };
  await tour.go('mergeCustomer', 200, { params, body: { into: 'ben' } });
  await tour.go('mergeCustomer', 200, { params, body: { into: 'ben' } });
  await tour.go('getCustomer', 200, { params });
  await tour.go('mergeCustomer', 409, { params, body: { into: 'kim' } });
  await tour.go('mergeCustomer', 409, { params: { customer_id: 'zoe' }, body: { into: 'kim' } });
  await tour.go('mergeCustomer', 409, { params: { customer_id: 'zoe' }, body: { into: 'eve' } });
  await tour.go('mergeCustomer', 404, { params, body: { into: 'nobody' } });
  await tour.go('mergeCustomer', 404, { params: { customer_id: 'nobody' }, body: { into: 'eve' } });
  await tour.go('mergeCustomer', 400, { params, body: { into: 'eve' } });
  await tour.go('mergeCustomer', 400, { params, body: {} });
  await tour.go('mergeCustomer', 415, { params, body: '{}', headers: { 'content-type': 'text/plain' } });
  await tour.go('mergeCustomer', 413, { params, body: ' '.repeat(4_194_305) });
  await tour.go('mergeCustomer', 414, { params: { customer_id: 'x'.repeat(2_000) }, body: { into: 'ben' } });
}

async function readCustomers(tour: Tour): Promise<void> {
  for (const operationId of [
    'getCustomer',
    'getCustomerStages',
    'getCustomerTimeline',
    'listPurchases',
    'listRefunds',
    'listInteractions',
  ]) {
    await tour.go(operationId, 200, { params: ANA });
    await tour.go(operationId, 404, { params: { customer_id: 'nobody' } });
    await tour.go(operationId, 400, { params: ANA, query: { colour: 'blue' } });
    await tour.go(operationId, 414, { params: { customer_id: 'x'.repeat(2_000) } });
  }
  const { body } = await tour.go('listPurchases', 200, { params: ANA, query: { limit: '2' } });
  await tour.go('listPurchases', 200, { params: ANA, query: { limit: '2', cursor: body.next_cursor } });
  await tour.go('listPurchases', 400, { params: ANA, query: { cursor: 'forged' } });
  const { body: first } = await tour.go('listCustomers', 200, { query: { limit: '1' } });
  await tour.go('listCustomers', 200, { query: { limit: '1', cursor: first.next_cursor } });
  await tour.go('listCustomers', 200, {
    query: { model: 'loyalty_ladder', activity: 'at_risk', entered_from: '2026-01-01', entered_to: '2027-01-01' },
  });
  await tour.go('listCustomers', 200, { headers: { accept: 'application/x-ndjson' } });
  await tour.go('listCustomers', 200, { headers: { accept: 'text/csv' } });
  await tour.go('listCustomers', 400, { query: { stage: 'nowhere' } });
  for (const as_of of ['2025-12-31', '2026-01-01', '2026-02-28', '2026-06-30', '2199-12-31']) {
    await tour.go('getCustomerStages', 200, { params: ANA, query: { as_of } });
    await tour.go('lookupCustomers', 200, {
      body: { customer_ids: ['ana', 'nobody'], model: 'loyalty_ladder', as_of },
    });
  }
  for (const model of ['lifecycle', 'relationship', 'journey', 'loyalty_ladder']) {
    await tour.go('getCustomerStages', 200, { params: ANA, query: { model }, headers: { 'accept-language': 'de' } });
    await tour.go('getCustomerTimeline', 200, { params: ANA, query: { model } });
    await tour.go('getModel', 200, { params: { model_id: model } });
  }
  await tour.go('getCustomerStages', 400, { params: ANA, query: { model: 'none' } });
  await tour.go('lookupCustomers', 400, { body: { customer_ids: ['ana'], model: 'none' } });
  await tour.go('lookupCustomers', 413, { body: ' '.repeat(4_194_305) });
  await tour.go('lookupCustomers', 415, { body: '{}', headers: { 'content-encoding': 'gzip' } });
}

async function classify(tour: Tour): Promise<void> {
  const purchases = [{ purchased_at: '2026-01-05', amount: '20' }];
  const { document } = (await tour.go('getModel', 200, { params: { model_id: 'loyalty_ladder' } })).body;
  const histories = [
    { purchases },
    {},
    { customer_id: 'c', known_since: '2026-01-01' },
    { purchases: [{ purchased_at: '2026-02-30', amount: '1' }] },
    'x',
  ];
  await tour.go('classifyHistories', 200, { body: { histories } });
  await tour.go('classifyHistories', 200, { body: { model_document: document, histories, as_of: '2031-01-01' } });
  await tour.go('classifyHistories', 400, { body: { model_document: {}, histories } });
  await tour.go('classifyHistories', 400, { body: { model: 'none', histories } });
  await tour.go('classifyHistories', 413, { body: ' '.repeat(4_194_305) });
  await tour.go('classifyHistories', 415, { body: '{}', headers: { 'content-type': 'text/plain' } });
}

async function tryModels(tour: Tour): Promise<void> {
  const { document } = (await tour.go('getModel', 200, { params: { model_id: 'loyalty_ladder' } })).body;
  await tour.go('previewModel', 200, { body: { model: document } });
  await tour.go('previewModel', 200, { body: { model: document, compare_with: 'lifecycle', as_of: '2031-01-01' } });
  await tour.go('previewModel', 400, { body: { model: {} } });
  await tour.go('previewModel', 400, { body: { model: document, compare_with: 'none' } });
  await tour.go('previewModel', 400, { body: { model: document, as_of: '2026-02-30' } });
  await tour.go('previewModel', 413, { body: ' '.repeat(4_194_305) });
  await tour.go('previewModel', 415, { body: '{}', headers: { 'content-type': 'text/plain' } });
  const params = { model_id: 'lifecycle' };
  await tour.go('getModelCalibration', 200, { params });
  await tour.go('getModelCalibration', 200, { params, query: { at: '2026-01-31', horizon_days: '30', group: 'g' } });
  await tour.go('getModelCalibration', 404, { params: { model_id: 'nothing' } });
  await tour.go('getModelCalibration', 400, { params, query: { at: '2026-12-31' } });
  await tour.go('getModelCalibration', 400, { params, query: { group: 'nobody' } });
}

async function report(tour: Tour): Promise<void> {
  for (const { operation_id, per_model, query } of REPORTS) {
    const models = per_model ? ['lifecycle', 'relationship', 'journey', 'loyalty_ladder'] : [];
    await tour.go(operation_id, 200);
    for (const model of models) await tour.go(operation_id, 200, { query: { model } });
    if ('group' in query.properties) {
      await tour.go(operation_id, 200, { query: { group: 'g' } });
      await tour.go(operation_id, 400, { query: { group: 'nobody' } });
    }
    for (const grain of 'grain' in query.properties ? ['week', 'month', 'quarter', 'year'] : [])
      await tour.go(operation_id, 200, { query: { grain } });
    await tour.go(operation_id, 400, { query: { model: 'none' } });
    await tour.go(operation_id, 400, { query: { from: 'then' } });
  }
  for (const operationId of ['getStagePopulation', 'getStageMoves']) {
    await tour.go(operationId, 200, { query: { from: '2026-01-01', to: '2026-08-01' } });
    await tour.go(operationId, 400, { query: { from: '2026-02-30', to: '2026-08-01' } });
  }
  for (const interval of ['day', 'week', 'month', 'quarter', 'year']) {
    await tour.go('getStagePopulation', 200, { query: { from: '2026-01-01', to: '2026-09-01', interval } });
  }
  await tour.go('getStagePopulation', 400, { query: { from: '1900-01-01', to: '2199-01-01', interval: 'day' } });
  await tour.go('getDefections', 200, { query: { grain: 'year', from: '2025', to: '2029', group: 'g' } });
  await tour.go('getDefections', 400, { query: { from: '2026-13' } });
  await tour.go('getTimeInStage', 200, { query: { stage: 'prospect', as_of: '2029-12-31' } });
  await tour.go('getTimeInStage', 400, { query: { stage: 'nowhere' } });
  await tour.go('listDefinitions', 200);
  await tour.go('listDefinitions', 400, { query: { x: '1' } });
  await tour.go('getDefinition', 200, { params: { report: 'stage-moves' } });
  await tour.go('getDefinition', 404, { params: { report: 'nothing' } });
  await tour.go('listModels', 200, { headers: { 'accept-language': 'es' } });
  await tour.go('listModels', 400, { query: { x: '1' } });
  await tour.go('getModel', 404, { params: { model_id: 'nothing' } });
  await publish(tour);
}

async function publish(tour: Tour): Promise<void> {
  const params = { model_id: 'own' };
  const { document } = (await tour.go('getModel', 200, { params: { model_id: 'lifecycle' } })).body;
  const own = { ...document, model_id: 'own' };
  const first = await tour.go('publishModel', 202, { params, body: own, headers: { 'if-none-match': '*' } });
  await tour.go('publishModel', 200, { params, body: own, headers: { 'if-match': String(first.headers.etag) } });
  await tour.go('publishModel', 412, { params, body: own, headers: { 'if-none-match': '*' } });
  await tour.go('publishModel', 428, { params, body: { ...own, stages: own.stages.slice(0, 2) } });
  await tour.go('publishModel', 400, { params, body: document });
  await tour.go('publishModel', 400, { params, body: own, headers: { 'if-match': 'x' } });
  await tour.go('getStatus', 200);
  await tour.go('getStagePopulation', 503, { query: { model: 'own' } });
  await tour.go('retireModel', 412, { params, headers: { 'if-match': '"7"' } });
  await tour.go('retireModel', 204, { params });
  await tour.go('retireModel', 404, { params });
}

async function list(tour: Tour): Promise<void> {
  await tour.go('listCustomers', 200);
  await tour.go('listCustomers', 200, { query: { stage: 'first_time_buyer', activity: 'lapsed', sort: 'profit' } });
  await tour.go('listCustomers', 200, {
    query: { activity: 'at_risk', entered_from: '2026-01-01', entered_to: '2028-01-01' },
  });
  await tour.go('listCustomers', 400, { query: { stage: 'nowhere' } });
  await tour.go('listCustomers', 400, { query: { cursor: 'forged' } });
}

async function importFiles(tour: Tour): Promise<void> {
  const ndjson = { 'content-type': 'application/x-ndjson' };
  const csv = { 'content-type': 'text/csv' };
  const file = '{"customer_id":"ana","purchase_id":"file","purchased_at":"2026-01-05","amount":"12"}\nno json\n';
  const { body } = await tour.go('postImport', 202, { body: file, headers: ndjson, query: { kind: 'purchases' } });
  const table = 'Email;purchase_id;purchased_at;amount\nana;table;2026-01-05;12\n';
  await tour.go('postImport', 202, { body: table, headers: csv, query: { map: 'customer_id=Email' } });
  await tour.go('postImport', 400, { body: table, headers: csv });
  await tour.go('postImport', 400, { body: table, headers: csv, query: { map: 'x' } });
  await tour.go('postImport', 400, { body: '"', headers: csv });
  await tour.go('postImport', 415, { body: '{}' });
  const params = { import_id: String(body.import_id) };
  await tour.go('getImport', 200, { params });
  await tour.go('getImport', 400, { params: { import_id: 'first' } });
  await tour.go('getImport', 404, { params: { import_id: '99' } });
  await tour.go('listImportFaults', 200, { params });
  await tour.go('listImportFaults', 404, { params: { import_id: '99' } });
  await tour.go('listImportFaults', 400, { params, query: { cursor: 'forged' } });
  const { body: page } = await tour.go('listImports', 200, { query: { limit: '1' } });
  await tour.go('listImports', 200, { query: { limit: '1', cursor: page.next_cursor } });
  await tour.go('listImports', 400, { query: { limit: '0' } });
  await tour.go('cancelImport', 200, { params });
  await tour.go('cancelImport', 404, { params: { import_id: '99' } });
  await tour.go('cancelImport', 409, { params: { import_id: String(body.import_id + 2) } });
  for (let open = 1; open < 8; open += 1) await tour.go('postImport', 202, { body: file, headers: ndjson });
  await tour.go('postImport', 429, { body: file, headers: ndjson });
}

async function operate(tour: Tour): Promise<void> {
  for (const operationId of ['getLiveness', 'getReadiness', 'getMetrics', 'getStatus']) {
    await tour.go(operationId, 200);
    await tour.go(operationId, 400, { query: { x: '1' } });
  }
}

async function erase(tour: Tour): Promise<void> {
  await merge(tour);
  await tour.go('eraseCustomer', 204, { params: ANA });
  await tour.go('eraseCustomer', 204, { params: ANA });
  await tour.go('eraseCustomer', 404, { params: { customer_id: 'nobody' } });
  await tour.go('eraseCustomer', 400, { params: { customer_id: 'x'.repeat(129) } });
  await tour.go('putPurchase', 409, {
    params: { ...ANA, item_id: 'p' },
    body: { purchased_at: '2026-01-05', amount: '12' },
  });
  await tour.go('postPurchases', 200, {
    body: { items: [{ ...ANA, purchase_id: 'p', purchased_at: '2026-01-05', amount: '12' }] },
  });
}

t.test('every answer of a tour over all operations is the one the document promises', async (t) => {
  const { call } = await testService(t);
  const tour = new Tour(t, call);
  await operate(tour);
  await ingest(tour);
  await correct(tour);
  await readCustomers(tour);
  await classify(tour);
  await tryModels(tour);
  await report(tour);
  await list(tour);
  await importFiles(tour);
  await operate(tour);
  await erase(tour);
  for (const { operationId } of api.operations) {
    const statuses = [...(tour.seen.get(operationId) ?? [])];
    t.ok(
      statuses.some((status) => status < 300),
      `${operationId} was seen to succeed`,
    );
    t.ok(
      statuses.some((status) => status >= 400),
      `${operationId} was seen to refuse`,
    );
  }
});

t.test('while the service starts, every operation but the sign of life answers 503 as documented', async (t) => {
  const source = { current: () => null, ready: async () => false, renew: async () => Promise.reject(new Error()) };
  const log = pino({ level: 'silent' });
  const { server } = await buildApp({
    source,
    keys: fixedKeys(''),
    log,
    pool: null,
    limits: { body_bytes: 4_194_304, request_timeout_ms: 30_000 },
  });
  t.teardown(() => server.close());
  const inNeedOfNothing = ['getLiveness', 'getMetrics', 'listDefinitions', 'getDefinition'];
  for (const operation of api.operations) {
    const { url, body } = api.sampleOf(operation);
    const answer = await server.inject({
      method: operation.method as 'GET',
      url,
      ...(body === undefined ? {} : { payload: body as object }),
    });
    const json = String(answer.headers['content-type']).includes('json');
    const { statusCode: status, headers, body: text } = answer;
    t.equal(status, inNeedOfNothing.includes(operation.operationId) ? 200 : 503, operation.operationId);
    isDocumented(t, operation, { status, headers, text, body: json ? answer.json() : null });
  }
});

t.test('without a key, or with the wrong one, every operation answers as documented', async (t) => {
  const keys = fixedKeys(`nothing:admin:${hashToken('only-admin')}`);
  const { call } = await testService(t, { keys });
  for (const operation of api.operations) {
    const { url, body } = api.sampleOf(operation);
    const locked = operation['x-scope'] !== 'none';
    const without = await call(operation.method, url, body);
    t.equal(without.status, locked ? 401 : 200, `${operation.operationId} without a key`);
    isDocumented(t, operation, without);
    const wrong = await call(operation.method, url, body, { authorization: 'Bearer only-admin' });
    if (operation['x-scope'] !== 'admin' && locked)
      t.equal(wrong.status, 403, `${operation.operationId} with a key of another scope`);
    isDocumented(t, operation, wrong);
  }
});
