import { sql } from 'kysely';
import { type Day, FIRST_DAY, LAST_DAY, monthStart, nextPeriodStart } from '../domain/calendar.ts';
import { type Move, type Position, UNKNOWN } from '../domain/compile-model.ts';
import { ACTIVITIES, MODEL_LIMITS } from '../domain/model.ts';
import type { Minor } from '../domain/money.ts';
import type { FoldedDay, Projection, Tally } from '../domain/projection.ts';
import type { ReportContext } from './report.ts';

const DAY_ROW = 0;
const MONTH_ROW = 1;
const POSITIONS = 1 + MODEL_LIMITS.stages * ACTIVITIES.length;

// Measures.
const CUSTOMERS = 0;
const REVENUE = 1;

/**
 * Every move, on its day, and summed again by month (dated the month's first day), so that the stock of any day is a sum over months and at most
 * 31 days. `revenue` of a move is what the movers had brought before that day; a row from a position to itself moves nobody and holds what
 * customers brought on a day that ended there. Stage-population and stage-moves read it.
 */
export const stageMovesRollup: Projection<null> = {
  name: 'stage-moves',
  version: 1,
  per_model: true,
  key: [
    { name: 'grain', least: DAY_ROW, size: 2 },
    { name: 'day', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 },
    { name: 'from_position', least: UNKNOWN, size: POSITIONS },
    { name: 'to_position', least: UNKNOWN, size: POSITIONS },
  ],
  measures: ['customers', 'revenue'],
  summary: ([, day, from, to]) => [MONTH_ROW, monthStart(day!), from!, to!],
  start: null,
  advance(state, { day, before, moves, position }: FoldedDay, tally) {
    for (const move of moves) tallyMove(tally, move, before === null ? 0 : before.revenue);
    if (day.revenue !== 0) tally.at(DAY_ROW, day.day, position, position).add(REVENUE, day.revenue);
    return state;
  },
  settle(_state, facts, scheduled, tally) {
    for (const move of scheduled) tallyMove(tally, move, facts.revenue);
  },
};

function tallyMove(tally: Tally, { day, from, to }: Move, revenue: Minor): void {
  tally.at(DAY_ROW, day, from, to).add(CUSTOMERS, 1).add(REVENUE, revenue);
}

/** Moves of a span of days, summed. */
export interface MoveSum {
  /** Index of the span. */
  readonly span: number;
  readonly from: Position;
  readonly to: Position;
  readonly customers: number;
  readonly revenue: bigint;
}

/** A span of days, both ends included; `first` null reaches back to the beginning. */
export interface Span {
  readonly first: Day | null;
  readonly last: Day;
}

/** Sums the moves of each span: whole months from month rows, the days at the edges from day rows. One statement for all spans. */
export async function sumMoves({ trx, model, group_id }: ReportContext, spans: readonly Span[]): Promise<MoveSum[]> {
  const pieces = spans.flatMap((span, index) => cut(span).map((piece) => ({ ...piece, index })));
  const { rows } = await sql<MoveSum>`
    select piece.span, moves.from_position as "from", moves.to_position as "to",
      sum(moves.customers)::float8 as customers, sum(moves.revenue)::int8 as revenue
    from unnest(${pieces.map((piece) => piece.index)}::int[], ${pieces.map((piece) => piece.grain)}::int2[],
      ${pieces.map((piece) => piece.first)}::int[], ${pieces.map((piece) => piece.last)}::int[]) as piece (span, grain, first, last)
    cross join lateral (
      select from_position, to_position, customers, revenue from rollup_stage_moves
      where model_version = ${model.version} and group_id = ${group_id}
        and grain = piece.grain and day between piece.first and piece.last
    ) as moves
    group by 1, 2, 3
    order by 1, 2, 3`.execute(trx);
  return rows;
}

interface Piece {
  readonly grain: number;
  readonly first: Day;
  readonly last: Day;
}

/** Cuts a span into whole months and the days before and after them. */
function cut({ first, last }: Span): Piece[] {
  const begin = first ?? monthStart(FIRST_DAY);
  const firstWhole = begin === monthStart(begin) ? begin : nextPeriodStart(begin, 'month');
  const afterWhole = monthStart(last + 1);
  if (firstWhole >= afterWhole) return begin > last ? [] : [{ grain: DAY_ROW, first: begin, last }];
  return [
    { grain: DAY_ROW, first: begin, last: firstWhole - 1 },
    { grain: MONTH_ROW, first: firstWhole, last: afterWhole - 1 },
    { grain: DAY_ROW, first: afterWhole, last },
  ].filter((piece) => piece.first <= piece.last);
}
