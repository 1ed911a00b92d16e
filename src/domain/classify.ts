import type { ActivityDay } from './activity-day.ts';
import type { Day } from './calendar.ts';
import {
  activityOf,
  type CompiledModel,
  compileModel,
  type Move,
  memoryOfModels,
  type Position,
  stageOf,
} from './compile-model.ts';
import { compileExplanation, type Explanation, type Input, type Need, type Standing } from './explain.ts';
import type { Memory } from './facts.ts';
import { ACTIVITIES, type Activity, type Condition, type Model } from './model.ts';
import { nextMove, placeOn, scheduledMoves, walk } from './walk.ts';

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

/** Most product codes an explanation counts. */
const SHOWN_PRODUCTS = 1_001;

/** A model made ready to classify histories: by itself, with enough memory to show what its rules saw. */
export interface Classifier {
  readonly compiled: CompiledModel;
  readonly memory: Memory;
  /** One for each stage; null for the first, which needs no rule. */
  readonly explanations: readonly (Explanation | null)[];
  /** The next stage up for each, losses left out; null on top. */
  readonly next_stages: readonly (number | null)[];
}

/** Compiles a checked model to classify histories by it. `decimals` are those of the currency. */
export function compileClassifier(model: Model, version: number, decimals: number): Classifier {
  const least = memoryOfModels([model]);
  const memory = { ...least, products: least.products === 0 ? 0 : SHOWN_PRODUCTS };
  const context = { memory, decimals, stages: model.stages.map(({ stage }) => stage) };
  return {
    compiled: compileModel(model, version, memory, decimals),
    memory,
    explanations: model.stages.map(({ when }) => (when === undefined ? null : compileExplanation(when, context))),
    next_stages: model.stages.map((_, from) => {
      const next = model.stages.findIndex((stage, index) => index > from && stage.off_ladder !== true);
      return next === -1 ? null : next;
    }),
  };
}

/** Where a history stands at the end of `asOf`, and why; null if the customer is not known by then. Days ascend. */
export function classify(classifier: Classifier, days: readonly ActivityDay[], asOf: Day): Classification | null {
  const past = daysUntil(days, asOf);
  if (past.length === 0) return null;
  const { compiled, memory, explanations } = classifier;
  const { facts, place: last } = walk(memory, compiled, past, null);
  const place = placeOn(compiled, last, facts, asOf);
  const { stages } = compiled.model;
  const activity = activityOf(place.position);
  const stage_index = stageOf(place.position);
  const standing: Standing = { facts, day: asOf, activity, reached: place.reached };
  const next = nextMove(compiled, place, facts, asOf);
  return {
    stage: stages[stage_index]!.stage,
    activity: ACTIVITIES[activity]!,
    stage_index,
    since: place.since,
    rule: stages[stage_index]!.when ?? null,
    inputs: explanations[stage_index]?.inputs(standing) ?? [],
    next_stage: nextStage(classifier, stage_index, standing),
    next_move: next === null ? null : { on: next.day, ...nameOf(compiled, next.to) },
  };
}

/** Those of the days, which ascend, that are not after a day. */
export function daysUntil(days: readonly ActivityDay[], asOf: Day): readonly ActivityDay[] {
  const last = days[days.length - 1];
  return last === undefined || last.day <= asOf ? days : days.filter(({ day }) => day <= asOf);
}

function nextStage(
  { explanations, next_stages }: Classifier,
  from: number,
  standing: Standing,
): Classification['next_stage'] {
  const stage_index = next_stages[from]!;
  return stage_index === null ? null : { stage_index, missing: explanations[stage_index]!.needs(standing) };
}

function nameOf({ model }: CompiledModel, position: Position): NamedPosition {
  return { stage: model.stages[stageOf(position)]!.stage, activity: ACTIVITIES[activityOf(position)]! };
}

/** Every spell of a history, past and scheduled, oldest first; the last is open. `days` is the whole history, not empty. */
export function timeline({ compiled, memory }: Classifier, days: readonly ActivityDay[]): Spell[] {
  const moves: Move[] = [];
  const { facts, place } = walk(memory, compiled, days, moves);
  moves.push(...scheduledMoves(compiled, place, facts));
  return moves.map((move, at) => ({ ...nameOf(compiled, move.to), from: move.day, to: moves[at + 1]?.day ?? null }));
}
