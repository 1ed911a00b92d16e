import { seededRandom } from '../src/commands/seeded-random.ts';
import type { Change } from '../src/ingest/change.ts';
import { todayOf } from '../src/ingest/engine.ts';
import { PROJECTIONS } from '../src/reports/registry.ts';
import { MAX_CUSTOMER_GROUPS } from '../src/store/groups.ts';
import { fillBigShop } from './big-shop.ts';
import type { BenchCase, BenchSize, Figure } from './case.ts';
import type { BenchServer, BenchShop } from './database.ts';
import { foldAll, planOf } from './fold.ts';
import { compare, type Side } from './growth-compare.ts';
import { customerIn, fillGroupedShop, fillPastShop, foldOneMore, modelsOf, pastCustomer } from './growth-shops.ts';
import { seededHistories } from './histories.ts';
import { purchase } from './shop.ts';

const MODELS = [1, 2, 4, 8];
const GROUPS = [0, 1, 4, MAX_CUSTOMER_GROUPS];

interface Sizes {
  readonly customers: readonly number[];
  readonly lengths: readonly number[];
  /** Customers of the shops that differ by models. */
  readonly shop: number;
  /** Rounds after one that warms up. */
  readonly rounds: number;
  /** Purchases of a transaction, each of another customer: of any, of those with so many groups, and of those with histories of a length. */
  readonly batch: number;
  readonly group_batch: number;
  readonly past_batch: number;
}

const FULL: Sizes = {
  customers: [10_000, 100_000],
  lengths: [1, 10, 100, 1_000, 10_000],
  shop: 10_000,
  rounds: 5,
  batch: 500,
  group_batch: 200,
  past_batch: 10,
};
const QUICK: Sizes = {
  customers: [200, 400],
  lengths: [1, 10, 100],
  shop: 200,
  rounds: 1,
  batch: 20,
  group_batch: 10,
  past_batch: 2,
};

/**
 * What one more purchase costs as a shop grows in each direction: more customers, longer histories, more models, more groups of a customer. Purchases of today, in
 * batches through `ingest`, in turns; every customer is asked once.
 */
export const growthCase: BenchCase = async (server, size) => {
  const sizes = size.quick ? QUICK : FULL;
  return [
    ...(await byCustomers(server, size, sizes)),
    ...(await byLength(server, sizes)),
    ...(await byModels(server, sizes)),
    ...(await byGroups(server, sizes)),
  ];
};

async function byCustomers(server: BenchServer, { customers }: BenchSize, sizes: Sizes): Promise<Figure[]> {
  const sides: Side[] = [];
  for (const count of sizes.customers) {
    const shop = await server.shop(`growth_${count}`);
    await fillBigShop(shop, count);
    sides.push(sideOf(shop, `${number(count)} customers`, shuffled(count), sizes));
  }
  const big = server.filledBigShop(customers);
  if (big !== undefined) sides.push(sideOf(big, `${number(customers)} customers`, shuffled(customers), sizes));
  return await compare('growth by customers', sides, sizes.rounds);
}

async function byLength(server: BenchServer, sizes: Sizes): Promise<Figure[]> {
  const shop = await server.shop('growth_past');
  const each = sizes.past_batch * (sizes.rounds + 1);
  await fillPastShop(shop, sizes.lengths, each);
  const sides = sizes.lengths.map((length): Side => {
    const ids = Array.from({ length: each }, (_, nth) => pastCustomer(length, nth + 1));
    const what = `${number(length)} past purchases, ${sizes.past_batch} customers at once`;
    return { ...sideOf(shop, what, ids, { ...sizes, batch: sizes.past_batch }), fold: foldOneMore(length) };
  });
  return await compare('growth by history length', sides, sizes.rounds);
}

async function byModels(server: BenchServer, sizes: Sizes): Promise<Figure[]> {
  const histories = seededHistories(sizes.shop / 20, 1);
  const purchases = histories.reduce((sum, history) => sum + history.purchases.length, 0);
  const sides: Side[] = [];
  for (const count of MODELS) {
    const models = modelsOf(count);
    const shop = await server.shop(`growth_models_${count}`, models);
    await fillBigShop(shop, sizes.shop);
    const plan = planOf(models, PROJECTIONS);
    const fold = { times: purchases, run: () => foldAll(plan, histories) };
    sides.push({ ...sideOf(shop, `${count} models`, shuffled(sizes.shop), sizes), fold });
  }
  return await compare('growth by models', sides, sizes.rounds);
}

async function byGroups(server: BenchServer, sizes: Sizes): Promise<Figure[]> {
  const histories = seededHistories(sizes.shop / 20, 1);
  const purchases = histories.reduce((sum, history) => sum + history.purchases.length, 0);
  const shop = await server.shop('growth_groups');
  const own = { ...sizes, batch: sizes.group_batch };
  const each = own.batch * (own.rounds + 1);
  await fillGroupedShop(shop, each * GROUPS.length, GROUPS);
  const plan = planOf(modelsOf(4), PROJECTIONS);
  const sides = GROUPS.map((count, index): Side => {
    const ids = Array.from({ length: each }, (_, nth) => customerIn(nth * GROUPS.length + index + 1));
    const groupIds = Array.from({ length: count }, (_, group) => group + 1);
    const fold = { times: purchases, run: () => foldAll(plan, histories, groupIds) };
    return { ...sideOf(shop, `${count} groups a customer`, ids, own), fold };
  });
  return await compare('growth by groups', sides, sizes.rounds);
}

function sideOf(shop: BenchShop, what: string, customers: readonly string[], sizes: Sizes): Side {
  const today = todayOf(shop.engine);
  const batch = (round: number): Change[] =>
    customers
      .slice(round * sizes.batch, (round + 1) * sizes.batch)
      .map((id, nth) => purchase(id, 1_000_000 + nth, today, 1_000 + ((nth * 379) % 9_000)));
  return { what, shop, batch };
}

/** The customers of a shop in a random order. */
function shuffled(customers: number): string[] {
  const random = seededRandom(5);
  const ids = Array.from({ length: customers }, (_, nth) => customerIn(nth + 1));
  for (let at = ids.length - 1; at > 0; at -= 1) {
    const other = random.integer(0, at);
    [ids[at], ids[other]] = [ids[other]!, ids[at]!];
  }
  return ids;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
