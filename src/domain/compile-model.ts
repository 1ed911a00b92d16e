import type { Day } from './calendar.ts';
import { type CompiledCondition, comparisonsOf, compileCondition, memoryOf } from './condition.ts';
import type { Facts, Memory } from './facts.ts';
import { activityAt, compileLapse, nextLapseTurn } from './lapse.ts';
import { ACTIVITIES, type Condition, MODEL_LIMITS, type Model } from './model.ts';

/**
 * Where a customer stands in one model, as one small integer: 0 before they are known, else 1 + 4 · stage + activity, with the stage's
 * index in the model and the activity's in `ACTIVITIES`. Roll-ups are keyed by it.
 */
export type Position = number;

/** The position of nobody: the customer is not known yet. */
export const UNKNOWN: Position = 0;

/** Position of a stage (index) and an activity (index). */
export function positionOf(stage: number, activity: number): Position {
  return 1 + stage * ACTIVITIES.length + activity;
}

/** Index of the position's stage; the position is not `UNKNOWN`. */
export function stageOf(position: Position): number {
  return Math.floor((position - 1) / ACTIVITIES.length);
}

/** Index of the position's activity; the position is not `UNKNOWN`. */
export function activityOf(position: Position): number {
  return (position - 1) % ACTIVITIES.length;
}

/** A change from one position to another between the ends of two days; dated by the later day. At most one a day. */
export interface Move {
  readonly day: Day;
  readonly from: Position;
  readonly to: Position;
}

/** How far one customer is in one model at the end of a day. */
export interface Place {
  readonly position: Position;
  /** First day of the unbroken time in this position: the later of the two that follow. */
  readonly since: Day;
  /** First days of the unbroken time in its stage, whatever the activity, and in its activity, whatever the stage. */
  readonly stage_since: Day;
  readonly activity_since: Day;
  /** Bit i: the condition of stage i has held at the end of this or an earlier day. */
  readonly reached: number;
}

/** The place of a customer before the first activity day. */
export const NOWHERE: Place = { position: UNKNOWN, since: 0, stage_since: 0, activity_since: 0, reached: 0 };

/** A model made ready to fold. */
export interface CompiledModel {
  readonly model: Model;
  readonly version: number;
  /** Place at the end of `day`, on or after `facts.day`, given the place before it. */
  place(before: Place, facts: Facts, day: Day): Place;
  /** The first day after `after`, on or after `facts.day`, on which the place could change by time alone; `NEVER` or later if there is none. */
  nextTurn(facts: Facts, after: Day): Day;
}

/** Every condition of the models' stages. */
export function conditionsOf(models: readonly Model[]): Condition[] {
  return models.flatMap((model) => model.stages.flatMap((stage) => (stage.when === undefined ? [] : [stage.when])));
}

/**
 * An estimate of the steps that folding so many activity days by these conditions takes: every condition looks at every recent day in its window, on
 * each activity day, and on each day of the silence on which a window ends. A core does about 10⁸ steps a second.
 */
export function foldSteps(conditions: readonly Condition[]): (days: number) => number {
  const windows = comparisonsOf(conditions).map(({ feature, within_days }) =>
    feature === 'distinct_products' ? MODEL_LIMITS.distinct_products : (within_days ?? 0),
  );
  const widest = Math.max(0, ...windows);
  return (days) => {
    const looked = windows.reduce((sum, window) => sum + Math.min(days, window), windows.length);
    return (days + Math.min(days, widest)) * looked;
  };
}

/** What folding these models together must remember. */
export function memoryOfModels(models: readonly Model[]): Memory {
  return memoryOf(conditionsOf(models));
}

/** The condition of the first stage, which has none. */
const ALWAYS: CompiledCondition = { holds: () => true, turns: [] };

/** Compiles a checked model. `memory` must cover its conditions; `decimals` are those of the currency. */
export function compileModel(model: Model, version: number, memory: Memory, decimals: number): CompiledModel {
  const stages = model.stages.map((stage) => stage.stage);
  const whens = model.stages.map(({ when }) =>
    when === undefined ? ALWAYS : compileCondition(when, { memory, decimals, stages }),
  );
  const tests = whens.map(({ holds }) => holds);
  const turns = whens.flatMap((when) => when.turns);
  const lapse = compileLapse(model.lapse);
  return {
    model,
    version,
    place(before, facts, day) {
      const activity = activityAt(lapse, facts, day);
      let { reached } = before;
      let last = 0;
      for (let index = 0; index < tests.length; index += 1) {
        if (!tests[index]!(facts, day, activity, reached)) continue;
        reached |= 1 << index;
        last = index;
      }
      return moveTo(before, positionOf(last, activity), day, reached);
    },
    nextTurn(facts, after) {
      let next = nextLapseTurn(lapse, facts, after);
      for (const turn of turns) next = Math.min(next, turn(facts, after));
      return next;
    },
  };
}

function moveTo(before: Place, position: Position, day: Day, reached: number): Place {
  if (position === before.position) {
    if (reached === before.reached) return before;
    const { since, stage_since, activity_since } = before;
    return { position, since, stage_since, activity_since, reached };
  }
  const stage_since = stageOf(position) === stageOf(before.position) ? before.stage_since : day;
  const activity_since = activityOf(position) === activityOf(before.position) ? before.activity_since : day;
  return { position, since: day, stage_since, activity_since, reached };
}
