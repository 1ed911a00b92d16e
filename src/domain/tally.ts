import type { KeyColumn, Tally } from './projection.ts';
import type { SumTable } from './sum-table.ts';

const NO_COLUMN = { least: 0, size: 1 };

/** Adds up in one table, or with sign −1 takes away from it. */
export class TableTally implements Tally {
  private readonly table: SumTable;
  private readonly sign: 1 | -1;
  private readonly leasts: readonly [number, number, number, number];
  private readonly sizes: readonly [number, number, number];
  /** Index in the table of the chosen row's first sum. */
  private first = 0;

  constructor(table: SumTable, sign: 1 | -1, key: readonly KeyColumn[]) {
    const [a = NO_COLUMN, b = NO_COLUMN, c = NO_COLUMN, d = NO_COLUMN, ...more] = key;
    if (more.length > 0) throw new Error('a key has at most four columns');
    this.table = table;
    this.sign = sign;
    this.leasts = [a.least, b.least, c.least, d.least];
    this.sizes = [b.size, c.size, d.size];
  }

  at(first: number, second = 0, third = 0, fourth = 0): this {
    const { leasts, sizes } = this;
    // As `packKey` does.
    const two = (first - leasts[0]) * sizes[0] + (second - leasts[1]);
    this.first = this.table.find((two * sizes[1] + (third - leasts[2])) * sizes[2] + (fourth - leasts[3])) + 1;
    return this;
  }

  add(measure: number, amount: number): this {
    this.table.addTo(this.first + measure, this.sign * amount);
    return this;
  }
}

/** Adds up in several tables at once. */
export class ManyTallies implements Tally {
  private readonly tallies: readonly Tally[];

  constructor(tallies: readonly Tally[]) {
    this.tallies = tallies;
  }

  at(first: number, second?: number, third?: number, fourth?: number): this {
    for (const tally of this.tallies) tally.at(first, second, third, fourth);
    return this;
  }

  add(measure: number, amount: number): this {
    for (const tally of this.tallies) tally.add(measure, amount);
    return this;
  }
}
