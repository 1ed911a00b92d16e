import { rangeOf, thresholdsOf } from './condition.ts';
import { compileLapse, type Lapse } from './lapse.ts';
import { ACTIVITIES, type Comparison, type Condition, isComparison, type Model } from './model.ts';
import { COUNTED, domainOf, Quantities, type Quantity } from './quantities.ts';
import { ANYTHING, isPossible, meet, type Situations } from './situations.ts';
import { both, endsOf, isNothing, outside, spanOf, type ValueSet } from './value-set.ts';

/** Alternatives that a rule is spread out into at most. Beyond, parts of it are left out, so that it seems to hold more often than it does. */
const MAX_ALTERNATIVES = 256;
/** Steps of the whole weighing of a model: less than 0.1 s, where some models would take more than one. Beyond, everything counts as possible. */
const MAX_STEPS = 400_000;

/**
 * The situations in which the rules of a model hold, as alternatives. Always enough of them: no history is ever in a situation that is not among them,
 * so what is impossible here is impossible. Sometimes too many, so what seems possible here need not be.
 */
export class RuleSituations {
  private readonly model: Model;
  private readonly decimals: number;
  private readonly quantities = new Quantities();
  private readonly lapse: Lapse;
  private steps = 0;
  private readonly holding: (readonly Situations[])[] = [];
  private readonly failing: (readonly Situations[])[] = [];
  private readonly lasting: Situations[] = [];

  /** `decimals` are those of the currency. The model is checked in form. */
  constructor(model: Model, decimals: number) {
    this.model = model;
    this.decimals = decimals;
    this.lapse = compileLapse(model.lapse);
    // A rule speaks only of earlier stages.
    for (const [index, { when }] of model.stages.entries()) {
      const reached: Situations = { ...ANYTHING, reached: 1 << index };
      this.holding.push(when === undefined ? [reached] : this.possible(this.and([[reached], this.of(when, true)])));
      this.failing.push(when === undefined ? [] : this.of(when, false));
      this.lasting.push(this.remains(index));
    }
  }

  /** Those in which the rule of a stage holds. */
  whenHolds(stage: number): readonly Situations[] {
    return this.holding[stage]!;
  }

  /** Those in which the rule of the stage holds and none of the other stages’ does. */
  whenAlone(stage: number, others: readonly number[]): readonly Situations[] {
    let left = this.holding[stage]!;
    for (const other of others) left = this.possible(this.and([left, this.failing[other]!]));
    return left;
  }

  /** Those in which all conditions hold, or, if not wanted, none does. */
  together(conditions: readonly Condition[], wanted: boolean): readonly Situations[] {
    return this.possible(this.and(conditions.map((condition) => this.of(condition, wanted))));
  }

  private possible(alternatives: readonly Situations[]): readonly Situations[] {
    return alternatives.filter((situations) => {
      this.steps += 4 * (situations.values.size + 4) ** 2;
      return this.steps > MAX_STEPS || isPossible(situations, this.quantities, this.lapse);
    });
  }

  /** Those in which a condition holds, or, if not wanted, does not. */
  private of(condition: Condition, wanted: boolean): readonly Situations[] {
    if (isComparison(condition)) return this.ofComparison(condition, wanted);
    if ('not' in condition) return this.of(condition.not, !wanted);
    if ('activity' in condition) {
      const named = condition.activity.reduce((bits, activity) => bits | (1 << ACTIVITIES.indexOf(activity)), 0);
      const activities = wanted ? named : ANYTHING.activities & ~named;
      return activities === 0 ? [] : [{ ...ANYTHING, activities }];
    }
    if ('stage_reached' in condition) return this.ofStage(condition.stage_reached, wanted);
    const parts = 'all' in condition ? condition.all : condition.any;
    const spread = parts.map((part) => this.of(part, wanted));
    return 'all' in condition === wanted ? this.and(spread) : either(spread);
  }

  private ofComparison(comparison: Comparison, wanted: boolean): readonly Situations[] {
    const quantity = this.quantities.of(comparison);
    const { least, most } = rangeOf(thresholdsOf(comparison, this.decimals));
    const values = both(wanted ? spanOf(least, most) : outside(least, most), domainOf(quantity));
    return isNothing(values) ? [] : [{ ...ANYTHING, values: new Map([[quantity, values]]) }];
  }

  /** A stage that has been reached held once, and of that something remains; one that has not does not hold now. */
  private ofStage(name: string, wanted: boolean): readonly Situations[] {
    const stage = this.model.stages.findIndex((candidate) => candidate.stage === name);
    if (!wanted) return this.and([[{ ...ANYTHING, unreached: 1 << stage }], this.failing[stage]!]);
    return this.holding[stage]!.length === 0 ? [] : [this.lasting[stage]!];
  }

  /** What stays true of everybody for whom the rule of a stage has ever held: whoever bought has bought, and counts never fall. */
  private remains(stage: number): Situations {
    const alternatives = this.holding[stage]!;
    const reached = 1 << stage;
    if (alternatives.length === 0) return { ...ANYTHING, reached };
    const none = 1 << ACTIVITIES.indexOf('none');
    const mayBeNone = alternatives.some(({ activities }) => (activities & none) !== 0);
    const least = alternatives.map((situations) => this.leastCounts(situations));
    const values = new Map<Quantity, ValueSet>();
    for (const [quantity, first] of least[0]!) {
      const lowest = Math.min(first, ...least.slice(1).map((counts) => counts.get(quantity) ?? 0));
      if (lowest > 0) values.set(quantity, spanOf(lowest, Number.POSITIVE_INFINITY));
    }
    return { activities: mayBeNone ? ANYTHING.activities : ANYTHING.activities & ~none, reached, unreached: 0, values };
  }

  /** How many of each counted feature there have been at least. */
  private leastCounts({ values }: Situations): ReadonlyMap<Quantity, number> {
    const counts = new Map<Quantity, number>();
    for (const [quantity, set] of values) {
      if (!COUNTED.includes(quantity.feature)) continue;
      const total = this.quantities.unlimited(quantity);
      counts.set(total, Math.max(counts.get(total) ?? 0, endsOf(set)[0]));
    }
    return counts;
  }

  /** What is in one alternative of each. Parts that would spread it out too far are left out, the longest first. */
  private and(parts: readonly (readonly Situations[])[]): readonly Situations[] {
    let found: readonly Situations[] = [ANYTHING];
    for (const part of [...parts].sort((one, other) => one.length - other.length)) {
      if (found.length * part.length > MAX_ALTERNATIVES || this.steps > MAX_STEPS) break;
      found = found.flatMap((one) =>
        part.flatMap((other) => {
          this.steps += 1 + one.values.size + other.values.size;
          return meet(one, other) ?? [];
        }),
      );
    }
    return found;
  }
}

/** What is in an alternative of any. */
function either(parts: readonly (readonly Situations[])[]): readonly Situations[] {
  const found = parts.flat();
  return found.length > MAX_ALTERNATIVES ? [ANYTHING] : found;
}
