import { GROUPS, type Rng } from '../oracle/random.ts';
import { ItemDrawer } from '../oracle/random-items.ts';
import type { CustomerItem, InteractionItem, PurchaseItem, RefundItem } from '../oracle/store.ts';
import type { PostStep } from './side-by-side.ts';

/** One item of a batch with the route it is posted to. */
export type Sent =
  | { readonly route: 'customers'; readonly item: CustomerItem }
  | { readonly route: 'purchases'; readonly item: PurchaseItem }
  | { readonly route: 'refunds'; readonly item: RefundItem }
  | { readonly route: 'interactions'; readonly item: InteractionItem };

export interface RandomEventsOptions {
  readonly count: number;
  readonly customers: number;
  /** The clock's day; events lie in the days before it. */
  readonly today: number;
  readonly days: number;
  /** Share of all events that belong to the first customer; each of the rest is as likely as any other. */
  readonly favourite?: number;
}

/**
 * Purchases, interactions and refunds of distinct ids by day, the way a shop that has run for a while would export them: some ten in a hundred are refunds,
 * in whole, in part or in excess, and of some the purchase never comes.
 */
export function randomEvents(rng: Rng, { count, customers, today, days, favourite = 0 }: RandomEventsOptions): Sent[] {
  const draw = new ItemDrawer(rng, 2, 12, 'UTC');
  const bought = new Map<string, PurchaseItem[]>();
  const onDays = Array.from({ length: count }, () => today - rng.between(0, days - 1)).sort(
    (one, other) => one - other,
  );
  return onDays.map((day, place): Sent => {
    const customer_id = `c-${rng.chance(favourite) ? 1 : rng.between(1, customers)}`;
    const own = bought.get(customer_id) ?? [];
    const kind = rng.weighted([
      [6, 'purchase'],
      [3, 'interaction'],
      [own.length === 0 ? 0 : 1, 'refund'],
    ]);
    if (kind === 'interaction') {
      return {
        route: 'interactions',
        item: { customer_id, interaction_id: `i-${place}`, ...draw.interaction(day, today) },
      };
    }
    if (kind === 'refund') {
      const purchase = rng.pick(own);
      const purchaseId = rng.chance(0.95) ? purchase.purchase_id : `never-${place}`;
      return {
        route: 'refunds',
        item: { customer_id, refund_id: `r-${place}`, ...draw.refund(day, today, purchaseId, purchase) },
      };
    }
    const item = { customer_id, purchase_id: `p-${place}`, ...draw.purchase(day, today) };
    bought.set(customer_id, [...own.slice(-9), item]);
    return { route: 'purchases', item };
  });
}

/** One record for every other customer, with a `known_since`, groups, or both. */
export function randomCustomers(rng: Rng, customers: number, knownSince: string): Sent[] {
  return Array.from({ length: customers }, (_, place) => `c-${place + 1}`)
    .filter(() => rng.chance(0.5))
    .map((customer_id) => ({
      route: 'customers',
      item: {
        customer_id,
        ...(rng.chance(0.5) ? { known_since: knownSince } : {}),
        groups: rng.some(GROUPS, 0, 3),
      },
    }));
}

/** Cuts a list into pieces of the size that `size` gives each time. */
export function cut<T>(list: readonly T[], size: () => number): T[][] {
  const pieces: T[][] = [];
  for (let begin = 0; begin < list.length; ) {
    const end = begin + Math.max(1, size());
    pieces.push(list.slice(begin, end));
    begin = end;
  }
  return pieces;
}

/** The batches that tell a list in its order: neighbours of one route together, at most `size()` of them. */
export function batches(list: readonly Sent[], size: () => number): PostStep[] {
  return cut(list, size).flatMap((piece) => {
    const routes = [...new Set(piece.map((sent) => sent.route))];
    return routes.map((route) => {
      const items = piece.filter((sent) => sent.route === route).map((sent) => sent.item);
      return { kind: 'post', route, items } as PostStep;
    });
  });
}
