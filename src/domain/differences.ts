import type { FoldPlan } from './fold.ts';
import { type Projection, packKey, unpackKey } from './projection.ts';
import { type SumRows, SumTable } from './sum-table.ts';

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

/** The sums of one fold of the plan (by index) for one group, in a form that can be sent to another thread. */
export interface DifferencePart extends SumRows {
  readonly fold: number;
  readonly group: number;
}

/**
 * What one batch changes in all roll-ups: keys consolidated, zeros dropped, sums exact. One customer's sums are safe integers, a batch's may not be.
 */
export class Differences {
  private readonly plan: FoldPlan;
  /** For each fold of the plan, by group. */
  private readonly tables: readonly Map<number, SumTable>[];
  /** For each fold of the plan the table of everybody: every emit asks for it. */
  private readonly everybody: (SumTable | undefined)[];

  constructor(plan: FoldPlan) {
    this.plan = plan;
    this.tables = plan.folds.map(() => new Map());
    this.everybody = plan.folds.map(() => undefined);
  }

  /** Adds (or with sign −1 takes away) measures for one group. Nothing for a group whose rows the projection does not keep. */
  add(fold: number, group: number, sign: 1 | -1, key: readonly number[], measures: readonly number[]): void {
    const { projection } = this.plan.folds[fold]!;
    if (group !== EVERYBODY && projection.everybody_only === true) return;
    this.tableOf(fold, group).add(packKey(projection.key, key), sign, measures);
  }

  /** Adds the parts of other differences of the same plan. */
  merge(parts: readonly DifferencePart[]): void {
    for (const part of parts) this.tableOf(part.fold, part.group).merge(part);
  }

  /** Everything, to be merged into other differences of the same plan, in this thread or another. */
  parts(): DifferencePart[] {
    return this.tables.flatMap((groups, fold) =>
      [...groups].map(([group, table]): DifferencePart => ({ fold, group, ...table.all() })),
    );
  }

  /** The non-zero rows of one projection over all its models, sorted by model version, group and key: the order in which they are locked. */
  rows(projection: Projection): DifferenceRow[] {
    const rows: DifferenceRow[] = [];
    this.plan.folds.forEach((fold, index) => {
      if (fold.projection !== projection) return;
      const model_version = fold.model === null ? NO_MODEL : this.plan.models[fold.model]!.version;
      for (const [group, table] of [...this.tables[index]!].sort(([a], [b]) => a - b)) {
        for (const [packed, measures] of table.sorted()) {
          rows.push({ model_version, group, key: unpackKey(projection.key, packed), measures });
        }
      }
    });
    return rows.sort((a, b) => a.model_version - b.model_version);
  }

  private tableOf(fold: number, group: number): SumTable {
    const known = group === EVERYBODY ? this.everybody[fold] : this.tables[fold]!.get(group);
    if (known !== undefined) return known;
    const table = new SumTable(this.plan.folds[fold]!.projection.measures.length);
    this.tables[fold]!.set(group, table);
    if (group === EVERYBODY) this.everybody[fold] = table;
    return table;
  }
}
