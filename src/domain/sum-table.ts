/** Sums by key in a form that can be sent to another thread; the buffer of `rows` can be transferred. */
export interface SumRows {
  /** Row after row: the packed key, then its sums. */
  readonly rows: Float64Array<ArrayBuffer>;
  /** What the sums of a key come to beyond those in `rows`, one for each measure. */
  readonly beyond: ReadonlyMap<number, readonly bigint[]>;
}

/** A row: its packed key and its sums, numbers while they are safe integers. */
export type SumRow = readonly [packed: number, sums: readonly (number | bigint)[]];

const FIRST_CAPACITY = 16;

/**
 * Exact sums of measures by packed key: a hash table with open addressing in one array of numbers, each key beside its sums, because a hundred emits of
 * every purchase pass through it. (A Map of arrays takes twenty times as long.) A sum about to leave the safe integers is put aside as a bigint.
 */
export class SumTable {
  private readonly stride: number;
  /** Rows of `stride` numbers: one more than the packed key (0 in an empty row), then the sums. */
  private cells: Float64Array<ArrayBuffer>;
  private capacity = FIRST_CAPACITY;
  private filled = 0;
  private readonly beyond = new Map<number, bigint[]>();

  constructor(measures: number) {
    this.stride = 1 + measures;
    this.cells = new Float64Array(FIRST_CAPACITY * this.stride);
  }

  /** Adds (or with sign −1 takes away) safe integers, one for each measure, to the sums of a key. */
  add(packed: number, sign: 1 | -1, measures: readonly number[]): void {
    const first = this.find(packed) + 1;
    for (let index = 0; index < measures.length; index += 1) {
      const measure = measures[index]!;
      if (measure !== 0) this.addTo(first + index, sign * measure);
    }
  }

  /** Adds all that another table of the same measures holds. */
  merge({ rows, beyond }: SumRows): void {
    for (let from = 0; from < rows.length; from += this.stride) {
      const at = this.find(rows[from]!);
      for (let index = 1; index < this.stride; index += 1) this.addTo(at + index, rows[from + index]!);
    }
    for (const [packed, sums] of beyond) {
      this.find(packed);
      const mine = this.beyondOf(packed);
      for (let index = 0; index < sums.length; index += 1) mine[index]! += sums[index]!;
    }
  }

  /** All sums, zeros included; in no order. */
  all(): SumRows {
    const rows = new Float64Array(this.filled * this.stride);
    let to = 0;
    for (let from = 0; from < this.cells.length; from += this.stride) {
      if (this.cells[from] === 0) continue;
      rows.set(this.cells.subarray(from, from + this.stride), to);
      rows[to]! -= 1;
      to += this.stride;
    }
    return { rows, beyond: this.beyond };
  }

  /** The rows that are not zero throughout, by ascending key. */
  sorted(): SumRow[] {
    const keys = new Float64Array(this.filled);
    let count = 0;
    for (let at = 0; at < this.cells.length; at += this.stride) {
      if (this.cells[at] !== 0) keys[count++] = this.cells[at]! - 1;
    }
    const rows = Array.from(keys.sort(), (packed): SumRow => [packed, this.sumsOf(packed)]);
    return rows.filter(([, sums]) => sums.some((sum) => sum !== 0));
  }

  private sumsOf(packed: number): (number | bigint)[] {
    const at = this.find(packed) + 1;
    const sums = Array.from(this.cells.subarray(at, at + this.stride - 1));
    const beyond = this.beyond.get(packed);
    return beyond === undefined ? sums : sums.map((sum, index) => narrow(BigInt(sum) + beyond[index]!));
  }

  /** The cell before the sums of a key; makes the row if there is none. */
  find(packed: number): number {
    const at = this.probe(packed + 1);
    if (this.cells[at] !== 0) return at;
    if (this.filled * 2 >= this.capacity) {
      this.grow();
      return this.find(packed);
    }
    this.cells[at] = packed + 1;
    this.filled += 1;
    return at;
  }

  /** The row that holds a mark (one more than a packed key), or the empty one where it belongs. */
  private probe(mark: number): number {
    const { cells, stride } = this;
    const last = this.capacity - 1;
    for (let row = hashOf(mark) & last; ; row = (row + 1) & last) {
      const held = cells[row * stride];
      if (held === mark || held === 0) return row * stride;
    }
  }

  private grow(): void {
    const { cells, stride } = this;
    this.capacity *= 2;
    this.cells = new Float64Array(this.capacity * stride);
    for (let from = 0; from < cells.length; from += stride) {
      if (cells[from] !== 0) this.cells.set(cells.subarray(from, from + stride), this.probe(cells[from]!));
    }
  }

  /** Adds a safe integer to the sum in a cell: as many after `find` as the measure, counted from 1, until the next row is made. */
  addTo(cell: number, amount: number): void {
    const sum = this.cells[cell]! + amount;
    if (sum <= Number.MAX_SAFE_INTEGER && sum >= Number.MIN_SAFE_INTEGER) this.cells[cell] = sum;
    else this.putAside(cell, amount);
  }

  /** Puts the sum of a cell aside, so that it goes on from an amount. */
  private putAside(cell: number, amount: number): void {
    const row = cell - (cell % this.stride);
    this.beyondOf(this.cells[row]! - 1)[cell - row - 1]! += BigInt(this.cells[cell]!);
    this.cells[cell] = amount;
  }

  private beyondOf(packed: number): bigint[] {
    let sums = this.beyond.get(packed);
    if (sums === undefined) {
      sums = Array.from({ length: this.stride - 1 }, () => 0n);
      this.beyond.set(packed, sums);
    }
    return sums;
  }
}

/** Mixes both halves of a number below 2⁵³ into 32 bits (the finalizer of MurmurHash3, Appleby). */
function hashOf(mark: number): number {
  let hash = Math.imul(mark / 4_294_967_296, 0x9e3779b1) ^ mark;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** The same integer, as a number if it is a safe one. */
function narrow(sum: bigint): number | bigint {
  const number = Number(sum);
  return Number.isSafeInteger(number) ? number : sum;
}
