import type { ActivityDay } from './activity-day.ts';
import type { Move, Position } from './compile-model.ts';
import type { Facts } from './facts.ts';
import type { Packable } from './packed.ts';

/** One column of a roll-up's key: small integers from `least`, `size` of them at most. */
export interface KeyColumn {
  readonly name: string;
  readonly least: number;
  readonly size: number;
}

/**
 * Where a projection adds up: `tally.at(day, stage).add(RECEIPTS, 500).add(COSTS, 200)`. Numbers alone go through it, no arrays: a hundred rows a purchase
 * do.
 */
export interface Tally {
  /** Chooses a row by its key: one value for each key column, in order. */
  at(first: number, second?: number, third?: number, fourth?: number): Tally;
  /** Adds a safe integer to a measure (by index) of the chosen row. */
  add(measure: number, amount: number): Tally;
}

/** Forgets what is added. */
export const FORGETFUL: Tally = { at: () => FORGETFUL, add: () => FORGETFUL };

/** One activity day as a projection sees it being folded. */
export interface FoldedDay {
  /** Without products and kinds: of the day that stays open, only what conditions ask for is kept of them. */
  readonly day: Omit<ActivityDay, 'products' | 'kinds'>;
  /** Facts before the day; null for the first. */
  readonly before: Facts | null;
  readonly after: Facts;
  /** Moves since the previous activity day, those of silence first, one on the day itself last if there is one. Empty without a model. */
  readonly moves: readonly Move[];
  /** Position at the end of the day; `UNKNOWN` without a model. */
  readonly position: Position;
}

/**
 * What one report adds up: a pure fold over one customer's activity days into rows of small integer keys and integer measures. The sum over
 * all customers is the report's roll-up table. A projection that depends on a model exists once for each model version.
 */
export interface Projection<State extends Packable = Packable> {
  /** The roll-up table is `rollup_` and this name in snake_case. */
  readonly name: string;
  /** Raised when the meaning of a row changes; the roll-up must then be rebuilt. */
  readonly version: number;
  readonly per_model: boolean;
  /** True if its rows are kept for everybody together only, not for each group. */
  readonly everybody_only?: true;
  /** At most four columns. */
  readonly key: readonly KeyColumn[];
  readonly measures: readonly string[];
  /** The key of the row to which a row, once summed, is added as well: for rows that are sums of others, so that no emit needs to make them. */
  summary?(key: readonly number[]): readonly number[];
  /** The state before the first day. States are never changed in place: equal ones may be one and the same. */
  readonly start: State;
  /** Adds up what no later day can change, and returns the state after the day. */
  advance(state: State, folded: FoldedDay, tally: Tally): State;
  /** Adds up what the history says if nothing more ever happens, the scheduled moves included. */
  settle(state: State, facts: Facts, scheduled: readonly Move[], tally: Tally): void;
}

/** Packs the values of a key into one number, in an order that sorts as the columns do. The sizes' product must stay below 2⁵³. */
export function packKey(columns: readonly KeyColumn[], values: readonly number[]): number {
  let packed = 0;
  for (let index = 0; index < columns.length; index += 1) {
    const { least, size } = columns[index]!;
    packed = packed * size + (values[index]! - least);
  }
  return packed;
}

/** The values of a packed key. */
export function unpackKey(columns: readonly KeyColumn[], packed: number): number[] {
  const values: number[] = [];
  let rest = packed;
  for (let index = columns.length - 1; index >= 0; index -= 1) {
    const { least, size } = columns[index]!;
    values[index] = (rest % size) + least;
    rest = Math.floor(rest / size);
  }
  return values;
}
