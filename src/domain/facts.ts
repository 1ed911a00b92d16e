import { type ActivityDay, compareText, emptyDay, noteKind, noteProduct } from './activity-day.ts';
import type { Day } from './calendar.ts';
import type { Minor } from './money.ts';

/** What the fold must remember of a history beyond totals, so that every condition of its models can be answered. */
export interface Memory {
  /** Interaction kinds that conditions count, sorted. */
  readonly kinds: readonly string[];
  /** Longest `within_days` on purchase days, on money, on interactions: 0 if unused. */
  readonly purchase_window_days: number;
  readonly money_window_days: number;
  readonly kind_window_days: number;
  /** How many of the most recent product codes to keep: one more than the largest threshold in use, 0 if unused. */
  readonly products: number;
}

/** What happened on one recent day, for conditions limited to the last so many days. */
export interface RecentDay {
  readonly day: Day;
  readonly purchases: number;
  readonly revenue: Minor;
  readonly costs: Minor;
  /** Interactions by kind, in the order of the memory's kinds. */
  readonly kinds: readonly number[];
}

/** The facts of one history up to the end of its day `day`, shared by all models and reports. Bounded by the memory, never by the history. */
export interface Facts {
  readonly day: Day;
  readonly known_on: Day;
  readonly purchases: number;
  /** `n`: days with at least one counting purchase. */
  readonly purchase_days: number;
  readonly revenue: Minor;
  readonly costs: Minor;
  /** Purchases paid with a discount, and product codes bought, each as often as it was. */
  readonly discounted_purchases: number;
  readonly product_lines: number;
  readonly first_purchase_day: Day | null;
  readonly last_purchase_day: Day | null;
  readonly last_interaction_day: Day | null;
  /** Day of the oldest complaint that no resolution has closed. */
  readonly open_complaint_day: Day | null;
  /** Day of the latest stated departure. */
  readonly departure_day: Day | null;
  readonly latest_score: number | null;
  /** Interactions by kind, in the order of the memory's kinds. */
  readonly kinds: readonly number[];
  /** Oldest first; only days a window can still see. */
  readonly recent: readonly RecentDay[];
  /** Most recent first, then by code: product codes with the last day each was bought. */
  readonly products: readonly (readonly [code: string, day: Day])[];
}

/** Takes the next activity day into the facts; `before` is null for the first. */
export function takeDay(memory: Memory, before: Facts | null, day: ActivityDay): Facts {
  const known = before ?? nothingBefore(memory, day.day);
  const bought = day.purchases > 0;
  return {
    day: day.day,
    known_on: known.known_on,
    purchases: known.purchases + day.purchases,
    purchase_days: known.purchase_days + (bought ? 1 : 0),
    revenue: known.revenue + day.revenue,
    costs: known.costs + day.costs,
    discounted_purchases: known.discounted_purchases + day.discounted_purchases,
    product_lines: known.product_lines + day.product_lines,
    first_purchase_day: known.first_purchase_day ?? (bought ? day.day : null),
    last_purchase_day: bought ? day.day : known.last_purchase_day,
    last_interaction_day: day.interactions > 0 ? day.day : known.last_interaction_day,
    open_complaint_day: openComplaint(known.open_complaint_day, day),
    departure_day: day.departure !== null ? day.day : known.departure_day,
    latest_score: day.score !== null ? day.score.score : known.latest_score,
    kinds:
      day.kinds.size === 0 ? known.kinds : memory.kinds.map((kind, index) => known.kinds[index]! + count(day, kind)),
    recent: recentDays(memory, known.recent, day),
    products: recentProducts(memory.products, known.products, day),
  };
}

function nothingBefore(memory: Memory, day: Day): Facts {
  return {
    day,
    known_on: day,
    purchases: 0,
    purchase_days: 0,
    revenue: 0,
    costs: 0,
    discounted_purchases: 0,
    product_lines: 0,
    first_purchase_day: null,
    last_purchase_day: null,
    last_interaction_day: null,
    open_complaint_day: null,
    departure_day: null,
    latest_score: null,
    kinds: memory.kinds.map(() => 0),
    recent: [],
    products: [],
  };
}

function count({ kinds }: ActivityDay, kind: string): number {
  return kinds.get(kind) ?? 0;
}

/** A resolution closes every complaint dated on or before its day, those of the same day included. */
function openComplaint(open: Day | null, day: ActivityDay): Day | null {
  if (day.kinds.size === 0) return open;
  if (count(day, 'resolution') > 0) return null;
  return open === null && count(day, 'complaint') > 0 ? day.day : open;
}

function recentDays(memory: Memory, before: readonly RecentDay[], day: ActivityDay): readonly RecentDay[] {
  const window = Math.max(memory.purchase_window_days, memory.money_window_days, memory.kind_window_days);
  if (window === 0) return before;
  const oldest = before[0];
  const kept =
    oldest === undefined || oldest.day > day.day - window
      ? before
      : before.filter((recent) => recent.day > day.day - window);
  const matters =
    (memory.purchase_window_days > 0 && day.purchases > 0) ||
    (memory.money_window_days > 0 && (day.revenue !== 0 || day.costs !== 0)) ||
    (memory.kind_window_days > 0 && memory.kinds.some((kind) => day.kinds.has(kind)));
  if (!matters) return kept;
  const kinds = memory.kinds.map((kind) => count(day, kind));
  return [...kept, { day: day.day, purchases: day.purchases, revenue: day.revenue, costs: day.costs, kinds }];
}

function recentProducts(most: number, before: Facts['products'], day: ActivityDay): Facts['products'] {
  if (most === 0 || day.products.size === 0) return before;
  const bought = [...day.products].sort(compareText).map((code) => [code, day.day] as const);
  return [...bought, ...before.filter(([code]) => !day.products.has(code))].slice(0, most);
}

/** Drops from a day what no fold with this memory asks for, so that a saved day is as bounded as the facts are. */
export function boundDay(memory: Memory, day: ActivityDay): ActivityDay {
  const { products, kinds } = emptyDay(day.day);
  const bounded = { ...day, products, kinds };
  if (day.kinds.size > 0) {
    for (const kind of new Set([...memory.kinds, 'complaint', 'resolution'])) {
      if (day.kinds.has(kind)) noteKind(bounded, kind, count(day, kind));
    }
  }
  if (memory.products > 0) {
    for (const code of [...day.products].sort(compareText).slice(0, memory.products)) noteProduct(bounded, code);
  }
  return bounded;
}
