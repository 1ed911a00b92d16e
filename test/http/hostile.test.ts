import { request } from 'node:http';
import t, { type Test } from 'tap';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { dumpOf } from '../support/database-dump.ts';
import { type Answer, type TestService, testService } from '../support/service.ts';
import { type HostileCase, VALID, withRaw } from './hostile/case.ts';
import { HOSTILE_CASES } from './hostile/corpus.ts';
import { ODD_IDS } from './hostile/odd-ids.ts';

t.setTimeout(180_000);

const REQUEST_ID = 'hostile';
/** What a caller must never read: code, SQL, names of our parts. */
const INTERNALS =
  /in JSON at position|Unexpected token|node_modules|node:internal|\.[jt]s:\d|\bat (async )?\w+ \(|(Type|Range|Syntax|Reference)Error|SQLSTATE|kysely|postgres|\bpg_|\b(select|insert into|delete from)\b.*\b(from|values|where)\b/i;

/** Sends a case and reads its answer. */
type Send = (one: HostileCase) => Promise<Answer>;

/** Checks one answer: the status, the form of the refusal, the place it names, and what it must not show. */
function refused(t: Test, one: HostileCase, answer: Answer): void {
  const { status, text, body } = answer;
  const fault =
    one.status === 200 ? (body?.items?.[0] as { status: string; error: Fault | null } | undefined) : undefined;
  const inBatch = one.status === 200;
  const told: Told = inBatch ? { status, code: fault?.error?.code, at: fault?.error?.pointer } : toldBy(answer, one);
  t.strictSame(told, { status: one.status, code: one.code, at: one.at ?? undefined }, one.what);
  if (inBatch)
    t.match(
      fault,
      { status: 'invalid', ...(one.at?.endsWith('/customer_id') ? { customer_id: null } : {}) },
      `${one.what}: the item is invalid`,
    );
  else isProblem(t, answer, one);
  t.notMatch(text, INTERNALS, `${one.what}: nothing of the inside is shown`);
  t.ok(
    text.isWellFormed() && !/\\ud[89a-f]/i.test(text) && !text.includes('\\u0000'),
    `${one.what}: the answer is clean text`,
  );
  if (one.secret !== undefined) t.notOk(text.includes(one.secret), `${one.what}: the value is not repeated`);
}

interface Fault {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly code: string;
  readonly detail: string;
}
interface Told {
  readonly status: number;
  readonly code: string | undefined;
  readonly at: string | undefined;
}

/** What a problem says; the first entry of `errors` if there is one. */
function toldBy({ status, body }: Answer, one: HostileCase): Told {
  const first = (body?.errors as Fault[] | undefined)?.[0];
  if (first === undefined || one.at === null)
    return { status, code: first?.code ?? (body?.code as string | undefined), at: undefined };
  return { status, code: first.code, at: first.pointer ?? `?${first.parameter}` };
}

function isProblem(t: Test, { headers, body, status }: Answer, { what }: HostileCase): void {
  t.match(headers['content-type'], /^application\/problem\+json/, `${what}: is a problem`);
  const { type, title, detail, instance, request_id, retryable, errors, code } = body;
  t.strictSame(
    { status: body.status, type, instance, request_id, retryable },
    {
      status,
      type: `/problems/${code.replaceAll('_', '-')}`,
      instance: `urn:request:${REQUEST_ID}`,
      request_id: REQUEST_ID,
      retryable: false,
    },
    `${what}: is complete`,
  );
  const texts = [title, detail, ...(errors as Fault[]).map((fault) => fault.detail)];
  t.ok(
    texts.every((text) => typeof text === 'string' && text.length > 5 && !/undefined|\[object|null/.test(text)),
    `${what}: says it in words`,
  );
}

/** A service that already holds one valid item of each kind. */
async function shop(t: Test): Promise<TestService> {
  const service = await testService(t);
  for (const [kind, item] of Object.entries(VALID)) {
    const { body } = await service.call('POST', `/v1/${kind}`, { items: [item] });
    t.equal(body.summary.invalid, 0, `the valid ${kind} are stored`);
  }
  return service;
}

async function refusesAll(t: Test, service: TestService, send: Send): Promise<void> {
  const before = await dumpOf(service.db);
  for (const one of HOSTILE_CASES) refused(t, one, await send(one));
  t.strictSame(await dumpOf(service.db), before, 'nothing was changed in any table');
  t.equal((await service.call('GET', '/readyz')).status, 200, 'the service is ready');
}

t.test('every hostile request is refused by name, and changes nothing', async (t) => {
  const service = await shop(t);
  t.ok(HOSTILE_CASES.length >= 300, `${HOSTILE_CASES.length} cases`);
  const headers = { 'x-request-id': REQUEST_ID };
  await refusesAll(t, service, (one) => service.call(one.method, one.path, one.body, { ...headers, ...one.headers }));
});

t.test('every hostile request is refused over a socket as it is without one', async (t) => {
  const service = await shop(t);
  const url = await service.listen();
  await refusesAll(t, service, (one) => overSocket(url, one));
});

/** Sends a case with Node's own client; its path goes out as it is. */
async function overSocket(url: string, { method, path, body, headers }: HostileCase): Promise<Answer> {
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const length =
    payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
  const { hostname, port } = new URL(url);
  return await new Promise<Answer>((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path, headers: { ...length, 'x-request-id': REQUEST_ID, ...headers } },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          const json = /json/.test(answer.headers['content-type'] ?? '');
          resolve({ status: answer.statusCode!, headers: answer.headers, body: json ? JSON.parse(text) : null, text });
        });
      },
    );
    sent.on('error', reject);
    sent.end(payload);
  });
}

t.test('one bad item harms no other item of its batch, wherever it stands', async (t) => {
  const service = await testService(t);
  const bad = HOSTILE_CASES.filter(
    (one) => one.status === 200 && one.path === '/v1/purchases' && typeof one.body === 'object',
  );
  const items = bad.map((one) => (one.body as { items: unknown[] }).items[0]);
  const good = (index: number) => ({ ...VALID.purchases, purchase_id: `good${index}`, products: [`code${index}`] });
  const mixed = items.flatMap((item, index) => [good(index), item]);
  const { status, body } = await service.call('POST', '/v1/purchases', { items: mixed });
  t.equal(status, 200);
  t.strictSame(body.summary, { created: items.length, updated: 0, duplicate: 0, conflict: 0, invalid: items.length });
  t.ok(
    (body.items as { index: number; status: string }[]).every(
      ({ index, status: one }) => one === (index % 2 === 0 ? 'created' : 'invalid'),
    ),
  );
  const places = (body.items as { error: Fault | null }[])
    .map(({ error }) => error?.pointer)
    .filter((pointer) => pointer !== undefined);
  const expected = bad.map((one, index) => one.at!.replace('/items/0', `/items/${2 * index + 1}`));
  t.strictSame(places, expected, 'each fault names the item where it stands');
  const { body: customer } = await service.call('GET', '/v1/customers/c');
  t.equal(customer.purchases, items.length, 'the good ones are all stored');
});

t.test('ids that look dangerous are kept exactly and found again', async (t) => {
  const service = await testService(t);
  const items = ODD_IDS.flatMap((id) => [
    { ...VALID.purchases, customer_id: id, purchase_id: id, products: [[...id].slice(0, 32).join('')] },
  ]);
  const posted = await service.call('POST', '/v1/purchases', { items });
  t.equal(posted.body.summary.created, ODD_IDS.length, 'all are stored');
  t.strictSame(
    (posted.body.items as { customer_id: string }[]).map((item) => item.customer_id),
    ODD_IDS,
    'all are named as sent',
  );
  const url = await service.listen();
  for (const id of ODD_IDS) {
    const path = `/v1/customers/${encodeURIComponent(id)}`;
    const title = JSON.stringify(id).slice(0, 40);
    const { body: customer } = await service.call('GET', path);
    t.match(customer, { customer_id: id, purchases: 1 }, `${title} is read by its path`);
    const listed = (await (await fetch(`${url}${path}/purchases`)).json()) as {
      items: { purchase_id: string; products: string[] }[];
    };
    t.strictSame(
      listed.items.map((one) => one.purchase_id),
      [id],
      `${title} is listed over a socket`,
    );
    const put = await service.call('PUT', `${path}/purchases/${encodeURIComponent(id)}`, {
      purchased_at: '2026-01-05',
      amount: '11',
    });
    t.strictSame(put.body, { customer_id: id, item_id: id, status: 'updated' }, `${title} is corrected`);
    const voided = await fetch(`${url}${path}/purchases/${encodeURIComponent(id)}`, { method: 'DELETE' });
    t.equal(voided.status, 204, `${title} is voided over a socket`);
  }
  const { body: found } = await service.call('POST', '/v1/customers/lookup', { customer_ids: ODD_IDS });
  t.strictSame([found.items.length, found.not_found], [ODD_IDS.length, []], 'all are looked up');
  for (const id of ODD_IDS) {
    t.equal(
      (await service.call('DELETE', `/v1/customers/${encodeURIComponent(id)}`)).status,
      204,
      `${JSON.stringify(id).slice(0, 40)} is erased`,
    );
  }
  t.equal((await service.call('GET', '/v1/status')).body.stored.customers, 0, 'nobody is left');
});

t.test('names that every object inherits are ordinary groups, codes and kinds', async (t) => {
  const service = await testService(t);
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const customer = { customer_id: 'c', groups: names };
  t.equal((await service.call('POST', '/v1/customers', { items: [customer] })).body.summary.created, 1);
  const kinds = ['constructor', 'prototype', 'valueof'].map((kind) => ({
    ...VALID.interactions,
    interaction_id: kind,
    kind,
  }));
  t.equal((await service.call('POST', '/v1/interactions', { items: kinds })).body.summary.created, 3);
  t.equal(
    (await service.call('POST', '/v1/purchases', { items: [{ ...VALID.purchases, products: names }] })).body.summary
      .created,
    1,
  );
  t.strictSame((await service.call('GET', '/v1/customers/c')).body.groups, [...names].sort());
  const report = await service.call('GET', '/v1/reports/stage-population?group=__proto__');
  t.equal(
    (report.body.items as { customers: number }[]).reduce((sum, row) => sum + row.customers, 0),
    1,
    'the group counts its customer',
  );
  const when = { feature: 'interactions', kinds: ['constructor'], at_least: 1 };
  const words = { en: 'x', es: 'x', de: 'x' };
  const stages = [
    { stage: 'constructor', title: words, description: words },
    { stage: 'tostring', title: words, description: words, when },
  ];
  const model_document = { ...BUILT_IN_MODELS.lifecycle, stages };
  const history = (kind: string) => ({ interactions: [{ occurred_at: '2026-01-01', kind }] });
  const { body } = await service.call('POST', '/v1/classifications', {
    model_document,
    histories: [history('constructor'), history('visit')],
  });
  t.strictSame(
    (body.items as { answer: { stage: string } }[]).map(({ answer }) => answer.stage),
    ['tostring', 'constructor'],
  );
});

t.test('values on the very edge are taken: the limits are inclusive', async (t) => {
  const service = await testService(t);
  const bought = (at: string, more: object = {}) => ({
    ...VALID.purchases,
    purchase_id: at,
    purchased_at: at,
    ...more,
  });
  const purchases = [
    bought('1900-01-01'),
    bought('1900-01-01T00:00:00Z'),
    bought('2026-06-16'),
    bought('2026-06-16T12:00:00Z'),
    bought('2026-06-16T12:00:00.000000Z'),
    bought('2026-06-17T02:00:00+14:00'),
    bought('2026-06-15T23:59:59.999999-00:00'),
    bought('2024-02-29'),
    bought('2026-01-01', { amount: '100000000000.00', cost: '0', discount: '0.0', currency: 'EUR' }),
    bought('2026-01-02', { products: Array.from({ length: 100 }, (_, index) => '😀'.repeat(60) + index) }),
  ];
  const { body } = await service.call('POST', '/v1/purchases', { items: purchases });
  t.equal(
    body.summary.created,
    purchases.length,
    JSON.stringify(body.items.find((item: { status: string }) => item.status !== 'created')),
  );
  const survey = withRaw({ items: [{ ...VALID.interactions, kind: 'survey', score: '@raw' }] }, '-0');
  t.equal(
    (await service.call('POST', '/v1/interactions', survey)).body.summary.created,
    1,
    'a score of −0 is a score of 0',
  );
  const again = { items: [{ ...VALID.interactions, kind: 'survey', score: 0 }] };
  t.equal((await service.call('POST', '/v1/interactions', again)).body.summary.duplicate, 1);
  t.equal((await service.call('GET', '/v1/customers/c/interactions')).body.items[0].score, 0);
  const groups = Array.from({ length: 16 }, (_, index) => `${'g'.repeat(62)}${10 + index}`);
  t.equal(
    (await service.call('POST', '/v1/customers', { items: [{ customer_id: 'c', groups, known_since: '2026-06-16' }] }))
      .body.summary.updated,
    1,
  );
  const marked = Buffer.concat([
    Buffer.from([0xef, 0xbb, 0xbf]),
    Buffer.from(JSON.stringify({ items: [VALID.refunds] })),
  ]);
  t.equal(
    (await service.call('POST', '/v1/refunds', marked)).body.summary.created,
    1,
    'a UTF-8 byte order mark is dropped',
  );
  const named = { 'content-type': 'application/json; charset=UTF-8' };
  t.equal(
    (await service.call('POST', '/v1/refunds', { items: [VALID.refunds] }, named)).body.summary.duplicate,
    1,
    'charset=UTF-8 is taken',
  );
  const twice = JSON.stringify({ items: [VALID.refunds] }).replace('"amount":"2.00"', '"amount":"9","amount":"2.00"');
  t.equal(
    (await service.call('POST', '/v1/refunds', twice)).body.summary.duplicate,
    1,
    'of a repeated member the last counts',
  );
  const none = await service.call('DELETE', '/v1/customers/c/refunds/r', '', { 'content-type': 'application/json' });
  t.equal(none.status, 204, 'a DELETE may name a content type without having a body');
});

t.test('a cursor holds only for the list and the customer it was made for', async (t) => {
  const service = await testService(t);
  const items = ['a', 'b'].flatMap((customer_id) =>
    ['1', '2', '3'].map((purchase_id) => ({ ...VALID.purchases, customer_id, purchase_id })),
  );
  await service.call('POST', '/v1/purchases', { items });
  await service.call('POST', '/v1/refunds', { items: [{ ...VALID.refunds, customer_id: 'a' }] });
  const { next_cursor } = (await service.call('GET', '/v1/customers/a/purchases?limit=1')).body as {
    next_cursor: string;
  };
  const read = async (path: string) => {
    const { status, body } = await service.call('GET', path);
    return { status, code: body.code };
  };
  t.strictSame(await read(`/v1/customers/a/purchases?cursor=${next_cursor}`), { status: 200, code: undefined });
  const refusal = { status: 400, code: 'invalid_cursor' };
  t.strictSame(await read(`/v1/customers/b/purchases?cursor=${next_cursor}`), refusal, 'not for another customer');
  t.strictSame(await read(`/v1/customers/a/refunds?cursor=${next_cursor}`), refusal, 'not for another list');
  t.strictSame(await read(`/v1/customers/a/purchases?cursor=${next_cursor.slice(0, -2)}`), refusal, 'not cut');
  t.strictSame(
    await read(`/v1/customers/a/purchases?cursor=${next_cursor.slice(1)}`),
    refusal,
    'not without its beginning',
  );
  const parts = JSON.parse(Buffer.from(next_cursor, 'base64url').toString()) as unknown[];
  for (const forged of [
    [parts[0], 1.5, '1'],
    [parts[0], 1e300, '1'],
    [parts[0], '1', '1'],
    [parts[0], 0, 7],
    [parts[0], 0, '\0'],
    [parts[0]],
    { 0: parts[0] },
  ]) {
    const cursor = Buffer.from(JSON.stringify(forged)).toString('base64url');
    t.strictSame(
      await read(`/v1/customers/a/purchases?cursor=${cursor}`),
      refusal,
      `not forged as ${JSON.stringify(forged)}`,
    );
  }
});

t.test('a path refuses the methods it does not take with 405 and names those it takes', async (t) => {
  const service = await testService(t);
  const { body: document } = await service.call('GET', '/openapi.json');
  const paths = Object.entries(document.paths as Record<string, object>);
  t.ok(paths.length > 20);
  for (const [path, operations] of paths) {
    // An id may read like the end of a fixed path, which then takes the methods of both.
    const other = {
      '/v1/customers/lookup': '/v1/customers/{customer_id}',
      '/v1/models/preview': '/v1/models/{model_id}',
    };
    const shared = document.paths[other[path as keyof typeof other]] ?? {};
    const taken = Object.keys({ ...operations, ...shared }).map((method) => method.toUpperCase());
    const concrete = path.replaceAll(/\{\w+\}/g, 'lifecycle');
    const allow = [...taken, ...(taken.includes('GET') ? ['HEAD'] : [])].sort();
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
      if (allow.includes(method)) continue;
      const { status, headers, body } = await service.call(method, concrete);
      t.strictSame([status, String(headers.allow).split(', ').sort()], [405, allow], `${method} ${path}`);
      if (method !== 'HEAD') t.match(body, { code: 'method_not_allowed', status: 405 });
    }
  }
});

t.test("a customer's sums stay exact: the item that would leave 2⁵³ − 1 is refused, the rest stands", async (t) => {
  const service = await testService(t);
  const largest = (index: number) => ({
    customer_id: 'c',
    purchase_id: `p${index}`,
    purchased_at: '2026-01-05',
    amount: '100000000000',
  });
  const { body } = await service.call('POST', '/v1/purchases', {
    items: Array.from({ length: 902 }, (_, index) => largest(index)),
  });
  t.match(body.summary, { created: 900, invalid: 2 });
  t.match(body.items[900].error, { code: 'total_out_of_range', pointer: '/items/900' });
  t.equal((await service.call('GET', '/v1/customers/c')).body.revenue, '90000000000000.00');
  const put = await service.call('PUT', '/v1/customers/c/purchases/more', {
    purchased_at: '2026-01-05',
    amount: '100000000000',
  });
  t.match([put.status, put.body.code, put.body.errors[0].code], [409, 'item_refused', 'total_out_of_range']);
  const other = await service.call('POST', '/v1/purchases', {
    items: Array.from({ length: 900 }, (_, index) => ({ ...largest(index), customer_id: 'd' })),
  });
  t.equal(other.body.summary.created, 900, 'sums over customers may go beyond');
  const { body: report } = await service.call('GET', '/v1/reports/stage-population');
  const row = (report.items as { stage: string; activity: string; revenue: string }[]).find(
    (one) => one.stage === 'first_time_buyer' && one.activity === 'at_risk',
  );
  t.equal(row?.revenue, '180000000000000.00');
});

t.test('a deployment has at most 200 groups, and says so of the one too many', async (t) => {
  const service = await testService(t);
  const items = Array.from({ length: 13 }, (_, customer) => {
    return {
      customer_id: `c${customer}`,
      groups: Array.from({ length: 16 }, (_, index) => `g${customer * 16 + index}`),
    };
  });
  const { body } = await service.call('POST', '/v1/customers', { items });
  t.match(body.summary, { created: 12, invalid: 1 }, '192 groups fit, 208 do not');
  t.match(body.items[12].error, { code: 'too_many_groups', pointer: '/items/12/groups' });
  const rest = { customer_id: 'd', groups: Array.from({ length: 8 }, (_, index) => `h${index}`) };
  t.match(
    (await service.call('POST', '/v1/customers', { items: [rest] })).body.summary,
    { created: 1 },
    'the 200th fits',
  );
  const more = [
    { customer_id: 'e', groups: ['one_more'] },
    { customer_id: 'f', groups: ['g0', 'h7'] },
  ];
  const last = await service.call('POST', '/v1/customers', { items: more });
  t.strictSame(
    (last.body.items as { status: string }[]).map((item) => item.status),
    ['invalid', 'created'],
    'the 201st does not; known ones still do',
  );
  t.equal((await service.call('GET', '/v1/customers/e')).status, 404);
});

t.test('a million keys in one body are refused, whatever the limit', async (t) => {
  const service = await testService(t, { body_bytes: 67_108_864 });
  const keys = `{${Array.from({ length: 1_000_000 }, (_, index) => `"key${index}":0`).join(',')}}`;
  t.match((await service.call('POST', '/v1/purchases', keys)).body, {
    status: 400,
    errors: [{ pointer: '/items', code: 'required' }],
  });
  const { body } = await service.call('POST', '/v1/purchases', `{"items":[${keys}]}`);
  t.match(body.items[0], { status: 'invalid', error: { code: 'required' } });
  const deep = `{"items":[${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}]}`;
  const { status } = await service.call('POST', '/v1/purchases', deep);
  t.ok(status === 400 || status === 200, 'four million brackets are answered');
});
