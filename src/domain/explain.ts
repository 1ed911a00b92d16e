import type { Day } from './calendar.ts';
import { type ConditionContext, compare, comparisonsOf, compileFeature, thresholdsOf } from './condition.ts';
import type { Facts, Memory } from './facts.ts';
import {
  ACTIVITIES,
  type Activity,
  type Comparison,
  type Condition,
  type Feature,
  isComparison,
  type Operator,
} from './model.ts';

/** One customer at the end of one day, as explanations see it. */
export interface Standing {
  readonly facts: Facts;
  /** The day asked about, on or after `facts.day`; nothing has happened between the two. */
  readonly day: Day;
  /** Index into `ACTIVITIES`. */
  readonly activity: number;
  /** Bit i: the condition of stage i has held at the end of this or an earlier day. */
  readonly reached: number;
}

/** What a comparison looked at, with the value it found; money in minor units, null if there is none yet. */
export interface Input {
  readonly feature: Feature;
  readonly within_days: number | null;
  readonly kinds: readonly string[] | null;
  readonly value: number | null;
}

/** One thing that must change before a rule holds. */
export type Need =
  | {
      readonly type: 'comparison';
      readonly input: Input;
      readonly operator: Operator;
      /** Money in minor units. */
      readonly threshold: number;
    }
  | { readonly type: 'activity'; readonly now: Activity; readonly activities: readonly Activity[] }
  | { readonly type: 'stage'; readonly stage: string; readonly reached: boolean }
  /** Any one of these lists of needs is enough. */
  | { readonly type: 'either'; readonly ways: readonly (readonly Need[])[] };

/** A rule made ready to be explained many times. */
export interface Explanation {
  /** Every comparison of the rule with the value it saw, each input once, in the order of the rule. */
  inputs(standing: Standing): Input[];
  /** What is missing before the rule holds; empty if nothing is. */
  readonly needs: Needs;
}

type Needs = (standing: Standing) => readonly Need[];

/** Compiles the explanation of a checked condition. The memory must have been made from it (`memoryOf`). */
export function compileExplanation(condition: Condition, context: ConditionContext): Explanation {
  const distinct = new Map(
    comparisonsOf([condition]).map((part) => [
      JSON.stringify([part.feature, part.within_days, part.kinds]),
      compileInput(part, context.memory),
    ]),
  );
  const inputs = [...distinct.values()];
  return {
    inputs: (standing) => inputs.map((input) => input(standing)),
    needs: compileNeeds(condition, context, true),
  };
}

function compileInput(comparison: Comparison, memory: Memory): (standing: Standing) => Input {
  const { feature, within_days = null, kinds = null } = comparison;
  const { value } = compileFeature(comparison, memory);
  return ({ facts, day }) => ({ feature, within_days, kinds, value: value(facts, day) });
}

/** What is missing before the condition holds, or, with `wanted` false, before it no longer does. */
function compileNeeds(condition: Condition, context: ConditionContext, wanted: boolean): Needs {
  if (isComparison(condition)) return comparisonNeeds(condition, context, wanted);
  if ('not' in condition) return compileNeeds(condition.not, context, !wanted);
  if ('activity' in condition) return activityNeeds(condition.activity, wanted);
  if ('stage_reached' in condition) return stageNeeds(condition.stage_reached, context.stages, wanted);
  const [parts, together] = 'all' in condition ? [condition.all, wanted] : [condition.any, !wanted];
  const needs = parts.map((part) => compileNeeds(part, context, wanted));
  return (standing) => {
    const found = needs.map((need) => need(standing));
    return together ? every(found) : either(found);
  };
}

function comparisonNeeds(comparison: Comparison, context: ConditionContext, wanted: boolean): Needs {
  const read = compileInput(comparison, context.memory);
  const tests = thresholdsOf(comparison, context.decimals).map(
    ([operator, threshold]) => [wanted ? operator : OPPOSITE[operator], threshold] as const,
  );
  return (standing) => {
    const input = read(standing);
    const { value } = input;
    const needs: Need[] = [];
    for (const [operator, threshold] of tests) {
      // What does not exist yet fails every comparison, and so satisfies every negation of one.
      const holds = value === null ? !wanted : compare(value, operator, threshold);
      if (!holds) needs.push({ type: 'comparison', input, operator, threshold });
      else if (!wanted) return NOTHING;
    }
    return wanted ? needs : either(needs.map((need) => [need]));
  };
}

const OPPOSITE: Readonly<Record<Operator, Operator>> = {
  at_least: 'less_than',
  at_most: 'more_than',
  more_than: 'at_most',
  less_than: 'at_least',
};

function activityNeeds(allowed: readonly Activity[], wanted: boolean): Needs {
  const enough = ACTIVITIES.filter((activity) => allowed.includes(activity) === wanted);
  // Who has bought has `none` again only if the purchases are taken back, so it is named only where nothing else would do.
  const likely = enough.filter((activity) => activity !== 'none');
  const activities = likely.length > 0 ? likely : enough;
  const byActivity = ACTIVITIES.map((now): Need[] =>
    enough.includes(now) ? [] : [{ type: 'activity', now, activities }],
  );
  return ({ activity }) => byActivity[activity]!;
}

function stageNeeds(stage: string, stages: readonly string[], wanted: boolean): Needs {
  const bit = 1 << stages.indexOf(stage);
  const missing: Need[] = [{ type: 'stage', stage, reached: wanted }];
  return ({ reached }) => (((reached & bit) !== 0) === wanted ? NOTHING : missing);
}

const NOTHING: readonly Need[] = [];

function every(parts: readonly (readonly Need[])[]): readonly Need[] {
  return parts.length === 1 ? parts[0]! : parts.flat();
}

function either(ways: readonly (readonly Need[])[]): readonly Need[] {
  if (ways.some((way) => way.length === 0)) return NOTHING;
  return ways.length === 1 ? ways[0]! : [{ type: 'either', ways }];
}
