import { sql } from 'kysely';
import { Differences } from '../src/domain/differences.ts';
import { forgetfulTallies } from '../src/domain/fold.ts';
import { activityDays, type History, type Purchase } from '../src/domain/history.ts';
import type { Model } from '../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../src/domain/models.ts';
import { decodeFold, encodeFold } from '../src/domain/saved-fold.ts';
import { todayOf } from '../src/ingest/engine.ts';
import { emitInto, foldMore, foldWhole } from '../src/ingest/refold.ts';
import { PROJECTIONS } from '../src/reports/registry.ts';
import { MAX_CUSTOMER_GROUPS } from '../src/store/groups.ts';
import { foldShop, storeEvents } from './big-shop.ts';
import type { BenchShop } from './database.ts';
import { planOf } from './fold.ts';

const DAY_MICROS = 86_400_000_000;
/** A past is spread over so many days, and ends so many days before today. */
const PAST_DAYS = 2_900;
const SINCE_DAYS = 30;

/** Id of a customer that `storeEvents` makes, counted from 1. */
export function customerIn(nth: number): string {
  return `customer-${String(nth).padStart(7, '0')}`;
}

/** Id of a customer that `fillPastShop` makes, counted from 1. */
export function pastCustomer(length: number, nth: number): string {
  return `past-${length}-${nth}`;
}

/** So many models: the built-in ones, and then the same again under other names. */
export function modelsOf(count: number): Model[] {
  const built = Object.values(BUILT_IN_MODELS);
  return Array.from({ length: count }, (_, index): Model => {
    const model = built[index % built.length]!;
    const copy = Math.floor(index / built.length);
    return copy === 0 ? model : { ...model, model_id: `${model.model_id}_${copy + 1}` };
  });
}

/** Fills a shop with so many customers for each number of past purchases, spread evenly over eight years. */
export async function fillPastShop(shop: BenchShop, lengths: readonly number[], each: number): Promise<void> {
  const { engine } = shop;
  const last = todayOf(engine) - SINCE_DAYS;
  const buyers = sql`select 'past-' || length || '-' || number as customer_id, length
    from unnest(${lengths}::int4[]) as length, generate_series(1, ${each}::int4) as number`;
  await engine.db.transaction().execute(async (trx) => {
    await sql`insert into customers (customer_id, known_since, received_on) select customer_id, null, ${last}::int4 from (${buyers}) as buyer`.execute(
      trx,
    );
    await sql`
      insert into purchases (customer_id, purchase_id, at, day, plain, amount, cost, discount, products)
      select customer_id, 'o-' || nth, day * ${DAY_MICROS}::int8, day, false, amount, amount * 6 / 10, 0, '{}'
      from (
        select customer_id, nth, ${last}::int4 - (length - nth) * ${PAST_DAYS}::int4 / length as day, 1000 + nth * 379 % 9000 as amount
        from (${buyers}) as buyer, generate_series(1, length) as nth
      ) as bought`.execute(trx);
  });
  await foldShop(shop, lengths.length * each);
}

/** A run of the fold alone, of so many purchases. */
export interface FoldRun {
  readonly times: number;
  readonly run: () => unknown;
}

/** One more purchase of a customer with so many past ones, again and again: the saved fold read, continued and written. */
export function foldOneMore(length: number): FoldRun {
  const plan = planOf(modelsOf(4), PROJECTIONS);
  const past = Array.from({ length }, (_, nth) =>
    bought(nth, -SINCE_DAYS - Math.floor(((length - nth - 1) * PAST_DAYS) / length)),
  );
  const text = encodeFold(foldWhole(plan, activityDays(historyOf(past)), forgetfulTallies(plan)).saved);
  const more = activityDays(historyOf([bought(length, 0)]));
  const times = 1_000;
  const run = (): void => {
    const differences = new Differences(plan);
    const [add, takeBack] = [emitInto(differences, 1, []), emitInto(differences, -1, [])];
    for (let nth = 0; nth < times; nth += 1) encodeFold(foldMore(plan, decodeFold(text), more, add, takeBack).saved);
  };
  return { times, run };
}

function historyOf(purchases: readonly Purchase[]): History {
  return { known_since: null, received_on: 0, purchases, refunds: [], interactions: [] };
}

function bought(nth: number, day: number): Purchase {
  const from = 20_000;
  const moment = { at: (from + day) * DAY_MICROS, day: from + day, plain: false };
  const amount = 1_000 + ((nth * 379) % 9_000);
  return {
    purchase_id: `o-${nth + 1}`,
    moment,
    amount,
    cost: Math.floor(amount * 0.6),
    discount: 0,
    products: [],
    voided: false,
  };
}

/** Fills a shop as `fillBigShop` does; its customers carry, in turn, each of the numbers of groups, any of the most that a customer may have. */
export async function fillGroupedShop(shop: BenchShop, customers: number, groups: readonly number[]): Promise<void> {
  const { engine } = shop;
  await storeEvents(shop, customers);
  await engine.db.transaction().execute(async (trx) => {
    await sql`insert into groups (name) select 'tag-' || number from generate_series(1, ${MAX_CUSTOMER_GROUPS}::int4) as number`.execute(
      trx,
    );
    await sql`
      update customers set group_ids = (
        select coalesce(array_agg(group_id order by group_id), '{}') from groups
        where (group_id + number) % ${MAX_CUSTOMER_GROUPS}::int4 < (${groups}::int4[])[1 + (number - 1) % ${groups.length}::int4])
      from (select customer_id, substr(customer_id, 10)::int4 as number from customers) as numbered
      where numbered.customer_id = customers.customer_id`.execute(trx);
  });
  await foldShop(shop, customers);
}
