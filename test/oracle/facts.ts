import type { Interaction, Purchase, StoredCustomer } from './store.ts';

/** Marks "has not happened by that day" in the lists of days and scores below. */
export const NEVER = -1;

/**
 * What one customer's stored events say at the end of every day of a walk, by place: place 0 is the day of existence.
 * Totals run from the first day to that day, so a window is a difference of two of them. Days are places too.
 */
export interface Facts {
  /** Day number of place 0. */
  readonly start: number;
  /** Number of days walked. */
  readonly length: number;
  readonly purchaseDays: Float64Array;
  readonly revenue: Float64Array;
  readonly costs: Float64Array;
  readonly firstPurchase: Float64Array;
  readonly lastPurchase: Float64Array;
  readonly lastInteraction: Float64Array;
  readonly lastDeparture: Float64Array;
  readonly oldestOpenComplaint: Float64Array;
  readonly latestScore: Float64Array;
  /** Number of interactions, by kind. */
  readonly interactions: ReadonlyMap<string, Float64Array>;
  /** Number of counting purchases that contain a product, by product code. */
  readonly products: ReadonlyMap<string, Float64Array>;
}

/** A purchase with the sum of its refunds in effect, and whether it counts. */
export interface SettledPurchase extends Purchase {
  readonly refunded: number;
  readonly counts: boolean;
}

/** Purchases that are not void, each with its refunds. A purchase wholly refunded does not count; one of amount zero does. */
export function settledPurchases(customer: StoredCustomer): SettledPurchase[] {
  const refunds = [...customer.refunds.values()].filter((refund) => !refund.void);
  const purchases = [...customer.purchases.values()].filter((purchase) => !purchase.void);
  return purchases.map((purchase) => {
    const own = refunds.filter((refund) => refund.purchaseId === purchase.id);
    const refunded = own.reduce((sum, refund) => sum + refund.amount, 0);
    const counts = !(purchase.amount > 0 && own.length >= 1 && refunded >= purchase.amount);
    return { ...purchase, refunded, counts };
  });
}

/** Days of everything stored that dates a customer: rows (voided ones too), `known_since`, else the day of receipt. */
export function datingDays(customer: StoredCustomer): number[] {
  const rows = [customer.purchases, customer.refunds, customer.interactions].flatMap((map) => [...map.values()]);
  const days = rows.map((row) => row.at.day);
  if (customer.knownSince !== null) days.push(customer.knownSince);
  return days.length === 0 ? [customer.received] : days;
}

/** Everything a condition can ask, for every day from existence to `reachDays` days after the last activity day. */
export function dailyFacts(customer: StoredCustomer, reachDays: number): Facts {
  const days = datingDays(customer);
  const start = Math.min(...days);
  const length = Math.max(...days) - start + reachDays + 1;
  const purchases = settledPurchases(customer);
  const interactions = [...customer.interactions.values()].filter((interaction) => !interaction.void);
  const counting = purchases.filter((purchase) => purchase.counts);
  const place = (row: Purchase | Interaction): number => row.at.day - start;
  const places = (rows: readonly (Purchase | Interaction)[]): number[] => rows.map(place);
  const ones = (rows: readonly (Purchase | Interaction)[]): Float64Array =>
    running(
      length,
      rows.map((row) => [place(row), 1]),
    );
  const ofKind = (kind: string): Interaction[] => interactions.filter((interaction) => interaction.kind === kind);
  const buying = [...new Set(places(counting))];
  const spent = [...purchases, ...interactions].map((row): Step => [place(row), row.cost]);
  const kinds = [...new Set(interactions.map((interaction) => interaction.kind))];
  const codes = [...new Set(counting.flatMap((purchase) => purchase.products))];
  return {
    start,
    length,
    purchaseDays: running(
      length,
      buying.map((day) => [day, 1]),
    ),
    revenue: running(
      length,
      purchases.map((purchase) => [place(purchase), purchase.amount - purchase.refunded]),
    ),
    costs: running(length, spent),
    firstPurchase: everyDay(length, (day) => (day >= Math.min(...buying) ? Math.min(...buying) : NEVER)),
    lastPurchase: latest(length, buying),
    lastInteraction: latest(length, places(interactions)),
    lastDeparture: latest(length, places(ofKind('departure'))),
    oldestOpenComplaint: openComplaints(length, places(ofKind('complaint')), places(ofKind('resolution'))),
    latestScore: scores(length, start, interactions),
    interactions: new Map(kinds.map((kind) => [kind, ones(ofKind(kind))])),
    products: new Map(codes.map((code) => [code, ones(counting.filter(({ products }) => products.includes(code)))])),
  };
}

/**
 * The same customer as if nothing dated after place `last` were stored: every total and every "latest" stays what it was,
 * for `reachDays` more days. (Refunds belong to the day of their purchase, so those of kept purchases stay in effect.)
 */
export function frozenAfter(facts: Facts, last: number, reachDays: number): Facts {
  const length = last + reachDays + 1;
  const freeze = (list: Float64Array): Float64Array => everyDay(length, (day) => list[Math.min(day, last)] ?? NEVER);
  const freezeAll = (lists: ReadonlyMap<string, Float64Array>) =>
    new Map([...lists].map(([name, list]) => [name, freeze(list)]));
  return {
    start: facts.start,
    length,
    purchaseDays: freeze(facts.purchaseDays),
    revenue: freeze(facts.revenue),
    costs: freeze(facts.costs),
    firstPurchase: freeze(facts.firstPurchase),
    lastPurchase: freeze(facts.lastPurchase),
    lastInteraction: freeze(facts.lastInteraction),
    lastDeparture: freeze(facts.lastDeparture),
    oldestOpenComplaint: freeze(facts.oldestOpenComplaint),
    latestScore: freeze(facts.latestScore),
    interactions: freezeAll(facts.interactions),
    products: freezeAll(facts.products),
  };
}

type Step = readonly [place: number, amount: number];

function everyDay(length: number, of: (day: number) => number): Float64Array {
  const list = new Float64Array(length);
  for (let day = 0; day < length; day += 1) list[day] = of(day);
  return list;
}

function running(length: number, steps: readonly Step[]): Float64Array {
  const list = new Float64Array(length);
  for (const [day, amount] of steps) list[day] = (list[day] ?? 0) + amount;
  for (let day = 1; day < length; day += 1) list[day] = (list[day] ?? 0) + (list[day - 1] ?? 0);
  return list;
}

/** For each day the latest of `places` on or before it. */
function latest(length: number, places: readonly number[]): Float64Array {
  const happened = new Set(places);
  let last = NEVER;
  return everyDay(length, (day) => {
    if (happened.has(day)) last = day;
    return last;
  });
}

/** For each day the oldest complaint on or before it, and after the latest resolution on or before it. */
function openComplaints(length: number, complaints: readonly number[], resolutions: readonly number[]): Float64Array {
  const closed = latest(length, resolutions);
  return everyDay(length, (day) => {
    let oldest = NEVER;
    for (const complaint of complaints) {
      if (complaint > day || complaint <= (closed[day] ?? NEVER)) continue;
      if (oldest === NEVER || complaint < oldest) oldest = complaint;
    }
    return oldest;
  });
}

/** For each day the score of the latest day; on one day the later instant wins, then the greater interaction_id. */
function scores(length: number, start: number, interactions: readonly Interaction[]): Float64Array {
  const inOrder = interactions.filter((interaction) => interaction.score !== null).sort(byInstantAndId);
  const ofDay = new Map(inOrder.map((interaction) => [interaction.at.day - start, interaction.score ?? NEVER]));
  let last = NEVER;
  return everyDay(length, (day) => {
    last = ofDay.get(day) ?? last;
    return last;
  });
}

function byInstantAndId(one: Interaction, other: Interaction): number {
  return one.at.micros - other.at.micros || Buffer.compare(Buffer.from(one.id), Buffer.from(other.id));
}
