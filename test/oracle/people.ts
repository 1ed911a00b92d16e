import { datingDays, type SettledPurchase, settledPurchases } from './facts.ts';
import type { Period } from './periods.ts';
import type { Interaction, StoredCustomer } from './store.ts';
import type { Spell } from './walk.ts';

/** An amount of minor units on a day. */
export interface Dated {
  readonly day: number;
  readonly amount: number;
}

/** One customer as reports look at them: all stored events, those of tomorrow included. Days are day numbers. */
export interface Person {
  readonly id: string;
  readonly groups: readonly string[];
  /** The day of existence. */
  readonly known: number;
  /** Purchases that are not void. */
  readonly purchases: readonly SettledPurchase[];
  /** Days with a purchase that counts, ascending. */
  readonly purchaseDays: readonly number[];
  /** What each purchase brought, net of its refunds, on the purchase's day. */
  readonly revenue: readonly Dated[];
  /** Costs of purchases and of interactions. */
  readonly costs: readonly Dated[];
  /** Refunds in effect, on their own day. */
  readonly refunds: readonly Dated[];
  /** Interactions that are not void. */
  readonly interactions: readonly Interaction[];
  /** Spells in the model asked about; empty if none is. */
  readonly spells: readonly Spell[];
}

/** Sifts what is stored of a customer. */
export function personOf(id: string, customer: StoredCustomer, spells: readonly Spell[]): Person {
  const purchases = settledPurchases(customer);
  const interactions = [...customer.interactions.values()].filter((interaction) => !interaction.void);
  const refunds = [...customer.refunds.values()].filter(
    (refund) => !refund.void && purchases.some((purchase) => purchase.id === refund.purchaseId),
  );
  const buying = purchases.filter((purchase) => purchase.counts).map((purchase) => purchase.at.day);
  return {
    id,
    groups: customer.groups,
    known: Math.min(...datingDays(customer)),
    purchases,
    purchaseDays: [...new Set(buying)].sort((one, other) => one - other),
    revenue: purchases.map(({ at, amount, refunded }) => ({ day: at.day, amount: amount - refunded })),
    costs: [...purchases, ...interactions].map(({ at, cost }) => ({ day: at.day, amount: cost })),
    refunds: refunds.map(({ at, amount }) => ({ day: at.day, amount })),
    interactions,
    spells,
  };
}

/** The sum of what is dated on the days [from, to). */
export function sumIn(rows: readonly Dated[], { from, to }: Pick<Period, 'from' | 'to'>): number {
  let sum = 0;
  for (const { day, amount } of rows) if (day >= from && day < to) sum += amount;
  return sum;
}

/** The sum of all amounts. */
export function sumAll(rows: readonly Dated[]): number {
  return rows.reduce((sum, { amount }) => sum + amount, 0);
}

/** Revenue less costs on the days [from, to). */
export function profitIn(person: Person, days: Pick<Period, 'from' | 'to'>): number {
  return sumIn(person.revenue, days) - sumIn(person.costs, days);
}

/** Whether there is a day and it lies in [from, to). */
export function isIn(day: number | undefined, { from, to }: Pick<Period, 'from' | 'to'>): boolean {
  return day !== undefined && day >= from && day < to;
}

/** Whether somebody has a purchase day in the period. */
export function buysIn({ purchaseDays }: Person, days: Pick<Period, 'from' | 'to'>): boolean {
  return purchaseDays.some((day) => isIn(day, days));
}

/** The day of the oldest complaint on or before a day that no resolution on or after it, up to that day, has closed. */
export function oldestOpenComplaint({ interactions }: Person, day: number): number | null {
  const told = (wanted: string): number[] =>
    interactions.filter(({ kind, at }) => kind === wanted && at.day <= day).map(({ at }) => at.day);
  const resolutions = told('resolution');
  const open = told('complaint').filter((complaint) => !resolutions.some((resolution) => resolution >= complaint));
  return open.length === 0 ? null : Math.min(...open);
}

/** A quotient, or null where the denominator is not positive. */
export function share(numerator: number, denominator: number): number | null {
  return denominator > 0 ? numerator / denominator : null;
}

/** The order of UTF-8 bytes, which is `collate "C"`. */
export function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
