import t from 'tap';
import { storeImports } from '../../src/ingest/store-imports.ts';
import { verify } from '../../src/ingest/verify.ts';
import { PROJECTIONS } from '../../src/reports/registry.ts';
import { dumpOf } from '../support/database-dump.ts';
import { type TestService, testService } from '../support/service.ts';

t.setTimeout(120_000);

// Imports copy what many customers need; small requests write it in unnested lists. Both must leave the very same rows.

const CUSTOMERS = 1_200;
/** Sent to either service first, so that groups have the same numbers in both. */
const GROUPED = { items: [{ customer_id: 'first', known_since: '2024-01-01', groups: ['a', 'b', 'c'] }] };

type Items = Readonly<Record<'customers' | 'purchases' | 'refunds' | 'interactions', readonly object[]>>;

const idOf = (index: number): string => `${['é', 'Z', 'a', '😀', '"\\'][index % 5]}-${index}`;

/** Everything that may be in a column, spread over the customers. */
function itemsOf(round: number): Items {
  const customers: object[] = [];
  const purchases: object[] = [];
  const refunds: object[] = [];
  const interactions: object[] = [];
  for (let index = 0; index < CUSTOMERS; index += 1) {
    const customer_id = idOf(index);
    const month = String(1 + ((index + 5 * round) % 12)).padStart(2, '0');
    const purchased_at = index % 3 === 0 ? `2025-${month}-07` : `2025-${month}-07T23:30:00.123456Z`;
    const products = [[], ['tea'], ['"quoted"', 'back\\slash', 'a,b', 'ü'], ['tea', 'cup', 'tea']][index % 4];
    const money = { amount: `${index}.25`, cost: `${index % 7}`, discount: index % 2 === 0 ? '0.50' : '0' };
    purchases.push({ customer_id, purchase_id: `p${round}`, purchased_at, products, ...money });
    if (index % 6 === 0) {
      const refund = { refund_id: `r${round}`, refunded_at: '2025-12-30', amount: '0.10' };
      refunds.push({ customer_id, purchase_id: index % 12 === 0 ? 'unknown' : `p${round}`, ...refund });
    }
    const occurred_at = `2025-${month}-09T01:00:00+05:00`;
    const about = [
      { kind: 'survey', score: index % 11 },
      { kind: 'departure', reason: 'price' },
      { kind: 'visit', cost: '1.5' },
    ][index % 3];
    if (index % 4 === 0) interactions.push({ customer_id, interaction_id: `i${round}`, occurred_at, ...about });
    if (index % 5 === round) customers.push({ customer_id, known_since: '2024-06-01', groups: ['b', 'c'] });
  }
  return { customers, purchases, refunds, interactions };
}

async function post(service: TestService, kind: string, items: readonly object[]): Promise<void> {
  for (let at = 0; at < items.length; at += 200) {
    const { status } = await service.call('POST', `/v1/${kind}`, { items: items.slice(at, at + 200) });
    if (status !== 200) throw new Error(`${kind}: ${status}`);
  }
}

async function imported(service: TestService, items: Items): Promise<void> {
  const file = Object.values(items).flatMap((some) => some.map((item) => `${JSON.stringify(item)}\n`));
  const sent = await service.call('POST', '/v1/imports', file.join(''), { 'content-type': 'application/x-ndjson' });
  await storeImports(service.engine);
  const { body } = await service.call('GET', String(sent.headers.location));
  if (body.invalid + body.conflict > 0) throw new Error(JSON.stringify(body));
}

t.test('customers that are copied have the same rows as those that are sent few at a time', async (t) => {
  const [copied, sent] = [await testService(t), await testService(t)];
  for (const service of [copied, sent]) await service.call('POST', '/v1/customers', GROUPED);
  for (const [round, what] of ['new customers', 'the same customers once more'].entries()) {
    const items = itemsOf(round);
    await imported(copied, items);
    for (const [kind, some] of Object.entries(items)) await post(sent, kind, some);
    const [left, right] = [await dumpOf(copied.db), await dumpOf(sent.db)];
    for (const table of Object.keys(right)) {
      if (table === 'imports' || table === 'versions') continue;
      t.strictSame(withoutZeros(table, left[table]!), withoutZeros(table, right[table]!), `${what}: ${table}`);
    }
    t.ok(right.customer_stages!.length > 4 * CUSTOMERS);
    t.strictSame((await verify(copied.engine)).differences, []);
  }
});

/** Roll-up rows that have come to nothing are there or not. */
function withoutZeros(table: string, rows: readonly string[]): readonly string[] {
  const projection = PROJECTIONS.find(({ name }) => table === `rollup_${name.replaceAll('-', '_')}`);
  if (projection === undefined) return rows;
  return rows.filter((row) => {
    const columns = JSON.parse(row) as Record<string, number>;
    return projection.measures.some((measure) => columns[measure] !== 0);
  });
}
