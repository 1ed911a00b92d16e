import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sql } from 'kysely';
import pgCopy from 'pg-copy-streams';
import t from 'tap';
import { inSnapshot } from '../../src/store/connect.ts';
import { testService } from '../support/service.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;

/** Bytes of what has outlived minor collections. */
function bytesOld(): number {
  const old = getHeapSpaceStatistics().filter(({ space_name }) => /old|large/.test(space_name));
  return old.reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

t.test('rows of an answered statement do not outlive the next minor collections', async (t) => {
  const { db } = await testService(t);
  const ask = async (): Promise<void> => {
    await inSnapshot(db, 10_000, async (trx) => {
      await sql`select n, n / 3.0::float8 as third from generate_series(1, ${5_000}::int4) as n`.execute(trx);
    });
    collect({ type: 'minor' });
  };
  for (let round = 0; round < 10; round += 1) await ask();
  collect();
  const before = bytesOld();
  for (let round = 0; round < 40; round += 1) await ask();
  // All rows of the 40 answers together are 15 MB.
  t.ok(bytesOld() - before < 3_000_000, `${bytesOld() - before} bytes are left`);
});

t.test('a statement that fails rejects with what the server said, and the next one is answered', async (t) => {
  const { db } = await testService(t);
  await t.rejects(sql`select ${1}::int4 / 0`.execute(db), { code: '22012' });
  await t.rejects(sql`select 1 / 0`.execute(db), { code: '22012' });
  t.strictSame((await sql`select 1 as one`.execute(db)).rows, [{ one: 1 }]);
});

t.test('one connection takes statements sent at once, a COPY, and statements again', async (t) => {
  const { engine } = await testService(t);
  const client = await engine.pool.connect();
  try {
    const numbers = async (): Promise<number[]> => {
      const answers = await Promise.all([1, 2, 3].map((number) => client.query('select $1::int4 as number', [number])));
      return answers.map(({ rows }) => (rows[0] as { number: number }).number);
    };
    t.strictSame(await numbers(), [1, 2, 3]);
    const chunks: Buffer[] = [];
    for await (const chunk of client.query(pgCopy.to('copy (select 4 union all select 5) to stdout')))
      chunks.push(chunk);
    t.equal(Buffer.concat(chunks).toString(), '4\n5\n');
    t.strictSame(await numbers(), [1, 2, 3]);
  } finally {
    client.release();
  }
});
