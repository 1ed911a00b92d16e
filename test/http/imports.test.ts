import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { csvRows } from '../../src/http/import-rows.ts';
import { storeImports } from '../../src/ingest/store-imports.ts';
import { verify } from '../../src/ingest/verify.ts';
import { dumpOf } from '../support/database-dump.ts';
import { type Answer, type TestService, testService } from '../support/service.ts';

t.setTimeout(120_000);

const NDJSON = { 'content-type': 'application/x-ndjson' };
const CSV = { 'content-type': 'text/csv' };

/** Sends a file, stores it, and gives the import as it is then. */
async function importFile(
  { call, engine }: TestService,
  body: string | Buffer,
  headers: Record<string, string> = NDJSON,
  search = '',
): Promise<Answer> {
  const sent = await call('POST', `/v1/imports${search}`, body, headers);
  if (sent.status !== 202) return sent;
  await storeImports(engine);
  return await call('GET', String(sent.headers.location));
}

async function faultsOf({ call }: TestService, importId: number): Promise<readonly Record<string, unknown>[]> {
  return (await call('GET', `/v1/imports/${importId}/faults?limit=1000`)).body.items;
}

/** The counts of an import that are not 0. */
function counted({ body }: Answer): Record<string, unknown> {
  const names = ['rows_read', 'created', 'updated', 'duplicate', 'conflict', 'invalid', 'dropped', 'waiting'];
  return Object.fromEntries(names.filter((name) => body[name] !== 0).map((name) => [name, body[name]]));
}

const lines = (...items: readonly unknown[]): string =>
  items.map((item) => `${typeof item === 'string' ? item : JSON.stringify(item)}\n`).join('');

const bought = (customer_id: string, purchase_id: string, more: object = {}) => ({
  customer_id,
  purchase_id,
  purchased_at: '2026-03-01T10:00:00Z',
  amount: '12.50',
  ...more,
});

async function isWhole(t: Test, { engine, db }: TestService): Promise<void> {
  t.strictSame((await verify(engine)).differences, [], 'verify finds nothing');
  t.strictSame((await dumpOf(db)).import_rows, [], 'nothing is left in the stage');
}

t.test('an NDJSON file with every kind of item is stored as if each had been posted', async (t) => {
  const service = await testService(t);
  const file = lines(
    { customer_id: 'ana', known_since: '2026-01-01', groups: ['b', 'a'] },
    bought('ana', 'p1', { products: ['tea', 'tea', 'cup'], cost: '3', discount: '1.25', currency: 'EUR' }),
    bought('ben', 'p1', { purchased_at: '2026-03-02' }),
    { customer_id: 'ana', refund_id: 'r1', purchase_id: 'p1', refunded_at: '2026-03-05', amount: '2.50' },
    {
      customer_id: 'ana',
      interaction_id: 'i1',
      occurred_at: '2026-03-02T23:59:59.123456+02:00',
      kind: 'survey',
      score: 9,
    },
    {
      customer_id: 'ben',
      interaction_id: 'i1',
      occurred_at: '2026-03-03',
      kind: 'departure',
      reason: 'price',
      cost: '0.10',
    },
  );
  const sent = await service.call('POST', '/v1/imports', file, NDJSON);
  t.match(sent, { status: 202, headers: { location: `/v1/imports/${sent.body.import_id}` } });
  t.match(sent.body, {
    state: 'storing',
    rows_read: 6,
    waiting: 6,
    bytes_read: file.length,
    finished_at: null,
    kind: null,
  });
  t.equal(
    (await service.call('GET', '/v1/customers/ana')).status,
    404,
    'nothing is stored before all of it has arrived',
  );
  await storeImports(service.engine);
  const done = await service.call('GET', `/v1/imports/${sent.body.import_id}`);
  t.match(done.body, { state: 'done', waiting: 0, failure: null, finished_at: '2026-06-15T12:00:00Z' });
  t.strictSame(counted(done), { rows_read: 6, created: 6 });

  const posted = await testService(t);
  const [ana, anaBought, benBought, refund, survey, left] = file
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  await posted.call('POST', '/v1/customers', { items: [ana] });
  await posted.call('POST', '/v1/purchases', { items: [anaBought, benBought] });
  await posted.call('POST', '/v1/refunds', { items: [refund] });
  await posted.call('POST', '/v1/interactions', { items: [survey, left] });
  for (const id of ['ana', 'ben'])
    for (const part of ['', '/purchases', '/refunds', '/interactions', '/stages', '/timeline']) {
      const path = `/v1/customers/${id}${part}`;
      t.strictSame((await service.call('GET', path)).body, (await posted.call('GET', path)).body, path);
    }
  await isWhole(t, service);
});

t.test('the same file again is all duplicates, and what contradicts is a conflict with its line', async (t) => {
  const service = await testService(t);
  const file = lines(bought('ana', 'p1'), bought('ana', 'p2'), { customer_id: 'ana', groups: ['a'] });
  t.strictSame(counted(await importFile(service, file)), { rows_read: 3, created: 2, updated: 1 });
  t.strictSame(counted(await importFile(service, file)), { rows_read: 3, duplicate: 3 });
  const again = await importFile(
    service,
    lines(bought('ana', 'p1'), '', bought('ana', 'p2', { amount: '13' }), bought('ana', 'p3'), bought('ana', 'p3')),
  );
  t.strictSame(counted(again), { rows_read: 4, created: 1, duplicate: 2, conflict: 1 });
  t.match(await faultsOf(service, again.body.import_id), [
    { line: 3, status: 'conflict', pointer: null, code: 'conflict' },
  ]);
  t.equal((await service.call('GET', '/v1/customers/ana')).body.revenue, '37.50');
  await isWhole(t, service);
});

t.test(
  'a bad row is counted and named with its line, by the words of the batch routes, and harms no other',
  async (t) => {
    const service = await testService(t);
    const bad = [
      { ...bought('ana', 'b1'), amount: '12,50' },
      { ...bought('ana', 'b2'), colour: 'red' },
      { ...bought('', 'b3') },
      { customer_id: 'ana', purchased_at: '2026-03-01', amount: '1' },
      { ...bought('ana', 'b5'), currency: 'USD' },
      { ...bought('ana', 'b6'), purchased_at: '2026-02-30' },
      { ...bought('ana', 'b\0') },
      7,
      [bought('ana', 'b9')],
    ];
    const file = lines(bought('ana', 'p0'), ...bad, 'no json', '{"customer_id":"ana",', bought('ana', 'p1'));
    const answer = await importFile(service, file);
    t.strictSame(counted(answer), { rows_read: 13, created: 2, invalid: 11 });
    const faults = await faultsOf(service, answer.body.import_id);
    t.strictSame(
      faults.map(({ line }) => line),
      Array.from({ length: 11 }, (_, index) => index + 2),
    );
    const batch = await service.call('POST', '/v1/purchases', { items: bad.slice(0, 7) });
    for (const [index, item] of batch.body.items.entries()) {
      const { pointer, code, detail } = item.error;
      t.strictSame(faults[index], {
        line: index + 2,
        status: 'invalid',
        pointer: pointer.replace(`/items/${index}`, ''),
        code,
        detail,
      });
    }
    t.strictSame(
      faults.slice(9).map(({ code, pointer }) => [code, pointer]),
      [
        ['malformed_json', null],
        ['malformed_json', null],
      ],
    );
    await isWhole(t, service);
  },
);

t.test('of more than 1,000 bad rows the first 1,000 are kept and all are counted', async (t) => {
  const service = await testService(t);
  const file = lines(
    ...Array.from({ length: 6_500 }, (_, index) => (index % 2 === 0 ? bought('ana', `p${index}`) : 'bad')),
  );
  const answer = await importFile(service, file);
  t.strictSame(counted(answer), { rows_read: 6_500, created: 3_250, invalid: 3_250 });
  const path = `/v1/imports/${answer.body.import_id}/faults`;
  const found: number[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await service.call('GET', `${path}?limit=300${cursor}`);
    found.push(...body.items.map(({ line }: { line: number }) => line));
    if (body.next_cursor === null) break;
    cursor = `&cursor=${body.next_cursor}`;
  }
  t.strictSame(
    found,
    Array.from({ length: 1_000 }, (_, index) => 2 * index + 2),
  );
  t.equal((await service.call('GET', `${path}?cursor=forged`)).status, 400);
});

t.test('lines end with LF or CRLF, the last may end with nothing, and a byte order mark is dropped', async (t) => {
  const service = await testService(t);
  const items = [bought('ana', 'p1'), bought('ána', 'p2'), bought('😀', 'p3')].map((item) => JSON.stringify(item));
  t.strictSame(counted(await importFile(service, `\ufeff${items.join('\n')}`)), { rows_read: 3, created: 3 });
  t.strictSame(counted(await importFile(service, `\n  \r\n${items.join('\r\n')}\r\n\r\n`)), {
    rows_read: 3,
    duplicate: 3,
  });
  t.strictSame(counted(await importFile(service, '')), {}, 'an empty file holds no rows');
  const latin = Buffer.concat([
    Buffer.from(`${items[0]}\n`),
    Buffer.from('{"customer_id":"\xe9"}\n', 'latin1'),
    Buffer.from(items[1]!),
  ]);
  const answer = await importFile(service, latin);
  t.strictSame(counted(answer), { rows_read: 3, duplicate: 2, invalid: 1 });
  t.match(await faultsOf(service, answer.body.import_id), [{ line: 2, code: 'not_utf8' }]);
});

t.test(
  'a line that is too long is left out wherever the pieces of the upload end, and the next one is read',
  async (t) => {
    const service = await testService(t);
    const long = JSON.stringify(bought('ana', 'long', { products: ['x'.repeat(400_000)] }));
    const answer = await importFile(
      service,
      lines(bought('ana', 'p1'), long, bought('ana', 'p2'), 'y'.repeat(262_145), bought('ana', 'p3')),
    );
    t.strictSame(counted(answer), { rows_read: 5, created: 3, invalid: 2 });
    t.match(await faultsOf(service, answer.body.import_id), [
      { line: 2, code: 'line_too_long' },
      { line: 4, code: 'line_too_long' },
    ]);
  },
);

t.test('a CSV file whose header names the fields is read, empty cells being absent fields', async (t) => {
  const service = await testService(t);
  const file = `customer_id,purchase_id,purchased_at,amount,products,cost
ana,p1,2026-03-01,12.50,tea;cup,
"ana ""the"" great",p1,2026-03-01T10:00:00Z,1,"a;b,c",0.5

"two
lines",p1,2026-03-02,2,,
ana,p2,2026-03-02,bad,,
ana,p3,2026-03-02
,,,,,
ana,p4,2026-03-02,4,,
`;
  const answer = await importFile(service, file, CSV);
  t.strictSame(counted(answer), { rows_read: 6, created: 4, invalid: 2 });
  t.match(await faultsOf(service, answer.body.import_id), [
    { line: 7, pointer: '/amount', code: 'wrong_format' },
    { line: 8, pointer: null, code: 'wrong_number_of_columns', detail: 'The row has 3 columns, the header has 6.' },
  ]);
  const { body } = await service.call('GET', '/v1/customers/ana/purchases');
  t.strictSame(body.items.find(({ purchase_id }: { purchase_id: string }) => purchase_id === 'p1').products, [
    'cup',
    'tea',
  ]);
  for (const id of ['ana "the" great', 'two\nlines'])
    t.equal((await service.call('GET', `/v1/customers/${encodeURIComponent(id)}`)).status, 200, id);
  const changed = `\ufeff${file.replaceAll('\n', '\r\n')}`;
  t.match(
    counted(await importFile(service, changed, CSV)),
    { rows_read: 6, duplicate: 3, created: 1, invalid: 2 },
    'with CRLF, which is another id within quotes',
  );
  await isWhole(t, service);
});

t.test('columns may be separated by semicolons or tabs, and each kind of item comes as CSV', async (t) => {
  const service = await testService(t);
  const purchases = 'customer_id;purchase_id;purchased_at;amount\nana;p1;2026-03-01;12.50\n';
  t.strictSame(counted(await importFile(service, purchases, CSV)), { rows_read: 1, created: 1 });
  const refunds = 'customer_id\trefund_id\tpurchase_id\trefunded_at\tamount\nana\tr1\tp1\t2026-03-02\t2\n';
  t.strictSame(counted(await importFile(service, refunds, CSV)), { rows_read: 1, created: 1 });
  const interactions =
    'customer_id,interaction_id,occurred_at,kind,score,reason\nana,i1,2026-03-02,survey,10,\nana,i2,2026-03-02,survey,ten,\n';
  const answer = await importFile(service, interactions, CSV);
  t.strictSame(counted(answer), { rows_read: 2, created: 1, invalid: 1 });
  t.match(await faultsOf(service, answer.body.import_id), [{ line: 3, pointer: '/score', code: 'wrong_type' }]);
  const customers = 'customer_id,known_since,groups\nana,2026-01-01,"a;b"\n';
  t.strictSame(counted(await importFile(service, customers, CSV)), { rows_read: 1, updated: 1 });
  const ana = (await service.call('GET', '/v1/customers/ana')).body;
  t.match(ana, { purchases: 1, revenue: '10.50', known_since: '2026-01-01', groups: ['a', 'b'] });
});

t.test('map says which column is which field; columns that nobody names are left out', async (t) => {
  const service = await testService(t);
  const file = 'Order No,"Total, EUR",Email,purchased_at,Phone\no-1,9.90,ana@example.com,2026-03-01,555\n';
  const map = encodeURIComponent('customer_id=Email,purchase_id = Order No,"amount=Total, EUR"');
  t.strictSame(counted(await importFile(service, file, CSV, `?kind=purchases&map=${map}`)), {
    rows_read: 1,
    created: 1,
  });
  t.match((await service.call('GET', '/v1/customers/ana@example.com')).body, { revenue: '9.90' });
  const refused: readonly (readonly [search: string, parameter: string | undefined, code: string])[] = [
    ['', undefined, 'unknown_column'],
    ['?map=purchase_id=Order%20No', undefined, 'no_customer_id'],
    ['?map=customer_id=E-Mail', 'map', 'unknown_column'],
    ['?map=customer=Email', 'map', 'unknown_field'],
    ['?map=Email', 'map', 'malformed'],
    ['?map=customer_id=Email,customer_id=Phone', 'map', 'twice'],
    ['?map=customer_id=Email,purchase_id=Email', 'map', 'twice'],
    ['?map=customer_id=Email,"x', 'map', 'malformed'],
    ['?map=customer_id=Email&kind=orders', 'kind', 'unknown_value'],
  ];
  for (const [search, parameter, code] of refused) {
    const { status, body } = await service.call('POST', `/v1/imports${search}`, file, CSV);
    t.strictSame([status, body.errors?.[0]?.parameter, body.errors?.[0]?.code], [400, parameter, code], search);
    t.notMatch(JSON.stringify(body.errors), /Email|example/, 'nothing out of the file is repeated');
  }
  const twice = 'customer_id,groups,groups\nana,a,b\n';
  t.match((await service.call('POST', '/v1/imports', twice, CSV)).body.errors, [{ code: 'two_columns' }]);
  t.match((await service.call('POST', '/v1/imports?map=customer_id=x', '{}', NDJSON)).body.errors, [
    { parameter: 'map' },
  ]);
});

t.test('CSV that leaves open where a row ends is refused with its line, and nothing of it is stored', async (t) => {
  const service = await testService(t);
  const rows = Array.from({ length: 8_000 }, (_, index) => `c-${index},p,2026-03-01,1\n`).join('');
  const head = 'customer_id,purchase_id,purchased_at,amount\n';
  const cases: readonly (readonly [what: string, file: string | Buffer, detail: RegExp])[] = [
    ['a quote that is never closed', `${head}${rows}"ana,p1,2026-03-01,1\n`, /quote/],
    ['a quote inside', `${head}${rows}an"a,p1,2026-03-01,1\n`, /line 8002/],
    ['a record without end', `${head}"${'x'.repeat(300_000)}`, /262144 bytes/],
    ['nothing', '', /empty/],
    ['Latin-1', Buffer.concat([Buffer.from(head), Buffer.from('jos\xe9,p,2026-03-01,1\n', 'latin1')]), /UTF-8/],
  ];
  for (const [what, file, detail] of cases) {
    const { status, body } = await service.call('POST', '/v1/imports', file, CSV);
    t.match({ status, ...body }, { status: 400, code: 'malformed_csv', detail }, what);
  }
  await storeImports(service.engine);
  const { items } = (await service.call('GET', '/v1/imports')).body;
  t.strictSame(
    items.map(({ state, failure, created, waiting }: Record<string, unknown>) => [state, failure, created, waiting]),
    cases.map(() => ['failed', 'malformed_csv', 0, 0]),
  );
  t.equal((await service.call('GET', '/v1/status')).body.stored.purchases, 0);
  await isWhole(t, service);
});

t.test('gzip is decompressed; what is none, is cut off, or grows beyond reason is refused', async (t) => {
  const service = await testService(t);
  const file = lines(...Array.from({ length: 3_000 }, (_, index) => bought(`c-${index}`, 'p')));
  const packed = gzipSync(file);
  const headers = { ...NDJSON, 'content-encoding': 'gzip' };
  const answer = await importFile(service, packed, headers);
  t.strictSame(counted(answer), { rows_read: 3_000, created: 3_000 });
  t.equal(answer.body.bytes_read, packed.length);
  for (const body of [file, packed.subarray(0, -20), Buffer.alloc(0)])
    t.match(await service.call('POST', '/v1/imports', body, headers), {
      status: 400,
      body: { code: 'invalid_request', detail: /gzip/ },
    });
  const bomb = gzipSync(Buffer.alloc(64 * 1_048_576, '\n'));
  t.match(await service.call('POST', '/v1/imports', bomb, headers), {
    status: 413,
    body: { code: 'payload_too_large' },
  });
  await storeImports(service.engine);
  await isWhole(t, service);
});

t.test('other content types and encodings are refused, and those of imports are refused elsewhere', async (t) => {
  const service = await testService(t);
  const refused = [
    { 'content-type': 'application/json' },
    { 'content-type': 'text/plain' },
    { 'content-type': 'text/csv; charset=latin1' },
    { ...CSV, 'content-encoding': 'br' },
  ];
  for (const headers of refused)
    t.match(
      await service.call('POST', '/v1/imports', 'x', headers),
      { status: 415, body: { code: 'unsupported_media_type' } },
      JSON.stringify(headers),
    );
  for (const headers of [NDJSON, CSV])
    t.equal((await service.call('POST', '/v1/purchases', '{"items":[]}', headers)).status, 415);
  t.equal(
    (await importFile(service, lines(bought('a', 'p')), { 'content-type': 'application/x-ndjson; charset="UTF-8"' }))
      .status,
    200,
  );
});

t.test('an import is cancelled while it waits: what is stored stays, the rest is dropped and counted', async (t) => {
  const service = await testService(t);
  const file = lines(...Array.from({ length: 2_000 }, (_, index) => bought(`c-${index % 500}`, `p-${index}`)));
  const { body } = await service.call('POST', '/v1/imports', file, NDJSON);
  const path = `/v1/imports/${body.import_id}`;
  const stop = new AbortController();
  const { log } = service.engine;
  // Stops after the first transaction, as if the process were told to.
  const info = (fields: object, message: string): void => {
    if (message === 'ingested') stop.abort();
    log.info(fields, message);
  };
  await storeImports({ ...service.engine, log: { ...log, info } }, { signal: stop.signal, page_rows: 400, lanes: 1 });
  const half = await service.call('GET', path);
  t.strictSame(counted(half), { rows_read: 2_000, created: 400, waiting: 1_600 });
  const cancelled = await service.call('DELETE', path);
  t.match(cancelled, { status: 200, body: { state: 'cancelled', created: 400, dropped: 1_600, waiting: 0 } });
  await storeImports(service.engine);
  t.strictSame((await service.call('DELETE', path)).body, cancelled.body, 'cancelling again changes nothing');
  t.equal((await service.call('GET', '/v1/status')).body.stored.purchases, 400);
  const done = await importFile(service, file);
  t.strictSame(counted(done), { rows_read: 2_000, created: 1_600, duplicate: 400 }, 'sent again, the rest is stored');
  t.match(await service.call('DELETE', `/v1/imports/${done.body.import_id}`), {
    status: 409,
    body: { code: 'import_ended' },
  });
  t.match(await service.call('DELETE', '/v1/imports/999'), { status: 404, body: { code: 'import_not_found' } });
  await isWhole(t, service);
});

t.test('the ninth open import is refused until one of the others has ended', async (t) => {
  const service = await testService(t);
  const send = async () => await service.call('POST', '/v1/imports', lines(bought('ana', 'p')), NDJSON);
  for (let open = 0; open < 8; open += 1) t.equal((await send()).status, 202);
  const refused = await send();
  t.match(refused, {
    status: 429,
    headers: { 'retry-after': '1' },
    body: { code: 'too_many_imports', retryable: true },
  });
  await storeImports(service.engine);
  t.equal((await send()).status, 202);
  const pages = [await service.call('GET', '/v1/imports?limit=5')];
  pages.push(await service.call('GET', `/v1/imports?limit=5&cursor=${pages[0]!.body.next_cursor}`));
  const ids = pages.flatMap(({ body }) => body.items.map(({ import_id }: { import_id: number }) => import_id));
  t.strictSame(
    ids,
    [...ids].sort((a, b) => b - a),
    'the latest first',
  );
  t.strictSame([ids.length, pages[1]!.body.next_cursor], [9, null]);
});

t.test(
  'rows of an erased customer are invalid unless they are later, and those of a merged one reach the survivor',
  async (t) => {
    const service = await testService(t);
    await importFile(service, lines(bought('gone', 'p1'), bought('old', 'p1'), bought('new', 'p2')));
    const waiting = await service.call('POST', '/v1/imports', lines(bought('gone', 'p2'), bought('old', 'p3')), NDJSON);
    await service.call('DELETE', '/v1/customers/gone');
    await service.call('POST', '/v1/customers/old/merge', { into: 'new' });
    await storeImports(service.engine);
    const { import_id } = waiting.body;
    t.strictSame(counted(await service.call('GET', `/v1/imports/${import_id}`)), {
      rows_read: 2,
      created: 1,
      invalid: 1,
    });
    t.match(await faultsOf(service, import_id), [{ line: 1, code: 'customer_erased' }]);
    t.match((await service.call('GET', '/v1/customers/new')).body, { purchases: 3 });
    t.equal((await service.call('GET', '/v1/customers/gone')).status, 404);
    await isWhole(t, service);
  },
);

t.test(
  'ids of one customer that lie far apart are stored on top of each other, however small the parts of a page',
  async (t) => {
    const service = await testService(t);
    await importFile(service, lines(bought('a', 'p1'), bought('z', 'p2')));
    t.equal((await service.call('POST', '/v1/customers/a/merge', { into: 'z' })).status, 200);
    const others = Array.from({ length: 20 }, (_, index) => bought(`m-${index}`, 'p'));
    const file = lines(bought('a', 'p3'), bought('z', 'p4'), ...others, bought('z', 'p5'), bought('a', 'p6'));
    const { body } = await service.call('POST', '/v1/imports', file, NDJSON);
    await storeImports(service.engine, { part_rows: 2 });
    t.strictSame(counted(await service.call('GET', `/v1/imports/${body.import_id}`)), { rows_read: 24, created: 24 });
    t.match((await service.call('GET', '/v1/customers/z')).body, { purchases: 6 });
    await isWhole(t, service);
  },
);

t.test('one customer with more rows than a transaction takes is stored in the order of the lines', async (t) => {
  const service = await testService(t);
  const file = lines(
    ...Array.from({ length: 1_000 }, (_, index) =>
      index % 10 === 9 ? { customer_id: 'big', groups: [`g${index}`] } : bought('big', `p-${index}`),
    ),
  );
  const { body } = await service.call(
    'POST',
    '/v1/imports',
    lines(bought('a', 'p')) + file + lines(bought('z', 'p')),
    NDJSON,
  );
  await storeImports(service.engine, { page_rows: 64 });
  t.strictSame(counted(await service.call('GET', `/v1/imports/${body.import_id}`)), {
    rows_read: 1_002,
    created: 902,
    updated: 100,
  });
  t.match((await service.call('GET', '/v1/customers/big')).body, { purchases: 900, groups: ['g999'] });
  await isWhole(t, service);
});

t.test('late rows of several customers whose histories are too long to be read at once are stored', async (t) => {
  const service = await testService(t);
  const ids = ['ana', 'ben', 'cleo', 'dan'];
  const past = ids.flatMap((id) => Array.from({ length: 2_600 }, (_, index) => bought(id, `p-${index}`)));
  t.strictSame(counted(await importFile(service, lines(...past))), { rows_read: 10_400, created: 10_400 });
  const late = ids.map((id, index) => bought(id, 'late', { purchased_at: `2025-0${index + 1}-01` }));
  t.strictSame(counted(await importFile(service, lines(...late))), { rows_read: 4, created: 4 });
  for (const [index, id] of ids.entries()) {
    const { body } = await service.call('GET', `/v1/customers/${id}`);
    t.match(body, { purchases: 2_601, first_purchase_day: `2025-0${index + 1}-01`, last_purchase_day: '2026-03-01' });
  }
  await isWhole(t, service);
});

t.test('rows are stored a few at a time if they are long, one alone if it is longer than that', async (t) => {
  const service = await testService(t);
  const products = Array.from({ length: 10 }, (_, index) => `${'x'.repeat(63)}${index}`);
  const file = lines(
    ...Array.from({ length: 40 }, (_, index) =>
      bought(index % 2 === 0 ? 'big' : `c-${index}`, `p-${index}`, { products }),
    ),
    { customer_id: 'big', groups: ['last'] },
  );
  // Rows of some 720 bytes, and a short one.
  for (const [page_bytes, most] of [
    [2_000, 3],
    [100, 1],
  ] as const) {
    const { body } = await service.call('POST', '/v1/imports', file, NDJSON);
    const rows: number[] = [];
    const info = (fields: object): void => {
      if ('rows' in fields) rows.push(fields.rows as number);
    };
    const { log } = service.engine;
    await storeImports({ ...service.engine, log: { ...log, info } }, { page_bytes, lanes: 1 });
    t.equal(Math.max(...rows), most, `${most} at once`);
    t.equal(
      rows.reduce((sum, count) => sum + count, 0),
      41,
      'each once',
    );
    t.match((await service.call('GET', `/v1/imports/${body.import_id}`)).body, {
      state: 'done',
      rows_read: 41,
      waiting: 0,
    });
  }
  t.match((await service.call('GET', '/v1/customers/big')).body, { purchases: 20, groups: ['last'] });
  await isWhole(t, service);
});

t.test('no more customers are stored at once than a page takes', async (t) => {
  const service = await testService(t);
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  await service.call('POST', '/v1/imports', lines(...ids.flatMap((id) => [bought(id, 'p'), bought(id, 'q')])), NDJSON);
  const stored: unknown[] = [];
  const info = (fields: object): void => {
    if ('customers' in fields) stored.push(fields.customers);
  };
  const { log } = service.engine;
  await storeImports({ ...service.engine, log: { ...log, info } }, { page_customers: 3, lanes: 1 });
  t.strictSame(stored, [3, 3, 1]);
  await isWhole(t, service);
});

t.test('records of a CSV file are handed on before they take much memory', async (t) => {
  const cell = 'x'.repeat(10_000);
  const chunks = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from('customer_id,purchase_id\n');
    for (let index = 0; index < 200; index += 1) yield Buffer.from(`${cell},${index}\n`);
  };
  const bundles: number[] = [];
  for await (const rows of csvRows(chunks(), { map: null, kind: null })) bundles.push(rows.length);
  t.equal(
    bundles.reduce((sum, rows) => sum + rows, 0),
    200,
  );
  t.ok(Math.max(...bundles) < 30, `${Math.max(...bundles)} records of 10,000 bytes at once`);
});

t.test('imported items are counted for /metrics by kind and by what became of them', async (t) => {
  const service = await testService(t);
  const counts = new Map<string, number>();
  const onStored = (kind: string, result: string, items: number): void => {
    counts.set(`${kind} ${result}`, (counts.get(`${kind} ${result}`) ?? 0) + items);
  };
  const file = lines(
    bought('a', 'p1'),
    bought('a', 'p2'),
    bought('a', 'p1'),
    { customer_id: 'a', groups: ['g'] },
    'x',
    bought('', 'p'),
  );
  await service.call('POST', '/v1/imports', file, NDJSON);
  await storeImports(service.engine, { onStored });
  t.strictSame(Object.fromEntries(counts), {
    'purchases created': 2,
    'purchases duplicate': 1,
    'customers updated': 1,
  });
  const { text } = await service.call('GET', '/metrics');
  t.match(
    text,
    /escalera_ingest_items_total\{kind="purchases",result="invalid"\} 1\n/,
    'the others when they are refused',
  );
});
