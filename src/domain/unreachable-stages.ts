import { type Condition, isComparison, type Model, OPERATORS } from './model.ts';
import { RuleSituations } from './rule-situations.ts';

/** A stage on which no customer can ever stand: the place of its rule, and why, as the rest of a sentence that begins with "This". */
export interface UnreachableStage {
  readonly pointer: string;
  readonly detail: string;
}

/**
 * The stages of a model, checked in form, on which no history can ever stand: their rule can never hold, or whenever it does a later listed
 * one holds too. Never names a stage that can be reached; of rules too intricate to weigh it says nothing.
 */
export function unreachableStages(model: Model, decimals: number): UnreachableStage[] {
  const rules = new RuleSituations(model, decimals);
  return model.stages.flatMap(({ when }, stage) => {
    const pointer = when === undefined ? `/stages/${stage}` : `/stages/${stage}/when`;
    if (rules.whenHolds(stage).length === 0) {
      const reason = new Contradiction(rules).of(when!, true, '');
      return [{ pointer, detail: `can never hold: ${reason}; change the rule or remove the stage` }];
    }
    const hiding = hidingStages(rules, model, stage);
    return hiding === null ? [] : [{ pointer, detail: wordHiding(hiding, when === undefined) }];
  });
}

/** Names of the later stages of which one always holds when the stage does: one that is enough, else all together; null if they are not. */
function hidingStages(rules: RuleSituations, model: Model, stage: number): readonly string[] | null {
  const later = model.stages.map((_, index) => index).slice(stage + 1);
  const names = (stages: readonly number[]) => stages.map((index) => model.stages[index]!.stage);
  const alone = later.find((other) => rules.whenAlone(stage, [other]).length === 0);
  if (alone !== undefined) return names([alone]);
  return later.length > 1 && rules.whenAlone(stage, later).length === 0 ? names(later) : null;
}

function wordHiding(stages: readonly string[], isFirst: boolean): string {
  const [one, ...more] = stages;
  const [who, remedy] =
    more.length === 0
      ? [
          `the later stage ${one} holds too`,
          isFirst
            ? `narrow the rule of ${one}, or remove it`
            : `narrow the rule of ${one}, list it before this stage, or remove one of the two`,
        ]
      : [
          `one of the later stages ${list(stages)} holds too`,
          isFirst
            ? 'narrow their rules, or remove this stage and the rule of the next'
            : 'narrow their rules, or remove this stage',
        ];
  const whenever = isFirst ? 'for everybody' : 'whenever it holds';
  return `is always hidden: ${whenever} ${who}, and a customer stands on the last that holds; ${remedy}`;
}

/** Says why a condition can never hold, in as small a part of it as is enough. */
class Contradiction {
  private readonly rules: RuleSituations;

  constructor(rules: RuleSituations) {
    this.rules = rules;
  }

  /** Why a condition never holds, or, if not wanted, always does. `place` is its JSON Pointer below the rule. */
  of(condition: Condition, wanted: boolean, place: string): string {
    if (isComparison(condition) || 'activity' in condition) return this.ofOne(condition, wanted);
    if ('stage_reached' in condition) return ofStage(condition.stage_reached, wanted);
    if ('not' in condition) return this.of(condition.not, !wanted, `${place}/not`);
    const [parts, key] = 'all' in condition ? [condition.all, 'all'] : [condition.any, 'any'];
    const at = (index: number) => `${place}/${key}/${index}`;
    const never = parts.findIndex((part) => this.isImpossible([part], wanted));
    if (never !== -1) return this.of(parts[never]!, wanted, at(never));
    for (const [index, part] of parts.entries()) {
      const against = parts.findIndex((other, place) => place > index && this.isImpossible([part, other], wanted));
      if (against === -1) continue;
      const [one, other] = [word(part, wanted, at(index)), word(parts[against]!, wanted, at(against))];
      return `${one} contradicts ${other}`;
    }
    return `the conditions in ${place}/${key} contradict each other`;
  }

  private isImpossible(conditions: readonly Condition[], wanted: boolean): boolean {
    return this.rules.together(conditions, wanted).length === 0;
  }

  private ofOne(condition: Condition, wanted: boolean): string {
    return wanted
      ? `nothing is ${word(condition, true, '')}`
      : `it denies ${word(condition, true, '')}, which always holds`;
  }
}

function ofStage(name: string, wanted: boolean): string {
  if (wanted) return `it asks for stage ${name}, which can never be reached`;
  return `it asks for never having reached ${name}, which everybody has`;
}

const MAX_NAMED = 6;

function list(names: readonly string[]): string {
  return names.length > MAX_NAMED ? `${names.slice(0, MAX_NAMED).join(', ')}, …` : names.join(', ');
}

/** A condition in a few words; one made of others by its place. */
function word(condition: Condition, wanted: boolean, place: string): string {
  const not = wanted ? '' : 'not ';
  if (isComparison(condition)) {
    const { feature, within_days, kinds } = condition;
    const thresholds = OPERATORS.filter((operator) => condition[operator] !== undefined);
    const tests = thresholds.map((operator) => `${operator} ${condition[operator]}`);
    const window = within_days === undefined ? '' : ` within_days ${within_days}`;
    const ofKinds = kinds === undefined ? '' : ` of ${list(kinds)}`;
    return `${not}${feature}${ofKinds}${window} ${tests.join(' and ')}`;
  }
  if ('activity' in condition) return `${not}activity ${condition.activity.join(' or ')}`;
  if ('stage_reached' in condition) return `${not}stage_reached ${condition.stage_reached}`;
  if ('not' in condition) return word(condition.not, !wanted, `${place}/not`);
  return `${not}the condition in ${place}`;
}
