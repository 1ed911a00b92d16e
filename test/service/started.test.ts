import pg from 'pg';
import t, { type Test } from 'tap';
import { Rng } from '../oracle/rng.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { eventually, type LogLine, runCommand, startProcess, statusOf } from '../support/process.ts';
import { announcedSeed, populationsAreTrue, randomBatches, sendAll } from './stream.ts';

t.setTimeout(240_000);

/** Rows of a query, asked past the service. */
async function ask<Row extends pg.QueryResultRow>(
  database: TestDatabase,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client(database.connection);
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** The reason in the log of a service that refused to start, which must have ended with 1. */
async function refusal(t: Test, environment: Record<string, string>): Promise<string> {
  const service = await startProcess(t, environment);
  t.strictSame(await service.ended, { code: 1, signal: null });
  const fatal = service.log().filter((line: LogLine) => line.level === 60);
  t.equal(fatal.length, 1);
  t.notMatch(service.output(), /\n\s+at /, 'without a stack');
  return String(fatal[0]?.reason);
}

t.test(
  'eight instances that start at once on an empty database migrate and seed it once, and all become ready',
  async (t) => {
    const database = await testDatabase(t, { empty: true });
    const environment = { DATABASE_URL: database.url, POOL_SIZE: '2' };
    const services = await Promise.all(Array.from({ length: 8 }, () => startProcess(t, environment)));
    await Promise.all(services.map((service) => service.ready()));
    const applied = services.flatMap((service) =>
      service.log().flatMap((line) => (line.msg === 'schema migrated' ? line.applied : [])),
    );
    const names = (await ask<{ name: string }>(database, 'select name from kysely_migration order by name')).map(
      ({ name }) => name,
    );
    t.strictSame(applied, names, 'each migration was applied by one of them');
    t.ok(names.includes('0001_foundation'));
    t.strictSame(await ask(database, 'select count(*)::int as rows from versions'), [{ rows: 1 }]);
    t.strictSame(await ask(database, 'select model_id, version, state from models order by model_id'), [
      { model_id: 'journey', version: 1, state: 'active' },
      { model_id: 'lifecycle', version: 1, state: 'active' },
      { model_id: 'loyalty_ladder', version: 1, state: 'active' },
      { model_id: 'relationship', version: 1, state: 'active' },
    ]);
    for (const { code } of await Promise.all(services.map((service) => service.stop()))) t.equal(code, 0);
  },
);

t.test('with MIGRATE_AT_START=false an instance waits until somebody has migrated', async (t) => {
  const database = await testDatabase(t, { empty: true });
  const service = await startProcess(t, { DATABASE_URL: database.url, MIGRATE_AT_START: 'false' });
  await eventually('the log says what it waits for', () => service.output().includes('npm run migrate'));
  t.equal(await statusOf(`${service.url}/readyz`), 503);
  t.equal(await statusOf(`${service.url}/livez`), 200);
  t.equal(await statusOf(`${service.url}/v1/reports/stage-population`), 503);
  t.strictSame(await ask(database, `select to_regclass('versions') as found`), [{ found: null }], 'it changed nothing');
  t.equal((await runCommand(t, ['migrate'], { DATABASE_URL: database.url })).code, 0);
  await service.ready(10_000);
  t.equal(await statusOf(`${service.url}/v1/reports/stage-population`), 200);
});

t.test('a schema newer than the code is refused by name', async (t) => {
  const database = await testDatabase(t);
  await ask(database, 'insert into kysely_migration (name, timestamp) values ($1, $2)', [
    '9999_the_future',
    '2030-01-01',
  ]);
  const reason = await refusal(t, { DATABASE_URL: database.url });
  t.match(reason, /newer than this code \(it has 9999_the_future\)/);
  const verified = await runCommand(t, ['migrate'], { DATABASE_URL: database.url });
  t.equal(verified.code, 1);
  t.equal(verified.stderr.trim(), reason, 'by the commands too, in the same words');
});

t.test('another time zone or currency is refused until a rebuild has taken it over', async (t) => {
  const database = await testDatabase(t);
  const inUtc = { DATABASE_URL: database.url };
  const inApia = { ...inUtc, REPORTING_TIME_ZONE: 'Pacific/Apia' };
  const batches = randomBatches(new Rng(announcedSeed(t)), 3_000, 200);
  const first = await startProcess(t, inUtc);
  await first.ready();
  t.strictSame(await sendAll(first.url, batches, false), {});
  await populationsAreTrue(t, first.url, { batches });
  await first.stop();

  t.match(await refusal(t, inApia), /REPORTING_TIME_ZONE UTC, but Pacific\/Apia is configured\..*npm run rebuild/);
  t.match(await refusal(t, { ...inUtc, CURRENCY: 'USD' }), /CURRENCY EUR, but USD is configured\..*npm run rebuild/);

  const yen = await runCommand(t, ['rebuild'], { ...inUtc, CURRENCY: 'JPY' });
  t.equal(yen.code, 1, 'a currency with other decimals cannot be taken over');
  t.match(yen.stderr, /2 decimals of EUR; JPY has 0/);

  const rebuilt = await runCommand(t, ['rebuild'], { ...inApia, CURRENCY: 'USD' });
  t.equal(rebuilt.code, 0, rebuilt.stderr);
  const second = await startProcess(t, { ...inApia, CURRENCY: 'USD' });
  await second.ready();
  await populationsAreTrue(t, second.url, { batches, time_zone: 'Pacific/Apia' });
  t.strictSame(await sendAll(second.url, batches, true), {}, 'what is sent again is known, plain dates too');
  const verified = await runCommand(t, ['verify'], { ...inApia, CURRENCY: 'USD' });
  t.equal(verified.code, 0, verified.stdout + verified.stderr);
});

t.test('an instance of before a rebuild to another zone is no longer ready, and writes nothing', async (t) => {
  const database = await testDatabase(t);
  const service = await startProcess(t, { DATABASE_URL: database.url });
  await service.ready();
  const rebuilt = await runCommand(t, ['rebuild'], { DATABASE_URL: database.url, REPORTING_TIME_ZONE: 'Asia/Kolkata' });
  t.equal(rebuilt.code, 0, rebuilt.stderr);
  await isFenced(t, service.url);
  t.strictSame(await ask(database, 'select * from customers'), []);
});

for (const [what, text] of [['code', `update versions set code_versions = 'fold:999'`]] as const) {
  t.test(
    `once another version of the ${what} has changed the database, an instance writes nothing and is not ready`,
    async (t) => {
      const database = await testDatabase(t);
      const service = await startProcess(t, { DATABASE_URL: database.url });
      await service.ready();
      await ask(database, text);
      await isFenced(t, service.url);
      t.strictSame(await ask(database, 'select * from customers'), []);
      t.equal(await statusOf(`${service.url}/livez`), 200, 'but it stays alive');
      t.equal(service.ending(), undefined);
    },
  );
}

/** Every kind of write answers 503 version_mismatch, and readiness 503. */
async function isFenced(t: Test, url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const purchase = { purchased_at: '2025-01-01', amount: '1.00' };
  const items = [{ customer_id: 'c', purchase_id: 'p', ...purchase }];
  const path = '/v1/customers/c/purchases/p';
  for (const [method, at, body] of [
    ['POST', '/v1/customers', { items: [{ customer_id: 'c' }] }],
    ['POST', '/v1/purchases', { items }],
    ['PUT', path, purchase],
    ['DELETE', path, undefined],
    ['DELETE', '/v1/customers/c', undefined],
  ] as const) {
    const answer = await fetch(url + at, {
      method,
      ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }),
    });
    const problem = (await answer.json()) as { code: string; retryable: boolean };
    t.match(
      { status: answer.status, ...problem },
      { status: 503, code: 'version_mismatch', retryable: true },
      `${method} ${at}`,
    );
    t.ok(answer.headers.has('retry-after'));
  }
  t.equal(await statusOf(`${url}/readyz`), 503);
}
