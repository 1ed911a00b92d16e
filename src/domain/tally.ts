import type { KeyColumn, Tally } from './projection.ts';
import type { SumTable } from './sum-table.ts';

const NO_COLUMN = { least: 0, size: 1 };

/** Adds up in one table, or with sign −1 takes away from it. */
export class TableTally implements Tally {
  private readonly table: SumTable;
  private readonly sign: 1 | -1;
  private readonly least: number;
  private readonly least2: number;
  private readonly least3: number;
  private readonly least4: number;
  private readonly size2: number;
  private readonly size3: number;
  private readonly size4: number;
  /** Where the table takes the first sum of the chosen row. */
  private first = 0;

  constructor(table: SumTable, sign: 1 | -1, key: readonly KeyColumn[]) {
    const [a = NO_COLUMN, b = NO_COLUMN, c = NO_COLUMN, d = NO_COLUMN, ...more] = key;
    if (more.length > 0) throw new Error('a key has at most four columns');
    this.table = table;
    this.sign = sign;
    this.least = a.least;
    this.least2 = b.least;
    this.least3 = c.least;
    this.least4 = d.least;
    this.size2 = b.size;
    this.size3 = c.size;
    this.size4 = d.size;
  }

  at(first: number, second = 0, third = 0, fourth = 0): this {
    // As `packKey` does.
    const two = (first - this.least) * this.size2 + (second - this.least2);
    const three = two * this.size3 + (third - this.least3);
    this.first = this.table.begin(three * this.size4 + (fourth - this.least4));
    return this;
  }

  add(measure: number, amount: number): this {
    this.table.waiting[this.first + measure]! += this.sign * amount;
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
