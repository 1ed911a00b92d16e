import t from 'tap';
import { type SumRow, SumTable } from '../../src/domain/sum-table.ts';
import { Rng } from '../oracle/rng.ts';
import { seedOf } from '../reports/random-shop.ts';

const MOST = Number.MAX_SAFE_INTEGER;

/** The same sums kept by hand as bigints; rows of zeros left out. */
class ByHand {
  readonly #sums = new Map<number, bigint[]>();

  add(packed: number, sign: 1 | -1, measures: readonly number[]): void {
    const sums = this.#sums.get(packed) ?? measures.map(() => 0n);
    this.#sums.set(
      packed,
      sums.map((sum, index) => sum + BigInt(sign * measures[index]!)),
    );
  }

  rows(): string[] {
    const rows = [...this.#sums].filter(([, sums]) => sums.some((sum) => sum !== 0n)).sort(([a], [b]) => a - b);
    return rows.map(([packed, sums]) => `${packed}: ${sums.join(' ')}`);
  }
}

function texts(rows: readonly SumRow[]): string[] {
  return rows.map(([packed, sums]) => `${packed}: ${sums.join(' ')}`);
}

t.test('random sums are those kept by hand, by ascending key', async (t) => {
  const seed = seedOf();
  const rng = new Rng(seed);
  for (const most of [3, 1_000, 2 ** 32 + 7, 2 ** 53 - 2]) {
    const table = new SumTable(3);
    const byHand = new ByHand();
    const keys = Array.from({ length: 500 }, () => rng.between(0, most));
    for (let emit = 0; emit < 5_000; emit += 1) {
      const packed = rng.pick(keys);
      const sign = rng.chance(0.4) ? -1 : 1;
      const measures = [rng.between(-2, 2), rng.chance(0.3) ? MOST - rng.between(0, 3) : 0, rng.between(0, 900)];
      table.add(packed, sign, measures);
      byHand.add(packed, sign, measures);
    }
    t.strictSame(texts(table.sorted()), byHand.rows(), `keys to ${most}, --seed=${seed}`);
  }
});

t.test('the least and the greatest key have rows of their own', async (t) => {
  const table = new SumTable(1);
  for (const packed of [0, 2 ** 53 - 2, 1, 0]) table.add(packed, 1, [5]);
  t.strictSame(table.sorted(), [
    [0, [10]],
    [1, [5]],
    [2 ** 53 - 2, [5]],
  ]);
});

t.test('a sum is a number while it is a safe integer, and exact beyond', async (t) => {
  const table = new SumTable(2);
  table.add(7, 1, [MOST, -MOST]);
  t.strictSame(table.sorted(), [[7, [MOST, -MOST]]]);
  table.add(7, 1, [1, -2]);
  t.strictSame(table.sorted(), [[7, [9_007_199_254_740_992n, -9_007_199_254_740_993n]]]);
  table.add(7, -1, [3, -4]);
  t.strictSame(table.sorted(), [[7, [MOST - 2, -MOST + 2]]], 'and a number again');
  table.add(7, -1, [MOST - 2, 0]);
  table.add(7, 1, [0, MOST - 2]);
  t.strictSame(table.sorted(), [], 'a row that comes back to zero is none');
});

t.test('a merged table has both sums, the table that it took them from its own', async (t) => {
  const [one, other] = [new SumTable(1), new SumTable(1)];
  one.add(1, 1, [MOST]);
  other.add(1, 1, [MOST]);
  other.add(1, 1, [MOST]);
  other.add(2, 1, [4]);
  one.merge(other.all());
  t.strictSame(one.sorted(), [
    [1, [27_021_597_764_222_973n]],
    [2, [4]],
  ]);
  t.strictSame(other.sorted(), [
    [1, [18_014_398_509_481_982n]],
    [2, [4]],
  ]);
});
