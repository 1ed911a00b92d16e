import t from 'tap';
import type { ActivityDay } from '../../src/domain/activity-day.ts';
import { forgetfulTallies } from '../../src/domain/fold.ts';
import { contentName, layoutOf } from '../../src/domain/fold-layout.ts';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { encodeFold } from '../../src/domain/saved-fold.ts';
import { createFoldings, planModels } from '../../src/ingest/foldings.ts';
import { foldWhole } from '../../src/ingest/refold.ts';
import { PROJECTIONS } from '../../src/reports/registry.ts';
import { type StoredLayout, stillWanted, wantedContents } from '../../src/store/fold-layouts.ts';
import type { StoredModel } from '../../src/store/models.ts';
import { days, there } from '../support/notation.ts';

const WIDE = there({ feature: 'distinct_products', at_least: 4 });

function stored(model_version: number, model: Model, state: StoredModel['state'], version = 1): StoredModel {
  return { model_version, version, model, state, published_at: 0 };
}

/** One that answers, one that was replaced, one that is being built, and one that is long gone. */
const MODELS = [
  stored(1, BUILT_IN_MODELS.lifecycle, 'active'),
  stored(2, WIDE, 'retiring'),
  stored(3, BUILT_IN_MODELS.journey, 'retired'),
  stored(7, BUILT_IN_MODELS.relationship, 'building'),
];
const NAMES = PROJECTIONS.map(contentName);
const layout = (number: number, projections: readonly string[], model_versions: readonly number[]): StoredLayout => {
  return { layout: number, projections, model_versions };
};
const OTHERS = NAMES.map((name) => (name.startsWith('cohorts:') ? 'cohorts:0' : name));
const WITHOUT = NAMES.filter((name) => !name.startsWith('cohorts:'));
const LAYOUTS = [
  layout(1, NAMES, [1, 2, 3]),
  layout(2, NAMES, [1, 7]),
  layout(3, NAMES, [1]),
  layout(4, NAMES, [1, 2, 7]),
  layout(5, OTHERS, [1, 2]),
  layout(6, WITHOUT, [1]),
  layout(7, NAMES.toReversed(), [1, 7]),
  layout(8, ['gone:3', 'gone:1@'], [2]),
  layout(9, [], []),
];
const foldings = createFoldings(MODELS, LAYOUTS, 2);
const LIFE: readonly ActivityDay[] = days(
  '2025-01-01 5 products=a,b,c,d,e',
  '2025-01-05 7 products=f',
  '2025-02-01 survey 9',
  '2025-03-01 5 products=a',
  '2025-03-02 5 products=g,h,i,j,k',
);

/** What folding into these models and projections alone saves. */
function alone(versions: readonly number[], projections: typeof PROJECTIONS): string {
  const plan = planModels(
    MODELS.filter(({ model_version }) => versions.includes(model_version)),
    2,
    projections,
  );
  return Buffer.from(encodeFold(foldWhole(plan, LIFE, forgetfulTallies(plan)).saved)).toString('hex');
}

t.test('what is wanted is what answers or is being built, of every projection of the code', (t) => {
  t.strictSame(wantedContents(MODELS), { projections: NAMES, model_versions: [1, 7] });
  t.strictSame(stillWanted(LAYOUTS[4]!, wantedContents(MODELS)), { projections: WITHOUT, model_versions: [1] });
  t.end();
});

t.test('new customers are folded into all that is wanted, and so are those who contain it and more', (t) => {
  t.equal(foldings.whole.layout, 2);
  t.strictSame(foldings.whole.model_versions, [1, 7]);
  t.strictSame(foldings.complete, [2, 4, 7], 'in whatever order it was saved');
  t.equal(foldings.of(4).layout, 2);
  t.equal(foldings.of(4).plan, foldings.whole.plan, 'plans are made once');
  t.equal(foldings.of(2), foldings.whole);
  t.end();
});

t.test('who lacks something is folded on into the rest of what is wanted', (t) => {
  const found = LAYOUTS.map(({ layout: number }) => [
    number,
    foldings.of(number).layout,
    foldings.of(number).model_versions,
  ]);
  t.strictSame(found, [
    [1, 3, [1]],
    [2, 2, [1, 7]],
    [3, 3, [1]],
    [4, 2, [1, 7]],
    [5, 6, [1]],
    [6, 6, [1]],
    [7, 2, [1, 7]],
    [8, 9, []],
    [9, 9, []],
  ]);
  t.end();
});

t.test('a stored fold is read as one of what is left of it', (t) => {
  const oldPlan = planModels(
    MODELS.filter(({ model_version }) => [1, 2, 3].includes(model_version)),
    2,
  );
  const bytes = encodeFold(foldWhole(oldPlan, LIFE, forgetfulTallies(oldPlan)).saved);
  t.strictSame(layoutOf(oldPlan), foldings.of(1).stored, 'the layout says what the fold contains, memory included');
  const read = Buffer.from(encodeFold(foldings.of(1).read(bytes))).toString('hex');
  t.equal(read, alone([1], PROJECTIONS));
  t.notSame(read, Buffer.from(bytes).toString('hex'));
  const { plan } = foldings.whole;
  const whole = encodeFold(foldWhole(plan, LIFE, forgetfulTallies(plan)).saved);
  t.equal(Buffer.from(encodeFold(foldings.whole.read(whole))).toString('hex'), alone([1, 7], PROJECTIONS));
  t.end();
});

t.test('tallies are chosen by the names of the states, whatever is missing between them', (t) => {
  const all = layoutOf(foldings.whole.plan).states.map((name) => name as never);
  t.equal(foldings.whole.talliesOf(all), all);
  for (const { layout: number } of LAYOUTS) {
    const folding = foldings.of(number);
    t.strictSame(folding.talliesOf(all), layoutOf(folding.plan).states, `layout ${number}`);
  }
  t.end();
});

t.test('a layout that nobody registered is not guessed', (t) => {
  t.throws(() => foldings.of(99), { name: 'ModelsChangedError' });
  const without = LAYOUTS.filter((one) => one.layout !== 3);
  t.throws(() => createFoldings(MODELS, without, 2).of(1), { message: 'a layout of saved folds is not registered' });
  t.throws(() => createFoldings(MODELS, LAYOUTS.slice(2, 3), 2), {
    message: 'a layout of saved folds is not registered',
  });
  t.end();
});
