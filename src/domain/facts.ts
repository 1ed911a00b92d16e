import { type ActivityDay, emptyDay, noteKind, noteProducts, productsOn } from './activity-day.ts';
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

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** The facts with the next activity day taken in; `before` is null for the first. */
export function takeDay(memory: Memory, before: Facts | null, day: ActivityDay): Facts {
  const facts = before === null ? nothingBefore(memory, day.day) : { ...before };
  noteDay(memory, facts, day);
  return facts;
}

/** Takes the next activity day into facts that belong to the caller alone. */
export function noteDay(memory: Memory, facts: Writable<Facts>, day: ActivityDay): void {
  facts.day = day.day;
  facts.revenue += day.revenue;
  facts.costs += day.costs;
  if (day.purchases > 0) {
    facts.purchases += day.purchases;
    facts.purchase_days += 1;
    facts.discounted_purchases += day.discounted_purchases;
    facts.product_lines += day.product_lines;
    facts.first_purchase_day ??= day.day;
    facts.last_purchase_day = day.day;
    facts.products = recentProducts(memory.products, facts.products, day);
  }
  if (day.interactions > 0) {
    facts.last_interaction_day = day.day;
    facts.open_complaint_day = openComplaint(facts.open_complaint_day, day);
    if (day.departure !== null) facts.departure_day = day.day;
    if (day.score !== null) facts.latest_score = day.score.score;
    const before = facts.kinds;
    facts.kinds = memory.kinds.map((kind, index) => before[index]! + count(day, kind));
  }
  facts.recent = recentDays(memory, facts.recent, day);
}

/** The facts of nobody, as of the day of becoming known. */
export function nothingBefore(memory: Memory, day: Day): Writable<Facts> {
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
  if (!matters(memory, day, day.kinds.size > 0 && memory.kinds.some((kind) => day.kinds.has(kind)))) return kept;
  const kinds = memory.kinds.map((kind) => count(day, kind));
  return [...kept, { day: day.day, purchases: day.purchases, revenue: day.revenue, costs: day.costs, kinds }];
}

/** Whether a day can change what a window sees. */
function matters(
  memory: Memory,
  { purchases, revenue, costs }: Pick<RecentDay, 'purchases' | 'revenue' | 'costs'>,
  counted: boolean,
): boolean {
  return (
    (memory.purchase_window_days > 0 && purchases > 0) ||
    (memory.money_window_days > 0 && (revenue !== 0 || costs !== 0)) ||
    (memory.kind_window_days > 0 && counted)
  );
}

function recentProducts(most: number, before: Facts['products'], day: ActivityDay): Facts['products'] {
  if (most === 0 || day.products.length === 0) return before;
  const codes = new Set(productsOn(day));
  const bought = [...codes].map((code) => [code, day.day] as const);
  return [...bought, ...before.filter(([code]) => !codes.has(code))].slice(0, most);
}

/**
 * The facts of a fold that remembers less: what folding the same days with the lesser memory gives. Every kind of `to` must be one of `from`, and no window or
 * number of products of `to` may be greater.
 */
export function narrowFacts(from: Memory, to: Memory, facts: Facts): Facts {
  const places = to.kinds.map((kind) => from.kinds.indexOf(kind));
  const select = (kinds: readonly number[]): number[] => places.map((place) => kinds[place]!);
  const window = Math.max(to.purchase_window_days, to.money_window_days, to.kind_window_days);
  const recent = facts.recent
    .filter(({ day }) => day > facts.day - window)
    .map((one): RecentDay => ({ ...one, kinds: select(one.kinds) }))
    .filter((one) =>
      matters(
        to,
        one,
        one.kinds.some((count) => count > 0),
      ),
    );
  return { ...facts, kinds: select(facts.kinds), recent, products: facts.products.slice(0, to.products) };
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
  if (memory.products > 0) noteProducts(bounded, productsOn(day).slice(0, memory.products));
  return bounded;
}
