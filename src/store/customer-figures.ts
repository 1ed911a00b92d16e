import { type Day, LAST_DAY } from '../domain/calendar.ts';
import type { Position } from '../domain/compile-model.ts';
import type { Facts } from '../domain/facts.ts';
import { type Spells, spellOn } from '../domain/fold.ts';
import type { Minor } from '../domain/money.ts';

/** A customer in figures, as of all stored events; profit is revenue less costs. */
export interface CustomerFigures
  extends Pick<
    Facts,
    | 'purchases'
    | 'purchase_days'
    | 'revenue'
    | 'product_lines'
    | 'discounted_purchases'
    | 'first_purchase_day'
    | 'last_purchase_day'
    | 'last_interaction_day'
    | 'open_complaint_day'
  > {
  readonly profit: Minor;
}

/** The columns of `customer_states` that hold the figures, with their types. */
export const FIGURE_COLUMNS: readonly (readonly [name: keyof CustomerFigures, type: 'int4' | 'int8'])[] = [
  ['purchases', 'int4'],
  ['purchase_days', 'int4'],
  ['revenue', 'int8'],
  ['profit', 'int8'],
  ['product_lines', 'int8'],
  ['discounted_purchases', 'int4'],
  ['first_purchase_day', 'int4'],
  ['last_purchase_day', 'int4'],
  ['last_interaction_day', 'int4'],
  ['open_complaint_day', 'int4'],
];

/** The figures of a folded customer. */
export function figuresOf(facts: Facts): CustomerFigures {
  return {
    purchases: facts.purchases,
    purchase_days: facts.purchase_days,
    revenue: facts.revenue,
    profit: facts.revenue - facts.costs,
    product_lines: facts.product_lines,
    discounted_purchases: facts.discounted_purchases,
    first_purchase_day: facts.first_purchase_day,
    last_purchase_day: facts.last_purchase_day,
    last_interaction_day: facts.last_interaction_day,
    open_complaint_day: facts.open_complaint_day,
  };
}

/** Where a customer stands on one day. */
export interface Standing {
  /** One for each model of the plan: the position, and the first day after it. */
  readonly places: readonly { readonly position: Position; readonly until: Day }[];
  /** The first day on which one of them is over; null if that never comes. */
  readonly next_change: Day | null;
}

/** Where a customer stands on a day by the spells of all models. */
export function standingOn(spells: readonly Spells[], day: Day): Standing {
  const places = spells.map((spell) => spellOn(spell, day));
  const next = Math.min(...places.map((place) => place.until));
  return { places, next_change: next > LAST_DAY ? null : next };
}
