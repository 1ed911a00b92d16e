import t from 'tap';
import { type KeyColumn, packKey, unpackKey } from '../../src/domain/projection.ts';

const COLUMNS: readonly KeyColumn[] = [
  { name: 'grain', least: 0, size: 2 },
  { name: 'day', least: -3, size: 7 },
  { name: 'position', least: 1, size: 3 },
];

/** Every key of the columns, in the order in which a human would count. */
function everyKey(): number[][] {
  const keys: number[][] = [];
  for (let grain = 0; grain < 2; grain += 1) {
    for (let day = -3; day < 4; day += 1)
      for (let position = 1; position < 4; position += 1) keys.push([grain, day, position]);
  }
  return keys;
}

t.test('packed keys sort as their columns do, the first column first', async (t) => {
  t.strictSame(
    everyKey().map((key) => packKey(COLUMNS, key)),
    Array.from({ length: 42 }, (_, index) => index),
  );
});

t.test('a packed key gives back its values', async (t) => {
  for (const key of everyKey()) t.strictSame(unpackKey(COLUMNS, packKey(COLUMNS, key)), key);
});

t.test('a key without columns is one row', async (t) => {
  t.equal(packKey([], []), 0);
  t.strictSame(unpackKey([], 0), []);
});

t.test('keys stay exact up to 2⁵³', async (t) => {
  const wide: readonly KeyColumn[] = [
    { name: 'a', least: 0, size: 2 ** 26 },
    { name: 'b', least: -5, size: 2 ** 27 },
  ];
  const key = [2 ** 26 - 1, 2 ** 27 - 6];
  t.equal(packKey(wide, key), 2 ** 53 - 1);
  t.strictSame(unpackKey(wide, 2 ** 53 - 1), key);
});
