import { sql } from 'kysely';
import t, { type Test } from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { build } from '../../src/ingest/build.ts';
import { loadEngine } from '../../src/ingest/engine.ts';
import { publishModel } from '../../src/ingest/publish.ts';
import { verify } from '../../src/ingest/verify.ts';
import { PROJECTIONS, REPORTS } from '../../src/reports/registry.ts';
import { rollupTable } from '../../src/store/rollups.ts';
import { CODE_VERSIONS, takeoverOf } from '../../src/store/versions.ts';
import { batches, randomCustomers, randomEvents } from '../laws/random-events.ts';
import { Rng } from '../oracle/rng.ts';
import { dumpOf } from '../support/database-dump.ts';
import { modelOf } from '../support/notation.ts';
import { type LogLine, type TestService, testService } from '../support/service.ts';

// A database is made to look as code of other versions leaves it, and this code is started on it.

t.setTimeout(180_000);

const TODAY = Date.UTC(2026, 5, 15) / 86_400_000;
const CUSTOMERS = 40;

async function filledShop(t: Test): Promise<TestService> {
  const service = await testService(t);
  const rng = new Rng(13);
  const events = randomEvents(rng, { count: 300, customers: CUSTOMERS, today: TODAY, days: 500 });
  for (const { route, items } of batches([...randomCustomers(rng, CUSTOMERS, '2025-01-01'), ...events], () => 100))
    await service.call('POST', `/v1/${route}`, { items });
  return service;
}

/** As if code had filled the database in which a projection has this version, or is not there but some other is. */
async function pretend({ db }: TestService, name: string, version: number | null): Promise<void> {
  const own = PROJECTIONS.find((projection) => projection.name === name)!;
  const mark = own.per_model ? '@' : '';
  const current = `${name}:${own.version}`;
  const [code, content] =
    version === null ? ['', `gone:1${mark}`] : [` ${name}:${version}`, `${name}:${version}${mark}`];
  await sql`update versions set code_versions = replace(code_versions, ${` ${current}`}, ${code})`.execute(db);
  await sql`update fold_layouts set projections = array_replace(projections, ${current + mark}, ${content})`.execute(
    db,
  );
  if (version === null) await sql`delete from projections where name = ${name}`.execute(db);
  else await sql`update projections set version = ${version} where name = ${name}`.execute(db);
}

/** Makes rows of a roll-up mean something else, and removes others. */
async function spoil({ db }: TestService, name: string): Promise<void> {
  const projection = PROJECTIONS.find((one) => one.name === name)!;
  const [table, measure] = [sql.table(rollupTable(projection)), sql.ref(projection.measures[0]!)];
  await sql`update ${table} set ${measure} = ${measure} + 7`.execute(db);
  await sql`delete from ${table} where group_id <> 0`.execute(db);
}

async function countRows({ db }: TestService, name: string): Promise<number> {
  const table = sql.table(rollupTable({ name } as (typeof PROJECTIONS)[number]));
  return (await sql<{ rows: number }>`select count(*)::int4 as rows from ${table}`.execute(db)).rows[0]!.rows;
}

async function isClean(t: Test, { engine }: TestService, what: string): Promise<void> {
  t.strictSame((await verify(await loadEngine(engine))).differences, [], what);
}

/** Status and code of every report with its defaults. */
async function statuses({ call }: TestService): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { definition } of REPORTS) {
    const { status, body } = await call('GET', `/v1/reports/${definition.report}`);
    found[definition.report] = [status, ...(body.code === undefined ? [] : [body.code])].join(' ');
  }
  return found;
}

/** All reports answered, but for these. */
function allBut(refused: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(REPORTS.map(({ definition: { report } }) => [report, refused[report] ?? '200']));
}

async function answers({ call }: TestService): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const { definition } of REPORTS) {
    const { computed_at: _, ...body } = (await call('GET', `/v1/reports/${definition.report}`)).body;
    found.push(body);
  }
  return found;
}

/** One chunk, as the builder of a process takes it. */
const chunk = async ({ engine }: TestService, customers: number): Promise<boolean> => {
  let left = 1;
  const signal = {
    get aborted() {
      left -= 1;
      return left < 0;
    },
  };
  return await build(await loadEngine(engine), { chunk: customers, lanes: 1, signal });
};

const late = (customer_id: string, purchase_id: string) => ({
  customer_id,
  purchase_id,
  purchased_at: '2026-06-14',
  amount: '3',
});

t.test(
  'a database filled by older code of one projection is taken over, and all of it is exact in the end',
  async (t) => {
    const older = await filledShop(t);
    const before = await answers(older);
    await pretend(older, 'cohorts', 0);
    await spoil(older, 'cohorts');
    const log_lines: LogLine[] = [];
    const service = await testService(t, { connection: older.connection, log_lines });
    t.ok(
      log_lines.some(({ projections }) => JSON.stringify(projections) === '["cohorts"]'),
      'the log says what is built',
    );
    t.equal(await countRows(service, 'cohorts'), 0, 'the roll-up is emptied');
    t.strictSame(await statuses(service), allBut({ 'cohort-retention': '503 rebuilding' }));
    const refused = await service.call('GET', '/v1/reports/cohort-retention');
    t.strictSame([refused.body.retryable, refused.headers['retry-after']], [true, '1']);
    await isClean(t, service, 'before anybody is built');
    await service.call('POST', '/v1/purchases', { items: [late('c-1', 'x1'), late('new', 'x2')] });
    t.equal(await chunk(service, 7), false);
    await service.call('POST', '/v1/purchases', { items: [late('c-2', 'x3'), late('c-40', 'x4')] });
    await service.call('DELETE', '/v1/customers/c-3');
    await isClean(t, service, 'after some were built');
    t.equal(
      (await service.call('GET', '/v1/reports/cohort-retention')).status,
      503,
      'sums of some customers are no answer',
    );
    await service.call('POST', '/v1/purchases', { items: [late('c-3', 'refused')] });
    while (!(await chunk(service, 7)));
    await isClean(t, service, 'after all were built');
    t.strictSame(await statuses(service), allBut({}));
    t.notSame(await answers(service), before);
  },
);

t.test('what is taken over answers as before, projection by projection', async (t) => {
  const older = await filledShop(t);
  const before = await answers(older);
  for (const { name } of PROJECTIONS) {
    await pretend(older, name, 0);
    await spoil(older, name);
    const service = await testService(t, { connection: older.connection });
    t.strictSame([...service.engine.unready], [name]);
    await isClean(t, service, `${name} is being built`);
    t.equal(await build(service.engine, { chunk: 17 }), true);
    await isClean(t, service, `${name} is built`);
    await service.source.renew(service.engine);
    t.strictSame(await answers(service), before, name);
  }
});

t.test('code that brings a projection of which nothing is stored takes over as well', async (t) => {
  const older = await filledShop(t);
  await pretend(older, 'cash-flow', null);
  await sql`delete from rollup_cash_flow`.execute(older.db);
  const both = await Promise.all([1, 2].map(() => testService(t, { connection: older.connection })));
  for (const service of both) t.strictSame(await statuses(service), allBut({ 'cash-flow': '503 rebuilding' }));
  t.equal(await build(both[0]!.engine), true);
  await isClean(t, both[1]!, 'by whichever of two that started at once');
  t.strictSame(await statuses(both[1]!), allBut({}));
});

t.test('without daily totals no report is answered: each says how far the data go', async (t) => {
  const older = await filledShop(t);
  await pretend(older, 'daily-totals', 0);
  const service = await testService(t, { connection: older.connection });
  t.strictSame(new Set(Object.values(await statuses(service))), new Set(['503 rebuilding']));
  t.equal((await service.call('GET', '/v1/customers')).status, 200, 'lists do not need them');
  t.equal(await build(service.engine), true);
  t.strictSame(await statuses(service), allBut({}));
});

t.test(
  'a model that was being built is built together with the projections, though some customers lack only one of the two',
  async (t) => {
    const older = await filledShop(t);
    const own: Model = {
      ...modelOf({ often: { feature: 'purchase_days', at_least: 3, within_days: 90 } }),
      model_id: 'own',
    };
    await publishModel(older.engine, own, { type: 'nothing' });
    t.equal(await chunk(older, 9), false);
    await pretend(older, 'cohorts', 0);
    await spoil(older, 'cohorts');
    const service = await testService(t, { connection: older.connection });
    await isClean(t, service, 'some have the model, nobody the projection');
    t.equal(await chunk(service, 20), false, 'both kinds of customers in one chunk');
    await isClean(t, service, 'both kinds were built');
    while (!(await chunk(service, 20)));
    await isClean(t, service, 'all were built');
    t.equal((await service.call('GET', '/v1/reports/stage-population?model=own')).status, 200);
    const { rows } = await sql<{ rows: number }>`
    select count(*)::int4 as rows from customer_stages where model_version = 5`.execute(service.db);
    t.equal(rows[0]!.rows, (await verify(service.engine)).customers, 'everybody stands somewhere in it');
  },
);

t.test('newer code is left alone, with a message that says what to do', async (t) => {
  const newer = await filledShop(t);
  const start = async () => await testService(t, { connection: newer.connection });
  const versions = [
    CODE_VERSIONS.replace('cohorts:1', 'cohorts:99'),
    `${CODE_VERSIONS} novelty:1`,
    CODE_VERSIONS.replace('fold:', 'fold:1'),
  ];
  for (const code_versions of versions) {
    await newer.db.updateTable('versions').set({ code_versions }).execute();
    const before = await dumpOf(newer.db);
    await t.rejects(start(), {
      name: 'StartRefusedError',
      message: /^Newer code fills this database .* Run the newer code\.$/,
    });
    t.strictSame(await dumpOf(newer.db), before, 'nothing is changed');
  }
});

t.test('a fold of another version is nothing to build: everything is to be folded anew', async (t) => {
  const older = await filledShop(t);
  const code_versions = CODE_VERSIONS.replace(/^fold:\d+/, 'fold:1').replace('cohorts:1', 'cohorts:0');
  await older.db.updateTable('versions').set({ code_versions }).execute();
  const before = await dumpOf(older.db);
  await t.rejects(testService(t, { connection: older.connection }), {
    name: 'StartRefusedError',
    message: /npm run rebuild/,
  });
  t.strictSame(await dumpOf(older.db), before);
});

t.test('what code of other versions leaves is told apart', (t) => {
  t.equal(takeoverOf(CODE_VERSIONS), 'none');
  t.equal(takeoverOf(CODE_VERSIONS.replace('cohorts:1', 'cohorts:0')), 'build');
  t.equal(takeoverOf(CODE_VERSIONS.replace(' cohorts:1', '')), 'build');
  t.equal(takeoverOf(CODE_VERSIONS.replace(/^fold:\d+/, 'fold:1')), 'rebuild');
  t.equal(takeoverOf(CODE_VERSIONS.replace('cohorts:1', 'cohorts:2')), 'newer');
  t.equal(
    takeoverOf(CODE_VERSIONS.replace(/^fold:\d+/, 'fold:1').replace('cohorts:1', 'cohorts:2')),
    'newer',
    'even if it is older too',
  );
  t.equal(takeoverOf(`${CODE_VERSIONS} gone:1`), 'newer');
  t.end();
});

t.test(
  'an old process in front of a database that newer code has taken over reads on what has not changed, and writes nothing',
  async (t) => {
    const old = await filledShop(t);
    await old.db
      .updateTable('versions')
      .set({ code_versions: CODE_VERSIONS.replace('cohorts:1', 'cohorts:99') })
      .execute();
    await sql`delete from rollup_cohorts`.execute(old.db);
    t.strictSame(await statuses(old), allBut({ 'cohort-retention': '503 version_mismatch' }));
    for (const path of [
      'customers',
      'customers/c-1',
      'customers/c-1/stages',
      'customers/c-1/timeline',
      'models',
      'models/lifecycle',
    ])
      t.equal((await old.call('GET', `/v1/${path}`)).status, 200, path);
    const before = await dumpOf(old.db);
    const writes: readonly (readonly [string, string, object?])[] = [
      ['POST', 'purchases', { items: [late('c-1', 'x')] }],
      ['PUT', 'customers/c-1/purchases/x', { purchased_at: '2026-06-14', amount: '3' }],
      ['POST', 'customers/c-1/merge', { into: 'c-2' }],
      ['DELETE', 'customers/c-1'],
      ['DELETE', 'models/journey'],
    ];
    for (const [method, path, body] of writes) {
      const answer = await old.call(method, `/v1/${path}`, body);
      t.strictSame([answer.status, answer.body.code], [503, 'version_mismatch'], `${method} ${path}`);
    }
    t.strictSame(await dumpOf(old.db), before);
    t.equal(await old.source.ready(), false);
  },
);
