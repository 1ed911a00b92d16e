import { inspect, isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import t from 'tap';
import { compileModel, memoryOfModels } from '../../src/domain/compile-model.ts';
import { Differences } from '../../src/domain/differences.ts';
import { closeDays, settleTail } from '../../src/domain/fold.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { stageMovesRollup, sumMoves } from '../../src/reports/stage-moves-rollup.ts';
import { date, day, days, modelOf, planOf } from '../support/notation.ts';
import { testService } from '../support/service.ts';

/** What a history contributes for everybody: `grain day from→to customers revenue`, days as 0, months as 1. */
function contributed(...lines: readonly string[]): string[] {
  const plan = planOf([BUILT_IN_MODELS.lifecycle], [stageMovesRollup as Projection]);
  const differences = new Differences(plan);
  const tallies = differences.tallies(1, [0]);
  settleTail(plan, closeDays(plan, null, days(...lines), tallies), tallies);
  return differences.rows(stageMovesRollup as Projection).map(({ key: [grain, on, from, to], measures }) => {
    return `${grain} ${date(on!)} ${from}→${to} ${measures.join(' ')}`;
  });
}

t.test('a purchase moves its buyer in, brings its revenue, and schedules the silence', async (t) => {
  t.strictSame(contributed('2025-01-15 5.00'), [
    '0 2025-01-15 0→6 1 0',
    '0 2025-01-15 6→6 0 500',
    '0 2025-04-16 6→7 1 500',
    '0 2025-07-15 7→8 1 500',
    '1 2025-01-01 0→6 1 0',
    '1 2025-01-01 6→6 0 500',
    '1 2025-04-01 6→7 1 500',
    '1 2025-07-01 7→8 1 500',
  ]);
});

t.test('a mover takes along what was brought before the day; the day’s own revenue stays where it ends', async (t) => {
  const rows = contributed('known 2025-01-01', '2025-01-05 5', '2025-05-01 7').filter((row) => row.startsWith('0'));
  t.strictSame(rows, [
    '0 2025-01-01 0→1 1 0',
    '0 2025-01-05 1→6 1 0',
    '0 2025-01-05 6→6 0 500',
    '0 2025-04-06 6→7 1 500',
    '0 2025-05-01 7→10 1 500',
    '0 2025-05-01 10→10 0 700',
    '0 2025-07-31 10→11 1 1200',
    '0 2025-10-29 11→12 1 1200',
  ]);
});

t.test('moves of one month that are alike become one month row', async (t) => {
  const rows = contributed('2025-01-01 1', '2025-01-02 1', '2025-01-05 2', '2025-01-06 4');
  t.strictSame(
    rows.filter((row) => row.startsWith('1 2025-01-01')),
    ['1 2025-01-01 0→6 1 0', '1 2025-01-01 6→6 0 100', '1 2025-01-01 6→10 1 100', '1 2025-01-01 10→10 0 300'].concat(
      '1 2025-01-01 10→14 1 400',
      '1 2025-01-01 14→14 0 400',
    ),
  );
});

t.test('sums of adjoining spans, from whole months and single days', async (t) => {
  const { db } = await testService(t);
  const model = compileModel(modelOf({}), 99, memoryOfModels([modelOf({})]), 2);
  // One customer moves on each day from 2023-11-10 to 2025-03-05, and brings one cent: every sum is a number of days.
  const [begin, end] = [day('2023-11-10'), day('2025-03-05')];
  const rows: number[][] = [];
  for (let on = begin; on <= end; on += 1) {
    rows.push([0, on], [1, day(`${date(on).slice(0, 7)}-01`)]);
  }
  for (const group of [0, 7]) {
    await sql`
      insert into rollup_stage_moves
      select 99, ${group}::int2, grain, day, 1, 2, count(*) * ${group + 1}::int, count(*)
      from unnest(${rows.map(([grain]) => grain)}::int2[], ${rows.map(([, on]) => on)}::int[]) as given (grain, day)
      group by grain, day`.execute(db);
  }
  const context = { trx: db, model, group_id: 0, today: day('2025-01-01'), decimals: 2 };
  const overlap = (first: number, last: number): number =>
    Math.max(0, Math.min(last, end) - Math.max(first, begin) + 1);

  const edges = [
    '2023-11-01',
    '2023-11-10',
    '2023-11-30',
    '2023-12-01',
    '2023-12-02',
    '2023-12-31',
    '2024-01-01',
    '2024-02-29',
  ]
    .concat(
      '2024-03-01',
      '2024-12-31',
      '2025-01-01',
      '2025-03-01',
      '2025-03-05',
      '2025-03-31',
      '2025-04-01',
      '2199-12-31',
    )
    .map(day);
  // The sums of the spans that end on these days, one cent and one customer for each day that a span shares with the year and a half of moves.
  const expected = (lasts: readonly number[]) =>
    lasts
      .map((last, span) => ({ span, days: overlap(span === 0 ? day('1900-01-01') : lasts[span - 1]! + 1, last) }))
      .filter(({ days }) => days > 0)
      .map(({ span, days }) => ({ span, from: 1, to: 2, customers: days, revenue: BigInt(days) }));

  await t.test('every sum is the number of days that both hold, wherever up to three spans end', async (t) => {
    const lists = edges.flatMap((a, i) => [
      [a],
      ...edges.slice(i + 1).flatMap((b, j) => [[a, b], ...edges.slice(i + 1 + j + 1).map((c) => [a, b, c])]),
    ]);
    const wrong: string[] = [];
    for (const lasts of [...lists, edges]) {
      const found = await sumMoves(context, lasts);
      if (!isDeepStrictEqual(found, expected(lasts))) wrong.push(`${lasts.map(date).join(' ')}: ${inspect(found)}`);
    }
    t.strictSame(wrong, []);
    t.equal(lists.length, 16 + 120 + 560);
  });

  await t.test('spans of weeks and of days', async (t) => {
    for (const step of [1, 7]) {
      const lasts = Array.from({ length: 90 }, (_, index) => day('2023-11-26') + index * step);
      t.strictSame(await sumMoves(context, lasts), expected(lasts));
    }
  });

  await t.test('days before the first of all hold nothing', async (t) => {
    t.strictSame(await sumMoves(context, [day('1899-12-31')]), []);
    t.strictSame(await sumMoves(context, []), []);
  });

  await t.test('a group and a model version have rows of their own', async (t) => {
    const year = [day('2023-12-31'), day('2024-12-31')];
    t.strictSame((await sumMoves({ ...context, group_id: 7 }, year))[1], {
      span: 1,
      from: 1,
      to: 2,
      customers: 366 * 8,
      revenue: 366n,
    });
    t.strictSame(await sumMoves({ ...context, group_id: 8 }, year), []);
    t.strictSame(await sumMoves({ ...context, model: { ...model, version: 98 } }, year), []);
  });

  await t.test('days are read only of the months that a span ends inside', async (t) => {
    const lasts = ['2023-12-31', '2024-02-29', '2024-03-14', '2024-12-31', '2025-03-04'].map(day);
    await sql`
      delete from rollup_stage_moves
      where group_id = 7 and grain = 0 and day not between ${day('2024-03-01')} and ${day('2024-03-31')} and day < ${day('2025-03-01')}`.execute(
      db,
    );
    const sums = await sumMoves({ ...context, group_id: 7 }, lasts);
    t.strictSame(
      sums,
      expected(lasts).map((sum) => ({ ...sum, customers: sum.customers * 8 })),
    );
  });
});
