import type { Rng } from '../oracle/rng.ts';

// What the value reports must answer, computed the long way from the events of a shop: no buckets, no SQL, every customer sorted.

/** Minor units of everything here are cents. */
export interface NaivePurchase {
  readonly day: string;
  readonly amount: number;
  readonly cost: number;
  readonly discounted: boolean;
  readonly products: number;
  readonly refunds: readonly number[];
}

/** A customer with all their events. */
export interface NaiveCustomer {
  readonly id: string;
  readonly groups: readonly string[];
  readonly purchases: readonly NaivePurchase[];
  readonly contacts: readonly { readonly day: string; readonly cost: number }[];
}

/** What is asked of a shop. */
export interface Question {
  readonly value: 'revenue' | 'profit';
  /** `lifetime` or a year. */
  readonly period: string;
  readonly group: string | null;
  readonly today: string;
}

interface Worth {
  readonly customer: NaiveCustomer;
  readonly value: number;
  readonly revenue: number;
  readonly counting: readonly NaivePurchase[];
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
const days = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 86_400_000;
const text = (cents: number): string =>
  `${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;

function counts({ amount, refunds }: NaivePurchase): boolean {
  return !(amount > 0 && refunds.length > 0 && sum(refunds, (one) => one) >= amount);
}

function net({ amount, refunds }: NaivePurchase): number {
  return amount - sum(refunds, (one) => one);
}

function worthOf(customer: NaiveCustomer, { value, period }: Question): Worth & { readonly costs: number } {
  const asked = (day: string): boolean => period === 'lifetime' || day.startsWith(period);
  const purchases = customer.purchases.filter(({ day }) => asked(day));
  const revenue = sum(purchases, net);
  const costs =
    sum(purchases, ({ cost }) => cost) +
    sum(
      customer.contacts.filter(({ day }) => asked(day)),
      ({ cost }) => cost,
    );
  return {
    customer,
    revenue,
    costs,
    value: value === 'revenue' ? revenue : revenue - costs,
    counting: purchases.filter(counts),
  };
}

/** Stage and activity in the built-in lifecycle today, by its rules; nobody departs here. */
export function lifecycleOf(
  { purchases }: NaiveCustomer,
  today: string,
): { readonly stage: string; readonly activity: string } {
  const bought = [...new Set(purchases.filter((one) => counts(one) && one.day <= today).map(({ day }) => day))].sort();
  const silence = bought.length === 0 ? 0 : days(bought.at(-1)!, today);
  const activity = bought.length === 0 ? 'none' : silence > 180 ? 'lapsed' : silence > 90 ? 'at_risk' : 'active';
  if (bought.length === 0) return { stage: 'prospect', activity };
  if (bought.length === 1) return { stage: 'first_time_buyer', activity };
  if (bought.length < 4) return { stage: 'early_repeat_buyer', activity };
  return { stage: activity === 'lapsed' ? 'core_defector' : 'core_customer', activity };
}

/** Stage in the built-in journey. */
export function journeyOf(customer: NaiveCustomer, today: string): string {
  const names: Record<string, string> = {
    prospect: 'acquisition',
    first_time_buyer: 'activation',
    early_repeat_buyer: 'retention',
    core_customer: 'loyalty',
    core_defector: 'retention',
  };
  return names[lifecycleOf(customer, today).stage]!;
}

const STAGES = ['prospect', 'first_time_buyer', 'early_repeat_buyer', 'core_customer', 'core_defector'];

/** The answer of value-segments, without what every report has. */
export function naiveSegments(shop: readonly NaiveCustomer[], question: Question) {
  const all = shop
    .filter(({ groups }) => question.group === null || groups.includes(question.group))
    .map((customer) => worthOf(customer, question));
  const ranked = all
    .filter(({ counting }) => counting.length > 0)
    .sort((a, b) => b.value - a.value || (a.customer.id < b.customer.id ? -1 : 1));
  const total = sum(ranked, ({ value }) => value);
  const [fifth, four] = [Math.ceil(ranked.length / 5), Math.ceil((4 * ranked.length) / 5)];
  const cuts = { top: ranked.slice(0, fifth), middle: ranked.slice(fifth, four), bottom: ranked.slice(four) };
  const negative = ranked.filter(({ value }) => value < 0);
  const alone = all.filter(({ counting, costs }) => counting.length === 0 && costs > 0);
  const eighty = eightyOf(ranked, total);
  return {
    customers: ranked.length,
    total: text(total),
    customers_for_80_percent: eighty,
    share_for_80_percent: eighty === null ? null : eighty / ranked.length,
    negative: { customers: negative.length, value: text(sum(negative, ({ value }) => value)) },
    cost_without_purchase: { customers: alone.length, costs: text(sum(alone, ({ costs }) => costs)) },
    items: Object.entries(cuts).map(([segment, own]) => ({
      segment,
      customers: own.length,
      value: text(sum(own, ({ value }) => value)),
      share: total > 0 ? sum(own, ({ value }) => value) / total : null,
      threshold: own.length === 0 ? null : text(own.at(-1)!.value),
      tied_at_threshold: ranked.filter(({ value }) => value === own.at(-1)?.value).length,
      profile: own.length === 0 ? null : profileOf(own, question.today),
    })),
    stages: Object.entries(cuts).flatMap(([segment, own]) =>
      STAGES.map((stage) => {
        const here = own.filter(({ customer }) => lifecycleOf(customer, question.today).stage === stage);
        return { segment, stage, customers: here.length, value: text(sum(here, ({ value }) => value)) };
      }),
    ),
    ...concentration(ranked.map(({ value }) => Math.max(value, 0)).reverse()),
  };
}

function eightyOf(ranked: readonly Worth[], total: number): number | null {
  if (total <= 0) return null;
  return ranked.findIndex((_, index) => 5 * sum(ranked.slice(0, index + 1), ({ value }) => value) >= 4 * total) + 1;
}

function profileOf(own: readonly Worth[], today: string) {
  const bought = own.flatMap(({ counting }) => counting);
  const revenue = sum(own, (one) => one.revenue);
  const first = ({ customer }: Worth): string =>
    customer.purchases
      .filter(counts)
      .map(({ day }) => day)
      .sort()[0]!;
  const share = (customers: number) => ({ customers, share: customers / own.length });
  const groups = [...new Set(own.flatMap(({ customer }) => customer.groups))].map((group) => ({
    group,
    ...share(own.filter(({ customer }) => customer.groups.includes(group)).length),
  }));
  const discounted = bought.filter(({ discounted: yes }) => yes).length;
  return {
    customers: own.length,
    average_tenure_days: sum(own, (one) => Math.max(days(first(one), today), 0)) / own.length,
    purchases: bought.length,
    revenue: text(revenue),
    average_purchase: revenue / 100 / bought.length,
    products: sum(bought, ({ products }) => products),
    products_per_purchase: sum(bought, ({ products }) => products) / bought.length,
    discounted_purchases: discounted,
    discounted_share: discounted / bought.length,
    activity: ['none', 'active', 'at_risk', 'lapsed'].map((activity) => ({
      activity,
      ...share(own.filter(({ customer }) => lifecycleOf(customer, today).activity === activity).length),
    })),
    groups: groups.sort((a, b) => b.customers - a.customers || (a.group < b.group ? -1 : 1)),
  };
}

/** Gini coefficient and Lorenz curve by the definition; values ascending and not below zero. */
function concentration(values: readonly number[]) {
  const total = sum(values, (value) => value);
  if (total === 0) return { gini: null, lorenz: [] };
  const n = values.length;
  const weighted = values.reduce((weight, value, index) => weight + (index + 1) * value, 0);
  const lorenz = Array.from({ length: 21 }, (_, step) => {
    const wanted = (n * step) / 20;
    const whole = Math.floor(wanted);
    const rest = wanted === whole ? 0 : (wanted - whole) * values[whole]!;
    return {
      share_of_customers: step / 20,
      share_of_value: (sum(values.slice(0, whole), (value) => value) + rest) / total,
    };
  });
  return { gini: (2 * weighted) / (n * total) - (n + 1) / n, lorenz };
}

/** How the values of a random shop lie: many ties, all close together, or far apart. */
export type Spread = 'tied' | 'close' | 'far';

/** A shop of so many customers; days from 2023-01-01 to the day after `today`, which is 2025-06-15. */
export function randomShop(rng: Rng, customers: number, spread: Spread): NaiveCustomer[] {
  const amount = (): number => {
    if (rng.chance(0.05)) return 0;
    if (spread === 'tied') return rng.pick([999, 1_998, 5_000]);
    return spread === 'close' ? 1_000_000 + rng.between(0, 900) : Math.floor(10 ** (rng.between(0, 700) / 100));
  };
  const day = (): string =>
    new Date(Date.parse('2023-01-01') + rng.between(0, 897) * 86_400_000).toISOString().slice(0, 10);
  const purchase = (): NaivePurchase => {
    const paid = amount();
    const refunds = rng.chance(0.2)
      ? [rng.pick([1, paid, Math.floor(paid / 2), paid + 5_000].filter((one) => one > 0))]
      : [];
    const cost = rng.chance(0.3) ? rng.between(0, 600) : 0;
    return { day: day(), amount: paid, cost, discounted: rng.chance(0.3), products: rng.between(0, 3), refunds };
  };
  const several = <Item>(most: number, make: () => Item): Item[] => Array.from({ length: rng.between(0, most) }, make);
  return Array.from({ length: customers }, (_, index) => ({
    id: `c${(index * 7_919) % 10_007}${rng.chance(0.5) ? 'é' : 'Z'}`,
    groups: ['a', 'b', 'channel:x'].filter(() => rng.chance(0.3)),
    purchases: several(spread === 'close' ? 1 : 5, purchase),
    contacts: several(2, () => ({ day: day(), cost: rng.pick([0, 25, 3_000]) })),
  }));
}

/** The items of a shop, as they are sent. */
export function itemsOf(shop: readonly NaiveCustomer[]) {
  const customers = shop.map(({ id, groups }) => ({ customer_id: id, known_since: '2022-12-31', groups }));
  const purchases = shop.flatMap(({ id, purchases: own }) =>
    own.map((one, index) => ({
      customer_id: id,
      purchase_id: `p${index}`,
      purchased_at: one.day,
      amount: text(one.amount),
      cost: text(one.cost),
      discount: one.discounted ? '1.00' : '0',
      products: Array.from({ length: one.products }, (_, product) => `sku${product}`),
    })),
  );
  const refunds = shop.flatMap(({ id, purchases: own }) =>
    own.flatMap(({ day, refunds: back }, index) =>
      back.map((cents, place) => ({
        customer_id: id,
        refund_id: `r${index}-${place}`,
        purchase_id: `p${index}`,
        refunded_at: day,
        amount: text(cents),
      })),
    ),
  );
  const interactions = shop.flatMap(({ id, contacts }) =>
    contacts.map(({ day, cost }, index) => ({
      customer_id: id,
      interaction_id: `i${index}`,
      occurred_at: day,
      kind: 'contact',
      cost: text(cost),
    })),
  );
  return { customers, purchases, refunds, interactions };
}
