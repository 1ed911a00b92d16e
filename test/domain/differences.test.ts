import t from 'tap';
import { Differences, EVERYBODY, NO_MODEL } from '../../src/domain/differences.ts';
import type { FoldPlan } from '../../src/domain/fold.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { modelOf, planOf } from '../support/notation.ts';

function projectionOf(name: string, per_model: boolean): Projection {
  const key = [
    { name: 'day', least: -10, size: 100 },
    { name: 'place', least: 0, size: 5 },
  ];
  return {
    name,
    version: 1,
    per_model,
    key,
    measures: ['customers', 'revenue'],
    start: null,
    advance: () => null,
    settle: () => undefined,
  };
}

const SHARED = projectionOf('shared', false);
const BY_MODEL = projectionOf('by-model', true);
/** Folds: 0 shared, 1 by the first model, 2 by the second. */
const PLAN: FoldPlan = planOf([modelOf({}), modelOf({})], [SHARED, BY_MODEL]);
const LARGEST = Number.MAX_SAFE_INTEGER;

t.test('what is added and taken away again leaves no row', async (t) => {
  const differences = new Differences(PLAN);
  differences.add(0, EVERYBODY, 1, [3, 1], [1, 500]);
  differences.add(0, EVERYBODY, -1, [3, 1], [1, 500]);
  differences.add(0, EVERYBODY, 1, [4, 1], [0, 0]);
  t.strictSame(differences.rows(SHARED), []);
});

t.test('a row of which one measure changes stays, with its zeros', async (t) => {
  const differences = new Differences(PLAN);
  differences.add(0, EVERYBODY, 1, [3, 1], [1, 500]);
  differences.add(0, EVERYBODY, -1, [3, 1], [1, 200]);
  t.strictSame(differences.rows(SHARED), [
    { model_version: NO_MODEL, group: EVERYBODY, key: [3, 1], measures: [0, 300] },
  ]);
});

t.test('rows come sorted by model version, group and key: the order in which they are locked', async (t) => {
  const differences = new Differences(PLAN);
  const keys = [
    [9, 0],
    [-10, 4],
    [0, 3],
    [0, 0],
  ] as const;
  for (const fold of [2, 1]) {
    for (const group of [12, 0, 3]) for (const key of keys) differences.add(fold, group, 1, key, [1, 0]);
  }
  const order = differences.rows(BY_MODEL).map(({ model_version, group, key }) => [model_version, group, ...key]);
  const expected = [1, 2].flatMap((version) =>
    [0, 3, 12].flatMap((group) => [
      [version, group, -10, 4],
      [version, group, 0, 0],
      [version, group, 0, 3],
      [version, group, 9, 0],
    ]),
  );
  t.strictSame(order, expected);
  t.strictSame(differences.rows(SHARED), [], 'another projection has rows of its own');
});

t.test('rows of later models come after those of earlier ones, whatever the versions’ order in the plan', async (t) => {
  const turned: FoldPlan = { ...PLAN, models: [...PLAN.models].reverse() };
  const differences = new Differences(turned);
  differences.add(1, EVERYBODY, 1, [1, 1], [1, 0]);
  differences.add(2, EVERYBODY, 1, [2, 2], [1, 0]);
  t.strictSame(
    differences.rows(BY_MODEL).map(({ model_version, key }) => [model_version, ...key]),
    [
      [1, 2, 2],
      [2, 1, 1],
    ],
  );
});

t.test('sums beyond 2⁵³ stay exact', async (t) => {
  const differences = new Differences(PLAN);
  for (let times = 0; times < 3; times += 1) differences.add(0, EVERYBODY, 1, [0, 0], [1, LARGEST]);
  differences.add(0, EVERYBODY, 1, [0, 0], [0, 2]);
  t.strictSame(differences.rows(SHARED)[0]?.measures, [3, 27_021_597_764_222_975n]);
  for (let times = 0; times < 3; times += 1) differences.add(0, EVERYBODY, -1, [0, 0], [1, LARGEST]);
  t.equal(String(differences.rows(SHARED)[0]?.measures[1]), '2', 'and come back');
  differences.add(0, EVERYBODY, -1, [0, 0], [0, 2]);
  t.strictSame(differences.rows(SHARED), [], 'a zero that was a large sum is dropped too');
});

t.test('everybody and no model are both zero in the roll-ups', async (t) => {
  t.strictSame([EVERYBODY, NO_MODEL], [0, 0]);
});

t.test('a projection for everybody only keeps no rows of groups', async (t) => {
  const alone: Projection = { ...SHARED, everybody_only: true };
  const differences = new Differences(planOf([], [alone]));
  for (const group of [EVERYBODY, 12]) differences.add(0, group, 1, [3, 1], [1, 500]);
  t.strictSame(differences.rows(alone), [
    { model_version: NO_MODEL, group: EVERYBODY, key: [3, 1], measures: [1, 500] },
  ]);
});

t.test('differences of several threads merge into what one would have added up', async (t) => {
  const [one, first, second] = [new Differences(PLAN), new Differences(PLAN), new Differences(PLAN)];
  for (let emit = 0; emit < 1_000; emit += 1) {
    const group = [EVERYBODY, 3, 12][emit % 3]!;
    const key = [(emit * 7) % 4, emit % 5];
    const measures = [emit % 4, emit % 11 === 0 ? LARGEST : -emit];
    for (const differences of [one, emit % 2 === 0 ? first : second]) {
      differences.add(emit % 3, group, emit % 5 === 0 ? -1 : 1, key, measures);
    }
  }
  const merged = new Differences(PLAN);
  for (const half of [first, second]) {
    const parts = half.parts();
    merged.merge(structuredClone(parts, { transfer: parts.map(({ rows }) => rows.buffer) }));
  }
  for (const projection of [SHARED, BY_MODEL]) {
    const rows = one.rows(projection);
    t.ok(rows.some(({ measures }) => typeof measures[1] === 'bigint'));
    t.strictSame(merged.rows(projection), rows);
    t.strictSame(first.rows(projection).length > 0, true, 'what was merged is still there');
  }
});

t.test('columns hold the rows in their order, large sums too', async (t) => {
  const differences = new Differences(PLAN);
  t.strictSame(differences.columns(SHARED), {
    rows: 0,
    columns: Array.from({ length: 6 }, () => new Float64Array(0)),
  });
  for (let emit = 0; emit < 1_000; emit += 1) {
    const key = [((emit * 7) % 4) - 2, emit % 5];
    const measures = [emit % 4, emit % 11 === 0 ? LARGEST : -emit];
    differences.add(emit % 3, [EVERYBODY, 3, 12][emit % 7] ?? EVERYBODY, emit % 5 === 0 ? -1 : 1, key, measures);
  }
  for (const projection of [SHARED, BY_MODEL]) {
    const { rows, columns } = differences.columns(projection);
    const expected = differences.rows(projection);
    t.equal(rows, expected.length);
    t.strictSame(
      Array.from({ length: rows }, (_, row) => columns.map((column) => column[row])),
      expected.map(({ model_version, group, key, measures }) => [model_version, group, ...key, ...measures]),
    );
  }
  const [customers, revenue] = differences.columns(SHARED).columns.slice(-2);
  t.ok(customers instanceof Float64Array && Array.isArray(revenue), 'only a column that needs it is a list');
});
