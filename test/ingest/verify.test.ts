import { sql } from 'kysely';
import t from 'tap';
import { rebuild } from '../../src/ingest/rebuild.ts';
import { verify } from '../../src/ingest/verify.ts';
import { testService } from '../support/service.ts';

// What is written beside a customer's events is stated here by hand, broken column by column, found and repaired.

const service = await testService(t);
const { db, engine } = service;

async function post(route: string, ...items: readonly object[]): Promise<void> {
  const { body } = await service.call('POST', `/v1/${route}`, { items });
  for (const item of body.items) if (item.status !== 'created') throw new Error(JSON.stringify(item));
}

async function differences(): Promise<readonly string[]> {
  return (await verify(engine)).differences;
}

async function repair(): Promise<void> {
  const { reporting_time_zone, currency, currency_decimals } = engine.versions;
  await rebuild(engine, { reporting_time_zone, currency, currency_decimals });
}

const ana = { customer_id: 'ana' };
await post('customers', { ...ana, known_since: '2026-01-01' }, { customer_id: 'nobody', known_since: '2026-05-05' });
await post(
  'purchases',
  { ...ana, purchase_id: 'p1', purchased_at: '2026-02-01', amount: '10', cost: '4', products: ['a', 'b'] },
  { ...ana, purchase_id: 'p2', purchased_at: '2026-03-01', amount: '7', discount: '1', products: ['a'] },
  { ...ana, purchase_id: 'p3', purchased_at: '2026-03-01', amount: '5' },
);
await post(
  'interactions',
  { ...ana, interaction_id: 'i1', occurred_at: '2026-03-02', kind: 'complaint', cost: '0.50' },
  { ...ana, interaction_id: 'i2', occurred_at: '2026-03-09', kind: 'complaint' },
);
await post('refunds', { ...ana, refund_id: 'r1', purchase_id: 'p3', refunded_at: '2026-03-05', amount: '5' });

const day = (text: string): number => Date.parse(text) / 86_400_000;

t.test('a customer is stored in figures, as of all events', async (t) => {
  const { rows } = await sql`
    select purchases, purchase_days, revenue::text, profit::text, product_lines::text, discounted_purchases, first_purchase_day,
      last_purchase_day, last_interaction_day, open_complaint_day, next_change, standing from customer_states order by customer_id`.execute(
    db,
  );
  t.strictSame(
    rows.map((row) => ({ ...(row as object) })),
    [
      {
        purchases: 2,
        purchase_days: 2,
        revenue: '1700',
        profit: '1250',
        product_lines: '3',
        discounted_purchases: 1,
        first_purchase_day: day('2026-02-01'),
        last_purchase_day: day('2026-03-01'),
        last_interaction_day: day('2026-03-09'),
        open_complaint_day: day('2026-03-02'),
        // Silent since 2026-03-01 and at risk since 2026-05-31: lapsed after 180 days.
        next_change: day('2026-08-29'),
        // Bought on two days and at risk: the third stage of `lifecycle` and `journey`, the fourth of `relationship` and `loyalty_ladder`.
        standing: '1:11 2:15 3:11 4:15',
      },
      {
        purchases: 0,
        purchase_days: 0,
        revenue: '0',
        profit: '0',
        product_lines: '0',
        discounted_purchases: 0,
        first_purchase_day: null,
        last_purchase_day: null,
        last_interaction_day: null,
        open_complaint_day: null,
        next_change: null,
        standing: '1:1 2:1 3:1 4:1',
      },
    ],
  );
});

t.test('what is dated in a year is stored, and nothing of a year without anything', async (t) => {
  const { rows } = await sql<Record<string, number>>`
    select customer_id, year, purchases, revenue::int4, costs::int4, product_lines::int4, discounted_purchases from customer_years`.execute(
    db,
  );
  t.strictSame(
    rows.map((row) => ({ ...row })),
    [
      {
        customer_id: 'ana',
        year: 2026,
        purchases: 2,
        revenue: 1700,
        costs: 450,
        product_lines: 3,
        discounted_purchases: 1,
      },
    ],
  );
});

t.test('where a customer stands today is stored with its end', async (t) => {
  const { rows } = await sql<Record<string, number>>`
    select position, until, stage_since, activity_since, revenue::int4 from customer_stages where model_version = 1 order by customer_id`.execute(
    db,
  );
  const [of, nobody] = rows;
  // The third stage and the third activity of `lifecycle`: 1 + 4·2 + 2. The last closed day is the first complaint's, in unbroken activity
  // since the first purchase.
  t.strictSame(
    { ...of },
    {
      position: 11,
      until: day('2026-08-29'),
      stage_since: day('2026-03-01'),
      activity_since: day('2026-02-01'),
      revenue: 1700,
    },
  );
  t.strictSame(
    { ...nobody },
    {
      position: 1,
      until: day('2200-01-01'),
      stage_since: day('2026-05-05'),
      activity_since: day('2026-05-05'),
      revenue: 0,
    },
  );
});

t.test('verify finds every column that says something else than the events, and a rebuild repairs it', async (t) => {
  t.strictSame(await differences(), []);
  const columns = {
    customer_states: [
      'purchases',
      'purchase_days',
      'revenue',
      'profit',
      'product_lines',
      'discounted_purchases',
      'first_purchase_day',
      'last_purchase_day',
      'last_interaction_day',
      'open_complaint_day',
      'next_change',
    ],
    customer_stages: ['position', 'until', 'stage_since', 'activity_since', 'revenue', 'profit', 'last_purchase_day'],
    customer_years: ['year', 'purchases', 'revenue', 'costs', 'product_lines', 'discounted_purchases'],
  };
  for (const [table, names] of Object.entries(columns)) {
    for (const name of names) {
      const column = sql.ref(name);
      await sql`update ${sql.table(table)} set ${column} = ${column} + 1 where customer_id = 'ana'`.execute(db);
      const found = await differences();
      t.ok(found.length > 0, `${table}.${name}`);
      t.ok(
        found.every((text) => text.includes(' of ana')),
        `${table}.${name} of the customer it belongs to`,
      );
      await sql`update ${sql.table(table)} set ${column} = ${column} - 1 where customer_id = 'ana'`.execute(db);
    }
  }
  await sql`update customer_states set next_change = null, revenue = -1 where customer_id = 'ana'`.execute(db);
  await sql`delete from customer_stages where customer_id = 'ana' and model_version = 2`.execute(db);
  await sql`insert into customer_years values ('nobody', 2026, 1, 0, 0, 0, 0)`.execute(db);
  t.equal((await differences()).length, 3, 'a missing row, wrong figures, and a year of nothing');
  await repair();
  t.strictSame(await differences(), []);
});

t.test('a saved fold that was changed is found, takes no more events, and is repaired', async (t) => {
  const { rows } = await sql<{ size: number }>`
    select octet_length(fold) as size from customer_states where customer_id = 'ana'`.execute(db);
  const bytes = rows[0]!.size;
  const more = { ...ana, purchase_id: 'p4', purchased_at: '2026-04-01', amount: '1' };
  for (const at of [0, 1, bytes - 1]) {
    await sql`update customer_states set fold = set_byte(fold, ${at}, get_byte(fold, ${at}) # 1) where customer_id = 'ana'`.execute(
      db,
    );
    const found = await differences();
    t.equal(found.length, 1);
    t.match(found[0], /^fold of ana: stored "[0-9a-f]+", the events give "[0-9a-f]+"$/);
    t.equal((await service.call('POST', '/v1/purchases', { items: [more] })).status, 500, `byte ${at}`);
    t.equal((await service.call('GET', '/v1/customers/ana')).status, 500);
    await repair();
    t.strictSame(await differences(), []);
  }
});

t.test('a position of another day is no difference while it says what held before its end', async (t) => {
  const { rows } = await sql<{ first_days: number[]; positions: number[] }>`
    select first_days, positions from customer_stages where customer_id = 'ana' and model_version = 1`.execute(db);
  const { first_days, positions } = rows[0]!;
  const [, until] = first_days;
  const set = async (position: number, next: number, standing = position) =>
    await sql`update customer_stages set position = ${position}, until = ${until} where customer_id = 'ana' and model_version = 1`
      .execute(db)
      .then(() =>
        sql`update customer_states set next_change = ${next}, standing = ${`1:${standing} 2:15 3:11 4:15`} where customer_id = 'ana'`.execute(
          db,
        ),
      );
  await set(positions[0]!, until!);
  t.strictSame(await differences(), []);
  await set(positions[1]!, until!);
  t.equal((await differences()).length, 1, 'the position after that day');
  await set(positions[0]!, until! + 1);
  t.equal((await differences()).length, 1, 'a next change that is none of the ends');
  await set(positions[0]!, until!, positions[1]!);
  t.equal((await differences()).length, 1, 'a standing that is none of the positions');
  await repair();
});
