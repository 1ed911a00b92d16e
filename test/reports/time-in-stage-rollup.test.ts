import { randomInt } from 'node:crypto';
import t from 'tap';
import type { Differences } from '../../src/domain/differences.ts';
import type { FoldPlan } from '../../src/domain/fold.ts';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { timeInStageRollup } from '../../src/reports/time-in-stage-rollup.ts';
import { Rng, randomModels } from '../oracle/random.ts';
import { date, day, days, modelOf, planOf } from '../support/notation.ts';
import { folded, foldedInParts } from './folded.ts';
import { monthEnd, trueSpells } from './leaving-truth.ts';
import { linesOf, randomLife, walk } from './lives.ts';

const projection = timeInStageRollup as Projection;
const planFor = (model: Model): FoldPlan => planOf([model], [projection]);
const LIFECYCLE = planFor(BUILT_IN_MODELS.lifecycle);

/** Rows of everybody as texts: `first_time_buyer 2025-01-31 entered 1`, `first_time_buyer 2025-01-31 (lapsed) 25 1`. */
function rowsOf(plan: FoldPlan, differences: Differences): string[] {
  const stages = plan.models[0]!.model.stages.map(({ stage }) => stage);
  return differences.rows(projection).map(({ key: [stage, end, exit, weeks], measures }) => {
    const how = exit === 0 ? 'entered' : `${exit === 1 ? '(lapsed)' : stages[exit! - 2]} ${weeks}`;
    return `${stages[stage!]} ${date(end!)} ${how} ${measures.join(' ')}`;
  });
}

const lifecycle = (...lines: readonly string[]): string[] => rowsOf(LIFECYCLE, folded(LIFECYCLE, days(...lines)));

t.test('a spell begins in the month of its first day and ends by lapsing, foreseen as it is', async (t) => {
  t.strictSame(lifecycle('2025-01-15 12'), [
    'first_time_buyer 2025-01-31 entered 1',
    'first_time_buyer 2025-01-31 (lapsed) 25 1',
  ]);
});

t.test('it ends by moving to another stage; being at risk on the way does not end it', async (t) => {
  t.strictSame(lifecycle('known 2024-02-01', '2024-02-29 12', '2024-06-15 1'), [
    'prospect 2024-02-29 entered 1',
    'prospect 2024-02-29 first_time_buyer 4 1',
    'first_time_buyer 2024-02-29 entered 1',
    'first_time_buyer 2024-02-29 early_repeat_buyer 15 1',
    'early_repeat_buyer 2024-06-30 entered 1',
    'early_repeat_buyer 2024-06-30 (lapsed) 25 1',
  ]);
});

t.test('a spell of six days has no completed week, one of seven days has one', async (t) => {
  const left = (...lines: readonly string[]): string[] =>
    lifecycle(...lines).filter((row) => /^prospect .* \d+ /.test(row));
  t.strictSame(left('known 2025-01-01', '2025-01-07 1'), ['prospect 2025-01-31 first_time_buyer 0 1']);
  t.strictSame(left('known 2025-01-01', '2025-01-08 1'), ['prospect 2025-01-31 first_time_buyer 1 1']);
  t.strictSame(left('known 2025-01-01', '2025-01-14 1'), ['prospect 2025-01-31 first_time_buyer 1 1']);
});

t.test('a win-back begins a new spell, in the same stage too; lapsed time belongs to none', async (t) => {
  const quick = modelOf({ buyer: { feature: 'purchase_days', at_least: 1 } }, { at_risk: 1, lapsed: 6 });
  t.strictSame(rowsOf(planFor(quick), folded(planFor(quick), days('2025-01-15 1', '2025-03-01 1'))), [
    'buyer 2025-01-31 entered 1',
    'buyer 2025-01-31 (lapsed) 1 1',
    'buyer 2025-03-31 entered 1',
    'buyer 2025-03-31 (lapsed) 1 1',
  ]);
});

t.test('a move into lapsed is the exit `lapsed`, whatever stage it leads to', async (t) => {
  const lost = lifecycle('2025-01-01 1', '2025-01-02 1', '2025-01-03 1', '2025-01-04 1');
  t.strictSame(
    lost.filter((row) => /^core/.test(row)),
    ['core_customer 2025-01-31 entered 1', 'core_customer 2025-01-31 (lapsed) 25 1'],
  );
});

t.test(
  'who leaves on the day of becoming known has no spell, and one without an end has only its beginning',
  async (t) => {
    t.strictSame(lifecycle('2025-01-15 12', '2025-01-15 departure price'), []);
    t.strictSame(lifecycle('known 2025-01-15'), ['prospect 2025-01-31 entered 1']);
  },
);

t.test('the last day of a month, from the first to the last of the calendar', async (t) => {
  const end = (on: string): string => lifecycle(`known ${on}`)[0]!.split(' ')[1]!;
  t.equal(end('1900-01-01'), '1900-01-31');
  t.equal(end('1900-02-28'), '1900-02-28');
  t.equal(end('2024-02-01'), '2024-02-29');
  t.equal(end('2025-12-31'), '2025-12-31');
  t.equal(end('2199-12-31'), '2199-12-31');
});

t.test('its rows are kept for everybody only', async (t) => {
  t.equal(timeInStageRollup.everybody_only, true);
});

const SEED = randomInt(1_000_000_000);
t.test(
  `random lives in random models, folded in parts, add up to what going through them says (${SEED})`,
  async (t) => {
    const rng = new Rng(SEED);
    let compared = 0;
    for (const model of randomModels(rng, 12)) {
      const plan = planFor(model as Model);
      for (let number = 0; number < 25; number += 1) {
        const told = randomLife(rng, day('2023-11-20'), 20);
        const truth = trueSpells(walk(told, model)).flatMap(({ stage, from, exit, to }) => {
          const begun = `${stage} ${date(monthEnd(from))}`;
          return [`${begun} entered`, ...(to === null ? [] : [`${begun} ${exit} ${Math.floor((to - from) / 7)}`])];
        });
        const expected = [...new Set(truth)].map((key) => `${key} ${truth.filter((one) => one === key).length}`);
        const found = rowsOf(plan, foldedInParts(plan, days(...linesOf(told)), rng));
        compared += found.length;
        if (found.toSorted().join() === expected.toSorted().join()) continue;
        t.strictSame(found.toSorted(), expected.toSorted(), `${model.model_id}: ${linesOf(told).join(' | ')}`);
        return;
      }
    }
    t.ok(compared > 1_000, `${compared} rows alike`);
  },
);
