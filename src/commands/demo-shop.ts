import type { Day } from '../domain/calendar.ts';
import { busyness, DAY_SECONDS, stockUp } from './demo-catalogue.ts';
import { liveThrough, type Shop } from './demo-customer.ts';
import type { Dated, DemoBatch, Log } from './demo-items.ts';
import { seededRandom } from './seeded-random.ts';

/** What to invent. The same options give the same shop, byte for byte. */
export interface DemoOptions {
  readonly seed: number;
  /** Everybody the shop ever hears of, buyers or not. */
  readonly customers: number;
  /** The first day of which nothing is told: the last events fall on the day before. */
  readonly today: Day;
}

/** Days a demo shop looks back on: three years, one of them perhaps a leap year. */
export const DEMO_DAYS = 1096;

/** A shop's whole story, kept in memory (some eight items a customer) and told in order as often as asked. */
export interface DemoShop extends Iterable<DemoBatch> {
  /** Items of each route. */
  readonly counts: { readonly [route in DemoBatch['route']]: number };
  /** Items of all routes together: what a progress bar counts. */
  readonly items: number;
}

/**
 * Invents three years of a delicatessen: buyers with their own pace, purse and patience, who drop out after a purchase
 * with a chance of their own (as in BG/NBD: Fader, Hardie, Lee 2005), and a few of whom return; people who never buy;
 * complaints, scores, refunds. There is more of everything each year, most before Christmas, least on Sundays, and some
 * bad weeks a year ago. Bodies come week by week; within a week customers, purchases, refunds, then interactions, each
 * in the order of time.
 */
export function demoShop(options: DemoOptions): DemoShop {
  const shop = openShop(options);
  for (const [index, day] of arrivals(shop, options).entries()) liveThrough(shop, index + 1, day);
  const { customers, purchases, refunds, interactions } = shop.log;
  const routes: Dated<unknown>[][] = [customers, purchases, refunds, interactions];
  for (const entries of routes) entries.sort((one, other) => one.at - other.at);
  const counts = {
    customers: customers.length,
    purchases: purchases.length,
    refunds: refunds.length,
    interactions: interactions.length,
  };
  const items = routes.reduce((sum, entries) => sum + entries.length, 0);
  return { counts, items, [Symbol.iterator]: () => batches(shop) };
}

const BODY_ITEMS = 1_000;

function openShop({ seed, today }: DemoOptions): Shop {
  const first = today - DEMO_DAYS;
  const busyUntil = [0];
  for (let day = first; day < today; day += 1) busyUntil.push((busyUntil.at(-1) ?? 0) + busyness(day));
  const log: Log = { customers: [], purchases: [], refunds: [], interactions: [] };
  return { seed, first, today, busyUntil, catalogue: stockUp(seededRandom(seed, 0)), log };
}

/** The days on which the customers turn up, in order: a third more each year, and more of them in busy times. */
function arrivals(shop: Shop, { seed, customers }: DemoOptions): Day[] {
  const random = seededRandom(seed, 0x5eed);
  const crowd = [0];
  for (let day = 0; day < DEMO_DAYS; day += 1) {
    crowd.push((crowd.at(-1) ?? 0) + busyness(shop.first + day) * Math.exp((0.28 * day) / 365));
  }
  const all = crowd.at(-1) ?? 0;
  const marks = Array.from({ length: customers }, () => random.fraction() * all).sort((one, other) => one - other);
  let day = 0;
  return marks.map((mark) => {
    while ((crowd[day + 1] ?? Number.POSITIVE_INFINITY) <= mark) day += 1;
    return shop.first + day;
  });
}

/** Week by week, so that what follows on something hardly ever arrives before it, and requests stay few. */
function* batches({ log, first, today }: Shop): Generator<DemoBatch> {
  const told = { customers: 0, purchases: 0, refunds: 0, interactions: 0 };
  for (let day = first; day < today; day += 7) {
    const end = (day + 7) * DAY_SECONDS;
    for (const items of bodies(log.customers, told, 'customers', end)) yield { route: 'customers', items };
    for (const items of bodies(log.purchases, told, 'purchases', end)) yield { route: 'purchases', items };
    for (const items of bodies(log.refunds, told, 'refunds', end)) yield { route: 'refunds', items };
    for (const items of bodies(log.interactions, told, 'interactions', end)) yield { route: 'interactions', items };
  }
}

/** What a route has still to tell of the time before `end`, in bodies of at most 1,000 items. */
function* bodies<Item>(
  entries: readonly Dated<Item>[],
  told: Record<DemoBatch['route'], number>,
  route: DemoBatch['route'],
  end: number,
): Generator<Item[]> {
  for (;;) {
    const items: Item[] = [];
    for (let entry = entries[told[route]]; entry !== undefined && entry.at < end; entry = entries[told[route]]) {
      if (items.length === BODY_ITEMS) break;
      items.push(entry.item);
      told[route] += 1;
    }
    if (items.length === 0) return;
    yield items;
  }
}
