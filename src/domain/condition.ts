import { type Day, LAST_DAY } from './calendar.ts';
import type { Facts, Memory } from './facts.ts';
import {
  ACTIVITIES,
  type Comparison,
  type Condition,
  isComparison,
  MONEY_FEATURES,
  OPERATORS,
  type Operator,
} from './model.ts';
import { parseSignedMoney } from './money.ts';

/** The first day after `after` on which an answer could change although nothing happens; `NEVER` if there is none. */
export type NextTurn = (facts: Facts, after: Day) => Day;

/** After every day. */
export const NEVER: Day = LAST_DAY + 1;

/** A condition made ready to be asked many times. */
export interface CompiledCondition {
  /**
   * Whether it holds at the end of `day`, on or after `facts.day`, nothing having happened between the two. The activity is an index into `ACTIVITIES`; bit i
   * of `reached`: the condition of stage i has held at the end of this or an earlier day. Not one object: it would be made for every place of every fold.
   */
  holds(facts: Facts, day: Day, activity: number, reached: number): boolean;
  /** One for each part that time alone can change. */
  readonly turns: readonly NextTurn[];
}

/** What conditions are compiled with. */
export interface ConditionContext {
  readonly memory: Memory;
  /** Decimals of the currency, for money thresholds. */
  readonly decimals: number;
  /** Names of the model's stages, in order. */
  readonly stages: readonly string[];
}

const NO_TURNS: readonly NextTurn[] = [];

/** Compiles a checked condition into closures. The memory must have been made from it (`memoryOf`). */
export function compileCondition(condition: Condition, context: ConditionContext): CompiledCondition {
  if (isComparison(condition)) return compileComparison(condition, context);
  if ('all' in condition) {
    const parts = condition.all.map((part) => compileCondition(part, context));
    return { holds: whetherAll(parts, true), turns: parts.flatMap((part) => part.turns) };
  }
  if ('any' in condition) {
    const parts = condition.any.map((part) => compileCondition(part, context));
    return { holds: whetherAll(parts, false), turns: parts.flatMap((part) => part.turns) };
  }
  if ('not' in condition) {
    const { holds, turns } = compileCondition(condition.not, context);
    return { holds: (facts, day, activity, reached) => !holds(facts, day, activity, reached), turns };
  }
  if ('stage_reached' in condition) {
    const bit = 1 << context.stages.indexOf(condition.stage_reached);
    return { holds: (_facts, _day, _activity, reached) => (reached & bit) !== 0, turns: NO_TURNS };
  }
  const allowed = condition.activity.reduce((bits, activity) => bits | (1 << ACTIVITIES.indexOf(activity)), 0);
  return { holds: (_facts, _day, activity) => (allowed & (1 << activity)) !== 0, turns: NO_TURNS };
}

/** Whether all parts hold, or with `all` false whether any does. */
function whetherAll(parts: readonly CompiledCondition[], all: boolean): CompiledCondition['holds'] {
  const tests = parts.map(({ holds }) => holds);
  return (facts, day, activity, reached) => {
    for (const holds of tests) if (holds(facts, day, activity, reached) !== all) return !all;
    return all;
  };
}

/** A feature ready to be read: its value (null if it does not exist yet), and when the value or a test against one of the bounds changes by time alone. */
export interface CompiledFeature {
  value(facts: Facts, day: Day): number | null;
  turns(bounds: readonly number[]): readonly NextTurn[];
}

function compileComparison(comparison: Comparison, context: ConditionContext): CompiledCondition {
  const { value: read, turns } = compileFeature(comparison, context.memory);
  const tests = thresholdsOf(comparison, context.decimals);
  const { least, most } = rangeOf(tests);
  return {
    holds: (facts, day) => {
      const value = read(facts, day);
      return value !== null && value >= least && value <= most;
    },
    turns: turns(tests.map(([, bound]) => bound)),
  };
}

/** The least and the greatest integer that pass all tests. */
export function rangeOf(tests: readonly (readonly [Operator, number])[]): {
  readonly least: number;
  readonly most: number;
} {
  let [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const [operator, bound] of tests) {
    if (operator === 'at_least') least = Math.max(least, bound);
    else if (operator === 'more_than') least = Math.max(least, bound + 1);
    else if (operator === 'at_most') most = Math.min(most, bound);
    else most = Math.min(most, bound - 1);
  }
  return { least, most };
}

/** The comparison's thresholds as numbers, money in minor units. */
export function thresholdsOf(comparison: Comparison, decimals: number): (readonly [Operator, number])[] {
  return OPERATORS.flatMap((operator) => {
    const bound = comparison[operator];
    if (bound === undefined) return [];
    const number = MONEY_FEATURES.includes(comparison.feature) ? parseSignedMoney(String(bound), decimals) : bound;
    return [[operator, number as number] as const];
  });
}

/** True if the value stands in the relation to the bound. */
export function compare(value: number, operator: Operator, bound: number): boolean {
  switch (operator) {
    case 'at_least':
      return value >= bound;
    case 'at_most':
      return value <= bound;
    case 'more_than':
      return value > bound;
    case 'less_than':
      return value < bound;
  }
}

/** Makes the feature of a comparison readable. */
export function compileFeature(comparison: Comparison, memory: Memory): CompiledFeature {
  const { feature, within_days: window } = comparison;
  switch (feature) {
    case 'purchase_days':
      if (window === undefined) return lasting((facts) => facts.purchase_days);
      return windowed(window, (recent) => (recent.purchases > 0 ? 1 : 0));
    case 'revenue':
      if (window === undefined) return lasting((facts) => facts.revenue);
      return windowed(window, (recent) => recent.revenue);
    case 'profit':
      if (window === undefined) return lasting((facts) => facts.revenue - facts.costs);
      return windowed(window, (recent) => recent.revenue - recent.costs);
    case 'interactions': {
      const indexes = [...new Set(comparison.kinds)].map((kind) => memory.kinds.indexOf(kind));
      const count = (counts: readonly number[]): number => indexes.reduce((sum, index) => sum + counts[index]!, 0);
      if (window === undefined) return lasting((facts) => count(facts.kinds));
      return windowed(window, (recent) => count(recent.kinds));
    }
    case 'distinct_products':
      return window === undefined ? lasting((facts) => facts.products.length) : recentProducts(window);
    case 'latest_score':
      return lasting((facts) => facts.latest_score);
    case 'tenure_days':
      return since((facts) => facts.first_purchase_day);
    case 'days_since_last_purchase':
      return since((facts) => facts.last_purchase_day);
    case 'days_since_last_interaction':
      return since((facts) => facts.last_interaction_day);
    case 'days_since_open_complaint':
      return since((facts) => facts.open_complaint_day);
  }
}

/** A value that only events change. */
function lasting(value: (facts: Facts) => number | null): CompiledFeature {
  return { value, turns: () => NO_TURNS };
}

/** Days since a day of the history. A test against v can change on day v and on the day after it. */
function since(base: (facts: Facts) => Day | null): CompiledFeature {
  return {
    value: (facts, day) => {
      const from = base(facts);
      return from === null ? null : day - from;
    },
    turns: (bounds) =>
      bounds.map((bound) => (facts, after) => {
        const from = base(facts);
        if (from === null || from + bound + 1 <= after) return NEVER;
        return Math.max(from + bound, after + 1);
      }),
  };
}

/** A sum over the days in (day − window, day]: a day drops out on the window-th day after it. */
function windowed(window: number, amount: (recent: Facts['recent'][number]) => number): CompiledFeature {
  return {
    value: (facts, day) => {
      let sum = 0;
      for (const recent of facts.recent) if (recent.day > day - window) sum += amount(recent);
      return sum;
    },
    turns: () => [
      ({ recent }, after) => {
        for (const bought of recent)
          if (bought.day + window > after && amount(bought) !== 0) return bought.day + window;
        return NEVER;
      },
    ],
  };
}

function recentProducts(window: number): CompiledFeature {
  return {
    value: (facts, day) => facts.products.filter(([, bought]) => bought > day - window).length,
    turns: () => [
      ({ products }, after) => {
        let next = NEVER;
        for (const [, bought] of products) if (bought + window > after) next = Math.min(next, bought + window);
        return next;
      },
    ],
  };
}

/** Every comparison in the conditions, however deep. */
export function comparisonsOf(conditions: readonly Condition[]): Comparison[] {
  return conditions.flatMap((condition): Comparison[] => {
    if (isComparison(condition)) return [condition];
    if ('all' in condition) return comparisonsOf(condition.all);
    if ('any' in condition) return comparisonsOf(condition.any);
    return 'not' in condition ? comparisonsOf([condition.not]) : [];
  });
}

/** What the fold must remember to answer all these conditions. */
export function memoryOf(conditions: readonly Condition[]): Memory {
  const comparisons = comparisonsOf(conditions);
  const widest = (...features: readonly Comparison['feature'][]): number =>
    Math.max(
      0,
      ...comparisons.map(({ feature, within_days }) => (features.includes(feature) ? (within_days ?? 0) : 0)),
    );
  const products = comparisons.flatMap((comparison) =>
    comparison.feature === 'distinct_products'
      ? OPERATORS.map((operator) => Number(comparison[operator] ?? -1) + 1)
      : [],
  );
  return {
    kinds: [...new Set(comparisons.flatMap((comparison) => comparison.kinds ?? []))].sort(),
    purchase_window_days: widest('purchase_days'),
    money_window_days: widest(...MONEY_FEATURES),
    kind_window_days: widest('interactions'),
    products: Math.max(0, ...products),
  };
}
