import type { Projection, Tally } from '../../src/domain/projection.ts';

/** A row as a projection chose it, with what it added to it. */
export interface RecordedRow {
  readonly key: readonly number[];
  readonly measures: number[];
}

/** Keeps every row that a projection chooses, in order, each with all its measures. */
export class RowRecorder implements Tally {
  readonly rows: RecordedRow[] = [];
  readonly #measures: number;

  constructor({ measures }: Pick<Projection, 'measures'>) {
    this.#measures = measures.length;
  }

  at(...key: number[]): this {
    this.rows.push({ key, measures: new Array<number>(this.#measures).fill(0) });
    return this;
  }

  add(measure: number, amount: number): this {
    const measures = this.rows.at(-1)!.measures;
    if (!(measure in measures)) throw new Error(`there is no measure ${measure}`);
    measures[measure]! += amount;
    return this;
  }
}
