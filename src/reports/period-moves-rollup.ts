import { sql } from 'kysely';
import { type Day, FIRST_DAY, LAST_DAY } from '../domain/calendar.ts';
import { type Move, type Position, UNKNOWN } from '../domain/compile-model.ts';
import { ACTIVITIES, MODEL_LIMITS } from '../domain/model.ts';
import { GRAINS, type Grain, grainStart } from '../domain/period.ts';
import type { FoldedDay, Projection, Tally } from '../domain/projection.ts';
import type { ReportContext } from './report.ts';

const POSITIONS = 1 + MODEL_LIMITS.stages * ACTIVITIES.length;

// Measures.
const CUSTOMERS = 0;
const BUYERS = 1;
const PURCHASES = 2;
const PURCHASE_DAYS = 3;
const REVENUE = 4;
const SCORES = 5;
const SCORE_SUM = 6;

/** The position at the end of the last day, then for each grain the position on the eve of the period that holds this day. */
type State = readonly Position[];

/**
 * By period of every grain (dated its first day), what customers did, and where they went, by where they stood on the eve of the period. A row from one
 * position to another holds the customers who made this net move between the eve of the period and its end. A row from a position to itself
 * moves nobody and holds what those who stood there on the eve did in the period; customers first known inside it stand at `UNKNOWN`.
 */
export const periodMovesRollup: Projection<State> = {
  name: 'period-moves',
  version: 1,
  per_model: true,
  key: [
    { name: 'grain', least: 0, size: GRAINS.length },
    { name: 'period', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 },
    { name: 'from_position', least: UNKNOWN, size: POSITIONS },
    { name: 'to_position', least: UNKNOWN, size: POSITIONS },
  ],
  measures: ['customers', 'buyers', 'purchases', 'purchase_days', 'revenue', 'scores', 'score_sum'],
  start: [UNKNOWN, ...GRAINS.map(() => UNKNOWN)],
  advance(state, folded, tally) {
    const { day, before, moves, position } = folded;
    const next = [position];
    for (let grain = 0; grain < GRAINS.length; grain += 1) {
      next.push(walk(grain, before === null ? null : before.day, state, moves, day.day, tally));
    }
    if (day.purchases !== 0 || day.revenue !== 0 || day.scores !== 0) tallyDay(next, folded, tally);
    return next;
  },
  settle(state, facts, scheduled, tally) {
    for (let grain = 0; grain < GRAINS.length; grain += 1) walk(grain, facts.day, state, scheduled, null, tally);
  },
};

/**
 * Walks the moves after day `since` (null: nothing is known yet) through the periods of a grain, and emits the net move of every period that is over on
 * day `until`, or of all if that is null. Returns the position on the eve of the period that holds `until`.
 */
function walk(
  grain: number,
  since: Day | null,
  state: State,
  moves: readonly Move[],
  until: Day | null,
  tally: Tally,
): Position {
  let period = since === null ? null : grainStart(since, grain);
  let opening = state[grain + 1]!;
  let position = state[0]!;
  for (const move of moves) {
    const begun = grainStart(move.day, grain);
    if (begun !== period) {
      if (period !== null) tallyNetMove(grain, period, opening, position, tally);
      opening = position;
      period = begun;
    }
    position = move.to;
  }
  if (until !== null && grainStart(until, grain) === period) return opening;
  if (period !== null) tallyNetMove(grain, period, opening, position, tally);
  return position;
}

function tallyNetMove(grain: number, period: Day, from: Position, to: Position, tally: Tally): void {
  if (from !== to) tally.at(grain, period, from, to).add(CUSTOMERS, 1);
}

/** What the day adds to the periods that hold it. */
function tallyDay(state: State, { day, before }: FoldedDay, tally: Tally): void {
  const bought = day.purchases > 0 ? 1 : 0;
  const lastBought = before === null ? null : before.last_purchase_day;
  for (let grain = 0; grain < GRAINS.length; grain += 1) {
    const period = grainStart(day.day, grain);
    const opening = state[grain + 1]!;
    const again = lastBought !== null && lastBought >= period;
    const row = tally.at(grain, period, opening, opening).add(REVENUE, day.revenue);
    if (bought === 1)
      row
        .add(BUYERS, again ? 0 : 1)
        .add(PURCHASES, day.purchases)
        .add(PURCHASE_DAYS, 1);
    if (day.scores > 0) row.add(SCORES, day.scores).add(SCORE_SUM, day.score_sum);
  }
}

/** A row of the roll-up: net moves if `from` and `to` differ, else what those who stood at `from` on the eve did. */
export interface PeriodMove {
  /** First day of the period. */
  readonly period: Day;
  readonly from: Position;
  readonly to: Position;
  readonly customers: number;
  readonly buyers: number;
  readonly purchases: number;
  readonly purchase_days: number;
  readonly revenue: bigint;
  readonly scores: number;
  readonly score_sum: number;
}

/**
 * Rows of the periods of a grain that begin in [from, end), by period and positions. One statement. Rows that have come back to zero say nothing: positions in which
 * nobody stands any more.
 */
export async function readPeriodMoves(
  { trx, model, group_id }: ReportContext,
  grain: Grain,
  from: Day,
  end: Day,
): Promise<readonly PeriodMove[]> {
  const { rows } = await sql<PeriodMove>`
    select period, from_position as "from", to_position as "to", customers::float8, buyers::float8, purchases::float8,
      purchase_days::float8, revenue, scores::float8, score_sum::float8
    from rollup_period_moves
    where model_version = ${model.version} and group_id = ${group_id} and grain = ${GRAINS.indexOf(grain)}
      and period >= ${from} and period < ${end}
      and (customers, buyers, purchases, purchase_days, revenue, scores, score_sum) <> (0, 0, 0, 0, 0, 0, 0)
    order by period, from_position, to_position`.execute(trx);
  return rows;
}
