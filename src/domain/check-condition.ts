import { type FaultList, type Fields, isFields } from './fault-list.ts';
import {
  ACTIVITIES,
  type Comparison,
  FEATURES,
  MODEL_LIMITS,
  MONEY_FEATURES,
  OPERATORS,
  WINDOWED_FEATURES,
} from './model.ts';
import { parseSignedMoney } from './money.ts';

const KIND = /^[a-z][a-z0-9_]{0,31}$/;
const SHAPES = ['all', 'any', 'not', 'stage_reached', 'activity', 'feature'];

/** The stages a rule can speak of: names of those listed before its own, and of its own and all later ones. */
export interface ListedStages {
  readonly earlier: readonly unknown[];
  readonly own: unknown;
  readonly later: readonly unknown[];
}

/** Checks the conditions of one document, and counts them. */
export class ConditionCheck {
  private readonly list: FaultList;
  private readonly decimals: number;
  private conditions = 0;
  private tooComplex = false;

  /** `decimals` are those of the deployment's currency, which money thresholds must fit. */
  constructor(list: FaultList, decimals: number) {
    this.list = list;
    this.decimals = decimals;
  }

  /** Checks one condition and all it holds, and notes what is wrong with it. The depth of a stage's own rule is 1. */
  check(value: unknown, pointer: string, stages: ListedStages, depth = 1): void {
    this.conditions += 1;
    if (this.conditions > MODEL_LIMITS.conditions || depth > MODEL_LIMITS.depth) return this.refuseComplex(pointer);
    if (!isFields(value)) return this.list.add(pointer, 'wrong_type', 'must be an object: a condition');
    const shape = SHAPES.filter((key) => Object.hasOwn(value, key));
    if (shape.length !== 1) {
      return this.list.add(pointer, 'unknown_condition', `must have exactly one of ${SHAPES.join(', ')}`);
    }
    const kind = shape[0]!;
    if (kind === 'feature') return this.comparison(value, pointer);
    this.list.object(value, pointer, [kind]);
    const [part, place] = [value[kind], `${pointer}/${kind}`];
    if (kind === 'not') return this.check(part, place, stages, depth + 1);
    if (kind === 'stage_reached') return this.stageReached(part, place, stages);
    if (kind === 'activity') return this.list.choice(part, place, ACTIVITIES);
    if (!Array.isArray(part) || part.length === 0) {
      return this.list.add(place, 'wrong_length', 'must be a list of at least one condition');
    }
    for (const [index, each] of part.slice(0, MODEL_LIMITS.conditions + 1).entries()) {
      this.check(each, `${place}/${index}`, stages, depth + 1);
    }
  }

  /** Said once: every further condition would be one too many as well. */
  private refuseComplex(pointer: string): void {
    const { conditions, depth } = MODEL_LIMITS;
    const limits = `is more than the limit: at most ${conditions} conditions in a model, nested at most ${depth} deep; simplify the rule`;
    if (!this.tooComplex) this.list.add(pointer, 'too_complex', limits);
    this.tooComplex = true;
  }

  private stageReached(value: unknown, pointer: string, { earlier, own, later }: ListedStages): void {
    if (typeof value === 'string' && earlier.includes(value)) return;
    const fault = (why: string) => this.list.add(pointer, 'unknown_stage', why);
    if (typeof value !== 'string') fault('must name a stage listed before this one');
    else if (value === own) fault('must name a stage listed before this one, not this stage itself');
    else if (later.includes(value)) {
      fault('must name a stage listed before this one; that stage is listed later, so move it before this one');
    } else fault('must name a stage listed before this one; there is no stage of that name');
  }

  private comparison(value: Fields, pointer: string): void {
    const { list } = this;
    list.object(value, pointer, ['feature'], [...OPERATORS, 'within_days', 'kinds']);
    const comparison = value as unknown as Comparison;
    const { feature } = comparison;
    if (!FEATURES.includes(feature)) {
      return list.add(`${pointer}/feature`, 'unknown_feature', `must be one of ${FEATURES.join(', ')}`);
    }
    const operators = OPERATORS.filter((operator) => comparison[operator] !== undefined);
    if (operators.length === 0) list.add(pointer, 'no_threshold', `needs at least one of ${OPERATORS.join(', ')}`);
    for (const operator of operators) this.threshold(feature, comparison[operator], `${pointer}/${operator}`);
    if (comparison.within_days !== undefined) {
      const place = `${pointer}/within_days`;
      if (WINDOWED_FEATURES.includes(feature)) list.integer(comparison.within_days, place, 1, MODEL_LIMITS.within_days);
      else list.add(place, 'not_windowed', `is allowed only on ${WINDOWED_FEATURES.join(', ')}; remove it`);
    }
    if (feature === 'interactions') this.kinds(comparison.kinds, `${pointer}/kinds`);
    else if (comparison.kinds !== undefined) {
      list.add(`${pointer}/kinds`, 'not_allowed', 'is allowed only on interactions; remove it');
    }
  }

  private threshold(feature: Comparison['feature'], value: unknown, pointer: string): void {
    if (MONEY_FEATURES.includes(feature)) {
      const minor = typeof value === 'string' ? parseSignedMoney(value, this.decimals) : 'malformed';
      if (typeof minor === 'number') return;
      const form = `must be a decimal string with at most ${this.decimals} decimals, such as "100"`;
      return this.list.add(pointer, minor, minor === 'out_of_range' ? `${form}, up to 10¹³ minor units` : form);
    }
    this.list.integer(value, pointer, 0, mostOf(feature));
  }

  private kinds(value: unknown, pointer: string): void {
    if (!Array.isArray(value) || value.length < 1 || value.length > MODEL_LIMITS.kinds) {
      return this.list.add(pointer, 'wrong_length', `must list 1 to ${MODEL_LIMITS.kinds} interaction kinds`);
    }
    const meaning = 'an interaction kind: lower-case letters, digits and _, at most 32, starting with a letter';
    value.forEach((kind: unknown, index) => {
      this.list.matches(kind, `${pointer}/${index}`, KIND, meaning);
    });
  }
}

function mostOf(feature: Comparison['feature']): number {
  if (feature === 'latest_score') return 10;
  if (feature === 'distinct_products') return MODEL_LIMITS.distinct_products;
  return feature === 'purchase_days' || feature === 'interactions' ? MODEL_LIMITS.count : MODEL_LIMITS.days;
}
