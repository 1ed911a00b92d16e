import type { Day } from './calendar.ts';
import type { Minor } from './money.ts';
import type { Micros } from './time-zone.ts';

/** A satisfaction score (0–10) with what orders it among the scores of its day. */
export interface Score {
  readonly at: Micros;
  readonly id: string;
  readonly score: number;
}

/** The reasons a departure can give. */
export const DEPARTURE_REASONS = [
  'competitor',
  'unattended_service',
  'unresolved_defect',
  'boredom',
  'price',
  'other',
] as const;
/** One of `DEPARTURE_REASONS`. */
export type DepartureReason = (typeof DEPARTURE_REASONS)[number];

/** A stated departure with what orders it among the departures of its day. */
export interface Departure {
  readonly at: Micros;
  readonly id: string;
  readonly reason: DepartureReason | null;
}

/**
 * All that one customer did on one calendar day, as totals that can be merged: never a list of purchases, so a day's size does not grow
 * with what is bought on it. The day a customer became known is one too, and may be empty.
 */
export interface ActivityDay {
  readonly day: Day;
  /** Purchases that count. */
  purchases: number;
  /** Amounts less refunds of the purchases that are not voided. */
  revenue: Minor;
  /** Costs of purchases that are not voided and of interactions. */
  costs: Minor;
  /** Purchases that count and were paid with a discount. */
  discounted_purchases: number;
  /** Product codes of the purchases that count, each as often as it was bought. */
  product_lines: number;
  /** Amounts of the purchases that are not voided, before refunds. */
  receipts: Minor;
  /** Refunds in effect that are dated this day, whatever the day of their purchase. */
  refunds_paid: Minor;
  /** The part of `costs` that interactions cost. */
  interaction_costs: Minor;
  /** Product codes of the purchases that count: their lists as they are, since most days are never asked for one. `productsOn` makes a set of them. */
  products: readonly (readonly string[])[];
  /** Interactions that are not voided, of any kind. */
  interactions: number;
  /** The same by kind. */
  kinds: ReadonlyMap<string, number>;
  /** Scores given, and their sum. */
  scores: number;
  score_sum: number;
  /** The latest score. */
  score: Score | null;
  departure: Departure | null;
  /** Rows stored with this day, voided or not: what the status counts. */
  stored_purchases: number;
  stored_refunds: number;
  stored_interactions: number;
  /** Refunds dated this day that wait for their purchase. */
  pending_refunds: number;
}

// Shared by all days without any: most have no interaction, and what is made for each is made for every purchase.
const NO_PRODUCTS: readonly (readonly string[])[] = [];
const NO_KINDS: ReadonlyMap<string, number> = new Map();

/** A day on which nothing happened. */
export function emptyDay(day: Day): ActivityDay {
  return {
    day,
    purchases: 0,
    revenue: 0,
    costs: 0,
    discounted_purchases: 0,
    product_lines: 0,
    receipts: 0,
    refunds_paid: 0,
    interaction_costs: 0,
    products: NO_PRODUCTS,
    interactions: 0,
    kinds: NO_KINDS,
    scores: 0,
    score_sum: 0,
    score: null,
    departure: null,
    stored_purchases: 0,
    stored_refunds: 0,
    stored_interactions: 0,
    pending_refunds: 0,
  };
}

/** Adds product codes to those of a day. The list of lists belongs to the day alone. */
export function noteProducts(day: ActivityDay, codes: readonly string[]): void {
  if (codes.length === 0) return;
  if (day.products === NO_PRODUCTS) day.products = [codes];
  else (day.products as (readonly string[])[]).push(codes);
}

/** The distinct product codes of a day, sorted. */
export function productsOn(day: ActivityDay): string[] {
  return day.products.length === 0 ? [] : [...new Set(day.products.flat())].sort(compareText);
}

/** Adds so many interactions to those of a kind on a day. The map belongs to the day alone. */
export function noteKind(day: ActivityDay, kind: string, count: number): void {
  if (day.kinds === NO_KINDS) day.kinds = new Map([[kind, count]]);
  else (day.kinds as Map<string, number>).set(kind, (day.kinds.get(kind) ?? 0) + count);
}

/** Keeps the later of two scores of a day, and of two at one instant the one with the greater interaction_id. */
export function noteScore(day: ActivityDay, score: Score): void {
  if (day.score === null || isLater(score, day.score)) day.score = score;
}

/** Keeps the later of two departures of a day, ordered as scores are. */
export function noteDeparture(day: ActivityDay, departure: Departure): void {
  if (day.departure === null || isLater(departure, day.departure)) day.departure = departure;
}

interface Ordered {
  readonly at: Micros;
  readonly id: string;
}

function isLater(a: Ordered, b: Ordered): boolean {
  return a.at > b.at || (a.at === b.at && compareText(a.id, b.id) > 0);
}

/** Order of texts by code point, which is PostgreSQL's `collate "C"` for UTF-8; JavaScript's `<` orders by UTF-16 unit. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [unitA, unitB] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unitA !== unitB) {
      const [surrogateA, surrogateB] = [(unitA & 0xf800) === 0xd800, (unitB & 0xf800) === 0xd800];
      // Surrogates stand for code points above every other unit.
      return surrogateA === surrogateB ? unitA - unitB : surrogateA ? 1 : -1;
    }
  }
  return a.length - b.length;
}

/** Merges what happened on the same day into `into`. */
export function mergeDay(into: ActivityDay, more: ActivityDay): void {
  into.purchases += more.purchases;
  into.revenue += more.revenue;
  into.costs += more.costs;
  into.discounted_purchases += more.discounted_purchases;
  into.product_lines += more.product_lines;
  into.receipts += more.receipts;
  into.refunds_paid += more.refunds_paid;
  into.interaction_costs += more.interaction_costs;
  for (const codes of more.products) noteProducts(into, codes);
  into.interactions += more.interactions;
  for (const [kind, count] of more.kinds) noteKind(into, kind, count);
  into.scores += more.scores;
  into.score_sum += more.score_sum;
  if (more.score !== null) noteScore(into, more.score);
  if (more.departure !== null) noteDeparture(into, more.departure);
  into.stored_purchases += more.stored_purchases;
  into.stored_refunds += more.stored_refunds;
  into.stored_interactions += more.stored_interactions;
  into.pending_refunds += more.pending_refunds;
}
