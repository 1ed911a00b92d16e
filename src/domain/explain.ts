import { compare, compileFeature, type Standing, thresholdsOf } from './condition.ts';
import type { Memory } from './facts.ts';
import {
  ACTIVITIES,
  type Activity,
  type Comparison,
  type Condition,
  type Feature,
  isComparison,
  type Operator,
} from './model.ts';

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

/** What explaining needs to know beyond the standing. */
export interface ExplainContext {
  readonly memory: Memory;
  readonly decimals: number;
  readonly stages: readonly string[];
}

/** Every comparison of a rule with the value it saw, each input once, in the order of the rule. */
export function inputsOf(condition: Condition, standing: Standing, context: ExplainContext): Input[] {
  const seen = new Map<string, Input>();
  const visit = (part: Condition): void => {
    if (isComparison(part)) {
      const input = inputOf(part, standing, context);
      seen.set(JSON.stringify([input.feature, input.within_days, input.kinds]), input);
    } else if ('all' in part) part.all.forEach(visit);
    else if ('any' in part) part.any.forEach(visit);
    else if ('not' in part) visit(part.not);
  };
  visit(condition);
  return [...seen.values()];
}

function inputOf(comparison: Comparison, { facts, day }: Standing, { memory }: ExplainContext): Input {
  return {
    feature: comparison.feature,
    within_days: comparison.within_days ?? null,
    kinds: comparison.kinds ?? null,
    value: compileFeature(comparison, memory).value(facts, day),
  };
}

/** What is missing before the condition holds (or, with `wanted` false, before it no longer does); empty if nothing is. */
export function needsOf(condition: Condition, standing: Standing, context: ExplainContext, wanted = true): Need[] {
  if (isComparison(condition)) return comparisonNeeds(condition, standing, context, wanted);
  if ('not' in condition) return needsOf(condition.not, standing, context, !wanted);
  if ('activity' in condition) {
    const now = ACTIVITIES[standing.activity]!;
    const enough = ACTIVITIES.filter((activity) => condition.activity.includes(activity) === wanted);
    if (enough.includes(now)) return [];
    // Who has bought has `none` again only if the purchases are taken back, so it is named only where nothing else would do.
    const likely = enough.filter((activity) => activity !== 'none');
    return [{ type: 'activity', now, activities: likely.length > 0 ? likely : enough }];
  }
  if ('stage_reached' in condition) {
    const reached = (standing.reached & (1 << context.stages.indexOf(condition.stage_reached))) !== 0;
    return reached === wanted ? [] : [{ type: 'stage', stage: condition.stage_reached, reached: wanted }];
  }
  const [parts, together] = 'all' in condition ? [condition.all, wanted] : [condition.any, !wanted];
  const needs = parts.map((part) => needsOf(part, standing, context, wanted));
  return together ? needs.flat() : either(needs);
}

function comparisonNeeds(comparison: Comparison, standing: Standing, context: ExplainContext, wanted: boolean): Need[] {
  const input = inputOf(comparison, standing, context);
  const needs = thresholdsOf(comparison, context.decimals).map(([operator, threshold]): Need[] => {
    const asked = wanted ? operator : OPPOSITE[operator];
    // What does not exist yet fails every comparison, and so satisfies every negation of one.
    const holds = input.value === null ? !wanted : compare(input.value, asked, threshold);
    return holds ? [] : [{ type: 'comparison', input, operator: asked, threshold }];
  });
  return wanted ? needs.flat() : either(needs);
}

const OPPOSITE: Readonly<Record<Operator, Operator>> = {
  at_least: 'less_than',
  at_most: 'more_than',
  more_than: 'at_most',
  less_than: 'at_least',
};

function either(ways: readonly Need[][]): Need[] {
  if (ways.some((way) => way.length === 0)) return [];
  return ways.length === 1 ? ways[0]! : [{ type: 'either', ways }];
}
