import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { FoldThreads } from '../../src/ingest/fold-threads.ts';
import { type RebuildOptions, rebuild } from '../../src/ingest/rebuild.ts';
import { verify } from '../../src/ingest/verify.ts';
import { PROJECTIONS } from '../../src/reports/registry.ts';
import { inSnapshot } from '../../src/store/connect.ts';
import { pageCustomers } from '../../src/store/customers.ts';
import type { HistoryPage } from '../../src/store/history-pages.ts';
import { rollupTable } from '../../src/store/rollups.ts';
import { randomEvents } from '../laws/random-events.ts';
import { Rng } from '../oracle/rng.ts';
import { dumpOf } from '../support/database-dump.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventually, startCommand } from '../support/process.ts';
import { testService } from '../support/service.ts';

// What ingest wrote step by step is the truth here: a rebuild must write the same, byte for byte.

t.setTimeout(600_000);

const TODAY = Date.UTC(2026, 5, 15) / 86_400_000;
/** So small that a few hundred events take many pages. */
const THREADED: RebuildOptions = { threads: 2, page: { customers: 7, events: 40 } };

const database = await testDatabase(t);
const service = await testService(t, { connection: { ...database.connection } });
const { db, engine } = service;

async function post(route: string, items: readonly object[]): Promise<void> {
  const { status, text } = await service.call('POST', `/v1/${route}`, { items });
  if (status !== 200) throw new Error(text);
}

for (const { route, item } of randomEvents(new Rng(20260615), {
  count: 700,
  customers: 60,
  today: TODAY,
  days: 900,
  favourite: 0.2,
}))
  await post(route, [item]);
const STRANGE = ['a\tb\\n"{},\'', 'ß-é-😀', '\\N', ' '];
await post('customers', [
  { customer_id: 'c-2', groups: ['gold', 'shop:1'] },
  { customer_id: 'c-3', groups: ['gold'], known_since: '2020-02-29' },
  ...STRANGE.map((customer_id) => ({ customer_id })),
]);
const purchase = { purchased_at: '2026-03-01T10:00:00Z', amount: '12.50', cost: '4', discount: '1' };
await post('purchases', [
  ...STRANGE.map((customer_id) => ({
    customer_id,
    purchase_id: customer_id,
    ...purchase,
    products: STRANGE.filter((code) => code !== ' '),
  })),
  { customer_id: 'rich', purchase_id: 'most', ...purchase, amount: '90000000000.00' },
  { customer_id: 'rich', purchase_id: 'old', ...purchase, purchased_at: '1900-01-01', products: [] },
]);
await post('interactions', [
  {
    customer_id: 'gone',
    interaction_id: 'i',
    kind: 'departure',
    reason: 'price',
    occurred_at: '1969-12-31T23:59:59.5Z',
    cost: '1',
  },
]);
await service.call('POST', '/v1/customers/c-5/merge', { into: 'c-6' });
await service.call('DELETE', '/v1/customers/c-7');
await service.call('DELETE', '/v1/customers/c-2/purchases/p-1');

const { reporting_time_zone, currency, currency_decimals } = engine.versions;
const deployment = { reporting_time_zone, currency, currency_decimals };

const indexes = async () =>
  (
    await sql<{ def: string }>`select indexdef as def from pg_indexes where schemaname = 'public' order by 1`.execute(
      db,
    )
  ).rows.map(({ def }) => def);
const settings = async () =>
  (
    await sql<{ row: string }>`select relname || relkind::text || coalesce(reloptions::text, '') as row from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'i') order by 1`.execute(db)
  ).rows.map(({ row }) => row);
/** Everything a rebuild could leave behind. */
const all = async () => ({ rows: await dumpOf(db), indexes: await indexes(), settings: await settings() });

async function spoil(): Promise<void> {
  await sql`update customer_states set revenue = revenue + 1, fold = '' where customer_id = 'c-2'`.execute(db);
  await sql`delete from customer_stages where customer_id = 'c-3'`.execute(db);
  await sql`insert into customer_states (customer_id, events, turnover, pending_refunds, fold, layout) select ${'nobody'}, events, turnover, pending_refunds, fold, layout from customer_states where customer_id = 'c-4'`.execute(
    db,
  );
  await sql`update rollup_cash_flow set receipts = receipts + 1`.execute(db);
  await sql`delete from rollup_cohorts`.execute(db);
}

// Ingest leaves rows whose measures have come back to zero, which mean nothing.
for (const projection of PROJECTIONS) {
  const zero = sql.join(
    projection.measures.map((measure) => sql`${sql.ref(measure)} = 0`),
    sql` and `,
  );
  await sql`delete from ${sql.table(rollupTable(projection))} where ${zero}`.execute(db);
}
const written = await all();

t.test('there is something to fold', async (t) => {
  t.strictSame((await verify(engine)).differences, []);
  t.ok(written.rows.customer_states!.length > 50);
  t.ok(written.rows.rollup_stage_moves!.length > 500);
  t.match(written.settings.join(), 'customer_statesr{fillfactor=60}', 'a setting that could be lost');
});

t.test('a rebuild writes what ingest wrote, on threads or without, rows, indexes and settings', async (t) => {
  for (const options of [THREADED, { ...THREADED, threads: 0 }, {}]) {
    await spoil();
    t.not((await verify(engine)).difference_count, 0);
    const { customers, rollup_rows } = await rebuild(engine, deployment, options);
    t.strictSame(await all(), written, JSON.stringify(options));
    t.equal(customers, written.rows.customer_states!.length);
    t.equal(rollup_rows, (await verify(engine)).rollup_rows);
  }
});

/** Keeps the derived tables as a long read does, until `end`. */
async function longRead(): Promise<{ end(): Promise<void> }> {
  const trx = await db.startTransaction().execute();
  await trx.selectFrom('customer_states').select('customer_id').limit(1).execute();
  await trx.selectFrom('customer_stages').select('customer_id').limit(1).execute();
  return { end: () => trx.rollback().execute() };
}

/** Whether a rebuild has done everything but to swap the tables. */
async function isAboutToEnd(): Promise<boolean> {
  const { rows } =
    await sql`select from pg_stat_activity where datname = current_database() and state like '%transaction%' and query like '%before_lock'`.execute(
      db,
    );
  return rows.length > 0;
}

t.test(
  'while a rebuild waits for a long read, others are answered as before, and then by the new tables',
  async (t) => {
    await spoil();
    const spoilt = await dumpOf(db);
    const reading = await longRead();
    const rebuilding = rebuild(engine, deployment, THREADED);
    await eventually('the rebuild waits', isAboutToEnd);
    t.strictSame(await dumpOf(db), spoilt);
    await inSnapshot(db, 0, async (trx) => {
      t.equal((await pageCustomers(trx, '', 1_000)).length, written.rows.customer_states!.length);
      await reading.end();
      await rebuilding;
      const found = await trx.selectFrom('customer_states').select('customer_id').execute();
      t.equal(found.length, written.rows.customer_states!.length, 'a snapshot of before is not met by an empty table');
    });
    t.strictSame(await all(), written);
  },
);

t.test('kill -9 at the very end of a rebuild leaves what was before', async (t) => {
  await spoil();
  const spoilt = await all();
  const reading = await longRead();
  const command = startCommand(t, ['rebuild'], { DATABASE_URL: database.url });
  await eventually('the rebuild waits', isAboutToEnd);
  await command.kill();
  await eventually('the server has noticed', async () => !(await isAboutToEnd()));
  await reading.end();
  t.strictSame(await all(), spoilt);
  t.equal((await service.call('GET', '/v1/customers?limit=1')).status, 200);
  await rebuild(engine, deployment);
  t.strictSame(await all(), written);
});

t.test('a row that the database refuses ends the rebuild, and everything is as before', async (t) => {
  await sql`alter table customer_states add constraint poor check (customer_id <> 'rich') not valid`.execute(db);
  t.teardown(() => sql`alter table customer_states drop constraint poor`.execute(db));
  await t.rejects(rebuild(engine, deployment, THREADED), /violates check constraint "poor"/);
  t.strictSame(await all(), written);
});

async function failsWith(
  t: Test,
  threads: number,
  pages: () => AsyncGenerator<HistoryPage>,
  save: () => Promise<void>,
): Promise<void> {
  const saving = { today: TODAY };
  const stored = { model_version: 1, version: 1, state: 'active', published_at: 0 } as const;
  const models = [{ ...stored, model: BUILT_IN_MODELS.lifecycle }];
  const folding = new FoldThreads({ models, layout: 1, decimals: 2, saving }, threads);
  await t.rejects(folding.foldAll({ pages: pages(), save }), /on purpose|outside buffer bounds/, `${threads} threads`);
  await folding.close();
}

const NO_ROWS = '5047434f50590aff0d0a000000000000000000ffff';

/** A page of one customer without any events. */
function page(bytes = NO_ROWS): HistoryPage {
  const copied = () => new Uint8Array(Buffer.from(bytes, 'hex'));
  const customers = [{ customer_id: 'c', known_since: 1, received_on: 1, group_ids: [] }];
  return { customers, events: { purchases: copied(), refunds: copied(), interactions: copied() } };
}

t.test('an error on the way is thrown when nothing runs any more, wherever it happened', async (t) => {
  const saved = async (): Promise<void> => undefined;
  const purpose = (): never => {
    throw new Error('on purpose');
  };
  for (const threads of [0, 2]) {
    await failsWith(
      t,
      threads,
      async function* () {
        for (;;) yield page('00');
      },
      saved,
    );
    await failsWith(
      t,
      threads,
      async function* () {
        for (;;) yield page();
      },
      async () => purpose(),
    );
    await failsWith(
      t,
      threads,
      async function* () {
        yield page();
        yield page();
        yield page();
        purpose();
      },
      saved,
    );
    await failsWith(
      t,
      threads,
      async function* () {
        yield purpose();
      },
      saved,
    );
  }
});

for (const [what, make, undo] of [
  ['a view on', 'create view mine as select customer_id, revenue from customer_states', 'drop view mine'],
  ['rights to', 'grant select on customer_states to public', 'revoke select on customer_states from public'],
] as const) {
  t.test(`${what} a derived table of the operator's own outlives a rebuild`, async (t) => {
    await sql.raw(make).execute(db);
    t.teardown(() => sql.raw(undo).execute(db));
    const before = await all();
    await spoil();
    await rebuild(engine, deployment, THREADED);
    t.strictSame(await all(), before);
    const { rows } =
      await sql`select 1 from pg_class where relname = 'mine' or (relname = 'customer_states' and relacl is not null)`.execute(
        db,
      );
    t.equal(rows.length, 1);
    if (what === 'a view on') t.ok((await sql`select * from mine`.execute(db)).rows.length > 50);
  });
}
