import { sql } from 'kysely';
import { type BigShop, foldShop, storeEvents } from './big-shop.ts';
import type { BenchShop } from './database.ts';

/**
 * Fills a shop as `fillBigShop` does, with all that a big one lacks and that decides about rows and columns: voided and wholly refunded purchases, voided
 * refunds, refunds of nothing, customers who never bought or were known long before, many more interactions of every kind, events dated tomorrow.
 */
export async function fillRoughShop(shop: BenchShop, customers: number): Promise<BigShop> {
  const { engine } = shop;
  await storeEvents(shop, customers);
  await engine.db.transaction().execute(async (trx) => {
    await sql`select setseed(0.25)`.execute(trx);
    await sql`update purchases set voided = true where random() < 0.03`.execute(trx);
    await sql`update purchases set amount = 0, discount = 0 where random() < 0.01`.execute(trx);
    await sql`update refunds set amount = (select amount from purchases as p where p.customer_id = refunds.customer_id and p.purchase_id = refunds.purchase_id)
      where random() < 0.5`.execute(trx);
    await sql`update refunds set amount = amount * 3, voided = random() < 0.2 where random() < 0.2`.execute(trx);
    await sql`update customers set known_since = received_on - 1500 where random() < 0.1`.execute(trx);
    await sql`insert into customers (customer_id, known_since, received_on)
      select 'idle-' || number, case when number % 3 = 0 then received_on - number end, received_on
      from generate_series(1, 100) as number, (select max(received_on) as received_on from customers) as last`.execute(
      trx,
    );
    await sql`delete from interactions`.execute(trx);
    await sql`insert into interactions (customer_id, interaction_id, at, day, plain, kind, score, reason, cost, voided)
      select customer_id, 'i-' || number, day * 86400000000 + number % 3, day, false, kind, case kind when 'survey' then number % 11 end,
        case kind when 'departure' then (array['price', 'competitor', 'boredom', 'other'])[1 + number % 4] end, number * 10, number % 17 = 0
      from (
        select customer_id, number, received_on - floor(random() * 1000)::int4 as day,
          (array['inquiry', 'complaint', 'resolution', 'survey', 'referral', 'departure', 'visit', 'testimonial'])[1 + floor(random() * 8)::int4] as kind
        from customers, generate_series(1, 12) as number
      ) as told
      where number % 3 > 0 or random() < 0.3`.execute(trx);
    // Departures on the very day of a purchase.
    await sql`insert into interactions (customer_id, interaction_id, at, day, plain, kind, score, reason, cost)
      select customer_id, 'left-' || purchase_id, day * 86400000000, day, false, 'departure', null, 'price', 0 from purchases where random() < 0.02`.execute(
      trx,
    );
    await sql`update purchases set day = day + 2, at = at + 2 * 86400000000 where random() < 0.05`.execute(trx);
  });
  return foldShop(shop, customers);
}
