import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import { testDatabase } from '../support/postgres.ts';
import { type Environment, eventually, runCommand, type ServiceProcess, startProcess } from '../support/process.ts';

t.setTimeout(180_000);

interface Made {
  readonly secret: string;
  readonly line: string;
}

/** A key as `npm run key` prints it. */
async function makeKey(t: Test, name: string, scopes: string): Promise<Made> {
  const { code, stdout, stderr } = await runCommand(t, ['key', name, scopes], {});
  t.strictSame([code, stderr], [0, '']);
  const [, secret = '', , , line = ''] = stdout.split('\n');
  return { secret, line };
}

/** What a request with a key is answered. */
async function asked(
  service: ServiceProcess,
  { secret }: Made,
  method = 'GET',
  path = '/v1/status',
  body?: object,
): Promise<number> {
  const headers = {
    authorization: `Bearer ${secret}`,
    connection: 'close',
    ...(body && { 'content-type': 'application/json' }),
  };
  const answer = await fetch(service.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  await answer.arrayBuffer();
  return answer.status;
}

async function startReady(t: Test, environment: Environment): Promise<ServiceProcess> {
  const service = await startProcess(t, { DATABASE_URL: (await testDatabase(t)).url, ...environment });
  await service.ready();
  return service;
}

t.test('the line that the key command prints opens what its scopes say, and nothing else', async (t) => {
  const shop = await makeKey(t, 'shop', 'read,write');
  const owner = await makeKey(t, 'owner', 'admin');
  t.match(shop.line, /^shop:read,write:[0-9a-f]{64}$/);
  t.match(shop.secret, /^[A-Za-z0-9_-]{43}$/);
  const service = await startReady(t, { API_KEYS: `${shop.line} ${owner.line}` });
  const items = [{ customer_id: 'c-1', known_since: '2025-01-01' }];
  t.equal(await asked(service, shop), 200);
  t.equal(await asked(service, shop, 'POST', '/v1/customers', { items }), 200);
  t.equal(await asked(service, shop, 'DELETE', '/v1/customers/c-1'), 403);
  t.equal(await asked(service, owner, 'DELETE', '/v1/customers/c-1'), 204);
  t.equal(await asked(service, owner), 403);
  t.equal(await asked(service, { secret: shop.line, line: '' }), 401, 'the line itself opens nothing');
});

t.test(
  'keys of a file are added, switched and removed without a restart, and a broken file changes nothing',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'escalera-keys-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const file = join(folder, 'keys');
    const [old, next, last] = [
      await makeKey(t, 'old', 'read'),
      await makeKey(t, 'next', 'read'),
      await makeKey(t, 'last', 'read'),
    ];
    /** As secrets are mounted: written beside, and moved into place. */
    const put = async (text: string): Promise<void> => {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    };
    await put(`# keys of the shop\n${old.line}\n`);
    const service = await startReady(t, { API_KEYS_FILE: file });
    const become = (made: Made, status: number) =>
      eventually(
        `${made.line.split(':')[0]} is answered ${status}`,
        async () => (await asked(service, made)) === status,
        5_000,
      );
    const complaints = (): number =>
      service.log().filter(({ msg }) => msg.startsWith('keys could not be read again')).length;
    t.strictSame([await asked(service, old), await asked(service, next)], [200, 401]);

    await put(`${old.line}\n${next.line}\n`);
    await become(next, 200);
    t.equal(await asked(service, old), 200, 'the old key holds while the callers switch');
    await put(`${next.line}\n`);
    await become(old, 401);
    t.equal(await asked(service, next), 200);

    for (const [how, break_] of [
      ['nonsense', () => put('next:read:not a hash\n')],
      ['empty', () => put('')],
      ['comments only', () => put('# none\n')],
      ['gone', () => rm(file)],
    ] as const) {
      const before = complaints();
      await break_();
      await eventually(
        'the log complains',
        async () => (await asked(service, old)) === 401 && complaints() > before,
        10_000,
      );
      t.equal(await asked(service, next), 200, `${how}: the keys of before stay`);
    }
    await put(`${last.line}\n`);
    await become(last, 200);
    t.equal(await asked(service, next), 401);
    for (const { secret } of [old, next, last]) t.notOk(service.output().includes(secret));
  },
);

/** What a service that is wrongly configured says; it must end with 1, without a stack, and before it listens. */
async function complaint(t: Test, environment: Environment): Promise<string> {
  const { code, stdout, stderr } = await runCommand(t, [], { PORT: '0', ...environment });
  t.equal(code, 1);
  t.notMatch(stdout, /Server listening/);
  t.notMatch(stderr, /\n\s+at /);
  return stderr;
}

t.test('a service that others can reach is not started without keys', async (t) => {
  for (const host of ['0.0.0.0', '::', '127.example.com']) {
    t.match(
      await complaint(t, { HOST: host }),
      /HOST is not a loopback address and no keys are set: set API_KEYS/,
      host,
    );
  }
  t.match(
    await complaint(t, { HOST: '0.0.0.0', API_KEYS: '# none yet' }),
    /API_KEYS cannot be used: there is no key in it/,
  );
});

t.test('keys that cannot be read stop the start, without being repeated', async (t) => {
  const said = await complaint(t, { API_KEYS: 'shop:read:s3cret' });
  t.match(said, /API_KEYS cannot be used: key line 1 is not name:scopes:sha256/);
  t.notMatch(said, /s3cret/);
  t.match(await complaint(t, { API_KEYS_FILE: '/does/not/exist' }), /API_KEYS_FILE cannot be used: ENOENT/);
});

t.test('all faults of a configuration are told at once, without the values', async (t) => {
  const wrong = {
    HOST: '0.0.0.0',
    PORT: 'ninety',
    DATABASE_URL: 'mysql://me:s3cret@db/shop',
    REPORTING_TIME_ZONE: 'Mars/Olympus',
    CURRENCY: 'EURO',
    LIFECYCLE_MODELS: 'lifecycle,astrology',
    MIGRATE_AT_START: 'perhaps',
    LOG_LEVEL: 'loud',
    BODY_LIMIT_BYTES: '1',
    REQUEST_TIMEOUT_MS: '-1',
    STATEMENT_TIMEOUT_MS: '1e9',
    CONNECT_TIMEOUT_MS: 'soon',
    POOL_SIZE: '0',
    WRITE_QUEUE_LIMIT: '999',
    IMPORT_PAGE_ROWS: '0',
    BUILD_CHUNK_CUSTOMERS: '9',
  };
  const said = await complaint(t, wrong);
  const named = [...said.matchAll(/^- ([A-Z_]+) /gm)].map(([, name]) => name);
  t.strictSame(named.sort(), Object.keys(wrong).sort());
  t.notMatch(said, /s3cret|Olympus|astrology|ninety/);
});

t.test('the log holds routes, and neither ids nor queries nor secrets', async (t) => {
  const database = await testDatabase(t);
  const key = await makeKey(t, 'shop', 'read,write,admin');
  const url = new URL(database.url);
  url.password = 's3cret-password';
  const service = await startProcess(t, { DATABASE_URL: url.href, API_KEYS: key.line, LOG_LEVEL: 'trace' });
  await service.ready();
  const customer = 'jane.doe+shop@example.com';
  const path = `/v1/customers/${encodeURIComponent(customer)}`;
  const purchase = {
    customer_id: customer,
    purchase_id: 'order-4711',
    purchased_at: '2025-01-02',
    amount: '12.34',
    products: ['sku-0815'],
  };
  const post = (body: object) => asked(service, key, 'POST', '/v1/purchases', body);
  t.equal(await post({ items: [purchase, { ...purchase, amount: 'twelve' }, { ...purchase, amount: '99' }] }), 200);
  t.equal(
    await asked(service, key, 'POST', '/v1/customers', { items: [{ customer_id: customer, groups: ['group-jane'] }] }),
    200,
  );
  t.equal(await post({ items: [purchase], nickname: 'jane' }), 400);
  for (const [expected, at] of [
    [200, path],
    [200, `${path}/stages?as_of=2025-03-04`],
    [400, `${path}/stages?as_of=the-4th-of-march`],
    [400, `/v1/reports/stage-population?group=jane-and-friends`],
    [400, `/v1/reports/stage-population?nickname=jane`],
    [400, `${path}/%zz`],
    [404, `/jane.doe@example.com?token=${key.secret}`],
    [404, `/v1/customers/john.roe%40example.com`],
    [414, `/v1/customers/${'jane'.repeat(500)}`],
  ] as const) {
    t.equal(await asked(service, key, 'GET', at), expected, at.slice(0, 60));
  }
  t.equal(await asked(service, { secret: 'jane-guessed-this', line: '' }), 401);
  t.equal(
    await asked(service, key, 'PUT', `${path}/purchases/order-4711`, { purchased_at: '2025-01-03', amount: '1' }),
    200,
  );
  t.equal(await asked(service, key, 'DELETE', `${path}/purchases/order-4711`), 204);

  // A failure of ours, with a message of the driver that quotes a value as those about wrong data do.
  const client = new pg.Client(database.connection);
  await client.connect();
  await client.query(`
    create function refuse() returns trigger language plpgsql as $$ begin
      raise exception using errcode = '22P02', message = 'invalid input syntax: "' || new.customer_id || '"', detail = new.customer_id;
    end $$;
    create trigger refuse before insert on purchases for each row execute function refuse()`);
  await client.end();
  t.equal(await post({ items: [{ ...purchase, purchase_id: 'order-4712' }] }), 500);
  t.equal(await asked(service, key, 'DELETE', path), 204);
  await database.drop();
  t.equal(await asked(service, key, 'GET', path), 503);

  const lines = service.log();
  t.ok(lines.some(({ route, status }) => route === '/v1/customers/:customer_id/stages' && status === 400));
  t.ok(
    lines.some(({ cause }) => cause === '22P02'),
    'the failure is logged by its code',
  );
  const unwanted = [
    'jane',
    'john',
    'example.com',
    'order-47',
    'sku-',
    's3cret',
    key.secret,
    key.line.split(':')[2]!,
    'as_of',
    'token',
    'nickname',
    '12.34',
    'twelve',
  ];
  for (const text of unwanted) t.notOk(service.output().includes(text), `the log does not hold ${text.slice(0, 20)}`);
});
