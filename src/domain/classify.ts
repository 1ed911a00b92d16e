import type { ActivityDay } from './activity-day.ts';
import type { Day } from './calendar.ts';
import { activityAt, activityOf, type CompiledModel, type Move, stageOf } from './compile-model.ts';
import type { Standing } from './condition.ts';
import { type ExplainContext, type Input, inputsOf, type Need, needsOf } from './explain.ts';
import {
  closeDays,
  type FoldPlan,
  type FoldState,
  forgetfulTallies,
  placeOn,
  scheduledMoves,
  settleTail,
  stateAfter,
} from './fold.ts';
import { ACTIVITIES, type Activity, type Condition } from './model.ts';
import type { Projection } from './projection.ts';

/** A position by its names. */
export interface NamedPosition {
  readonly stage: string;
  readonly activity: Activity;
}

/** Where one customer stands in one model at the end of a day, and why. */
export interface Classification extends NamedPosition {
  /** Index of the stage in the model, from 0. */
  readonly stage_index: number;
  /** First day of the unbroken time in this stage and activity. */
  readonly since: Day;
  /** The rule that held; null for the first stage, which needs none. */
  readonly rule: Condition | null;
  readonly inputs: readonly Input[];
  /** The next stage up, losses left out, with what is missing for it; null on top. */
  readonly next_stage: { readonly stage_index: number; readonly missing: readonly Need[] } | null;
  /** The next move if nothing more happens; null if nothing is scheduled. */
  readonly next_move: (NamedPosition & { readonly on: Day }) | null;
}

/** One unbroken time in one stage and activity. */
export interface Spell extends NamedPosition {
  readonly from: Day;
  /** The day the next spell begins; null if nothing ends this one. */
  readonly to: Day | null;
}

/** Folds the days of one history up to the end of `asOf`; null if the customer is not known by then. Days ascend. */
export function foldUntil(plan: FoldPlan, days: readonly ActivityDay[], asOf: Day): FoldState | null {
  const last = days[days.length - 1];
  const past = last !== undefined && last.day <= asOf ? days : days.filter((day) => day.day <= asOf);
  return past.length === 0 ? null : stateAfter(plan, past);
}

/** Where a folded customer stands in one model of the plan (by index) at the end of `asOf`, on or after the last folded day, and why. */
export function classify(plan: FoldPlan, index: number, state: FoldState, asOf: Day, decimals: number): Classification {
  const model = plan.models[index]!;
  const { facts } = state;
  const moves = scheduledMoves(model, state.places[index]!, facts);
  const place = placeOn(model, state.places[index]!, facts, asOf);
  const stages = model.model.stages;
  const stage_index = stageOf(place.position);
  const context: ExplainContext = { memory: plan.memory, decimals, stages: stages.map((stage) => stage.stage) };
  const standing: Standing = {
    facts,
    day: asOf,
    activity: activityAt(model.model.lapse, facts, asOf),
    reached: place.reached,
  };
  const rule = stages[stage_index]!.when ?? null;
  const next = moves.find((move) => move.day > asOf);
  return {
    ...nameOf(model, place.position),
    stage_index,
    since: place.since,
    rule,
    inputs: rule === null ? [] : inputsOf(rule, standing, context),
    next_stage: nextStage(model, stage_index, standing, context),
    next_move: next === undefined ? null : { on: next.day, ...nameOf(model, next.to) },
  };
}

function nextStage(
  model: CompiledModel,
  from: number,
  standing: Standing,
  context: ExplainContext,
): Classification['next_stage'] {
  const stages = model.model.stages;
  const stage_index = stages.findIndex((stage, index) => index > from && stage.off_ladder !== true);
  if (stage_index === -1) return null;
  return { stage_index, missing: needsOf(stages[stage_index]!.when!, standing, context) };
}

function nameOf({ model }: CompiledModel, position: number): NamedPosition {
  return { stage: model.stages[stageOf(position)]!.stage, activity: ACTIVITIES[activityOf(position)]! };
}

/** Every spell of one model, past and scheduled, oldest first; the last is open. `days` is the whole history, not empty. */
export function timeline(plan: FoldPlan, index: number, days: readonly ActivityDay[]): Spell[] {
  const moves: Move[] = [];
  const watch = { ...plan, folds: [{ projection: movesInto(moves), model: index }] };
  const tallies = forgetfulTallies(watch);
  settleTail(watch, closeDays(watch, null, days, tallies), tallies);
  return moves.map((move, at) => ({
    ...nameOf(plan.models[index]!, move.to),
    from: move.day,
    to: moves[at + 1]?.day ?? null,
  }));
}

/** A projection that only collects the moves it sees. */
function movesInto(moves: Move[]): Projection<null> {
  return {
    name: 'timeline',
    version: 1,
    per_model: true,
    key: [],
    measures: [],
    start: null,
    advance(state, folded) {
      moves.push(...folded.moves);
      return state;
    },
    settle: (_state, _facts, scheduled) => void moves.push(...scheduled),
  };
}
