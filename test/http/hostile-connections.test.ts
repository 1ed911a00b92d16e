import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { dumpOf } from '../support/database-dump.ts';
import { type LogLine, type TestService, testService } from '../support/service.ts';
import { VALID } from './hostile/case.ts';

t.setTimeout(120_000);

const ITEMS = JSON.stringify({ items: [{ ...VALID.purchases, purchase_id: 'hostile' }] });
const CLOSE = 'Host: x\r\nConnection: close\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const POST = `POST /v1/purchases HTTP/1.1\r\n${CLOSE}${JSON_TYPE}`;

/** A listening service that holds one purchase. */
async function listening(
  t: Test,
  options: { request_timeout_ms?: number; log_lines?: LogLine[] } = {},
): Promise<TestService & { port: number }> {
  const service = await testService(t, options);
  await service.call('POST', '/v1/purchases', { items: [VALID.purchases] });
  return { ...service, port: Number(new URL(await service.listen()).port) };
}

/** Opens a connection; it ends with the test. */
async function open(t: Test, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  t.teardown(async () => void socket.destroy());
  // A peer that refuses an upload resets the connection while it is being written.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Waits until the connection is closed, in whatever way. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

/** All that comes until the other side closes. */
async function readAll(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  await closed(socket);
  return Buffer.concat(parts).toString('utf8');
}

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

/** Reads the one answer in a text. */
function parse(text: string): RawAnswer {
  const [head = '', body = ''] = text.split(/\r\n\r\n([\s\S]*)/);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]),
    head,
    body: body.startsWith('{') ? JSON.parse(body) : null,
  };
}

async function answerTo(t: Test, port: number, bytes: string | Buffer): Promise<RawAnswer> {
  const socket = await open(t, port);
  const all = readAll(socket);
  socket.write(bytes);
  return parse(await all);
}

/** Requests that are not HTTP, or not HTTP anybody should understand in one way only. */
const MALFORMED: readonly (readonly [what: string, bytes: string | Buffer])[] = [
  ['no HTTP at all', 'hello\r\n\r\n'],
  ['a TLS greeting', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3, 3])],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/3.7', `GET /livez HTTP/3.7\r\n${CLOSE}\r\n`],
  ['a method that does not exist', `BREW /livez HTTP/1.1\r\n${CLOSE}\r\n`],
  ['line feeds only', 'GET /livez HTTP/1.1\nHost: x\n\n'],
  ['a space in the path', `GET /v1/customers/a b HTTP/1.1\r\n${CLOSE}\r\n`],
  ['NUL in the path', `GET /livez\0 HTTP/1.1\r\n${CLOSE}\r\n`],
  ['latin-1 in the path', Buffer.from(`GET /v1/customers/\xe9 HTTP/1.1\r\n${CLOSE}\r\n`, 'latin1')],
  ['NUL in a header', `GET /livez HTTP/1.1\r\n${CLOSE}X-A: a\0b\r\n\r\n`],
  ['a carriage return in a header', `GET /livez HTTP/1.1\r\n${CLOSE}X-A: a\rb\r\n\r\n`],
  ['a folded header', `GET /livez HTTP/1.1\r\n${CLOSE}X-A: a\r\n b\r\n\r\n`],
  ['a space before a colon', `GET /livez HTTP/1.1\r\n${CLOSE}X-A : a\r\n\r\n`],
  ['a negative length', `${POST}Content-Length: -5\r\n\r\n${ITEMS}`],
  ['a length that is no number', `${POST}Content-Length: abc\r\n\r\n${ITEMS}`],
  ['a length in hexadecimal', `${POST}Content-Length: 0x5A\r\n\r\n${ITEMS}`],
  ['a length beyond 2⁶⁴', `${POST}Content-Length: 99999999999999999999999\r\n\r\n${ITEMS}`],
  ['two lengths', `${POST}Content-Length: ${ITEMS.length}\r\nContent-Length: 6\r\n\r\n${ITEMS}`],
  ['a length and chunks', `${POST}Content-Length: ${ITEMS.length}\r\nTransfer-Encoding: chunked\r\n\r\n${ITEMS}`],
  ['an unknown transfer encoding', `${POST}Transfer-Encoding: gzip\r\n\r\n${ITEMS}`],
  ['chunked twice', `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
  ['a chunk whose size is no number', `${POST}Transfer-Encoding: chunked\r\n\r\nZZ\r\n${ITEMS}\r\n0\r\n\r\n`],
  ['a chunk longer than it says', `${POST}Transfer-Encoding: chunked\r\n\r\n2\r\n${ITEMS}\r\n0\r\n\r\n`],
  ['a body longer than it says', `${POST}Content-Length: 5\r\n\r\n${ITEMS}`],
];

t.test(
  'what is not well-formed HTTP is refused as a problem, the connection is closed, and nothing is stored',
  async (t) => {
    const { port, db, call } = await listening(t);
    const before = await dumpOf(db);
    for (const [what, bytes] of MALFORMED) {
      const { status, head, body } = await answerTo(t, port, bytes);
      t.strictSame([status, body?.code, body?.retryable], [400, 'invalid_request', false], what);
      t.match(
        head.toLowerCase(),
        /content-type: application\/problem\+json[\s\S]*connection: close/,
        `${what}: is a problem`,
      );
      t.match(head, new RegExp(`x-request-id: ${body?.request_id}`), `${what}: names the request`);
    }
    t.strictSame(await dumpOf(db), before);
    t.equal((await call('GET', '/readyz')).status, 200);
  },
);

t.test('headers and paths that are too large are refused with 431', async (t) => {
  const { port } = await listening(t);
  const cases = [
    ['one header of 20,000 bytes', `GET /livez HTTP/1.1\r\n${CLOSE}X-A: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['a path of 20,000 bytes', `GET /livez?${'a'.repeat(20_000)} HTTP/1.1\r\n${CLOSE}\r\n`],
    [
      '3,000 headers',
      `GET /livez HTTP/1.1\r\n${CLOSE}${Array.from({ length: 3_000 }, (_, index) => `A${index}: 1\r\n`).join('')}\r\n`,
    ],
    ['a name of 20,000 bytes', `GET /livez HTTP/1.1\r\n${CLOSE}${'a'.repeat(20_000)}: 1\r\n\r\n`],
  ] as const;
  for (const [what, bytes] of cases) {
    const { status, body } = await answerTo(t, port, bytes);
    t.match(
      { status, ...body },
      { status: 431, code: 'headers_too_large', detail: 'Send fewer or shorter headers.' },
      what,
    );
  }
});

t.test('a request hidden behind another one is not carried out', async (t) => {
  const { port, db } = await listening(t);
  const before = await dumpOf(db);
  const hidden = `POST /v1/purchases HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Content-Length: ${ITEMS.length}\r\n\r\n${ITEMS}`;
  const chunked = `POST /v1/purchases HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${hidden}`;
  t.equal((await answerTo(t, port, chunked)).status, 400, 'behind chunks with a length');
  const spaced = `POST /v1/purchases HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${hidden}`;
  t.equal((await answerTo(t, port, spaced)).status, 400, 'behind a header with a space');
  t.strictSame(await dumpOf(db), before, 'nothing was stored');
});

t.test('requests sent in one go are answered in their order', async (t) => {
  const { port } = await listening(t);
  const bad = `POST /v1/purchases HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Content-Length: 2\r\n\r\n{}`;
  const socket = await open(t, port);
  const all = readAll(socket);
  socket.write(`${bad}GET /v1/customers/c HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\n${CLOSE}\r\n`);
  const statuses = (await all).match(/HTTP\/1\.1 \d{3}/g);
  t.strictSame(statuses, ['HTTP/1.1 400', 'HTTP/1.1 200', 'HTTP/1.1 200']);
});

/** Waits until no connection is open any more. */
async function untilClosed(service: TestService): Promise<void> {
  const givenUpAt = Date.now() + 10_000;
  while (Date.now() < givenUpAt) {
    const { text } = await service.call('GET', '/metrics');
    const [total, idle] = ['total', 'idle'].map((state) =>
      Number(new RegExp(`connections\\{state="${state}"\\} (\\d+)`).exec(text)?.[1]),
    );
    if (total === idle) return;
    await delay(20);
  }
  throw new Error('a database connection is still in use');
}

t.test('an upload that breaks off anywhere stores nothing, blames nobody in the log, and leaks nothing', async (t) => {
  const log_lines: LogLine[] = [];
  const service = await listening(t, { log_lines });
  const before = await dumpOf(service.db);
  const whole = `POST /v1/purchases HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Content-Length: ${ITEMS.length}\r\n\r\n${ITEMS}`;
  for (let cut = 1; cut < whole.length; cut += 7) {
    const socket = await open(t, service.port);
    await new Promise((resolve) => socket.write(whole.slice(0, cut), resolve));
    if (cut % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  }
  for (const cut of [whole.length - 1, whole.length - ITEMS.length, 40]) {
    const socket = await open(t, service.port);
    const all = readAll(socket);
    socket.end(whole.slice(0, cut));
    t.match((await all).slice(0, 12), /^(HTTP\/1\.1 400)?$/, 'an upload ended early is refused');
  }
  await untilClosed(service);
  t.strictSame(await dumpOf(service.db), before, 'nothing was stored');
  t.equal((await service.call('GET', '/readyz')).status, 200);
  const blamed = log_lines.filter((line) => Number(line.level) >= 50 || Number(line.status) >= 500);
  t.strictSame(blamed, [], 'no failure of ours is logged');
});

t.test('an upload that trickles in is stored once it is complete', async (t) => {
  const { port, call } = await listening(t);
  const socket = await open(t, port);
  const all = readAll(socket);
  socket.write(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
  for (const byte of ITEMS) {
    socket.write(`1\r\n${byte}\r\n`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal((await call('GET', '/v1/customers/c')).body.purchases, 1, 'it is not stored before');
  socket.write('0\r\n\r\n');
  const { status, head } = parse(await all);
  t.strictSame([status, head.includes('200 OK')], [200, true]);
  t.equal((await call('GET', '/v1/customers/c')).body.purchases, 2);
});

t.test('a request that does not arrive in time is refused with 408, and may be sent again', async (t) => {
  const log_lines: LogLine[] = [];
  const { port, db, call } = await listening(t, { request_timeout_ms: 1_000, log_lines });
  const before = await dumpOf(db);
  const started_at = Date.now();
  const beginnings = [
    '',
    'POST /v1',
    `POST /v1/purchases HTTP/1.1\r\nHost: x\r\n`,
    `${POST}Content-Length: ${ITEMS.length}\r\n\r\n${ITEMS.slice(0, 20)}`,
  ];
  const answers = await Promise.all(
    beginnings.map(async (bytes) => {
      const socket = await open(t, port);
      const all = readAll(socket);
      socket.write(bytes);
      return parse(await all);
    }),
  );
  t.ok(Date.now() - started_at < 5_000, 'within seconds of the limit');
  for (const [index, { status, head, body }] of answers.entries()) {
    t.strictSame(
      [status, body?.code, body?.retryable],
      [408, 'request_timeout', true],
      JSON.stringify(beginnings[index]!.slice(0, 30)),
    );
    t.match(head, /retry-after: 1/i);
  }
  t.strictSame(await dumpOf(db), before);
  t.equal((await call('GET', '/readyz')).status, 200);
  t.strictSame(
    log_lines.filter((line) => Number(line.level) >= 50),
    [],
  );
});

t.test('a hundred megabytes in one line are refused with 413 and never held', async (t) => {
  const { port, call } = await listening(t);
  const announced = await answerTo(t, port, `${POST}Content-Length: 104857600\r\n\r\n{"items":["`);
  t.match(announced, { status: 413, body: { code: 'payload_too_large' } }, 'at once if the length is announced');
  global.gc?.();
  const held = process.memoryUsage.rss();
  const socket = await open(t, port);
  const all = readAll(socket);
  socket.write(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
  const part = Buffer.from(`100000\r\n${'x'.repeat(0x100000)}\r\n`);
  for (let sent = 0; sent < 100 && socket.writable; sent += 1) {
    if (!socket.write(part))
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed(socket)]);
  }
  const { status } = parse(await all);
  // The reset that follows the refusal may overtake it.
  t.ok(status === 413 || Number.isNaN(status), 'without a length after the limit');
  t.ok(process.memoryUsage.rss() - held < 60 * 1024 * 1024, 'memory does not grow with it');
  t.equal((await call('GET', '/readyz')).status, 200);
});

t.test('two hundred connections that say nothing keep nobody from being answered', async (t) => {
  const { port, call } = await listening(t);
  const sockets = await Promise.all(Array.from({ length: 200 }, () => open(t, port)));
  for (const [index, socket] of sockets.entries())
    if (index % 2 === 0) socket.write(`${POST}Content-Length: 100\r\n\r\n{`);
  const { status } = await answerTo(t, port, `GET /v1/customers/c HTTP/1.1\r\n${CLOSE}\r\n`);
  t.equal(status, 200);
  t.equal((await call('GET', '/readyz')).status, 200);
});

t.test('what asks for another protocol or promise is answered plainly or refused', async (t) => {
  const { port } = await listening(t);
  const status = async (bytes: string) => (await answerTo(t, port, bytes)).status;
  t.equal(await status(`GET /livez HTTP/1.1\r\n${CLOSE}Upgrade: websocket\r\n\r\n`), 200, 'an upgrade is left out');
  t.equal(await status(`OPTIONS * HTTP/1.1\r\n${CLOSE}\r\n`), 404, 'there is no resource *');
  t.equal(await status('GET /livez HTTP/1.0\r\n\r\n'), 200, 'HTTP/1.0 is spoken');
  t.equal(
    await status(`GET http://elsewhere/livez HTTP/1.1\r\n${CLOSE}\r\n`),
    200,
    'an absolute form is read as a path',
  );
  t.equal(await status('GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n'), 400, 'HTTP/1.1 without Host is refused');
  t.equal(
    await status(`POST /v1/purchases HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Expect: a-miracle\r\nContent-Length: 2\r\n\r\n{}`),
    417,
  );
  t.ok(Number.isNaN(await status(`CONNECT elsewhere:443 HTTP/1.1\r\n${CLOSE}\r\n`)), 'it is no proxy');
});
