import type { Day } from '../domain/calendar.ts';
import type { Position } from '../domain/compile-model.ts';

/** Orders of a list. Values go from the greatest down, those without one last, and equal ones by id; ids go up. */
export const LIST_SORTS = ['revenue', 'profit', 'last_purchase_day', 'customer_id'] as const;
/** One of `LIST_SORTS`. */
export type ListSort = (typeof LIST_SORTS)[number];

/** A place in a list: the value it is sorted by (null: the customer has none, or the list goes by ids alone), and the id. */
export interface ListKey {
  readonly value: number | null;
  readonly customer_id: string;
}

/** Which page of which list. */
export interface ListPage {
  readonly filter: CustomerFilter;
  readonly sort: ListSort;
  /** The last row of the page before. */
  readonly after: ListKey | null;
  readonly limit: number;
}

/** Who is in a list, as of the end of today. Every condition must hold; a null one holds for everybody. */
export interface CustomerFilter {
  readonly model_version: number;
  readonly today: Day;
  /** Where customers stand in the model today; not empty. */
  readonly positions: readonly Position[] | null;
  /** The current or a scheduled time in `positions` begins in a range; where they stand today does not matter then. Needs `positions`. */
  readonly entered: Entered | null;
  readonly group_id: number | null;
  /** Latest days that these may be; whoever has none is left out. */
  readonly last_interaction_by: Day | null;
  readonly last_purchase_by: Day | null;
  readonly open_complaint_by: Day | null;
  readonly ranked: Ranked | 'nobody' | null;
}

/** When a time in the positions asked for begins: in [from, to). */
export interface Entered {
  readonly from: Day;
  readonly to: Day;
  /** What is unbroken for so long: the stage, the activity, or both together. */
  readonly unbroken: 'stage' | 'activity' | 'both';
}

/** A stretch of the ranking of everybody with a purchase by a value, the greatest first and equal ones by id. */
export interface Ranked {
  readonly by: 'revenue' | 'profit';
  /** The customer before the first, and the last one; null where the stretch has no end. */
  readonly after: RankKey | null;
  readonly through: RankKey | null;
}

/** A customer's place in a ranking. */
export interface RankKey {
  readonly value: number;
  readonly customer_id: string;
}
