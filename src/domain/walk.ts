import type { ActivityDay } from './activity-day.ts';
import { type Day, LAST_DAY } from './calendar.ts';
import { type CompiledModel, type Move, NOWHERE, type Place } from './compile-model.ts';
import { type Facts, type Memory, noteDay, nothingBefore } from './facts.ts';

/** What one model alone makes of some days. */
export interface Walked {
  readonly facts: Facts;
  readonly place: Place;
}

/** The facts after all these days and the place in one model, for those who ask for no roll-up; its moves are added to `moves`. `days` is ascending and not empty. */
export function walk(memory: Memory, model: CompiledModel, days: readonly ActivityDay[], moves: Move[] | null): Walked {
  const facts = nothingBefore(memory, days[0]!.day);
  let place = NOWHERE;
  for (const day of days) {
    const eve = place === NOWHERE ? NOWHERE : drift(model, place, facts, day.day, moves);
    noteDay(memory, facts, day);
    place = arrive(model, eve, facts, moves);
  }
  return { facts, place };
}

/** Where silence after the facts leads from a place: the place on the eve of `until`. The moves on the way are added to `moves`. */
export function drift(model: CompiledModel, from: Place, facts: Facts, until: Day, moves: Move[] | null): Place {
  let place = from;
  for (let day = model.nextTurn(facts, facts.day); day < until; day = model.nextTurn(facts, day)) {
    const next = model.place(place, facts, day);
    if (next.position !== place.position) moves?.push(moveOn(day, place, next));
    place = next;
  }
  return place;
}

/** The place at the end of the day of the facts, which include it, after that of its eve. At most one net move is added to `moves`. */
export function arrive(model: CompiledModel, eve: Place, facts: Facts, moves: Move[] | null): Place {
  const { day } = facts;
  const place = model.place(eve, facts, day);
  if (place.position !== eve.position) moves?.push(moveOn(day, eve, place));
  return place;
}

/** The place of one model at the end of a day on or after the last activity day of the facts, silence included. */
export function placeOn(model: CompiledModel, place: Place, facts: Facts, day: Day): Place {
  return drift(model, place, facts, day + 1, null);
}

/** The moves of silence that one model schedules after the last activity day of the facts. */
export function scheduledMoves(model: CompiledModel, place: Place, facts: Facts): Move[] {
  const moves: Move[] = [];
  drift(model, place, facts, LAST_DAY + 1, moves);
  return moves;
}

/** The first move of silence after a day, given the place at its end; null if none is scheduled. */
export function nextMove(model: CompiledModel, from: Place, facts: Facts, after: Day): Move | null {
  let place = from;
  for (let day = model.nextTurn(facts, after); day <= LAST_DAY; day = model.nextTurn(facts, day)) {
    const next = model.place(place, facts, day);
    if (next.position !== place.position) return moveOn(day, place, next);
    place = next;
  }
  return null;
}

function moveOn(day: Day, from: Place, to: Place): Move {
  return { day, from: from.position, to: to.position };
}
