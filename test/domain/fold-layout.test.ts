import t from 'tap';
import type { ActivityDay } from '../../src/domain/activity-day.ts';
import { compileModel, memoryOfModels } from '../../src/domain/compile-model.ts';
import { Differences } from '../../src/domain/differences.ts';
import { type FoldPlan, type FoldTallies, forgetfulTallies, planFold, type SavedFold } from '../../src/domain/fold.ts';
import { composeFold, contentName, layoutOf, missingIn, stateNames } from '../../src/domain/fold-layout.ts';
import { activityDays, type History } from '../../src/domain/history.ts';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { decodeFold, encodeFold } from '../../src/domain/saved-fold.ts';
import { foldMore, foldWhole } from '../../src/ingest/refold.ts';
import { PROJECTIONS } from '../../src/reports/registry.ts';
import { KINDS, randomModels } from '../oracle/random-models.ts';
import { Rng } from '../oracle/rng.ts';
import { randomLife, seedOf } from '../reports/random-shop.ts';
import { date, day, history, planOf } from '../support/notation.ts';

// What folding into a plan alone gives is the truth here: whatever is left out of a larger fold, or put together of two, must be the same bytes and the same sums.

const SEED = seedOf();
const ROUNDS = 40;
const LIVES = 6;
/** Groups of which the customers are members. */
const GROUPS = [0, 3];

interface Numbered {
  readonly version: number;
  readonly model: Model;
}

/** Random models beside built-in ones, numbered with gaps as if some had been published in vain. */
function universe(rng: Rng): Numbered[] {
  const drawn = randomModels(rng, 5) as unknown as readonly Model[];
  let version = 0;
  return rng.shuffled([...Object.values(BUILT_IN_MODELS), ...drawn]).map((model) => {
    version += rng.between(1, 3);
    return { version, model };
  });
}

function planFor(models: readonly Numbered[], projections: readonly Projection[]): FoldPlan {
  const memory = memoryOfModels(models.map(({ model }) => model));
  const compiled = models.map(({ model, version }) => compileModel(model, version, memory, 2));
  return planFold(compiled, memory, projections);
}

/** Some of a list, in its order: all and none come up as well. */
function part<One>(rng: Rng, list: readonly One[]): One[] {
  const kept = rng.pick([0, 0.3, 0.6, 0.9, 1]);
  return list.filter(() => rng.chance(kept));
}

/** A life with what memories keep in other ways than as totals: products, and interactions of all kinds close to each other. */
function fullLife(rng: Rng, first: string, name: string): History {
  const days = rng.pick([1, 4, 30, 400, 900]);
  const life = randomLife(rng, first, days);
  const start = day(first);
  return {
    ...life,
    purchases: life.purchases.map((purchase) => ({
      ...purchase,
      purchase_id: `${name} ${purchase.purchase_id}`,
      amount: purchase.amount * rng.pick([1, 1, 10]),
      products: rng.some(['a', 'b', 'c', 'd', 'e', 'f', 'ü', 'z'], 0, 6).sort(),
    })),
    refunds: life.refunds.map((refund) => ({ ...refund, purchase_id: `${name} ${refund.purchase_id}` })),
    interactions: Array.from({ length: rng.between(0, 25) }, (_, index) => {
      const on = start + rng.between(0, days - 1);
      const kind = rng.pick(KINDS);
      return {
        interaction_id: `${name} ${index}`,
        moment: { at: on * 86_400_000_000 + index, day: on, plain: true },
        kind,
        score: kind === 'survey' ? rng.between(0, 10) : null,
        reason: kind === 'departure' ? rng.pick(['price', 'boredom', null] as const) : null,
        cost: rng.pick([0, 0, 250]),
        voided: rng.chance(0.1),
      };
    }),
  };
}

/** A life told in two parts, the second of which begins on the last day of the first or later; and both as one. */
function twoParts(rng: Rng): {
  readonly before: ActivityDay[];
  readonly more: ActivityDay[];
  readonly all: ActivityDay[];
} {
  // Known from the first day on: when somebody became known never changes without folding anew.
  const one = { ...fullLife(rng, '2022-11-15', 'one'), known_since: day('2022-11-15') };
  const before = activityDays(one);
  const last = before.at(-1)!.day;
  const other = fullLife(rng, date(last + rng.pick([0, 0, 1, 40, 500])), 'other');
  const both = {
    ...one,
    purchases: [...one.purchases, ...other.purchases],
    refunds: [...one.refunds, ...other.refunds],
    interactions: [...one.interactions, ...other.interactions],
  };
  const none = other.purchases.length + other.refunds.length + other.interactions.length === 0;
  return { before, more: none ? [] : activityDays(other), all: none ? before : activityDays(both) };
}

const hex = (saved: SavedFold): string => Buffer.from(encodeFold(saved)).toString('hex');

function folded(plan: FoldPlan, days: readonly ActivityDay[]): SavedFold {
  return decodeFold(encodeFold(foldWhole(plan, days, forgetfulTallies(plan)).saved));
}

t.test(
  `a fold of which something is left out is what folding into the rest gives, and folds on as that does (seed ${SEED})`,
  (t) => {
    const rng = new Rng(SEED);
    const wrong: string[] = [];
    let [compared, narrower, reopened] = [0, 0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      const models = universe(rng);
      const whole = planFor(part(rng, models), part(rng, PROJECTIONS));
      const kept = whole.models.filter(() => rng.chance(0.5)).map(({ version }) => version);
      const plan = planFor(
        models.filter(({ version }) => kept.includes(version)),
        part(
          rng,
          PROJECTIONS.filter((one) => whole.folds.some(({ projection }) => projection === one)),
        ),
      );
      for (let life = 0; life < LIVES; life += 1) {
        const { before, more, all } = twoParts(rng);
        const left = composeFold(layoutOf(plan), [{ layout: layoutOf(whole), saved: folded(whole, before) }]);
        const truth = folded(plan, before);
        if (hex(left) !== hex(truth)) wrong.push(`round ${round}, life ${life}: as it was`);
        const none = forgetfulTallies(plan);
        const on = more.length === 0 ? left : foldMore(plan, decodeFold(encodeFold(left)), more, none, none).saved;
        if (hex(on) !== hex(folded(plan, all))) wrong.push(`round ${round}, life ${life}: folded on`);
        compared += 1;
        if (hex(truth) !== hex(folded(whole, before))) narrower += 1;
        if (more[0]?.day === before.at(-1)!.day) reopened += 1;
      }
    }
    t.strictSame(wrong, []);
    t.ok(narrower > compared / 2, `${narrower} of ${compared} folds lost something`);
    t.ok(reopened > compared / 10, `${reopened} folds had their open day reopened`);
    t.end();
  },
);

/** A plan, and a stored fold that lacks something of it, and may hold what the plan does not fold. */
function lacking(rng: Rng): { readonly plan: FoldPlan; readonly stored: FoldPlan; readonly common: FoldPlan } {
  const models = universe(rng);
  const [wanted, known] = [part(rng, models), part(rng, models)];
  const [projections, there] = [part(rng, PROJECTIONS), part(rng, PROJECTIONS)];
  return {
    plan: planFor(wanted, projections),
    stored: planFor(known, there),
    common: planFor(
      wanted.filter((model) => known.includes(model)),
      projections.filter((projection) => there.includes(projection)),
    ),
  };
}

t.test(`a stored fold and one of what it lacks make the fold of the whole plan (seed ${SEED})`, (t) => {
  const rng = new Rng(SEED + 1);
  const wrong: string[] = [];
  let [spliced, built] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { plan, stored } = lacking(rng);
    const missing = missingIn(plan, layoutOf(stored));
    for (let life = 0; life < LIVES; life += 1) {
      const days = activityDays(fullLife(rng, '2023-02-27', 'life'));
      const made = composeFold(layoutOf(plan), [
        { layout: layoutOf(missing), saved: folded(missing, days) },
        { layout: layoutOf(stored), saved: folded(stored, days) },
      ]);
      if (hex(made) !== hex(folded(plan, days))) wrong.push(`round ${round}, life ${life}`);
      spliced += 1;
      if (missing.folds.length > 0 && missing.folds.length < plan.folds.length) built += 1;
    }
  }
  t.strictSame(wrong, []);
  t.ok(built > spliced / 3, `${built} of ${spliced} folds were made of two`);
  t.end();
});

/** Chooses a plan's tallies from those of a plan that folds the same and more. */
function chosen(plan: FoldPlan, from: FoldPlan, tallies: FoldTallies): FoldTallies {
  const names = layoutOf(from).states;
  return layoutOf(plan).states.map((name) => tallies[names.indexOf(name)]!);
}

/** Every row of every projection, as text. */
function rowsOf(plan: FoldPlan, differences: Differences): string[] {
  const projections = [...new Set(plan.folds.map(({ projection }) => projection))];
  return projections.flatMap((projection) =>
    differences
      .rows(projection)
      .map(({ model_version, group, key, measures }) =>
        [projection.name, model_version, group, ...key, '=', ...measures].join(' '),
      ),
  );
}

t.test(`what is missing and what is there add up to what the whole plan adds (seed ${SEED})`, (t) => {
  const rng = new Rng(SEED + 2);
  let rows = 0;
  for (let round = 0; round < ROUNDS / 2; round += 1) {
    const { plan, stored, common } = lacking(rng);
    const missing = missingIn(plan, layoutOf(stored));
    const [parts, whole] = [new Differences(plan), new Differences(plan)];
    for (let life = 0; life < LIVES; life += 1) {
      const days = activityDays(fullLife(rng, '2023-02-27', 'life'));
      for (const one of [missing, common]) foldWhole(one, days, chosen(one, plan, parts.tallies(1, GROUPS)));
      foldWhole(plan, days, whole.tallies(1, GROUPS));
    }
    const wanted = rowsOf(plan, whole);
    const found = rowsOf(plan, parts);
    t.strictSame(found.filter((row, index) => row !== wanted[index]).slice(0, 3), [], `round ${round}`);
    t.equal(found.length, wanted.length);
    rows += wanted.length;
  }
  t.ok(rows > 10_000, `${rows} rows`);
  t.end();
});

const flow = { name: 'flow', version: 3, per_model: false };
const moves = { name: 'moves', version: 1, per_model: true };

t.test('contents are named by name and version, and those with a state for each model are marked', (t) => {
  t.equal(contentName(flow), 'flow:3');
  t.equal(contentName(moves), 'moves:1@');
  t.end();
});

t.test('states are named by their content, those of a model with its version', (t) => {
  t.strictSame(stateNames(['moves:1@', 'flow:3', 'stays:2@'], [1, 12]), [
    'moves:1@1',
    'moves:1@12',
    'flow:3',
    'stays:2@1',
    'stays:2@12',
  ]);
  t.strictSame(stateNames(['moves:1@', 'flow:3'], []), ['flow:3'], 'without models none of theirs');
  t.strictSame(stateNames([], [1, 2]), []);
  t.end();
});

t.test('the layout of a plan names its states as the contents of the layout do, in the same order', (t) => {
  const rng = new Rng(SEED + 3);
  for (let round = 0; round < 20; round += 1) {
    const models = part(rng, universe(rng));
    const projections = part(rng, PROJECTIONS);
    const { states, model_versions } = layoutOf(planFor(models, projections));
    t.strictSame(
      model_versions,
      models.map(({ version }) => version),
    );
    t.strictSame(states, stateNames(projections.map(contentName), model_versions));
    t.equal(new Set(states).size, states.length, 'no two states have one name');
  }
  t.end();
});

const PLAN = planOf([BUILT_IN_MODELS.lifecycle, BUILT_IN_MODELS.relationship], PROJECTIONS);
const WHOLE = layoutOf(PLAN);

t.test('nothing is missing in a layout that has everything, nor in one that has more', (t) => {
  for (const layout of [WHOLE, { model_versions: [1, 2, 3], states: ['gone:1', ...WHOLE.states, 'gone:2@3'] }]) {
    const { memory, models, folds } = missingIn(PLAN, layout);
    t.strictSame([models, folds, memory], [[], [], PLAN.memory]);
  }
  t.end();
});

t.test('everything is missing in an empty layout', (t) => {
  t.strictSame(layoutOf(missingIn(PLAN, { model_versions: [], states: [] })), WHOLE);
  t.end();
});

t.test('a projection of another version is missing, and needs the models of its states only', (t) => {
  const without = (gone: (name: string) => boolean) => ({
    model_versions: WHOLE.model_versions,
    states: WHOLE.states.filter((name) => !gone(name)),
  });
  const cohorts = missingIn(
    PLAN,
    without((name) => name.startsWith('cohorts:')),
  );
  t.strictSame(
    layoutOf(cohorts).states,
    WHOLE.states.filter((name) => name.startsWith('cohorts:')),
  );
  t.strictSame(cohorts.models, [], 'a state that is of no model needs none');
  t.strictSame(
    cohorts.folds.map(({ model }) => model),
    [null],
  );
  const second = missingIn(
    PLAN,
    without((name) => name.startsWith('stage-moves:') && name.endsWith('@2')),
  );
  t.strictSame(
    layoutOf(second).states,
    WHOLE.states.filter((name) => /^stage-moves:.*@2$/.test(name)),
  );
  t.strictSame(
    second.models.map(({ version }) => version),
    [2],
  );
  t.strictSame(
    second.folds.map(({ model }) => model),
    [0],
    'counted among the models that are left',
  );
  t.end();
});

t.test('a model without any state is missing for its place', (t) => {
  const plan = planOf([BUILT_IN_MODELS.lifecycle, BUILT_IN_MODELS.relationship]);
  const { models, folds } = missingIn(plan, { model_versions: [1], states: [] });
  t.strictSame([models.map(({ version }) => version), folds], [[2], []]);
  t.end();
});

t.test('a customer of one activity day has nothing closed to be put together', (t) => {
  const days = activityDays(history('received 2025-01-01', '2025-01-01 5 products=a,b'));
  const stored = planOf([BUILT_IN_MODELS.journey], []);
  const made = composeFold(WHOLE, [
    { layout: WHOLE, saved: folded(PLAN, days) },
    { layout: layoutOf(stored), saved: folded(stored, days) },
  ]);
  t.equal(made.closed, null);
  t.equal(hex(made), hex(folded(PLAN, days)));
  t.end();
});

t.test('what is in no part is a broken invariant, not a guess', (t) => {
  const days = activityDays(history('2025-01-01 5', '2025-01-02 5'));
  const half = planOf([BUILT_IN_MODELS.lifecycle], PROJECTIONS);
  const parts = [{ layout: { ...layoutOf(half), memory: PLAN.memory }, saved: folded(half, days) }];
  t.throws(() => composeFold(WHOLE, parts), { message: 'a saved fold lacks some of the places of its layout' });
  const stateless = planOf([BUILT_IN_MODELS.lifecycle, BUILT_IN_MODELS.relationship]);
  const without = [{ layout: layoutOf(stateless), saved: folded(stateless, days) }];
  t.throws(() => composeFold(WHOLE, without), { message: 'a saved fold lacks some of the states of its layout' });
  t.end();
});
