import { type QueryExecutorProvider, sql } from 'kysely';
import t, { type Test } from 'tap';
import { connect } from '../../src/store/connect.ts';
import { inSnapshotAtOnce } from '../../src/store/snapshot-at-once.ts';
import { testService } from '../support/service.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A database over one connection, so that what a read leaves behind is found by the next. */
async function oneConnection(t: Test) {
  const { engine } = await testService(t);
  const { connectionString, host, port, user, database } = engine.pool.options;
  const connection = { connectionString, host, port, user, database };
  const { db, pool } = connect({ connection: connection as object, max: 1, connect_timeout_ms: 5_000 }, silent);
  t.teardown(() => pool.end());
  return { db, elsewhere: engine.db };
}

const settings = async (trx: QueryExecutorProvider) => {
  const { rows } = await sql<Record<string, string>>`
    select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as read_only,
      current_setting('statement_timeout') as timeout`.execute(trx);
  return rows[0]!;
};

t.test(
  'all reads are of one snapshot, whatever is committed between them, and the limits hold in it alone',
  async (t) => {
    const { db, elsewhere } = await oneConnection(t);
    await sql`create table counted (number int4)`.execute(elsewhere);
    const count = async (trx: QueryExecutorProvider): Promise<number> =>
      (await sql<{ rows: number }>`select count(*)::int4 as rows from counted`.execute(trx)).rows[0]!.rows;
    const seen = await inSnapshotAtOnce(db, 7_000, async (trx) => {
      const before = await count(trx);
      await sql`insert into counted values (1)`.execute(elsewhere);
      return [before, await count(trx), await settings(trx)];
    });
    t.strictSame(seen, [0, 0, { isolation: 'repeatable read', read_only: 'on', timeout: '7s' }]);
    t.equal(await count(db), 1);
    t.strictSame(await settings(db), { isolation: 'read committed', read_only: 'off', timeout: '0' });
  },
);

t.test('a read that fails, and one that throws while another is on its way, end the transaction', async (t) => {
  const { db } = await oneConnection(t);
  const failing = inSnapshotAtOnce(db, 7_000, async (trx) => await sql`select 1 / ${0}::int4`.execute(trx));
  await t.rejects(failing, { code: '22012' });
  t.match(await settings(db), { isolation: 'read committed', timeout: '0' });
  const thrown = inSnapshotAtOnce(db, 7_000, async (trx) => {
    const asked = sql`select 1`.execute(trx);
    await Promise.all([asked, Promise.reject(new Error('refused'))]);
  });
  await t.rejects(thrown, { message: 'refused' });
  t.match(await settings(db), { isolation: 'read committed', timeout: '0' });
});

t.test('a transaction that could not begin gives no answer', async (t) => {
  const { db } = await oneConnection(t);
  // No limit can be so long: the statement that sets it fails, and with it those behind it.
  await t.rejects(
    inSnapshotAtOnce(db, 1e12, async (trx) => await settings(trx)),
    { code: /22023|25P02/ },
  );
  t.match(await settings(db), { isolation: 'read committed', timeout: '0' });
});
