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

/**
 * Sums the moves of spans that adjoin, by span and positions. `lasts` are their last days, ascending and none twice: the first span reaches back to the
 * beginning, each other one begins on the day after the one before it ends.
 */
export async function sumMoves(
  { trx, model, group_id }: ReportContext,
  lasts: readonly Day[],
): Promise<readonly MoveSum[]> {
  const runs = runsUpTo(lasts);
  const starts = lasts.slice(0, -1).map((last) => last + 1);
  // Without `offset 0` the join may become one over all rows of the model, 24 ms where one index range for each run takes 2.
  const { rows } = await sql<MoveSum>`
    select width_bucket(day, ${starts}::int[]) as span, from_position as "from", to_position as "to",
      sum(customers)::float8 as customers, sum(revenue)::int8 as revenue
    from unnest(${runs.map((run) => run.grain)}::int2[], ${runs.map((run) => run.first)}::int[],
      ${runs.map((run) => run.last)}::int[]) as run (grain, first, last)
    cross join lateral (
      select day, from_position, to_position, customers, revenue from rollup_stage_moves
      where model_version = ${model.version} and group_id = ${group_id}
        and grain = run.grain and day between run.first and run.last
      offset 0
    ) as moves
    group by 1, 2, 3
    order by 1, 2, 3`.execute(trx);
  return rows;
}

/** Days, both included, whose moves are read from rows of one grain. */
interface Run {
  readonly grain: number;
  readonly first: Day;
  readonly last: Day;
}

/** Cuts all days up to the last one into runs, as few as can be: month rows, but day rows of the months that a span ends inside. */
function runsUpTo(lasts: readonly Day[]): Run[] {
  const runs: Run[] = [];
  let next = monthStart(FIRST_DAY);
  const read = (grain: number, last: Day): void => {
    if (last < next) return;
    const before = runs.at(-1);
    if (before?.grain === grain) runs[runs.length - 1] = { ...before, last };
    else runs.push({ grain, first: next, last });
    next = last + 1;
  };
  for (const last of lasts) {
    const month = monthStart(last + 1);
    read(MONTH_ROW, month - 1);
    if (last >= month) read(DAY_ROW, Math.min(nextPeriodStart(month, 'month') - 1, lasts.at(-1)!));
  }
  return runs;
}
