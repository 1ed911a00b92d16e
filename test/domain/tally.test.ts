import t from 'tap';
import { Differences, EVERYBODY } from '../../src/domain/differences.ts';
import { FORGETFUL, type Projection, packKey } from '../../src/domain/projection.ts';
import { SumTable } from '../../src/domain/sum-table.ts';
import { TableTally } from '../../src/domain/tally.ts';
import { Rng } from '../oracle/rng.ts';
import { seedOf } from '../reports/random-shop.ts';
import { planOf } from '../support/notation.ts';

const DAY = { name: 'day', least: -25_567, size: 109_573 };
const PLACE = { name: 'place', least: 1, size: 125 };

const WATCHED: Projection = {
  name: 'watched',
  version: 1,
  per_model: false,
  key: [DAY, PLACE],
  measures: ['customers', 'revenue'],
  start: null,
  advance: () => null,
  settle: () => undefined,
};
const ALONE: Projection = { ...WATCHED, name: 'alone', everybody_only: true };

t.test('a tally chooses the row of the packed key, of one to four columns', async (t) => {
  const seed = seedOf();
  const rng = new Rng(seed);
  const columns = [DAY, PLACE, { name: 'other', least: 0, size: 125 }, { name: 'kind', least: -3, size: 7 }];
  for (let count = 1; count <= 4; count += 1) {
    const key = columns.slice(0, count);
    const table = new SumTable(1);
    const tally = new TableTally(table, 1, key);
    const packed = new Set<number>();
    for (let row = 0; row < 200; row += 1) {
      const values = key.map(({ least, size }) => rng.between(least, least + size - 1));
      const [first, second, third, fourth] = values;
      tally.at(first!, second, third, fourth).add(0, 1);
      packed.add(packKey(key, values));
    }
    t.strictSame(
      table.sorted().map(([of]) => of),
      [...packed].sort((a, b) => a - b),
      `${count} columns, --seed=${seed}`,
    );
  }
});

t.test('a key of five columns is refused', async (t) => {
  t.throws(() => new TableTally(new SumTable(1), 1, [DAY, PLACE, PLACE, PLACE, PLACE]), { message: /at most four/ });
});

t.test('a row once chosen takes any number of additions, also none', async (t) => {
  const table = new SumTable(2);
  const tally = new TableTally(table, -1, [DAY]);
  tally.at(7).add(1, 5).add(0, 2).add(1, 6);
  tally.at(8);
  tally.at(7).add(1, -1);
  t.strictSame(table.sorted(), [[7 - DAY.least, [-2, -10]]]);
});

t.test('several groups are added to at once, each customer’s rows once for everybody', async (t) => {
  const differences = new Differences(planOf([], [WATCHED, ALONE]));
  for (const groups of [[EVERYBODY], [EVERYBODY, 4], [EVERYBODY, 4, 9]]) {
    for (const tally of differences.tallies(1, groups)) tally.at(3, 2).add(0, 1).add(1, 10);
  }
  for (const tally of differences.tallies(-1, [EVERYBODY, 9])) tally.at(3, 2).add(1, 4);
  const texts = (projection: Projection): string[] =>
    differences.rows(projection).map(({ group, key, measures }) => `${group}: ${key} ${measures}`);
  t.strictSame(texts(WATCHED), ['0: 3,2 3,26', '4: 3,2 2,20', '9: 3,2 1,6']);
  t.strictSame(texts(ALONE), ['0: 3,2 3,26']);
});

t.test('a row is added as well to the row that sums it up', async (t) => {
  const TENS = 1;
  const projection: Projection = {
    ...WATCHED,
    key: [{ name: 'grain', least: 0, size: 2 }, DAY],
    summary: ([, day]) => [TENS, Math.floor(day! / 10) * 10],
  };
  const differences = new Differences(planOf([], [projection]));
  const [tally] = differences.tallies(1, [EVERYBODY]);
  tally!.at(0, 11).add(0, 1).add(1, 5);
  tally!.at(0, 19).add(0, 1).add(1, Number.MAX_SAFE_INTEGER);
  tally!.at(0, 19).add(1, 2);
  tally!.at(0, 23).add(1, 8);
  const rows = (): unknown[] => differences.rows(projection).map(({ key, measures }) => [...key, ...measures]);
  const expected = [
    [0, 11, 1, 5],
    [0, 19, 1, 9_007_199_254_740_993n],
    [0, 23, 0, 8],
    [1, 10, 2, 9_007_199_254_740_998n],
    [1, 20, 0, 8],
  ];
  t.strictSame(rows(), expected);
  t.strictSame(rows(), expected, 'however often it is asked');
});

t.test('a forgetful tally takes everything', async (t) => {
  t.equal(FORGETFUL.at(1, 2).add(0, 5).add(1, 6), FORGETFUL);
});
