import { sql } from 'kysely';
import t from 'tap';
import { compareText } from '../../src/domain/activity-day.ts';
import type { Engine } from '../../src/ingest/engine.ts';
import { eraseCustomer } from '../../src/ingest/erase.ts';
import { ingest } from '../../src/ingest/ingest.ts';
import { mergeCustomers } from '../../src/ingest/merge.ts';
import { verify } from '../../src/ingest/verify.ts';
import type { Database } from '../../src/store/connect.ts';
import { type TestService, testService } from '../support/service.ts';

// What happens between two attempts to lock the customers of one batch. It happens rarely, so here it is made to happen.

/** An engine on the same database that lets something else be committed before its second transaction. */
function interrupted(engine: Engine, between: () => Promise<unknown>): Engine & { readonly attempts: () => number } {
  let attempts = 0;
  const transaction = () => ({
    execute: async (work: never) => {
      attempts += 1;
      if (attempts === 2) await between();
      return await engine.db.transaction().execute(work);
    },
  });
  return { ...engine, db: { transaction } as unknown as Database, attempts: () => attempts };
}

async function rowsOf(service: TestService): Promise<string[]> {
  const { rows } = await sql<{ row: string }>`
    select customer_id || coalesce(' → ' || merged_into, '') as row from customers`.execute(service.db);
  return rows.map(({ row }) => row).sort(compareText);
}

const bought = (customer_id: string, purchase_id: string) => ({
  customer_id,
  purchase_id,
  purchased_at: '2026-03-01',
  amount: '1',
});
const moment = { at: 1_767_225_600_000_000, day: 20_454, plain: true };
const visit = { interaction_id: 'i', moment, kind: 'visit', score: null, reason: null, cost: 0, voided: false };
const toX = { type: 'event', mode: 'post', kind: 'interactions', customer_id: 'x', event: visit } as const;

async function mergedShop(t: Parameters<typeof testService>[0]): Promise<TestService> {
  const service = await testService(t);
  await service.call('POST', '/v1/purchases', { items: ['a', 's', 'x'].map((id) => bought(id, `of ${id}`)) });
  await mergeCustomers(service.engine, 'x', 's');
  return service;
}

t.test('an event for an id whose survivor is merged meanwhile reaches the last survivor', async (t) => {
  const service = await mergedShop(t);
  const engine = interrupted(service.engine, () => mergeCustomers(service.engine, 's', 'a'));
  t.match(await ingest(engine, [toX]), [{ status: 'created' }]);
  t.equal(engine.attempts(), 3, 'x alone; x and s, which is no longer it; x and a');
  t.strictSame(await rowsOf(service), ['a', 's → a', 'x → a']);
  t.match((await service.call('GET', '/v1/customers/a/interactions')).body.items, [{ interaction_id: 'i' }]);
  t.strictSame((await verify(service.engine)).differences, []);
});

t.test('a survivor that is erased meanwhile leaves nothing behind', async (t) => {
  const service = await mergedShop(t);
  const engine = interrupted(service.engine, () => eraseCustomer(service.engine, 's'));
  t.match(await ingest(engine, [{ type: 'void', kind: 'interactions', customer_id: 'x', item_id: 'i' }]), [
    { status: 'not_found' },
  ]);
  t.equal(engine.attempts(), 2);
  t.strictSame(await rowsOf(service), ['a'], 'neither the id nor the one it stood for');
  t.strictSame((await verify(service.engine)).differences, []);
});

t.test('a merge whose customer is merged elsewhere meanwhile is refused, and leaves no lock and no row', async (t) => {
  const service = await mergedShop(t);
  await service.call('POST', '/v1/purchases', { items: [bought('b', 'of b')] });
  const engine = interrupted(service.engine, () => mergeCustomers(service.engine, 's', 'a'));
  await t.rejects(mergeCustomers(engine, 's', 'b'), { code: 'customer_merged' });
  t.strictSame(await rowsOf(service), ['a', 'b', 's → a', 'x → a']);
  t.strictSame((await verify(service.engine)).differences, []);
});

t.test('ids that were never merged cost no second attempt', async (t) => {
  const service = await mergedShop(t);
  const engine = interrupted(service.engine, () => Promise.reject(new Error('a second attempt')));
  await ingest(engine, [
    { ...toX, customer_id: 's' },
    { ...toX, customer_id: 'new' },
  ]);
  t.equal(engine.attempts(), 1);
});
