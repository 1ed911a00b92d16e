import type { FoldPlan, FoldTallies } from './fold.ts';
import { FORGETFUL, type Projection, packKey, type Tally, unpackKey } from './projection.ts';
import { type SumRows, SumTable } from './sum-table.ts';
import { ManyTallies, TableTally } from './tally.ts';

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

/** Rows of differences as columns, each as long as there are rows: model version, group, the key's, the measures. */
export interface DifferenceColumns {
  readonly rows: number;
  /** Integers, safe ones unless there are bigints among them. */
  readonly columns: readonly (Float64Array | readonly (number | bigint)[])[];
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
  /** By group, those that add and those that take away. */
  private readonly adding = new Map<number, FoldTallies>();
  private readonly taking = new Map<number, FoldTallies>();

  constructor(plan: FoldPlan) {
    this.plan = plan;
    this.tables = plan.folds.map(() => new Map());
  }

  /** Adds (or with sign −1 takes away) measures for one group. Nothing for a group whose rows the projection does not keep. */
  add(fold: number, group: number, sign: 1 | -1, key: readonly number[], measures: readonly number[]): void {
    const { projection } = this.plan.folds[fold]!;
    if (!keeps(projection, group)) return;
    this.tableOf(fold, group).add(packKey(projection.key, key), sign, measures);
  }

  /** Tallies that add (or with sign −1 take away) for all these groups at once. */
  tallies(sign: 1 | -1, groups: readonly number[]): FoldTallies {
    const each = groups.map((group) => this.talliesOf(sign, group));
    if (each.length === 1) return each[0]!;
    return this.plan.folds.map((_, fold) => new ManyTallies(each.map((tallies) => tallies[fold]!)));
  }

  private talliesOf(sign: 1 | -1, group: number): FoldTallies {
    const made = sign === 1 ? this.adding : this.taking;
    let tallies = made.get(group);
    if (tallies === undefined) {
      tallies = this.plan.folds.map(({ projection }, fold): Tally => {
        if (!keeps(projection, group)) return FORGETFUL;
        return new TableTally(this.tableOf(fold, group), sign, projection.key);
      });
      made.set(group, tallies);
    }
    return tallies;
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
    return this.inOrder(projection).flatMap(({ model_version, group, table }) =>
      table
        .sorted()
        .map(([packed, measures]) => ({ model_version, group, key: unpackKey(projection.key, packed), measures })),
    );
  }

  /** The same rows as columns, which is how they are written: a page of an import has 150,000, and an object for each with two lists took 7 µs. */
  columns(projection: Projection): DifferenceColumns {
    const parts = this.inOrder(projection).map((part) => ({ ...part, order: part.table.order() }));
    const rows = parts.reduce((sum, { order }) => sum + order.length, 0);
    const columns = new ColumnWriter(projection, rows);
    for (const { model_version, group, table, order } of parts)
      for (const at of order) columns.write(model_version, group, table, at);
    return { rows, columns: columns.all };
  }

  /** The tables of one projection over all its models by model version and group, with the rows that are derived from theirs. */
  private inOrder(projection: Projection) {
    const parts = this.plan.folds.flatMap((fold, index) => {
      if (fold.projection !== projection) return [];
      const model_version = fold.model === null ? NO_MODEL : this.plan.models[fold.model]!.version;
      return [...this.tables[index]!].map(([group, table]) => ({ model_version, group, table }));
    });
    parts.sort((a, b) => a.model_version - b.model_version || a.group - b.group);
    return parts.map((part) => ({ ...part, table: withSummaries(part.table, projection) }));
  }

  private tableOf(fold: number, group: number): SumTable {
    const tables = this.tables[fold]!;
    let table = tables.get(group);
    if (table === undefined) {
      table = new SumTable(this.plan.folds[fold]!.projection.measures.length);
      tables.set(group, table);
    }
    return table;
  }
}

/** Takes rows apart into columns. */
class ColumnWriter {
  readonly all: (Float64Array | (number | bigint)[])[];
  private readonly projection: Projection;
  private row = 0;

  constructor(projection: Projection, rows: number) {
    this.projection = projection;
    const { key, measures } = projection;
    this.all = Array.from({ length: 2 + key.length + measures.length }, () => new Float64Array(rows));
  }

  write(model_version: number, group: number, table: SumTable, at: number): void {
    const { all, row } = this;
    const { key, measures } = this.projection;
    all[0]![row] = model_version;
    all[1]![row] = group;
    let packed = table.keyAt(at);
    for (let index = key.length - 1; index >= 0; index -= 1) {
      const { least, size } = key[index]!;
      all[2 + index]![row] = (packed % size) + least;
      packed = Math.floor(packed / size);
    }
    for (let index = 0; index < measures.length; index += 1) this.put(2 + key.length + index, table.sumAt(at, index));
    this.row += 1;
  }

  private put(column: number, value: number | bigint): void {
    // Almost none: such a column becomes a list.
    if (typeof value === 'bigint') this.all[column] = Array.from(this.all[column]!);
    this.all[column]![this.row] = value as number;
  }
}

function keeps(projection: Projection, group: number): boolean {
  return group === EVERYBODY || projection.everybody_only !== true;
}

/** The table with the rows that a projection derives from its rows. */
function withSummaries(table: SumTable, { key, measures, summary }: Projection): SumTable {
  if (summary === undefined) return table;
  const summed = new SumTable(measures.length);
  const { rows, beyond } = table.all();
  const keyOf = (packed: number): number => packKey(key, summary(unpackKey(key, packed)));
  summed.merge({ rows, beyond });
  for (let at = 0; at < rows.length; at += 1 + measures.length) rows[at] = keyOf(rows[at]!);
  for (const [packed, sums] of beyond) summed.merge({ rows: NO_ROWS, beyond: new Map([[keyOf(packed), sums]]) });
  summed.merge({ rows, beyond: new Map() });
  return summed;
}

const NO_ROWS = new Float64Array(0);
