import { sql } from 'kysely';
import { todayOf } from '../src/ingest/engine.ts';
import { rebuild } from '../src/ingest/rebuild.ts';
import type { BenchShop } from './database.ts';

const DAYS = 1_095;

/** What a big shop holds, and how long it took to fold it all. */
export interface BigShop {
  readonly customers: number;
  readonly purchases: number;
  readonly fold_s: number;
}

/**
 * Fills a shop with seeded customers of three years up to today, straight into the tables, and folds everything with `rebuild`. Unequal as real shops are: about six
 * purchases a customer, most have few, some up to a hundred; a tenth of the customers have talked to the shop, one purchase in fifty was refunded.
 */
export async function fillBigShop(shop: BenchShop, customers: number): Promise<BigShop> {
  await storeEvents(shop, customers);
  return foldShop(shop, customers);
}

/** Only stores what a big shop holds; nothing is folded yet. */
export async function storeEvents({ engine }: BenchShop, customers: number): Promise<void> {
  const end = todayOf(engine);
  await engine.db.transaction().execute(async (trx) => {
    await sql`select setseed(0.5)`.execute(trx);
    await sql`
      insert into customers (customer_id, known_since, received_on)
      select 'customer-' || lpad(number::text, 7, '0'), null, ${end}::int4 from generate_series(1, ${customers}::int4) as number`.execute(
      trx,
    );
    await sql`
      insert into purchases (customer_id, purchase_id, at, day, plain, amount, cost, discount, products)
      select customer_id, 'o-' || nth, day * 86400000000 + second * 1000000, day, false, amount, amount * 6 / 10, case when second % 5 = 0 then amount / 10 else 0 end,
        array['sku-' || second % 400]
      from (
        select customer_id, nth, case nth when 1 then first_day else first_day + floor(random() * (${end}::int4 - first_day + 1))::int4 end as day,
          floor(random() * 86400)::int8 as second, round(4000 * exp(0.8 * random_normal()))::int8 as amount
        from (
          select customer_id, ${end}::int4 - floor(random() * ${DAYS})::int4 as first_day, least(100, 1 + floor(-5.5 * ln(1 - random())))::int4 as orders
          from customers order by customer_id
        ) as buyer, generate_series(1, orders) as nth
      ) as bought`.execute(trx);
    await sql`
      insert into refunds (customer_id, refund_id, purchase_id, at, day, plain, amount)
      select customer_id, 'r-' || purchase_id, purchase_id, at + 86400000000, least(day + 1, ${end}::int4), false, amount / 2 from purchases where random() < 0.02`.execute(
      trx,
    );
    await sql`
      insert into interactions (customer_id, interaction_id, at, day, plain, kind, score, reason, cost)
      select customer_id, 'i-' || kind, day * 86400000000, day, false, kind, case kind when 'survey' then day % 11 end, case kind when 'departure' then 'price' end, 150
      from (
        select customer_id, ${end}::int4 - floor(random() * ${DAYS})::int4 as day,
          (array['inquiry', 'complaint', 'survey', 'referral', 'departure'])[1 + floor(random() * 5)::int4] as kind
        from customers where random() < 0.1
      ) as told`.execute(trx);
  });
}

/** Folds everything that is stored in a shop of so many customers. */
export async function foldShop(shop: BenchShop, customers: number): Promise<BigShop> {
  const { engine } = shop;
  await shop.pool.query('vacuum analyze');
  const { versions } = engine;
  const started_at = performance.now();
  await rebuild(engine, versions);
  const fold_s = (performance.now() - started_at) / 1_000;
  await shop.pool.query('vacuum analyze');
  // Or the server would go on writing all this while reads are measured.
  await shop.pool.query('checkpoint');
  const { rows } = await shop.pool.query('select count(*)::int4 as purchases from purchases');
  return { customers, purchases: (rows[0] as { purchases: number }).purchases, fold_s };
}
