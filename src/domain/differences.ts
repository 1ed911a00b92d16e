import type { FoldPlan } from './fold.ts';
import { type Projection, packKey, unpackKey } from './projection.ts';

/** Group number of everybody; groups of the caller's own count from 1. */
export const EVERYBODY = 0;
/** Model version of roll-ups that depend on no model. */
export const NO_MODEL = 0;

/** One row of differences, ready to be added to a roll-up table. */
export interface DifferenceRow {
  readonly model_version: number;
  readonly group: number;
  readonly key: readonly number[];
  readonly measures: readonly (number | bigint)[];
}

type Measures = (number | bigint)[];

/**
 * What one batch changes in all roll-ups: keys consolidated, zeros dropped, sums exact. One customer's sums are safe integers, a batch's may not be:
 * those spill to bigint.
 */
export class Differences {
  private readonly plan: FoldPlan;
  /** For each fold of the plan, by group, by packed key. */
  private readonly sums: Map<number, Map<number, Measures>>[];

  constructor(plan: FoldPlan) {
    this.plan = plan;
    this.sums = plan.folds.map(() => new Map());
  }

  /** Adds (or with sign −1 takes away) measures for one group. Nothing for a group whose rows the projection does not keep. */
  add(fold: number, group: number, sign: 1 | -1, key: readonly number[], measures: readonly number[]): void {
    if (group !== EVERYBODY && this.plan.folds[fold]!.projection.everybody_only === true) return;
    const groups = this.sums[fold]!;
    let keys = groups.get(group);
    if (keys === undefined) {
      keys = new Map();
      groups.set(group, keys);
    }
    const packed = packKey(this.plan.folds[fold]!.projection.key, key);
    const sums = keys.get(packed);
    if (sums === undefined)
      keys.set(
        packed,
        measures.map((measure) => sign * measure),
      );
    else
      for (let index = 0; index < sums.length; index += 1) {
        const measure = measures[index]!;
        if (measure !== 0) sums[index] = addExactly(sums[index]!, sign * measure);
      }
  }

  /** The non-zero rows of one projection over all its models, sorted by model version, group and key: the order in which they are locked. */
  rows(projection: Projection): DifferenceRow[] {
    const rows: DifferenceRow[] = [];
    this.plan.folds.forEach((fold, index) => {
      if (fold.projection !== projection) return;
      const model_version = fold.model === null ? NO_MODEL : this.plan.models[fold.model]!.version;
      for (const [group, keys] of [...this.sums[index]!].sort(byNumber)) {
        for (const [packed, measures] of [...keys].sort(byNumber)) {
          if (measures.every((measure) => Number(measure) === 0)) continue;
          rows.push({ model_version, group, key: unpackKey(projection.key, packed), measures });
        }
      }
    });
    return rows.sort((a, b) => a.model_version - b.model_version);
  }
}

function byNumber(a: readonly [number, unknown], b: readonly [number, unknown]): number {
  return a[0] - b[0];
}

/** The exact sum: a number while it is a safe integer, else a bigint. */
export function addExactly(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return BigInt(a) + BigInt(b);
}
