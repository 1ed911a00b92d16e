import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import t, { type Test } from 'tap';
import { tidyImports } from '../../src/ingest/keep-storing.ts';
import { storeImports } from '../../src/ingest/store-imports.ts';
import { dumpOf } from '../support/database-dump.ts';
import { eventually } from '../support/process.ts';
import { type LogLine, type TestService, testService } from '../support/service.ts';

// Uploads over real sockets: slow ones, stalled ones, cut ones, and such as come faster than the database takes them.

t.setTimeout(180_000);

const HEAD =
  'POST /v1/imports HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n';
const row = (index: number): string =>
  `${JSON.stringify({ customer_id: `c-${index % 97}`, purchase_id: `p-${index}`, purchased_at: '2026-03-01', amount: '1' })}\n`;
const piece = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

interface Uploading {
  readonly socket: Socket;
  /** All that comes until the other side closes. */
  readonly answer: Promise<{ status: number; text: string }>;
}

/** Begins an upload; the connection ends with the test. */
async function begin(t: Test, url: string): Promise<Uploading> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', noDelay: true });
  t.teardown(async () => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const answer = new Promise<{ status: number; text: string }>((resolve) => {
    socket.once('close', () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), text }));
  });
  socket.write(`${HEAD}Connection: close\r\n\r\n`);
  return { socket, answer };
}

/** The latest import once it is in a state. */
async function latest({ call }: TestService, state: string): Promise<Record<string, unknown>> {
  return await eventually(`the latest import is ${state}`, async () => {
    const [found] = (await call('GET', '/v1/imports?limit=1')).body.items;
    return found?.state === state ? found : undefined;
  });
}

t.test('an upload may take longer than a request may, as long as something arrives', async (t) => {
  const service = await testService(t, { request_timeout_ms: 1_000 });
  const { socket, answer } = await begin(t, await service.listen());
  const started_at = performance.now();
  let sent = 0;
  for (; performance.now() - started_at < 2_500; sent += 1) {
    socket.write(piece(row(sent)));
    await delay(50);
  }
  socket.write('0\r\n\r\n');
  const { status, text } = await answer;
  t.equal(status, 202, text.slice(0, 200));
  await storeImports(service.engine);
  t.match((await service.call('GET', '/v1/imports/1')).body, { state: 'done', rows_read: sent, created: sent });
});

t.test('an upload of which nothing arrives any more is refused with 408, and nothing of it is stored', async (t) => {
  const log_lines: LogLine[] = [];
  const service = await testService(t, { request_timeout_ms: 1_000, log_lines });
  const { socket, answer } = await begin(t, await service.listen());
  for (let index = 0; index < 9_000; index += 1) socket.write(piece(row(index)));
  const { status, text } = await answer;
  t.equal(status, 408);
  t.match(text, /"code":"request_timeout"/);
  t.match(await latest(service, 'failed'), { failure: 'request_timeout', created: 0, waiting: 0 });
  await storeImports(service.engine);
  const { purchases, import_rows } = await dumpOf(service.db);
  t.strictSame({ purchases, import_rows }, { purchases: [], import_rows: [] });
  t.strictSame(
    log_lines.filter(({ level }) => Number(level) >= 50),
    [],
    'nobody is blamed',
  );
});

t.test('an upload that breaks off anywhere has failed: nothing of it is stored, and nothing leaks', async (t) => {
  const log_lines: LogLine[] = [];
  const service = await testService(t, { log_lines });
  const url = await service.listen();
  for (const rows of [0, 1, 700, 7_000]) {
    const { socket, answer } = await begin(t, url);
    await latest(service, 'receiving');
    let text = '';
    for (let index = 0; index < rows; index += 1) text += row(index);
    await new Promise((resolve) => socket.write(text === '' ? '' : `${piece(text)}ff\r\n{"cust`, resolve));
    if (rows % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
    await answer;
    t.match(await latest(service, 'failed'), { failure: 'upload_interrupted', created: 0, waiting: 0 }, `${rows} rows`);
  }
  await storeImports(service.engine);
  const { purchases, import_rows } = await dumpOf(service.db);
  t.strictSame({ purchases, import_rows }, { purchases: [], import_rows: [] });
  const blamed = log_lines.filter((line) => Number(line.level) >= 50 || Number(line.status) >= 500);
  t.strictSame(blamed, [], 'no failure of ours is logged');
});

t.test('a refusal reaches a caller who reads nothing before all is sent', async (t) => {
  const service = await testService(t);
  const { port } = new URL(await service.listen());
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  t.teardown(async () => void socket.destroy());
  await once(socket, 'connect');
  const file = Buffer.from(`name,total\n${'somebody,1\n'.repeat(1_000_000)}`);
  const head = `POST /v1/imports HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: ${file.length}\r\n\r\n`;
  socket.write(head);
  for (let at = 0; at < file.length; at += 65_536)
    if (!socket.write(file.subarray(at, at + 65_536))) await once(socket, 'drain');
  const [answer] = await once(socket, 'data');
  t.match(String(answer), /^HTTP\/1\.1 400 [\s\S]*"code":"unknown_column"/);
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200/, 'and the connection can be used again');
});

t.test('an import that is cancelled while it arrives ends its upload', async (t) => {
  const service = await testService(t);
  const { socket, answer } = await begin(t, await service.listen());
  socket.write(piece(row(0)));
  const { import_id } = await latest(service, 'receiving');
  t.match(await service.call('DELETE', `/v1/imports/${import_id}`), { status: 200, body: { state: 'cancelled' } });
  // Whether the next rows or the next sign of life finds it.
  for (let index = 1; index < 6_000; index += 1) socket.write(piece(row(index)));
  await eventually('the upload is refused', () => socket.readableEnded || socket.bytesRead > 0);
  socket.end('0\r\n\r\n');
  const { status, text } = await answer;
  t.equal(status, 409);
  t.match(text, /"code":"import_cancelled"/);
  await storeImports(service.engine);
  const { purchases, import_rows } = await dumpOf(service.db);
  t.strictSame({ purchases, import_rows }, { purchases: [], import_rows: [] });
});

t.test('an upload whose process died is found by its silence, and its rows are removed', async (t) => {
  const service = await testService(t);
  const { socket } = await begin(t, await service.listen());
  let text = '';
  for (let index = 0; index < 6_000; index += 1) text += row(index);
  socket.write(piece(text));
  await eventually('rows are staged', async () => (await latest(service, 'receiving')).rows_read as number);
  await tidyImports(service.engine);
  t.match(await latest(service, 'receiving'), { failure: null }, 'one that lives goes on');
  // As if the process had not been heard of for a while.
  await sql`update imports set heard_at = now() - interval '21 seconds'`.execute(service.db);
  await tidyImports(service.engine);
  t.match(await latest(service, 'failed'), { failure: 'upload_interrupted', waiting: 0 });
  await storeImports(service.engine);
  t.strictSame((await dumpOf(service.db)).import_rows, []);
});

t.test('while the database takes nothing, an upload waits at the other side; then it goes on', async (t) => {
  const service = await testService(t);
  const url = await service.listen();
  const locker = new pg.Client(service.connection);
  await locker.connect();
  t.teardown(async () => await locker.end());
  await locker.query('begin');
  await locker.query('lock table import_rows in access exclusive mode');
  const { socket, answer } = await begin(t, url);
  const bundle = piece(Array.from({ length: 500 }, (_, index) => row(index)).join(''));
  const bundles = Math.ceil((48 * 1_048_576) / bundle.length);
  let sent = 0;
  const send = (async () => {
    for (; sent < bundles; sent += 1) if (!socket.write(bundle)) await once(socket, 'drain');
    socket.write('0\r\n\r\n');
  })();
  let taken = -1;
  await eventually('nothing more is taken', async () => {
    const before = taken;
    taken = socket.bytesWritten;
    await delay(300);
    return before === taken;
  });
  t.ok(taken < 16 * 1_048_576, `${taken} bytes of ${bundles * bundle.length} were taken`);
  await locker.query('rollback');
  await send;
  const { status, text } = await answer;
  t.equal(status, 202, text.slice(0, 200));
  t.match((await service.call('GET', '/v1/imports/1')).body, { rows_read: bundles * 500 });
});
