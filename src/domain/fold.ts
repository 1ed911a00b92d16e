import { type ActivityDay, emptyDay, mergeDay } from './activity-day.ts';
import { type Day, LAST_DAY } from './calendar.ts';
import { type CompiledModel, type Move, NOWHERE, type Place, type Position, UNKNOWN } from './compile-model.ts';
import { boundDay, type Facts, type Memory, takeDay } from './facts.ts';
import type { Packable } from './packed.ts';
import { FORGETFUL, type FoldedDay, type Projection, type Tally } from './projection.ts';
import { arrive, drift, scheduledMoves } from './walk.ts';

/**
 * Raised (at most to 255) when saved states are written in another way, or they or moves mean something else than before, or more is stored of a
 * customer; everything must then be rebuilt.
 */
export const FOLD_VERSION = 6;

/** One projection, for one model (index into the plan's models) or for none. */
export interface PlannedFold {
  readonly projection: Projection;
  readonly model: number | null;
}

/** All that is folded together: made once a process from its models and reports. */
export interface FoldPlan {
  readonly memory: Memory;
  readonly models: readonly CompiledModel[];
  readonly folds: readonly PlannedFold[];
}

/** Where a history is added up: one tally for each fold of the plan. */
export type FoldTallies = readonly Tally[];

/** Everything the fold knows after closing some activity days. */
export interface FoldState {
  readonly facts: Facts;
  /** One for each model of the plan. */
  readonly places: readonly Place[];
  /** One for each fold of the plan. */
  readonly states: readonly Packable[];
}

/** What is saved of a customer: the state before the last activity day, and that day, which may still grow. */
export interface SavedFold {
  readonly closed: FoldState | null;
  readonly open: ActivityDay;
}

/** The unbroken times in one model from the last closed day on, scheduled ones included: positions, and the first day of each. */
export interface Spells {
  readonly positions: readonly Position[];
  readonly first_days: readonly Day[];
  /** First days of the unbroken time in the stage, and in the activity, of the first position: either may have begun before it did. */
  readonly stage_since: Day;
  readonly activity_since: Day;
}

/** Tallies for a fold of which only the state is asked. */
export function forgetfulTallies(plan: FoldPlan): FoldTallies {
  return plan.folds.map(() => FORGETFUL);
}

/** Plans the folding of these models into these projections; every projection that depends on a model is folded once for each. */
export function planFold(
  models: readonly CompiledModel[],
  memory: Memory,
  projections: readonly Projection[],
): FoldPlan {
  const folds = projections.flatMap((projection): PlannedFold[] =>
    projection.per_model ? models.map((_, model) => ({ projection, model })) : [{ projection, model: null }],
  );
  return { memory, models, folds };
}

/**
 * Closes all days but the last, which stays open, and adds up what no later day can change. `days` is ascending, not empty, and all after
 * the last closed day.
 */
export function closeDays(
  plan: FoldPlan,
  closed: FoldState | null,
  days: readonly ActivityDay[],
  tallies: FoldTallies,
): SavedFold {
  let state = closed;
  for (let index = 0; index < days.length - 1; index += 1) state = advance(plan, state, days[index]!, tallies).state;
  return { closed: state, open: boundDay(plan.memory, days[days.length - 1]!) };
}

/**
 * The tail of a saved customer: adds up what its open day and all the silence after it add, as things stand. Returns the state after the open day,
 * and for each model the spells from the last closed day on.
 */
export function settleTail(
  plan: FoldPlan,
  saved: SavedFold,
  tallies: FoldTallies,
): { state: FoldState; spells: readonly Spells[] } {
  const { state, moves } = advance(plan, saved.closed, saved.open, tallies);
  const scheduled = plan.models.map((model, index) => scheduledMoves(model, state.places[index]!, state.facts));
  plan.folds.forEach(({ projection, model }, index) => {
    const ahead = model === null ? NO_MOVES : scheduled[model]!;
    projection.settle(state.states[index]!, state.facts, ahead, tallies[index]!);
  });
  const spells = plan.models.map((_, index) =>
    spellsOf(saved.closed?.places[index], [...moves[index]!, ...scheduled[index]!]),
  );
  return { state, spells };
}

/** The activity days that follow a saved fold's closed state when more days, none before the open one, are added to it. */
export function reopenDays(saved: SavedFold, more: readonly ActivityDay[]): ActivityDay[] {
  const first = more[0];
  if (first === undefined || first.day !== saved.open.day) return [saved.open, ...more];
  const merged = emptyDay(first.day);
  mergeDay(merged, saved.open);
  mergeDay(merged, first);
  return [merged, ...more.slice(1)];
}

const NO_MOVES: readonly Move[] = [];

/** Takes one activity day: the moves of the silence before it, then the day itself with at most one net move. */
function advance(
  plan: FoldPlan,
  before: FoldState | null,
  day: ActivityDay,
  tallies: FoldTallies,
): { state: FoldState; moves: (readonly Move[])[] } {
  const facts = takeDay(plan.memory, before === null ? null : before.facts, day);
  const places: Place[] = [];
  const moves: Move[][] = [];
  for (let index = 0; index < plan.models.length; index += 1) {
    const moved: Move[] = [];
    const model = plan.models[index]!;
    const eve = before === null ? NOWHERE : drift(model, before.places[index]!, before.facts, day.day, moved);
    places.push(arrive(model, eve, facts, moved));
    moves.push(moved);
  }
  const states = advanceStates(plan, before, { day, facts, places, moves }, tallies);
  return { state: { facts, places, states }, moves };
}

interface TakenDay {
  readonly day: ActivityDay;
  readonly facts: Facts;
  readonly places: readonly Place[];
  readonly moves: readonly (readonly Move[])[];
}

function advanceStates(
  { models, folds }: FoldPlan,
  before: FoldState | null,
  { day, facts, places, moves }: TakenDay,
  tallies: FoldTallies,
): Packable[] {
  if (folds.length === 0) return [];
  const eve = before === null ? null : before.facts;
  const withoutModel: FoldedDay = { day, before: eve, after: facts, moves: NO_MOVES, position: UNKNOWN };
  const byModel: FoldedDay[] = [];
  for (let model = 0; model < models.length; model += 1)
    byModel.push({ day, before: eve, after: facts, moves: moves[model]!, position: places[model]!.position });
  const states: Packable[] = [];
  for (let index = 0; index < folds.length; index += 1) {
    const { projection, model } = folds[index]!;
    const state = before === null ? projection.start : before.states[index]!;
    states.push(projection.advance(state, model === null ? withoutModel : byModel[model]!, tallies[index]!));
  }
  return states;
}

/** The spells of a closed place and the moves after it; without a closed place there is at least the move of becoming known. */
function spellsOf(closed: Place | undefined, moves: readonly Move[]): Spells {
  const positions = closed === undefined ? [] : [closed.position];
  const first_days = closed === undefined ? [] : [closed.since];
  for (const move of moves) {
    positions.push(move.to);
    first_days.push(move.day);
  }
  const { stage_since, activity_since } = closed ?? { stage_since: first_days[0]!, activity_since: first_days[0]! };
  return { positions, first_days, stage_since, activity_since };
}

/** The position at the end of a day by the spells, and the first day after it on which it is another one: one after the last day if nothing ends it. */
export function spellOn(
  { positions, first_days }: Pick<Spells, 'positions' | 'first_days'>,
  day: Day,
): { readonly position: Position; readonly until: Day } {
  const next = first_days.findIndex((first) => first > day);
  const current = next === -1 ? positions.length - 1 : next - 1;
  return { position: positions[current] ?? UNKNOWN, until: next === -1 ? LAST_DAY + 1 : first_days[next]! };
}
