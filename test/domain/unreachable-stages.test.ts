import t from 'tap';
import type { Comparison, Condition, Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { unreachableStages } from '../../src/domain/unreachable-stages.ts';
import { modelOf } from '../support/notation.ts';

/** What is said of each stage on which nobody can stand, as `pointer: detail`. */
function said(model: Model): string[] {
  return unreachableStages(model, 2).map(({ pointer, detail }) => `${pointer}: ${detail}`);
}
/** The same of a model with these rules, in order: `a`, `b`, `c` … */
function of(...whens: readonly Condition[]): string[] {
  return said(modelOf(Object.fromEntries(whens.map((when, index) => [String.fromCharCode(97 + index), when]))));
}
/** Why a rule can never hold; null if nothing is said of its stage. */
function never(when: Condition, model: Model = modelOf({ a: when })): string | null {
  const found = said(model).find((text) => text.startsWith('/stages/1/when: can never hold: '));
  return (
    found?.replace('/stages/1/when: can never hold: ', '').replace('; change the rule or remove the stage', '') ?? null
  );
}
/** True if nobody can stand on the first of two rules’ stages because of the second. */
const hidden = (rule: Condition, later: Condition): boolean =>
  of(rule, later).some((text) => text.startsWith('/stages/1/when: is always hidden'));

const is = (feature: Comparison['feature'], thresholds: Omit<Comparison, 'feature'>): Comparison => ({
  feature,
  ...thresholds,
});
const bought = (thresholds: Omit<Comparison, 'feature'>) => is('purchase_days', thresholds);
const all = (...parts: Condition[]): Condition => ({ all: parts });
const any = (...parts: Condition[]): Condition => ({ any: parts });
const not = (part: Condition): Condition => ({ not: part });
const activity = (...names: ('none' | 'active' | 'at_risk' | 'lapsed')[]): Condition => ({ activity: names });
const visits = (thresholds: Omit<Comparison, 'feature' | 'kinds'>, ...kinds: string[]) =>
  is('interactions', { ...thresholds, kinds });

t.test('nothing is said of the built-in models', async (t) => {
  for (const model of Object.values(BUILT_IN_MODELS)) t.strictSame(said(model), [], model.model_id);
});

t.test('a range that holds no whole number holds nobody', async (t) => {
  t.equal(never(bought({ at_least: 4, at_most: 3 })), 'nothing is purchase_days at_least 4 and at_most 3');
  t.equal(never(bought({ more_than: 3, less_than: 4 })), 'nothing is purchase_days more_than 3 and less_than 4');
  t.equal(never(bought({ more_than: 3, less_than: 5 })), null, '4');
  t.equal(never(bought({ at_least: 4, at_most: 4 })), null);
  t.equal(
    never(is('revenue', { more_than: '10', less_than: '10.01' })),
    'nothing is revenue more_than 10 and less_than 10.01',
  );
  t.equal(never(is('revenue', { more_than: '10', less_than: '10.02' })), null);
  t.equal(never(bought({ less_than: 0 })), 'nothing is purchase_days less_than 0');
  t.equal(never(is('latest_score', { more_than: 10 })), 'nothing is latest_score more_than 10');
  t.equal(never(is('profit', { at_most: '-5' })), null, 'money can be negative');
  t.equal(never(is('revenue', { less_than: '0' })), null, 'refunds can exceed purchases');
  t.equal(never(bought({ at_least: 8, within_days: 7 })), 'nothing is purchase_days within_days 7 at_least 8');
  t.equal(never(bought({ at_least: 7, within_days: 7 })), null);
});

t.test('ranges of one feature that do not meet contradict each other', async (t) => {
  const text = 'purchase_days at_least 4 contradicts purchase_days less_than 4';
  t.equal(never(all(bought({ at_least: 4 }), bought({ less_than: 4 }))), text);
  t.equal(never(all(bought({ at_least: 4 }), activity('active'), bought({ less_than: 4 }))), text);
  t.equal(
    never(all(any(bought({ at_least: 4 })), not(bought({ at_least: 4 })))),
    'the condition in /all/0 contradicts not purchase_days at_least 4',
  );
  t.equal(never(all(bought({ at_least: 4 }), bought({ less_than: 4, within_days: 30 }))), null);
  t.equal(never(all(not(bought({ at_most: 3 })), bought({ at_most: 4 }))), null, '4');
  t.equal(never(all(not(bought({ at_least: 3 })), bought({ at_least: 2 }))), null, '2');
  t.equal(
    never(any(all(bought({ at_least: 4 }), bought({ at_most: 2 })), is('latest_score', { at_least: 9, at_most: 8 }))),
    'purchase_days at_least 4 contradicts purchase_days at_most 2',
    'no alternative is possible',
  );
  t.equal(never(any(all(bought({ at_least: 4 }), bought({ at_most: 2 })), is('latest_score', { at_least: 9 }))), null);
  const three = all(
    any(bought({ at_most: 1 }), bought({ at_least: 5 })),
    bought({ at_most: 4 }),
    bought({ at_least: 2 }),
  );
  t.equal(never(three), 'the conditions in /all contradict each other');
});

t.test('what never bought is without activity, and the other way round', async (t) => {
  const none = bought({ at_most: 0 });
  t.equal(
    never(all(none, activity('active', 'lapsed'))),
    'purchase_days at_most 0 contradicts activity active or lapsed',
  );
  t.equal(never(all(bought({ at_least: 1 }), activity('none'))), 'purchase_days at_least 1 contradicts activity none');
  t.equal(
    never(all(activity('none', 'active'), activity('lapsed', 'at_risk'))),
    'activity none or active contradicts activity lapsed or at_risk',
  );
  t.equal(never(all(activity('none', 'active'), not(activity('none')))), null);
  t.equal(
    never(not(activity('none', 'active', 'at_risk', 'lapsed'))),
    'it denies activity none or active or at_risk or lapsed, which always holds',
  );
  t.ok(never(all(activity('none'), is('tenure_days', { at_least: 0 }))));
  t.ok(never(all(activity('none'), is('days_since_last_purchase', { at_least: 0 }))));
  t.ok(never(all(activity('none'), is('distinct_products', { at_least: 1 }))));
  t.ok(never(all(activity('none'), is('revenue', { more_than: '0' }))));
  t.ok(never(all(activity('none'), is('profit', { more_than: '0', within_days: 30 }))));
  t.equal(
    never(all(activity('none'), is('revenue', { less_than: '0' }))),
    null,
    'a purchase refunded beyond its amount',
  );
  t.ok(never(all(activity('active'), not(is('tenure_days', { at_least: 0 })))));
});

t.test('what does not exist fails every comparison, so that not holding is possible', async (t) => {
  const scored = is('latest_score', { at_least: 0 });
  t.equal(never(not(scored)), null, 'no score yet');
  t.equal(never(not(bought({ at_least: 0 }))), 'it denies purchase_days at_least 0, which always holds');
  t.equal(
    never(all(not(scored), is('latest_score', { at_most: 4 }))),
    'not latest_score at_least 0 contradicts latest_score at_most 4',
  );
  t.equal(
    never(all(not(is('latest_score', { at_least: 7 })), not(is('latest_score', { less_than: 7 })))),
    null,
    'no score yet',
  );
  t.ok(never(all(not(is('latest_score', { at_least: 7 })), not(is('latest_score', { less_than: 7 })), scored)));
});

t.test('silence and activity agree with the lapse policy', async (t) => {
  const silent = (thresholds: Omit<Comparison, 'feature'>) => is('days_since_last_purchase', thresholds);
  t.equal(
    never(all(activity('active'), silent({ more_than: 90 }))),
    'activity active contradicts days_since_last_purchase more_than 90',
  );
  t.equal(never(all(activity('active'), silent({ at_least: 90 }))), null);
  t.ok(never(all(activity('at_risk'), silent({ at_most: 90 }))));
  t.ok(never(all(activity('at_risk'), silent({ at_least: 181 }))));
  t.ok(never(all(activity('active', 'at_risk'), silent({ at_least: 181 }))));
  t.equal(never(all(activity('lapsed'), silent({ at_most: 0 }))), null, 'a departure on the day of a purchase');
  const lapse = {
    policy: 'cadence',
    prior_days: 60,
    weight: 2,
    at_risk_after_days: { at_least: 14, at_most: 180 },
    lapsed_after_days: { at_least: 30, at_most: 365 },
  } as const;
  const rhythmic = (when: Condition) => never(when, { ...modelOf({ a: when }), lapse });
  t.ok(rhythmic(all(activity('active'), silent({ at_least: 181 }))));
  t.equal(rhythmic(all(activity('active'), silent({ at_least: 180 }))), null);
  t.ok(rhythmic(all(activity('at_risk'), silent({ at_most: 14 }))));
  t.equal(rhythmic(all(activity('at_risk'), silent({ at_least: 15, at_most: 15 }))), null);
  t.ok(rhythmic(all(activity('at_risk'), silent({ at_least: 366 }))));
});

t.test('quantities that bound each other are seen together', async (t) => {
  const last = (days: number) => is('days_since_last_purchase', { at_least: days });
  t.ok(never(all(bought({ at_least: 1, within_days: 30 }), last(30))));
  t.equal(never(all(bought({ at_least: 1, within_days: 30 }), last(29))), null);
  t.ok(never(all(bought({ at_most: 0, within_days: 30 }), is('days_since_last_purchase', { at_most: 29 }))));
  t.equal(never(all(bought({ at_most: 0, within_days: 30 }), is('days_since_last_purchase', { at_most: 30 }))), null);
  t.ok(
    never(all(bought({ at_least: 3, within_days: 30 }), bought({ at_most: 2, within_days: 60 }))),
    'a longer window holds more',
  );
  t.equal(never(all(bought({ at_least: 3, within_days: 60 }), bought({ at_most: 2, within_days: 30 }))), null);
  t.ok(never(all(bought({ at_least: 3, within_days: 60 }), bought({ at_most: 2 }))));
  t.ok(never(all(is('distinct_products', { at_least: 2, within_days: 7 }), is('distinct_products', { at_most: 1 }))));
  t.ok(never(all(is('distinct_products', { at_least: 2, within_days: 7 }), last(7))));
  t.ok(never(all(is('revenue', { at_least: '1', within_days: 7 }), last(7))));
  t.ok(never(all(is('profit', { at_least: '10' }), is('revenue', { less_than: '10' }))), 'costs are never negative');
  t.equal(never(all(is('profit', { at_least: '10' }), is('revenue', { less_than: '10', within_days: 30 }))), null);
  t.ok(never(all(bought({ at_least: 5 }), is('tenure_days', { at_most: 3 }))), 'five days take four');
  t.equal(never(all(bought({ at_least: 5 }), is('tenure_days', { at_most: 4 }))), null);
  t.ok(never(all(last(10), is('tenure_days', { at_most: 9 }))));
  t.ok(never(all(visits({ at_least: 3 }, 'visit'), visits({ at_most: 2 }, 'visit', 'survey'))));
  t.equal(never(all(visits({ at_least: 3 }, 'visit', 'survey'), visits({ at_most: 2 }, 'visit'))), null);
  t.ok(
    never(all(visits({ at_least: 1, within_days: 7 }, 'visit'), is('days_since_last_interaction', { at_least: 7 }))),
  );
  t.ok(never(all(is('latest_score', { at_least: 9 }), not(is('days_since_last_interaction', { at_least: 0 })))));
  t.ok(never(all(is('days_since_open_complaint', { at_most: 3 }), is('days_since_last_interaction', { at_least: 4 }))));
  t.equal(
    never(all(is('days_since_open_complaint', { at_least: 4 }), is('days_since_last_interaction', { at_most: 3 }))),
    null,
  );
});

t.test('a stage that can never hold is never reached, and one that everybody reached always was', async (t) => {
  const impossible = bought({ at_least: 4, at_most: 3 });
  t.strictSame(
    of(impossible, { stage_reached: 'a' }, all(bought({ at_least: 1 }), { stage_reached: 'b' })).map(
      (text) => text.split(';')[0],
    ),
    [
      '/stages/1/when: can never hold: nothing is purchase_days at_least 4 and at_most 3',
      '/stages/2/when: can never hold: it asks for stage a, which can never be reached',
      '/stages/3/when: can never hold: it asks for stage b, which can never be reached',
    ],
  );
  t.equal(never(not({ stage_reached: 'known' })), 'it asks for never having reached known, which everybody has');
  t.match(of(is('latest_score', { at_least: 9 }), all({ stage_reached: 'a' }, not({ stage_reached: 'a' }))), [
    /stages.2.when: can never hold: stage_reached a contradicts not stage_reached a/,
  ]);
  t.strictSame(
    of(bought({ at_least: 2 }), not({ stage_reached: 'a' })).length,
    1,
    'the first stage is hidden by a and b together',
  );
  t.strictSame(of(bought({ at_least: 2 }), all(activity('active'), not({ stage_reached: 'a' }))), []);
});

t.test('of a stage once reached something remains', async (t) => {
  const late = (rule: Condition, then: Condition) =>
    of(rule, all({ stage_reached: 'a' }, then)).map((text) => text.split(';')[0]);
  const core = bought({ at_least: 4 });
  t.strictSame(late(core, bought({ at_most: 3 })), [
    '/stages/2/when: can never hold: stage_reached a contradicts purchase_days at_most 3',
  ]);
  t.strictSame(late(core, activity('none')), [
    '/stages/2/when: can never hold: stage_reached a contradicts activity none',
  ]);
  t.strictSame(late(core, activity('lapsed')), []);
  t.strictSame(
    late(bought({ at_least: 4, within_days: 30 }), bought({ at_most: 3, within_days: 30 })),
    [],
    'a window moves on',
  );
  t.strictSame(late(bought({ at_least: 4, within_days: 30 }), bought({ at_most: 3 })).length, 1);
  t.strictSame(
    late(any(core, bought({ at_most: 1 })), bought({ at_least: 2, at_most: 3 })),
    [],
    'one of two ways leaves nothing',
  );
  t.strictSame(
    late(any(core, bought({ at_least: 2, at_most: 2 })), bought({ at_most: 1 })).length,
    1,
    'at least two either way',
  );
  t.strictSame(late(any(core, activity('active')), bought({ at_least: 1, at_most: 3 })), []);
  t.strictSame(late(activity('active'), bought({ at_most: 0 })).length, 1, 'who was active has bought');
  t.strictSame(late(visits({ at_least: 2 }, 'visit'), visits({ at_most: 1 }, 'visit')).length, 1);
  t.strictSame(late(visits({ at_least: 1 }, 'visit'), visits({ at_most: 0 }, 'visit')).length, 1);
  t.strictSame(late(is('latest_score', { at_least: 9 }), is('latest_score', { at_most: 3 })), [], 'a score can fall');
  const never = of(core, all(not({ stage_reached: 'a' }), bought({ at_least: 4 })));
  t.match(
    never,
    [/stages.2.when: can never hold: not stage_reached|the condition in/],
    'what has never held does not hold now',
  );
});

t.test('a stage is hidden by a later one that holds whenever it does', async (t) => {
  t.ok(hidden(bought({ at_least: 2 }), bought({ at_least: 2 })), 'the same rule');
  t.ok(hidden(bought({ at_least: 2 }), bought({ at_least: 1 })), 'a wider range');
  t.notOk(hidden(bought({ at_least: 1 }), bought({ at_least: 2 })));
  t.ok(hidden(bought({ at_least: 2, at_most: 3 }), bought({ more_than: 1, less_than: 4 })));
  t.ok(hidden(all(bought({ at_least: 2 }), activity('active')), activity('active', 'at_risk')));
  t.ok(hidden(activity('lapsed'), bought({ at_least: 1 })), 'whoever lapsed has bought');
  t.ok(hidden(bought({ at_least: 2 }), any(activity('active'), activity('at_risk'), activity('lapsed'))));
  t.notOk(hidden(bought({ at_least: 2 }), any(activity('active'), activity('at_risk'))));
  t.ok(hidden(is('latest_score', { at_least: 9 }), not(is('latest_score', { less_than: 7 }))));
  t.notOk(hidden(not(is('latest_score', { less_than: 9 })), is('latest_score', { at_least: 7 })), 'no score yet');
  t.ok(hidden(bought({ at_least: 2 }), { stage_reached: 'a' }), 'what holds has been reached');
  t.notOk(hidden(bought({ at_least: 2 }), all({ stage_reached: 'a' }, activity('lapsed'))));
});

t.test('the later stage that hides one is named, or all that do so together', async (t) => {
  t.strictSame(
    of(bought({ at_least: 2 }), activity('none'), bought({ at_least: 1, at_most: 9 }), bought({ at_least: 2 })).slice(
      1,
    ),
    [
      '/stages/1/when: is always hidden: whenever it holds the later stage d holds too, and a customer stands on the last that holds; narrow the rule of d, list it before this stage, or remove one of the two',
    ],
  );
  t.strictSame(of(activity('active'), bought({ at_most: 3 }), bought({ at_least: 4 })), [
    '/stages/0: is always hidden: for everybody one of the later stages a, b, c holds too, and a customer stands on the last that holds; narrow their rules, or remove this stage and the rule of the next',
    '/stages/1/when: is always hidden: whenever it holds one of the later stages b, c holds too, and a customer stands on the last that holds; narrow their rules, or remove this stage',
  ]);
  t.strictSame(of({ stage_reached: 'known' }), [
    '/stages/0: is always hidden: for everybody the later stage a holds too, and a customer stands on the last that holds; narrow the rule of a, or remove it',
  ]);
  const ladder = Array.from({ length: 8 }, (_, n) => bought({ at_least: n, at_most: n }));
  t.match(of(...ladder, bought({ at_least: 8 })), [/stages a, b, c, d, e, f, … holds/], 'long lists are cut');
});

t.test('contradictions are told in short, kinds too', async (t) => {
  const kinds = Array.from({ length: 9 }, (_, index) => `k${index}`);
  t.equal(
    never(all(visits({ at_least: 2, within_days: 7 }, ...kinds), visits({ at_most: 1 }, ...kinds))),
    'interactions of k0, k1, k2, k3, k4, k5, … within_days 7 at_least 2 contradicts interactions of k0, k1, k2, k3, k4, k5, … at_most 1',
  );
  t.equal(
    never(not(any(bought({ at_least: 2 }), bought({ at_most: 1 })))),
    'not purchase_days at_least 2 contradicts not purchase_days at_most 1',
  );
});

t.test('of rules too intricate to weigh nothing is said', async (t) => {
  const wide = (from: number): Condition =>
    any(...Array.from({ length: 20 }, (_, index) => bought({ at_least: 2, within_days: from + index })));
  t.strictSame(
    of(all(wide(5), wide(30), wide(60), bought({ at_most: 1 }))),
    [
      '/stages/1/when: can never hold: the condition in /all/0 contradicts purchase_days at_most 1; change the rule or remove the stage',
    ],
    'two parts alone are enough',
  );
  const alternatives = (from: number): Condition =>
    any(wide(from), wide(from + 20), ...Array.from({ length: 260 }, () => activity('active')));
  t.strictSame(of(all(alternatives(5), bought({ at_most: 1 }), activity('none'))), [], 'more than 256 alternatives');
  const many = Array.from({ length: 60 }, (_, index) =>
    all(...Array.from({ length: 40 }, (_, part) => bought({ at_least: 1, within_days: 1 + index + part }))),
  );
  t.strictSame(
    of(any(...many), activity('none'), all(activity('none'), activity('active'))),
    [],
    'nor of what is left when the time is up',
  );
});
