import { activityOf, type Position, positionOf, stageOf } from './compile-model.ts';
import { ACTIVITIES, type Activity, type Model } from './model.ts';
import { possibleActivities } from './possible-activities.ts';
import { wilson } from './wilson.ts';

/** Customers by where they stand in the current model and where they would stand in a draft. */
export type PositionPairs = Map<Position, Map<Position, number>>;

/** Counts one customer more; both positions are known ones. */
export function notePair(pairs: PositionPairs, from: Position, to: Position): void {
  let row = pairs.get(from);
  if (row === undefined) {
    row = new Map();
    pairs.set(from, row);
  }
  row.set(to, (row.get(to) ?? 0) + 1);
}

/** How many were looked at, of how many: all of them, or a uniform sample. */
export interface Coverage {
  readonly seen: number;
  readonly population: number;
}

/** A number of customers: counted, or estimated from a sample with 95 % bounds; null bounds if counted. */
export interface Headcount {
  readonly customers: number;
  readonly lower: number | null;
  readonly upper: number | null;
}

/** A headcount with its share of everybody; null if nobody was looked at. */
export interface SharedHeadcount extends Headcount {
  readonly share: number | null;
}

interface StandingAt {
  readonly stage: string;
  readonly activity: Activity;
}

/** What a draft would make of the customers. */
export interface ModelPreview {
  /** Every stage of the draft with each activity its rule allows, zeros too. */
  readonly counts: readonly (StandingAt & SharedHeadcount)[];
  /** From where to where, in the order of both models; only pairs in which somebody is. */
  readonly moves: readonly (Headcount & {
    readonly from_stage: string;
    readonly from_activity: Activity;
    readonly to_stage: string;
    readonly to_activity: Activity;
  })[];
  /** Those whose stage or activity would have another name. */
  readonly changed: SharedHeadcount;
}

/** Names and adds up the pairs of a current model and a draft. */
export function previewOf(current: Model, draft: Model, pairs: PositionPairs, coverage: Coverage): ModelPreview {
  const totals = new Map<Position, number>();
  let changed = 0;
  const moves = inOrder(pairs).flatMap(([from, row]) =>
    inOrder(row).map(([to, seen]) => {
      const [was, is] = [nameIn(current, from), nameIn(draft, to)];
      totals.set(to, (totals.get(to) ?? 0) + seen);
      if (was.stage !== is.stage || was.activity !== is.activity) changed += seen;
      const { customers, lower, upper } = headcount(seen, coverage);
      return {
        from_stage: was.stage,
        from_activity: was.activity,
        to_stage: is.stage,
        to_activity: is.activity,
        customers,
        lower,
        upper,
      };
    }),
  );
  const counts = draft.stages.flatMap(({ stage }, index) =>
    possibleActivities(draft, index).map((activity) => ({
      stage,
      activity,
      ...headcount(totals.get(positionOf(index, ACTIVITIES.indexOf(activity))) ?? 0, coverage),
    })),
  );
  return { counts, moves, changed: headcount(changed, coverage) };
}

function inOrder<Value>(map: ReadonlyMap<Position, Value>): [Position, Value][] {
  return [...map].sort(([a], [b]) => a - b);
}

function nameIn(model: Model, position: Position): StandingAt {
  return { stage: model.stages[stageOf(position)]!.stage, activity: ACTIVITIES[activityOf(position)]! };
}

/** So many of those looked at, as a number of all. Bounds are rounded outwards, and never contradict what was seen. */
function headcount(seen: number, { seen: looked, population }: Coverage): SharedHeadcount {
  const { share, lower, upper } = wilson(seen, looked, population);
  if (looked === population) return { customers: seen, share, lower: null, upper: null };
  return {
    customers: Math.round((share ?? 0) * population),
    share,
    lower: Math.max(seen, Math.floor((lower ?? 0) * population)),
    upper: Math.min(population - (looked - seen), Math.ceil((upper ?? 1) * population)),
  };
}
