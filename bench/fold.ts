import { compileModel, memoryOfModels } from '../src/domain/compile-model.ts';
import { Differences, EVERYBODY } from '../src/domain/differences.ts';
import { type FoldPlan, type FoldTallies, forgetfulTallies, planFold, type SavedFold } from '../src/domain/fold.ts';
import { activityDays, type History } from '../src/domain/history.ts';
import type { Model } from '../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../src/domain/models.ts';
import type { Projection, Tally } from '../src/domain/projection.ts';
import { decodeFold, encodeFold } from '../src/domain/saved-fold.ts';
import { emitInto, foldWhole } from '../src/ingest/refold.ts';
import { PROJECTIONS } from '../src/reports/registry.ts';
import { type BenchCase, type Figure, median } from './case.ts';
import { seededHistories } from './histories.ts';

const ALL = Object.values(BUILT_IN_MODELS);
const ONE = [BUILT_IN_MODELS.lifecycle];

/** What folding costs one core without any database: histories in memory to consolidated differences, and each part of it alone. */
export const foldCase: BenchCase = async (_server, { quick }) => {
  const histories = seededHistories(quick ? 500 : 10_000, 1);
  const purchases = histories.reduce((sum, history) => sum + history.purchases.length, 0);
  const folding = (models: readonly Model[], projections: readonly Projection[]): number =>
    per(purchases, () => foldAll(planOf(models, projections), histories));
  const all = folding(ALL, PROJECTIONS);
  return [
    figure('all models, all projections', all, 'purchases', '≥ 100,000/s on two cores, with the store'),
    figure('one model, all projections', folding(ONE, PROJECTIONS), 'purchases', '≥ 300,000/s on two cores'),
    figure('all models, no projection', folding(ALL, []), 'purchases'),
    ...PROJECTIONS.map((projection) =>
      figure(`all models, ${projection.name} alone`, folding(ALL, [projection]), 'purchases'),
    ),
    figure(
      'activity days alone',
      per(purchases, () => histories.forEach(activityDays)),
      'purchases',
    ),
    ...differencesAlone(histories, purchases),
    ...savedFolds(histories),
  ];
};

/** The plan that folds these models into these projections. */
export function planOf(models: readonly Model[], projections: readonly Projection[]): FoldPlan {
  const memory = memoryOfModels(models);
  return planFold(
    models.map((model, index) => compileModel(model, index + 1, memory, 2)),
    memory,
    projections,
  );
}

/** Adds up histories of customers who all carry these groups. */
export function foldAll(plan: FoldPlan, histories: readonly History[], groupIds: readonly number[] = []): Differences {
  const differences = new Differences(plan);
  const emit = emitInto(differences, 1, groupIds);
  for (const history of histories) foldWhole(plan, activityDays(history), emit);
  return differences;
}

/** Every row that the histories choose, chosen again and added to; and the sorted rows. */
function differencesAlone(histories: readonly History[], purchases: number): Figure[] {
  const plan = planOf(ALL, PROJECTIONS);
  const log = new TallyLog();
  const logging = plan.folds.map((_, fold) => log.of(fold));
  for (const history of histories) foldWhole(plan, activityDays(history), logging);
  const add = (): Differences => {
    const differences = new Differences(plan);
    log.replay(differences.tallies(1, [EVERYBODY]));
    return differences;
  };
  const full = add();
  const rows = PROJECTIONS.reduce((sum, projection) => sum + full.rows(projection).length, 0);
  const emits = (log.rows / purchases).toFixed(0);
  return [
    figure(`differences alone (${emits} rows a purchase added to)`, per(purchases, add), 'purchases'),
    figure(
      'rows of the differences, sorted',
      per(rows, () => PROJECTIONS.map((projection) => full.rows(projection))),
      'rows',
    ),
  ];
}

/** Remembers what is added up. */
class TallyLog {
  rows = 0;
  /** Fold, key and number of additions; then the additions, measure and amount. */
  readonly entries: number[] = [];

  of(fold: number): Tally {
    const { entries } = this;
    let additions = 0;
    const tally: Tally = {
      at: (first, second = 0, third = 0, fourth = 0) => {
        this.rows += 1;
        additions = entries.push(fold, first, second, third, fourth, 0) - 1;
        return tally;
      },
      add: (measure, amount) => {
        entries.push(measure, amount);
        entries[additions]! += 1;
        return tally;
      },
    };
    return tally;
  }

  replay(tallies: FoldTallies): void {
    const { entries } = this;
    for (let at = 0; at < entries.length; ) {
      const tally = tallies[entries[at]!]!;
      tally.at(entries[at + 1]!, entries[at + 2]!, entries[at + 3]!, entries[at + 4]!);
      const end = at + 6 + 2 * entries[at + 5]!;
      for (at += 6; at < end; at += 2) tally.add(entries[at]!, entries[at + 1]!);
    }
  }
}

function savedFolds(histories: readonly History[]): Figure[] {
  const plan = planOf(ALL, PROJECTIONS);
  const tallies = forgetfulTallies(plan);
  const saved: SavedFold[] = histories.map((history) => foldWhole(plan, activityDays(history), tallies).saved);
  const written = saved.map(encodeFold);
  const bytes = written.reduce((sum, one) => sum + one.length, 0) / written.length;
  return [
    figure(
      'saved fold written',
      per(saved.length, () => saved.map(encodeFold)),
      'customers',
    ),
    figure(
      'saved fold read',
      per(saved.length, () => written.map(decodeFold)),
      'customers',
    ),
    { case: 'fold', what: 'saved fold, on average', figure: `${bytes.toFixed(0)} bytes` },
  ];
}

/** Microseconds one of so many takes, the median of some runs after one that warms up. */
function per(count: number, run: () => unknown): number {
  run();
  const times = Array.from({ length: 5 }, () => {
    const started_at = performance.now();
    run();
    return performance.now() - started_at;
  });
  return (median(times) * 1_000) / count;
}

function figure(what: string, us: number, unit: string, target?: string): Figure {
  const rate = Math.round(1e6 / us).toLocaleString('en');
  return { case: 'fold', what, figure: `${us.toFixed(2)} µs, ${rate} ${unit}/s a core`, ...(target && { target }) };
}
