import { sql } from 'kysely';
import pg from 'pg';
import t, { type Test } from 'tap';
import type { Change, Outcome } from '../../src/ingest/change.ts';
import { createGroupCommit, type GroupCommit, type GroupOptions } from '../../src/ingest/group-commit.ts';
import { verify } from '../../src/ingest/verify.ts';
import { connect } from '../../src/store/connect.ts';
import { eventually } from '../support/process.ts';
import { type TestService, testService } from '../support/service.ts';

t.setTimeout(120_000);

const DAY = 20_454;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A purchase of ten euros, if nothing else is said. */
function bought(customer_id: string, purchase_id: string, amount = 1_000): Change {
  const moment = { at: DAY * 86_400_000_000, day: DAY, plain: true };
  const event = { purchase_id, moment, amount, cost: 0, discount: 0, products: [], voided: false };
  return { type: 'event', mode: 'post', kind: 'purchases', customer_id, event };
}

interface Grouped {
  readonly service: TestService;
  readonly writes: GroupCommit;
  /** Requests and changes of every transaction that has ended. */
  readonly groups: [requests: number, changes: number][];
}

async function grouped(t: Test, options: Partial<GroupOptions> = {}): Promise<Grouped> {
  const service = await testService(t);
  const groups: [number, number][] = [];
  const onGroup = (...group: [number, number]): unknown => groups.push(group);
  return { service, groups, writes: createGroupCommit({ transactions: 1, onGroup, ...options }) };
}

/** Holds what a statement locks until it is let go. */
async function holding(t: Test, service: TestService, statement: string): Promise<{ release(): Promise<unknown> }> {
  const client = new pg.Client(service.connection);
  await client.connect();
  t.teardown(() => client.end());
  await client.query('begin');
  await client.query(statement);
  return { release: () => client.query('commit') };
}

async function storedIds(service: TestService): Promise<string[]> {
  const { rows } = await sql<{ purchase_id: string }>`select purchase_id from purchases order by 1`.execute(service.db);
  return rows.map((row) => row.purchase_id);
}

async function isClean(t: Test, service: TestService): Promise<void> {
  t.strictSame((await verify(service.engine)).differences, [], 'the roll-ups equal a recomputation');
}

/** What became of a request: its statuses, or why it failed. */
async function fate(stored: Promise<Outcome[]>): Promise<string> {
  return await stored.then(
    (outcomes) => outcomes.map((outcome) => outcome.status).join(' '),
    (error: Error & { code?: string }) => error.code ?? error.message,
  );
}

t.test('a lone request goes at once; those that come meanwhile share the next transaction', async (t) => {
  const { service, writes, groups } = await grouped(t);
  const requests = Array.from({ length: 20 }, (_, index) =>
    writes.store(service.engine, [bought(`c-${index}`, `p-${index}`)]),
  );
  t.equal(writes.waiting(), 19);
  t.strictSame(await Promise.all(requests), Array(20).fill([{ status: 'created' }]));
  t.strictSame(groups, [
    [1, 1],
    [19, 19],
  ]);
  t.equal(writes.waiting(), 0);
  t.equal((await storedIds(service)).length, 20);
  t.strictSame(await writes.store(service.engine, []), [], 'nothing to store is no transaction');
  await isClean(t, service);
});

t.test('every request gets its own outcomes, and the first of two that contradict each other wins', async (t) => {
  for (const transactions of [1, 3]) {
    const { service, writes } = await grouped(t, { transactions, group_limit: 6 });
    const fates = await Promise.all([
      fate(writes.store(service.engine, [bought('ana', 'p'), bought('ben', 'p')])),
      fate(writes.store(service.engine, [bought('ana', 'p', 2), bought('eva', 'p'), bought('eva', 'p')])),
      fate(writes.store(service.engine, [bought('eva', 'p', 3)])),
      fate(writes.store(service.engine, [bought('ana', 'p'), bought('kim', 'p'), bought('ben', 'q')])),
      fate(writes.store(service.engine, [{ type: 'void', kind: 'purchases', customer_id: 'kim', item_id: 'p' }])),
      fate(writes.store(service.engine, [bought('kim', 'p'), bought('kim', 'p', 7)])),
    ]);
    t.strictSame(fates, [
      'created created',
      'conflict created duplicate',
      'conflict',
      'duplicate created created',
      'voided',
      'duplicate conflict',
    ]);
    await isClean(t, service);
  }
});

t.test('requests that name a customer stay in order, whatever may overtake them otherwise', async (t) => {
  const { service, writes, groups } = await grouped(t, { transactions: 4, group_limit: 2 });
  // Each amount contradicts the one before: only the first can be created.
  const requests = Array.from({ length: 12 }, (_, index) => {
    const own = bought('ana', 'p', 100 + index);
    const others = index % 3 === 0 ? [bought(`c-${index}`, 'x'), bought('ben', `b-${index}`)] : [];
    return fate(writes.store(service.engine, [own, ...others]));
  });
  const fates = await Promise.all(requests);
  t.equal(fates[0], 'created created created');
  t.ok(
    fates.slice(1).every((one) => one.startsWith('conflict')),
    fates.join(', '),
  );
  t.match((await service.call('GET', '/v1/customers/ana')).body, { revenue: '1.00' });
  t.equal(
    groups.reduce((sum, [requests]) => sum + requests, 0),
    12,
  );
  await isClean(t, service);
});

t.test('a request with many items goes alone, and small ones beside it', async (t) => {
  const { service, writes, groups } = await grouped(t, { group_limit: 10 });
  const many = Array.from({ length: 30 }, (_, index) => bought(`many-${index}`, 'p'));
  const requests = [[bought('ana', 'p')], [bought('ben', 'p')], many, [bought('eva', 'p')]];
  await Promise.all(requests.map((changes) => writes.store(service.engine, changes)));
  t.strictSame(groups, [
    [1, 1],
    [2, 2],
    [1, 30],
  ]);
  await isClean(t, service);
});

t.test('engines do not share transactions', async (t) => {
  const { service, writes, groups } = await grouped(t);
  const other = { ...service.engine };
  const engines = [service.engine, other, service.engine, other, service.engine];
  await Promise.all(engines.map((engine, index) => writes.store(engine, [bought(`c-${index}`, 'p')])));
  t.strictSame(groups, [
    [1, 1],
    [2, 2],
    [2, 2],
  ]);
});

t.test('an item that the database will not take harms nobody who shares its transaction', async (t) => {
  const { service, writes } = await grouped(t);
  await sql`alter table purchases add check (purchase_id <> 'bad')`.execute(service.db);
  const ids = ['a', 'b', 'bad', 'c', 'd', 'e'];
  const requests = ids.map((id) => fate(writes.store(service.engine, [bought(`of ${id}`, id)])));
  t.strictSame(await Promise.all(requests), ['created', 'created', '23514', 'created', 'created', 'created']);
  t.strictSame(await storedIds(service), ['a', 'b', 'c', 'd', 'e']);
  t.equal((await service.call('GET', '/v1/customers/of%20bad')).status, 404);
  await isClean(t, service);
});

t.test('a customer whose row somebody holds keeps only those waiting who name it', async (t) => {
  const { service, writes } = await grouped(t, { transactions: 2 });
  await writes.store(service.engine, [bought('ana', 'p-0')]);
  const row = await holding(t, service, `select from customers where customer_id = 'ana' for update`);
  const first = writes.store(service.engine, [bought('ben', 'p-1')]);
  const second = writes.store(service.engine, [bought('eva', 'p-2')]);
  const held = [bought('ana', 'p-3'), bought('ana', 'p-4')].map((change) => writes.store(service.engine, [change]));
  const others = ['c', 'd', 'e'].map((id) => writes.store(service.engine, [bought(id, `p-${id}`)]));
  await Promise.all([first, second, ...others]);
  t.strictSame(await storedIds(service), ['p-0', 'p-1', 'p-2', 'p-c', 'p-d', 'p-e'], 'the others are stored meanwhile');
  await row.release();
  t.strictSame(await Promise.all(held.map(fate)), ['created', 'created']);
  await isClean(t, service);
});

t.test('what would wait beyond the limit is refused, and nothing of it is stored', async (t) => {
  const { service, writes } = await grouped(t, { queue_limit: 3 });
  const fence = await holding(t, service, 'select from versions for update');
  const store = (...ids: string[]): Promise<string> =>
    fate(
      writes.store(
        service.engine,
        ids.map((id) => bought(`of ${id}`, id)),
      ),
    );
  const accepted = [store('running'), store('a'), store('b')];
  const refused = [store('x', 'y')];
  accepted.push(store('c'));
  refused.push(store('z'));
  t.equal(writes.waiting(), 3);
  t.strictSame(await Promise.all(refused), ['too_busy', 'too_busy']);
  await fence.release();
  t.strictSame(await Promise.all(accepted), ['created', 'created', 'created', 'created']);
  t.strictSame(await storedIds(service), ['a', 'b', 'c', 'running']);
  t.equal(await store('x', 'y'), 'created created', 'and there is room again');
  await isClean(t, service);
});

t.test('a client is told to come again in the words of a 503', async (t) => {
  const service = await testService(t, { queue_limit: 1 });
  const fence = await holding(t, service, 'select from versions for update');
  const post = (id: string) =>
    service.call('POST', '/v1/purchases', {
      items: [{ customer_id: id, purchase_id: id, purchased_at: '2026-01-01', amount: '1' }],
    });
  const taken = [post('a'), post('b'), post('c')];
  const queued = async (): Promise<boolean> =>
    (await service.call('GET', '/metrics')).text.includes('escalera_write_queue_items 1');
  await eventually('one waits', queued);
  for (const refused of [
    await post('d'),
    await service.call('PUT', '/v1/customers/ana/purchases/p', { purchased_at: '2026-01-01', amount: '1' }),
    await service.call('DELETE', '/v1/customers/ana/purchases/p'),
  ]) {
    t.equal(refused.status, 503);
    t.equal(refused.headers['retry-after'], '1');
    t.match(refused.headers['content-type'], /^application\/problem\+json/);
    t.match(refused.body, { code: 'too_busy', retryable: true, status: 503 });
  }
  await fence.release();
  for (const { status } of await Promise.all(taken)) t.equal(status, 200);
  t.strictSame(await storedIds(service), ['a', 'b', 'c']);
  const { text } = await service.call('GET', '/metrics');
  t.match(text, /^escalera_write_queue_items 0$/m);
  t.match(text, /^escalera_write_group_requests_sum 3$/m);
  t.match(text, /^escalera_write_group_items_sum 3$/m);
});

t.test('a request that has waited as long as a statement may take is not stored any more', async (t) => {
  const { service, writes } = await grouped(t);
  const engine = { ...service.engine, statement_timeout_ms: 300 };
  const fence = await holding(t, service, 'select from versions for update');
  const fates = Promise.all(['a', 'b', 'c'].map((id) => fate(writes.store(engine, [bought(id, id)]))));
  t.strictSame(await fates, ['57014', 'busy', 'busy']);
  await fence.release();
  t.strictSame(await storedIds(service), []);
  t.equal(await fate(writes.store(engine, [bought('a', 'a')])), 'created');
});

t.test('without the database every request of a group fails, and none is tried again', async (t) => {
  const { service, writes, groups } = await grouped(t);
  const connection = { host: '127.0.0.1', port: 1, database: 'none', user: 'none' };
  const { db, pool } = connect({ connection, max: 2, connect_timeout_ms: 5_000 }, silent);
  t.teardown(() => pool.end());
  const ids = ['a', 'b', 'c', 'd'];
  const cutOff = { ...service.engine, db };
  const fates = ids.map((id) => fate(writes.store(cutOff, [bought(id, id)])));
  t.strictSame(await Promise.all(fates), Array(4).fill('ECONNREFUSED'));
  t.strictSame(groups, [
    [1, 1],
    [3, 3],
  ]);
  t.strictSame(await storedIds(service), []);
  t.strictSame(await Promise.all(ids.map((id) => fate(writes.store(service.engine, [bought(id, id)])))), [
    'created',
    'created',
    'created',
    'created',
  ]);
});

t.test('another version of the code, and other models, refuse a whole group', async (t) => {
  const { service, writes, groups } = await grouped(t);
  const { engine } = service;
  for (const [wrong, said] of [
    [{ currency: 'USD' }, /changed by another version/],
    [{ models_revision: 99 }, /the models were changed/],
  ] as const) {
    groups.length = 0;
    const old = { ...engine, versions: { ...engine.versions, ...wrong } };
    const fates = ['a', 'b', 'c'].map((id) => fate(writes.store(old, [bought(id, id)])));
    t.match(await Promise.all(fates), Array(3).fill(said));
    t.equal(groups.length, 2);
  }
});
