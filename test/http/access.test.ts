import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import t from 'tap';
import { requireKeys } from '../../src/http/auth.ts';
import { fixedKeys, hashToken, keysFromFile, parseKeys, SCOPES } from '../../src/http/keys.ts';
import { ApiDocument } from '../openapi/document.ts';
import { silentLog } from '../support/postgres.ts';
import { type LogLine, testService } from '../support/service.ts';

const api = new ApiDocument();
const TOKENS = { read: 'token-of-the-reader', write: 'token-of-the-writer', admin: 'token-of-the-admin' } as const;
const LINES = SCOPES.map((scope) => `${scope}-key:${scope}:${hashToken(TOKENS[scope])}`).join('\n');
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Headers that are no key at all. */
const MALFORMED: readonly (readonly [what: string, header: string])[] = [
  ['nothing', ''],
  ['a scheme alone', 'Bearer'],
  ['a scheme and spaces', 'Bearer   '],
  ['another scheme', `Basic ${Buffer.from(`reader:${TOKENS.read}`).toString('base64')}`],
  ['no scheme', TOKENS.read],
  ['two words', `Bearer ${TOKENS.read} more`],
  ['a list', `Bearer ${TOKENS.read}, Bearer ${TOKENS.write}`],
  ['quotes', `Bearer "${TOKENS.read}"`],
  ['the hash instead of the key', `Bearer ${hashToken(TOKENS.read)}`],
  ['a key that is too long', `Bearer ${'x'.repeat(513)}`],
  ['a key with accents', 'Bearer tokén'],
  ['an unknown key', 'Bearer token-of-nobody'],
  ['the key in other letters', `Bearer ${TOKENS.read.toUpperCase()}`],
  ['the beginning of a key', `Bearer ${TOKENS.read.slice(0, -1)}`],
];

t.test('every operation answers 401, 403 or its own answer, by the key and its scope', async (t) => {
  const { call, engine } = await testService(t, { keys: fixedKeys(LINES) });
  t.ok(engine, 'the service runs');
  for (const operation of api.operations) {
    const { url, body } = api.sampleOf(operation);
    const name = operation.operationId;
    const needed = operation['x-scope'];
    const ask = async (headers: Record<string, string>) => await call(operation.method, url, body, headers);
    if (needed === 'none') {
      for (const [what, authorization] of MALFORMED)
        t.equal((await ask({ authorization })).status, 200, `${name} needs no key: ${what}`);
      continue;
    }
    for (const headers of [{}, ...MALFORMED.map(([, authorization]) => ({ authorization }))]) {
      const { status, headers: answered, body: problem } = await ask(headers);
      const what = `${name} with ${JSON.stringify(headers).slice(0, 60)}`;
      t.strictSame([status, answered['www-authenticate'], problem.code], [401, 'Bearer', 'unauthorized'], what);
    }
    for (const scope of SCOPES) {
      const { status, body: problem } = await ask(bearer(TOKENS[scope]));
      if (scope === needed)
        t.ok(status < 500 && status !== 401 && status !== 403, `${name} with the scope ${scope}: ${status}`);
      else
        t.strictSame(
          [status, problem.code, problem.detail],
          [403, 'forbidden', `This operation needs a key with the scope ${needed}.`],
          `${name} with ${scope}`,
        );
    }
  }
});

t.test('a key with several scopes may do all of them, and the word Bearer may be written in any way', async (t) => {
  const { call } = await testService(t, { keys: fixedKeys(`both:read,write:${hashToken('both')}`) });
  const item = { customer_id: 'c', purchase_id: 'p', purchased_at: '2026-01-01', amount: '1' };
  t.equal((await call('POST', '/v1/purchases', { items: [item] }, { authorization: 'bearer both' })).status, 200);
  t.equal((await call('GET', '/v1/customers/c', undefined, { authorization: 'BEARER   both' })).status, 200);
  t.equal((await call('DELETE', '/v1/customers/c', undefined, bearer('both'))).status, 403);
});

t.test(
  'who has no key learns nothing but that: neither what is stored nor what is wrong with the request',
  async (t) => {
    const { call } = await testService(t, { keys: fixedKeys(LINES) });
    const item = { customer_id: 'c', purchase_id: 'p', purchased_at: '2026-01-01', amount: '1' };
    await call('POST', '/v1/purchases', { items: [item] }, bearer(TOKENS.write));
    const answers = await Promise.all([
      call('GET', '/v1/customers/c'),
      call('GET', '/v1/customers/nobody'),
      call('GET', '/v1/customers/c?x=1'),
      call('GET', '/v1/reports/stage-population?model=none'),
      call('POST', '/v1/purchases', '{'),
      call('POST', '/v1/purchases', ' '.repeat(5_000_000)),
      call('POST', '/v1/purchases', 'x', { 'content-type': 'text/plain' }),
      call('HEAD', '/v1/status'),
    ]);
    for (const { status, headers } of answers) t.strictSame([status, headers['www-authenticate']], [401, 'Bearer']);
    const details = answers
      .filter(({ body }) => body !== null)
      .map(({ body }) => JSON.stringify({ ...body, instance: '', request_id: '' }));
    t.equal(new Set(details).size, 1, 'all of them get the same answer');
    t.equal((await call('GET', '/v1/nothing')).status, 404, 'a path that does not exist needs no key');
    t.equal((await call('PATCH', '/v1/customers/c')).status, 405);
    for (const path of ['/docs', '/openapi.json'])
      t.equal((await call('GET', path)).status, 200, `${path} is open to everybody`);
  },
);

t.test('without configured keys everybody may do everything', async (t) => {
  const { call } = await testService(t);
  for (const operation of api.operations) {
    const { url, body } = api.sampleOf(operation);
    const { status } = await call(operation.method, url, body);
    t.ok(status < 500 && status !== 401 && status !== 403, `${operation.operationId}: ${status}`);
  }
});

t.test('a route that declares no scope fails the build', async (t) => {
  const built = async (add: (app: FastifyInstance) => void): Promise<void> => {
    const app = fastify();
    requireKeys(app, fixedKeys(LINES));
    t.teardown(() => app.close());
    add(app);
    await app.ready();
  };
  await t.rejects(
    built((app) => void app.get('/forgotten', async () => 'secret')),
    { message: 'the route GET /forgotten declares no scope' },
  );
  await t.rejects(
    built((app) => void app.route({ method: ['POST', 'PUT'], url: '/two', handler: async () => 1 })),
    /\/two declares no scope/,
  );
  await t.resolves(built((app) => void app.get('/open', { config: { scope: 'none' } }, async () => 1)));
});

t.test('a wrong line of keys is refused by its number, never by its text', async (t) => {
  const good = `a:read:${hashToken('a')}`;
  t.equal(
    parseKeys(
      `# keys\n\n ${good}\r\n${good.replace('a:', 'b:').replace(hashToken('a'), hashToken('b'))} c:write,admin:${hashToken('c')}\n`,
    ).size,
    3,
  );
  for (const bad of [
    'secret',
    'a:read',
    'a:root:00',
    `a:read,root:${hashToken('a')}`,
    `a::${hashToken('a')}`,
    `a b:read:${hashToken('a')}`,
    `a:read:${hashToken('a').toUpperCase()}`,
  ]) {
    const parse = () => parseKeys(`${good}\n${bad}`);
    t.throws(parse, /^key line 2 /, bad.slice(0, 20));
    try {
      parse();
    } catch (error) {
      t.notOk((error as Error).message.includes(bad), 'the text stays out of the message');
    }
  }
});

t.test('a key file is read again when it changes; while it is wrong the keys of before stay', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'escalera-keys-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'keys');
  const write = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  const line = (token: string) => `${token}:read:${hashToken(token)}\n`;
  let now = 0;
  await write(line('old'));
  const { call } = await testService(t, { keys: await keysFromFile(path, silentLog, () => now) });
  const status = async (token: string) => (await call('GET', '/v1/status', undefined, bearer(token))).status;
  t.strictSame([await status('old'), await status('new')], [200, 401]);
  await write(line('old') + line('new'));
  t.equal(await status('new'), 401, 'not within the second');
  now += 1_000;
  t.strictSame([await status('new'), await status('old')], [200, 200], 'both hold after it');
  await write('not a key\n');
  now += 1_000;
  t.strictSame([await status('new'), await status('old')], [200, 200], 'a wrong file changes nothing');
  await rm(path);
  now += 1_000;
  t.equal(await status('new'), 200, 'nor does a missing one');
  await write(line('new'));
  now += 1_000;
  t.strictSame([await status('new'), await status('old')], [200, 401], 'the old key is gone');
});

t.test('a request id is taken if it is one, made if not, and always given back', async (t) => {
  const { call } = await testService(t);
  const echoed = async (id: string, path = '/livez'): Promise<string> =>
    String((await call('GET', path, undefined, { 'x-request-id': id })).headers['x-request-id']);
  for (const id of ['a', 'A-b_c.9', 'x'.repeat(128)]) t.equal(await echoed(id), id, `${id.slice(0, 20)} is kept`);
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  for (const id of ['', 'x'.repeat(129), 'a b', 'a/b', 'a:b', 'é', '<script>', 'a, b'])
    t.match(await echoed(id), uuid, `${id.slice(0, 20)} is replaced`);
  t.match((await call('GET', '/livez')).headers['x-request-id'], uuid, 'one is made');
  const { headers, body } = await call('GET', '/v1/nothing', undefined, { 'x-request-id': 'mine' });
  t.strictSame(
    [headers['x-request-id'], body.request_id, body.instance],
    ['mine', 'mine', 'urn:request:mine'],
    'a problem names it',
  );
});

t.test('traceparent passes through', async (t) => {
  const { call } = await testService(t);
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  for (const path of ['/livez', '/v1/status', '/v1/nothing', '/v1/customers/nobody']) {
    t.equal((await call('GET', path, undefined, { traceparent })).headers.traceparent, traceparent, path);
  }
  t.equal((await call('GET', '/livez')).headers.traceparent, undefined, 'none is made up');
});

t.test('the log holds the route and the name of the key, never an id, a query, a body or a token', async (t) => {
  const log_lines: LogLine[] = [];
  const { call } = await testService(t, { keys: fixedKeys(LINES), log_lines });
  const person = 'ana.garcia@example.com';
  const item = {
    customer_id: person,
    purchase_id: 'order-4711',
    purchased_at: '2026-01-01',
    amount: '1234.56',
    products: ['secret-product'],
  };
  await call(
    'POST',
    '/v1/purchases',
    { items: [item, { ...item, amount: 'wrong-amount' }] },
    { ...bearer(TOKENS.write), 'x-request-id': 'known' },
  );
  await call(
    'POST',
    '/v1/customers',
    { items: [{ customer_id: person, groups: ['secret-group'] }] },
    bearer(TOKENS.write),
  );
  await call('GET', `/v1/customers/${person}/stages?as_of=2026-03-03`, undefined, bearer(TOKENS.read));
  await call('GET', `/v1/customers/${person}/purchases?cursor=secret-cursor`, undefined, bearer(TOKENS.read));
  await call('GET', '/v1/reports/stage-population?group=secret-group', undefined, bearer(TOKENS.read));
  await call('GET', `/v1/${person}`);
  await call('GET', `/v1/customers/${person}`, undefined, bearer('token-of-nobody'));
  await call('DELETE', `/v1/customers/${person}`, undefined, bearer(TOKENS.admin));
  const text = JSON.stringify(log_lines);
  for (const secret of [person, 'ana', 'order-4711', '1234.56', 'wrong-amount', 'secret-', '2026-03-03', 'token-of']) {
    t.notOk(text.includes(secret), `${secret} is not in the log`);
  }
  const answered = log_lines
    .filter((line) => line.msg === 'answered')
    .map(({ route, status, key }) => ({ route, status, key }));
  t.match(answered[0], { route: '/v1/purchases', status: 200, key: 'write-key' });
  t.match(answered.at(-1), { route: '/v1/customers/:customer_id', status: 204, key: 'admin-key' });
  t.match(answered[5], { route: 'unknown', status: 404, key: null });
  t.equal(answered.length, 8, 'one line a request');
  t.equal(log_lines.find((line) => line.msg === 'answered')?.reqId, 'known', 'with the request id');
});
