import { createHash } from 'node:crypto';
import { pino } from 'pino';
import t from 'tap';
import { buildApp } from '../../src/app.ts';
import { fixedKeys } from '../../src/http/keys.ts';
import { type TestService, testService } from '../support/service.ts';

// Every operation of the document with no key, a malformed one, an unknown one, one of each scope. What an operation needs is read from the document.

const SECRETS = { read: 'secret-of-read', write: 'secret-of-write', admin: 'secret-of-admin' } as const;
type Scope = keyof typeof SECRETS;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const LINES = Object.entries(SECRETS)
  .map(([scope, secret]) => `caller-${scope}:${scope}:${sha256(secret)}`)
  .join('\n');

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly scope: Scope | 'none';
}

async function operations(service: TestService): Promise<Operation[]> {
  const { paths } = (await service.call('GET', '/openapi.json')).body as {
    paths: Record<string, Record<string, Record<string, unknown>>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: path
        .replace('{report}', 'stage-moves')
        .replace('{model_id}', 'lifecycle')
        .replaceAll(/\{\w+\}/g, 'x'),
      scope: operation['x-scope'] as Scope | 'none',
    })),
  );
}

t.test('every operation answers only a key that has the scope it declares', async (t) => {
  const service = await testService(t, { keys: fixedKeys(LINES) });
  const all = await operations(service);
  t.ok(all.length >= 25, `${all.length} operations`);
  for (const { method, path, scope } of all) {
    const name = `${method} ${path}`;
    const body = method === 'POST' || method === 'PUT' ? {} : undefined;
    const call = async (authorization?: string) =>
      await service.call(method, path, body, authorization === undefined ? {} : { authorization });
    if (scope === 'none') {
      t.not((await call()).status, 401, `${name} needs no key`);
      continue;
    }
    for (const [what, header] of [
      ['no key', undefined],
      ['a key without Bearer', SECRETS[scope]],
      ['another kind of access', `Basic ${SECRETS[scope]}`],
      ['an unknown key', 'Bearer nobody-knows-me'],
      ['the hash in place of the key', `Bearer ${sha256(SECRETS[scope])}`],
    ] as const) {
      const answer = await call(header);
      t.equal(answer.status, 401, `${name} refuses ${what}`);
      t.equal(answer.headers['www-authenticate'], 'Bearer');
      t.equal(answer.body.code, 'unauthorized');
    }
    for (const other of Object.keys(SECRETS) as Scope[]) {
      const answer = await call(`Bearer ${SECRETS[other]}`);
      if (other === scope) t.notOk([401, 403].includes(answer.status), `${name} lets ${other} in`);
      else t.equal(answer.status, 403, `${name} refuses a key with only the scope ${other}`);
    }
  }
});

t.test('only the probes and the document need no key', async (t) => {
  const service = await testService(t, { keys: fixedKeys(LINES) });
  const open = (await operations(service)).filter(({ scope }) => scope === 'none').map(({ path }) => path);
  t.same(open.sort(), ['/livez', '/readyz']);
  t.equal((await service.call('GET', '/openapi.json')).status, 200);
  t.equal((await service.call('GET', '/docs')).status, 200);
  t.same(Object.keys((await service.call('GET', '/readyz')).body), ['status'], 'a probe tells nothing else');
});

t.test('a route that declares no scope fails the build', async (t) => {
  const source = { current: () => null, ready: async () => false };
  const limits = { body_bytes: 1_024, request_timeout_ms: 1_000 };
  const parts = { source, keys: fixedKeys(''), log: pino({ level: 'silent' }), pool: null, limits };
  const { requireKeys } = await import('../../src/http/auth.ts');
  const { default: fastify } = await import('fastify');
  const bare = fastify();
  requireKeys(bare, parts.keys);
  t.throws(() => bare.get('/v1/secret', async () => 'open'), /declares no scope/);
  const { server } = await buildApp(parts);
  t.teardown(() => server.close());
  t.pass('the app itself builds: all of its routes declare one');
});

t.test('a request id is kept if it is plain, and made otherwise', async (t) => {
  const service = await testService(t);
  const id = async (given?: string) =>
    (await service.call('GET', '/livez', undefined, given === undefined ? {} : { 'x-request-id': given })).headers[
      'x-request-id'
    ] as string;
  t.equal(await id('order-4711.retry_2'), 'order-4711.retry_2');
  for (const odd of [undefined, 'with space', 'a'.repeat(129), 'ana@example.org', '']) {
    t.match(await id(odd), /^[0-9a-f-]{36}$/, `made in place of ${odd === undefined ? 'none' : 'an odd one'}`);
  }
  const refused = await service.call('GET', '/nowhere', undefined, { 'x-request-id': 'mine' });
  t.equal(refused.body.request_id, 'mine');
  t.equal(refused.body.instance, 'urn:request:mine');
});

t.test('a trace context passes through', async (t) => {
  const service = await testService(t);
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  t.equal((await service.call('GET', '/livez', undefined, { traceparent })).headers.traceparent, traceparent);
});
