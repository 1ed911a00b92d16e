import t from 'tap';
import { ACTIVITIES, type Condition, type Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { possibleActivities } from '../../src/domain/possible-activities.ts';
import { modelOf, spells, there } from '../support/notation.ts';

const BUYERS = ['active', 'at_risk', 'lapsed'];
const of = (when: Condition): readonly string[] => possibleActivities(there(when), 1);

t.test(
  'in the lifecycle a prospect may have any activity, a buyer any but none, a core customer none but lapsed',
  async (t) => {
    const all = BUILT_IN_MODELS.lifecycle.stages.map((_, stage) =>
      possibleActivities(BUILT_IN_MODELS.lifecycle, stage),
    );
    t.strictSame(all, [[...ACTIVITIES], BUYERS, BUYERS, ['active', 'at_risk'], ['lapsed']]);
  },
);

t.test('purchase days decide between none and the rest', async (t) => {
  t.strictSame(of({ feature: 'purchase_days', at_least: 1 }), BUYERS);
  t.strictSame(of({ feature: 'purchase_days', more_than: 0 }), BUYERS);
  t.strictSame(of({ feature: 'purchase_days', at_least: 0 }), ACTIVITIES);
  t.strictSame(of({ feature: 'purchase_days', at_most: 0 }), ['none']);
  t.strictSame(of({ feature: 'purchase_days', less_than: 1 }), ['none']);
  t.strictSame(of({ feature: 'purchase_days', less_than: 2 }), ACTIVITIES);
  t.strictSame(of({ feature: 'purchase_days', at_most: 1 }), ACTIVITIES);
});

t.test('within a window only the lack of any purchase is ruled out', async (t) => {
  t.strictSame(of({ feature: 'purchase_days', at_least: 1, within_days: 30 }), BUYERS);
  t.strictSame(
    of({ feature: 'purchase_days', at_most: 0, within_days: 30 }),
    ACTIVITIES,
    'who bought earlier has none lately',
  );
});

t.test('an activity condition names what is possible, its negation what is not', async (t) => {
  t.strictSame(of({ activity: ['lapsed', 'none'] }), ['none', 'lapsed']);
  t.strictSame(of({ not: { activity: ['lapsed'] } }), ['none', 'active', 'at_risk']);
});

t.test('a stage whose rule contradicts itself is still listed, with every activity', async (t) => {
  t.strictSame(of({ all: [{ feature: 'purchase_days', at_least: 1 }, { activity: ['none'] }] }), ACTIVITIES);
});

t.test('all narrows, any widens, and what is not said plainly stays possible', async (t) => {
  const buyer: Condition = { feature: 'purchase_days', at_least: 1 };
  t.strictSame(of({ all: [buyer, { not: { activity: ['lapsed'] } }] }), ['active', 'at_risk']);
  t.strictSame(of({ any: [{ activity: ['none'] }, { activity: ['lapsed'] }] }), ['none', 'lapsed']);
  t.strictSame(of({ not: buyer }), ACTIVITIES);
  t.strictSame(of({ stage_reached: 'known' }), ACTIVITIES);
  t.strictSame(of({ feature: 'tenure_days', at_least: 1 }), ACTIVITIES);
});

/** Histories that bring customers into every stage and activity that there is. */
const HISTORIES: readonly (readonly string[])[] = [
  ['known 2020-01-01'],
  ['2020-01-01 visit', '2020-02-01 departure price'],
  ['2020-01-01 1'],
  ['2020-01-01 1', '2020-01-05 departure price'],
  ['2020-01-01 visit', '2020-01-02 1', '2020-01-03 1', '2021-06-01 1'],
  ['2020-01-01 1', '2020-01-02 1', '2020-01-03 1', '2020-01-04 1'],
  ['2020-01-01 1', '2020-01-02 1', '2020-01-03 1', '2020-01-04 1', '2020-01-05 survey 9', '2020-02-01 referral'],
  [
    '2020-01-01 1',
    '2020-01-02 1',
    '2020-01-03 1',
    '2020-01-04 1',
    '2020-01-05 testimonial',
    '2020-02-01 departure other',
    '2020-03-01 1',
  ],
  ['2020-01-01 1', '2020-01-02 1', '2020-01-03 1', '2020-01-04 1', '2020-03-01 survey 6'],
  ['2020-01-01 5', '2020-01-02 refund 5 p1', '2020-02-01 1'],
];

/** Models whose rules say things in round-about ways. */
const ODD: readonly Model[] = [
  { feature: 'purchase_days', at_most: 0, within_days: 7 },
  { not: { feature: 'purchase_days', at_least: 2 } },
  { any: [{ feature: 'purchase_days', less_than: 1 }, { activity: ['lapsed'] }] },
  { not: { not: { activity: ['none'] } } },
  { all: [{ stage_reached: 'known' }, { not: { activity: ['active', 'none'] } }] },
  { feature: 'purchase_days', more_than: 0, at_most: 1 },
].map((when) => there(when as Condition));

t.test('no customer ever stands where the stage is said not to be possible', async (t) => {
  const seen = new Set<string>();
  const models = [
    ...Object.values(BUILT_IN_MODELS),
    ...ODD,
    modelOf({ a: { activity: ['none'] }, b: { feature: 'purchase_days', at_least: 1 } }),
  ];
  for (const [index, model] of models.entries()) {
    for (const lines of HISTORIES) {
      for (const spell of spells(model, ...lines)) {
        const [, stage, activity] = spell.split(' ');
        const place = model.stages.findIndex((candidate) => candidate.stage === stage);
        seen.add(`${index} ${stage} ${activity}`);
        if (!possibleActivities(model, place).includes(activity as never))
          t.fail(`${model.model_id} ${index}: ${spell} of ${lines.join(', ')}`);
      }
    }
  }
  for (const [index, name] of Object.keys(BUILT_IN_MODELS).entries()) {
    const shown = models[index]!.stages.slice(1).flatMap(({ stage }, place) =>
      possibleActivities(models[index]!, place + 1).map((activity) => `${index} ${stage} ${activity}`),
    );
    t.strictSame(
      shown.filter((place) => !seen.has(place) && !place.startsWith('3 ')),
      [],
      `${name}: every shown place of a later stage is taken by some history`,
    );
  }
});
