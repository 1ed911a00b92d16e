import { randomInt } from 'node:crypto';
import t from 'tap';
import { Differences } from '../../src/domain/differences.ts';
import { closeDays, type FoldPlan, reopenDays, type SavedFold, settleTail } from '../../src/domain/fold.ts';
import { activityDays } from '../../src/domain/history.ts';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { decodeFold, encodeFold } from '../../src/domain/saved-fold.ts';
import { cashFlowRollup } from '../../src/reports/cash-flow-rollup.ts';
import { periodMovesRollup } from '../../src/reports/period-moves-rollup.ts';
import { BUILT_IN } from '../laws/side-by-side.ts';
import { ACTIVITIES, type ModelDocument } from '../oracle/model-document.ts';
import { Rng, randomModels, randomSteps } from '../oracle/random.ts';
import { spellOn } from '../oracle/reports.ts';
import type { StoredCustomer } from '../oracle/store.ts';
import { date, days, planOf } from '../support/notation.ts';
import { historyOf } from '../support/stored-history.ts';
import { cashEvents, didIn, GRAINS, type Life, livesOf, netMoves, periodsOf } from './period-truth.ts';
import { RandomStore } from './random-store.ts';

const PROJECTIONS = [periodMovesRollup, cashFlowRollup] as readonly Projection[];

/** What a history contributes in the built-in lifecycle, by grain: `period from→to`, then the measures. */
function contributed(grain: number, ...lines: readonly string[]): string[] {
  const plan = planOf([BUILT_IN_MODELS.lifecycle], PROJECTIONS);
  const differences = new Differences(plan);
  const tallies = differences.tallies(1, [0]);
  settleTail(plan, closeDays(plan, null, days(...lines), tallies), tallies);
  return differences.rows(PROJECTIONS[0]!).flatMap(({ key: [of, period, from, to], measures }) => {
    return of === grain ? [`${date(period!)} ${from}→${to} ${measures.join(' ')}`] : [];
  });
}
const [WEEK, MONTH, QUARTER, YEAR] = [0, 1, 2, 3];

t.test('a customer first known in a period stands nowhere on its eve, whatever happens in it', async (t) => {
  const lines = ['known 2025-01-01', '2025-01-15 5.00', '2025-01-15 7.00', '2025-01-20 3.00', '2025-01-31 survey 9'];
  t.strictSame(contributed(MONTH, ...lines), [
    '2025-01-01 0→0 0 1 3 2 1500 1 9',
    '2025-01-01 0→10 1 0 0 0 0 0 0',
    '2025-04-01 10→11 1 0 0 0 0 0 0',
    '2025-07-01 11→12 1 0 0 0 0 0 0',
  ]);
});

t.test('what a customer does belongs to where they stood on the eve, each grain with its own', async (t) => {
  const lines = ['known 2025-01-01', '2025-01-30 5', '2025-02-03 1', '2025-02-04 2'];
  t.strictSame(contributed(WEEK, ...lines).slice(0, 5), [
    '2024-12-30 0→1 1 0 0 0 0 0 0',
    '2025-01-27 1→1 0 1 1 1 500 0 0',
    '2025-01-27 1→6 1 0 0 0 0 0 0',
    '2025-02-03 6→6 0 1 2 2 300 0 0',
    '2025-02-03 6→10 1 0 0 0 0 0 0',
  ]);
  t.strictSame(contributed(MONTH, ...lines).slice(0, 4), [
    '2025-01-01 0→0 0 1 1 1 500 0 0',
    '2025-01-01 0→6 1 0 0 0 0 0 0',
    '2025-02-01 6→6 0 1 2 2 300 0 0',
    '2025-02-01 6→10 1 0 0 0 0 0 0',
  ]);
  t.strictSame(contributed(QUARTER, ...lines).slice(0, 2), [
    '2025-01-01 0→0 0 1 3 3 800 0 0',
    '2025-01-01 0→10 1 0 0 0 0 0 0',
  ]);
});

t.test('who goes and comes back within a period makes no net move; in a shorter one both ways', async (t) => {
  // Two purchase days in 2024; lapsed on 2025-06-30, won back in August, at risk in October, lapsed again in 2026.
  const lines = ['2024-12-30 1', '2024-12-31 1', '2025-08-01 1'];
  t.strictSame(contributed(YEAR, ...lines), [
    '2024-01-01 0→0 0 1 2 2 200 0 0',
    '2024-01-01 0→10 1 0 0 0 0 0 0',
    '2025-01-01 10→10 0 1 1 1 100 0 0',
    '2025-01-01 10→11 1 0 0 0 0 0 0',
    '2026-01-01 11→12 1 0 0 0 0 0 0',
  ]);
  t.strictSame(
    contributed(QUARTER, ...lines).filter((row) => row.startsWith('2025')),
    [
      '2025-04-01 10→12 1 0 0 0 0 0 0',
      '2025-07-01 12→10 1 0 0 0 0 0 0',
      '2025-07-01 12→12 0 1 1 1 100 0 0',
      '2025-10-01 10→11 1 0 0 0 0 0 0',
    ],
  );
});

t.test('years of silence add nothing, and a day without purchase, money or score neither', async (t) => {
  t.strictSame(contributed(MONTH, 'known 2000-02-29', '2024-02-29 visit', '2024-03-01 contact cost=3'), [
    '2000-02-01 0→1 1 0 0 0 0 0 0',
  ]);
});

t.test('known and lapsed on one day is one move, and an over-refunded purchase takes revenue away', async (t) => {
  const lines = ['2024-02-29 5', '2024-02-29 departure price', '2024-03-05 4', '2024-04-01 refund 6 p2'];
  t.strictSame(contributed(MONTH, ...lines), [
    '2024-02-01 0→0 0 1 1 1 500 0 0',
    '2024-02-01 0→8 1 0 0 0 0 0 0',
    '2024-03-01 8→8 0 0 0 0 -200 0 0',
  ]);
});

t.test('moves scheduled after 2199 are not kept, and the first week of 1900 has its row', async (t) => {
  t.strictSame(contributed(WEEK, '2199-12-31 1'), ['2199-12-30 0→0 0 1 1 1 100 0 0', '2199-12-30 0→6 1 0 0 0 0 0 0']);
  t.equal(contributed(WEEK, '1900-01-01 1')[0], '1900-01-01 0→0 0 1 1 1 100 0 0');
});

/** The rows that all customers together must give in one model: those of period-moves, then those of cash-flow. */
function expectedRows(lives: readonly Life[], model: ModelDocument): string[] {
  const stages = model.stages.map(({ stage }) => stage);
  const places = stages.flatMap((stage) => ACTIVITIES.map((activity) => `${stage} ${activity}`));
  const position = (place: string): number => places.indexOf(place) + 1;
  const first = Math.min(...lives.map(({ spells }) => spells[0]!.from));
  const events = lives.flatMap(({ customer }) => [...customer.purchases.values(), ...customer.interactions.values()]);
  const ends = [...lives.map(({ spells }) => spells.at(-1)!.from), ...events.map(({ at }) => at.day)];
  const rows: string[] = [];
  for (const [grain, name] of GRAINS.entries()) {
    for (const period of periodsOf(first, Math.max(...ends), name)) {
      for (const { from, to, customers } of netMoves(lives, period, stages))
        rows.push(`moves ${grain} ${period.first} ${position(from)} ${position(to)}: ${customers} 0 0 0 0 0 0`);
      for (const place of ['', ...places]) {
        const there = lives.filter(({ spells }) => {
          const spell = spellOn(spells, period.first - 1);
          return place === (spell === null ? '' : `${spell.stage} ${spell.activity}`);
        });
        const did = Object.values(didIn(there, period));
        if (did.some((measure) => measure !== 0))
          rows.push(`moves ${grain} ${period.first} ${position(place)} ${position(place)}: 0 ${did.join(' ')}`);
      }
    }
  }
  return [...rows, ...expectedCash(lives, stages)].sort();
}

function expectedCash(lives: readonly Life[], stages: readonly string[]): string[] {
  const sums = new Map<string, number[]>();
  for (const { customer, spells } of lives) {
    for (const { day, receipts = 0, refunds = 0, costs } of cashEvents(customer)) {
      const key = `cash ${day} ${1 + stages.indexOf(spellOn(spells, day - 1)?.stage ?? '')}`;
      const sum = sums.get(key) ?? [0, 0, 0];
      sums.set(
        key,
        [receipts, refunds, costs].map((more, index) => sum[index]! + more),
      );
    }
  }
  return [...sums].flatMap(([key, sum]) => (sum.some((more) => more !== 0) ? [`${key}: ${sum.join(' ')}`] : []));
}

/** Folds a customer as batches bring the days: what was contributed is taken away, what is now contributed is added, and the state is saved as text. */
function foldInBatches(plan: FoldPlan, customer: StoredCustomer, rng: Rng, differences: Differences): void {
  const [add, takeBack] = [differences.tallies(1, [0]), differences.tallies(-1, [0])];
  let left = activityDays(historyOf(customer));
  let saved: SavedFold | null = null;
  while (left.length > 0) {
    const batch = left.slice(0, rng.between(1, 4));
    left = left.slice(batch.length);
    if (saved !== null) settleTail(plan, saved, takeBack);
    const open: SavedFold = closeDays(
      plan,
      saved?.closed ?? null,
      saved === null ? batch : reopenDays(saved, batch),
      add,
    );
    settleTail(plan, open, add);
    saved = decodeFold(encodeFold(open));
  }
}

const seed = randomInt(1_000_000_000);
t.test(
  `random histories in random and built-in models give what looking at every day gives (seed ${seed})`,
  async (t) => {
    for (let story = 0; story < 6; story += 1) {
      const rng = new Rng(seed + story);
      const models = [...BUILT_IN, ...randomModels(rng, 4)];
      const store = new RandomStore('2024-03-01', 'America/New_York', 2);
      for (const step of randomSteps(rng, { startDay: '2024-03-01', models, timeZone: 'America/New_York' }))
        store.apply(step);
      const customers = store.customers();
      const plan = planOf(models as readonly Model[], PROJECTIONS);
      const differences = new Differences(plan);
      for (const customer of customers) foldInBatches(plan, customer, rng, differences);
      for (const [index, model] of models.entries()) {
        const actual = PROJECTIONS.flatMap((projection, place) =>
          differences.rows(projection).flatMap(({ model_version, key, measures }) => {
            return model_version === index + 1
              ? [`${['moves', 'cash'][place]} ${key.join(' ')}: ${measures.join(' ')}`]
              : [];
          }),
        );
        const expected = expectedRows(livesOf(customers, model, 2), model);
        t.strictSame(actual.sort(), expected, `${model.model_id} of story ${story}: ${expected.length} rows`);
      }
    }
  },
);
