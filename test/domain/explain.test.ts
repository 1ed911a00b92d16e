import t from 'tap';
import { compileExplanation, type Explanation, type Need, type Standing } from '../../src/domain/explain.ts';
import { activityAt, compileLapse } from '../../src/domain/lapse.ts';
import { ACTIVITIES, type Condition } from '../../src/domain/model.ts';
import { walk } from '../../src/domain/walk.ts';
import { classifierOf, day, days, modelOf } from '../support/notation.ts';

/** A standing at the end of a day, and the explanation of a rule; the first stage is reached, and `second` if said. */
function situation(
  rule: Condition,
  on: string,
  lines: readonly string[],
  reached = 1,
): { explanation: Explanation; standing: Standing } {
  const model = modelOf({ second: { feature: 'purchase_days', at_least: 1 }, third: rule });
  const { compiled, memory } = classifierOf(model);
  const { facts } = walk(memory, compiled, days(...lines), null);
  const standing = { facts, day: day(on), activity: activityAt(compileLapse(model.lapse), facts, day(on)), reached };
  const explanation = compileExplanation(rule, { memory, decimals: 2, stages: ['known', 'second', 'third'] });
  return { explanation, standing };
}

/** A need in short: `purchase_days at_least 4 (2)`; alternatives with `|`, what belongs together with `&`. */
function short(need: Need): string {
  if (need.type === 'comparison')
    return `${need.input.feature} ${need.operator} ${need.threshold} (${need.input.value})`;
  if (need.type === 'activity') return `activity ${need.activities.join('/')} now ${need.now}`;
  if (need.type === 'stage') return `${need.reached ? 'reached' : 'never'} ${need.stage}`;
  return need.ways.map((way) => `[${way.map(short).join(' & ')}]`).join(' | ');
}
const missing = (rule: Condition, on: string, ...lines: readonly string[]): string[] => missingIn(rule, on, lines);
function missingIn(...about: Parameters<typeof situation>): string[] {
  const { explanation, standing } = situation(...about);
  return explanation.needs(standing).map(short);
}

const TWO_BOUGHT = ['2025-01-01 1', '2025-01-05 2'];
const ON = '2025-01-10';

t.test('nothing is missing of a rule that holds', async (t) => {
  t.strictSame(missing({ feature: 'purchase_days', at_least: 2 }, ON, ...TWO_BOUGHT), []);
  t.strictSame(missing({ activity: ['active'] }, ON, ...TWO_BOUGHT), []);
  t.strictSame(missing({ stage_reached: 'known' }, ON, ...TWO_BOUGHT), []);
  t.strictSame(missing({ not: { stage_reached: 'second' } }, ON, ...TWO_BOUGHT), []);
});

t.test('a comparison that fails is a need with what it saw; money in minor units', async (t) => {
  t.strictSame(missing({ feature: 'purchase_days', at_least: 4 }, ON, ...TWO_BOUGHT), ['purchase_days at_least 4 (2)']);
  t.strictSame(missing({ feature: 'revenue', more_than: '10.50' }, ON, ...TWO_BOUGHT), [
    'revenue more_than 1050 (300)',
  ]);
  t.strictSame(
    missing({ feature: 'tenure_days', at_least: 3, at_most: 8 }, ON, ...TWO_BOUGHT),
    ['tenure_days at_most 8 (9)'],
    'only the threshold that fails',
  );
});

t.test('what does not exist yet is missing whatever is asked of it', async (t) => {
  t.strictSame(missing({ feature: 'latest_score', less_than: 7 }, ON, ...TWO_BOUGHT), [
    'latest_score less_than 7 (null)',
  ]);
  t.strictSame(
    missing({ not: { feature: 'latest_score', less_than: 7 } }, ON, ...TWO_BOUGHT),
    [],
    'and satisfies the negation',
  );
});

t.test('the negation of a comparison asks for the opposite', async (t) => {
  const asked = (rule: Condition): string[] => missing({ not: rule }, ON, ...TWO_BOUGHT);
  t.strictSame(asked({ feature: 'purchase_days', at_least: 2 }), ['purchase_days less_than 2 (2)']);
  t.strictSame(asked({ feature: 'purchase_days', at_most: 2 }), ['purchase_days more_than 2 (2)']);
  t.strictSame(asked({ feature: 'purchase_days', more_than: 1 }), ['purchase_days at_most 1 (2)']);
  t.strictSame(asked({ feature: 'purchase_days', less_than: 3 }), ['purchase_days at_least 3 (2)']);
  t.strictSame(asked({ feature: 'purchase_days', at_least: 1, at_most: 2 }), [
    '[purchase_days less_than 1 (2)] | [purchase_days more_than 2 (2)]',
  ]);
  t.strictSame(asked({ feature: 'purchase_days', at_least: 1, at_most: 1 }), [], 'one threshold that fails is enough');
  t.strictSame(missing({ not: { not: { feature: 'purchase_days', at_least: 4 } } }, ON, ...TWO_BOUGHT), [
    'purchase_days at_least 4 (2)',
  ]);
});

t.test('an activity rule names the present activity and those that would do', async (t) => {
  const KNOWN = 'known 2025-01-01';
  t.strictSame(missing({ activity: ['lapsed', 'at_risk'] }, ON, ...TWO_BOUGHT), ['activity at_risk/lapsed now active']);
  t.strictSame(missing({ not: { activity: ['none'] } }, ON, KNOWN), ['activity active/at_risk/lapsed now none']);
  t.strictSame(missing({ not: { activity: ['lapsed'] } }, ON, ...TWO_BOUGHT), []);
  for (const wanted of ACTIVITIES) {
    t.equal(missing({ activity: [wanted] }, ON, KNOWN).length, wanted === 'none' ? 0 : 1, wanted);
  }
});

t.test('a buyer is not told to have none again, unless nothing else would do', async (t) => {
  t.strictSame(missing({ activity: ['lapsed', 'none'] }, ON, ...TWO_BOUGHT), ['activity lapsed now active']);
  const neither: Condition = { not: { activity: ['active', 'lapsed'] } };
  t.strictSame(missing(neither, ON, ...TWO_BOUGHT), ['activity at_risk now active']);
  t.strictSame(missing({ activity: ['none'] }, ON, ...TWO_BOUGHT), ['activity none now active']);
});

t.test('a stage must have been reached, or must never have been', async (t) => {
  t.strictSame(missing({ stage_reached: 'second' }, ON, ...TWO_BOUGHT), ['reached second']);
  t.strictSame(missingIn({ stage_reached: 'second' }, ON, TWO_BOUGHT, 0b11), []);
  t.strictSame(missingIn({ not: { stage_reached: 'second' } }, ON, TWO_BOUGHT, 0b11), ['never second']);
});

t.test('all asks for every part that fails, any for one of them', async (t) => {
  const four: Condition = { feature: 'purchase_days', at_least: 4 };
  const rich: Condition = { feature: 'revenue', at_least: '9' };
  const known: Condition = { stage_reached: 'known' };
  const asked = (rule: Condition): string[] => missing(rule, ON, ...TWO_BOUGHT);
  t.strictSame(asked({ all: [four, known, rich] }), ['purchase_days at_least 4 (2)', 'revenue at_least 900 (300)']);
  t.strictSame(asked({ any: [four, { all: [rich, { activity: ['lapsed'] }] }] }), [
    '[purchase_days at_least 4 (2)] | [revenue at_least 900 (300) & activity lapsed now active]',
  ]);
  t.strictSame(asked({ any: [four, known] }), [], 'one part that holds is enough');
  t.strictSame(asked({ any: [four] }), ['purchase_days at_least 4 (2)'], 'one way is no choice');
  t.strictSame(asked({ all: [four] }), ['purchase_days at_least 4 (2)']);
  t.strictSame(asked({ not: { any: [{ not: four }, { not: rich }] } }), [
    'purchase_days at_least 4 (2)',
    'revenue at_least 900 (300)',
  ]);
  t.strictSame(asked({ not: { all: [known, { activity: ['active'] }] } }), [
    '[never known] | [activity at_risk/lapsed now active]',
  ]);
});

t.test('inputs are every comparison of a rule with its value, each once, in the order of the rule', async (t) => {
  const visits = { feature: 'interactions', kinds: ['visit'], at_least: 1 } as const;
  const rule: Condition = {
    all: [
      { feature: 'purchase_days', at_least: 1 },
      { any: [{ not: { feature: 'latest_score', less_than: 7 } }, { feature: 'purchase_days', at_most: 9 }] },
      visits,
      { ...visits, within_days: 5 },
      { activity: ['active'] },
      { stage_reached: 'known' },
    ],
  };
  const { explanation, standing } = situation(rule, ON, [...TWO_BOUGHT, '2025-01-04 visit', '2025-01-05 visit']);
  t.strictSame(explanation.inputs(standing), [
    { feature: 'purchase_days', within_days: null, kinds: null, value: 2 },
    { feature: 'latest_score', within_days: null, kinds: null, value: null },
    { feature: 'interactions', within_days: null, kinds: ['visit'], value: 2 },
    { feature: 'interactions', within_days: 5, kinds: ['visit'], value: 0 },
  ]);
});
