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
/** Rows that wait to be added to the sums. */
const WAITING = 32;
/** Where the sums of the waiting rows are, while they are added. */
const found = new Int32Array(WAITING);

/**
 * Exact sums of measures by packed key: rows of numbers in one array in the order in which they were made, and a hash table with open addressing that finds
 * them, because some sixty rows of every purchase pass through it. (A Map of arrays takes twenty times as long.) A sum about to leave the safe integers is
 * put aside as a bigint. Rows wait until there are many, because a processor looks up many at once: one by one it waits for its memory each time.
 */
export class SumTable {
  private readonly stride: number;
  /** Row after row of `stride` numbers: the packed key, then the sums. */
  private cells: Float64Array<ArrayBuffer>;
  /** Cells in use. */
  private end = 0;
  /** One more than the first cell of a row, where the hash of its key says or after; 0 where there is none. At least half are. */
  private slots = new Int32Array(2 * FIRST_CAPACITY);
  private readonly beyond = new Map<number, bigint[]>();
  /** What waits to be added, in rows like those of `cells`; zeros after it. */
  readonly waiting: Float64Array<ArrayBuffer>;
  private waitingEnd = 0;

  constructor(measures: number) {
    this.stride = 1 + measures;
    this.cells = new Float64Array(FIRST_CAPACITY * this.stride);
    this.waiting = new Float64Array(WAITING * this.stride);
  }

  /** Begins a waiting row for a key. Its sums begin at the cell of `waiting` that is returned, until the next row is begun. */
  begin(packed: number): number {
    if (this.waitingEnd === this.waiting.length) this.addWaiting();
    const at = this.waitingEnd;
    this.waiting[at] = packed;
    this.waitingEnd = at + this.stride;
    return at + 1;
  }

  private addWaiting(): void {
    const { waiting, waitingEnd, stride } = this;
    for (let from = 0, row = 0; from < waitingEnd; from += stride, row += 1) found[row] = this.find(waiting[from]!);
    for (let from = 0, row = 0; from < waitingEnd; from += stride, row += 1) {
      const at = found[row]!;
      for (let index = 1; index < stride; index += 1) {
        const amount = waiting[from + index]!;
        if (amount !== 0) this.addTo(at + index, amount);
      }
    }
    waiting.fill(0, 0, waitingEnd);
    this.waitingEnd = 0;
  }

  /** Adds (or with sign −1 takes away) safe integers, one for each measure, to the sums of a key. */
  add(packed: number, sign: 1 | -1, measures: readonly number[]): void {
    const first = this.begin(packed);
    for (let index = 0; index < measures.length; index += 1) this.waiting[first + index]! += sign * measures[index]!;
  }

  /** Adds all that another table of the same measures holds. */
  merge({ rows, beyond }: SumRows): void {
    for (let from = 0; from < rows.length; from += this.stride) {
      const first = this.begin(rows[from]!);
      for (let index = 1; index < this.stride; index += 1) this.waiting[first + index - 1] = rows[from + index]!;
    }
    for (const [packed, sums] of beyond) {
      this.find(packed);
      const mine = this.beyondOf(packed);
      for (let index = 0; index < sums.length; index += 1) mine[index]! += sums[index]!;
    }
  }

  /** All sums, zeros included; in no order. */
  all(): SumRows {
    this.addWaiting();
    return { rows: this.cells.slice(0, this.end), beyond: this.beyond };
  }

  /** The rows that are not zero throughout, by ascending key. */
  sorted(): SumRow[] {
    const measures = Array.from({ length: this.stride - 1 }, (_, index) => index);
    return Array.from(this.order(), (at): SumRow => [this.keyAt(at), measures.map((index) => this.sumAt(at, index))]);
  }

  /** Where the rows are that are not zero throughout, by ascending key; until something is added, `keyAt` and `sumAt` read them there. */
  order(): Int32Array {
    this.addWaiting();
    const keys = new Float64Array(this.end / this.stride);
    for (let row = 0; row < keys.length; row += 1) keys[row] = this.cells[row * this.stride]!;
    keys.sort();
    const order = new Int32Array(keys.length);
    let rows = 0;
    for (let index = 0; index < keys.length; index += 1) {
      const at = this.find(keys[index]!);
      if (this.isZero(at)) continue;
      order[rows] = at;
      rows += 1;
    }
    return order.subarray(0, rows);
  }

  /** The packed key of a row. */
  keyAt(row: number): number {
    return this.cells[row]!;
  }

  /** A sum of a row, a number while it is a safe integer. */
  sumAt(row: number, measure: number): number | bigint {
    const sum = this.cells[row + 1 + measure]!;
    if (this.beyond.size === 0) return sum;
    const beyond = this.beyond.get(this.cells[row]!);
    return beyond === undefined ? sum : narrow(BigInt(sum) + beyond[measure]!);
  }

  private isZero(row: number): boolean {
    for (let index = 0; index < this.stride - 1; index += 1) if (this.sumAt(row, index) !== 0) return false;
    return true;
  }

  /** The cell before the sums of a key; makes the row if there is none. */
  private find(packed: number): number {
    const { cells, slots } = this;
    const last = slots.length - 1;
    let slot = hashOf(packed) & last;
    let held = slots[slot]!;
    while (held !== 0 && cells[held - 1] !== packed) {
      slot = (slot + 1) & last;
      held = slots[slot]!;
    }
    return held === 0 ? this.make(packed, slot) : held - 1;
  }

  private make(packed: number, slot: number): number {
    const at = this.end;
    if (at === this.cells.length) {
      this.grow();
      return this.find(packed);
    }
    this.slots[slot] = at + 1;
    this.cells[at] = packed;
    this.end += this.stride;
    return at;
  }

  private grow(): void {
    const cells = new Float64Array(2 * this.cells.length);
    cells.set(this.cells);
    this.cells = cells;
    this.slots = new Int32Array(2 * this.slots.length);
    const last = this.slots.length - 1;
    for (let at = 0; at < this.end; at += this.stride) {
      let slot = hashOf(cells[at]!) & last;
      while (this.slots[slot] !== 0) slot = (slot + 1) & last;
      this.slots[slot] = at + 1;
    }
  }

  private addTo(cell: number, amount: number): void {
    const sum = this.cells[cell]! + amount;
    if (sum <= Number.MAX_SAFE_INTEGER && sum >= Number.MIN_SAFE_INTEGER) this.cells[cell] = sum;
    else this.putAside(cell, amount);
  }

  /** Puts the sum of a cell aside, so that it goes on from an amount. */
  private putAside(cell: number, amount: number): void {
    const row = cell - (cell % this.stride);
    this.beyondOf(this.cells[row]!)[cell - row - 1]! += BigInt(this.cells[cell]!);
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
function hashOf(packed: number): number {
  let hash = Math.imul(packed * 2 ** -32, 0x9e3779b1) ^ packed;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** The same integer, as a number if it is a safe one. */
function narrow(sum: bigint): number | bigint {
  const number = Number(sum);
  return Number.isSafeInteger(number) ? number : sum;
}
