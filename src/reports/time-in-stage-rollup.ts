import { sql } from 'kysely';
import { type Day, FIRST_DAY, LAST_DAY, monthStart } from '../domain/calendar.ts';
import { activityOf, type Move, type Position, stageOf, UNKNOWN } from '../domain/compile-model.ts';
import { EVERYBODY } from '../domain/differences.ts';
import { ACTIVITIES, MODEL_LIMITS } from '../domain/model.ts';
import type { Projection, Tally } from '../domain/projection.ts';
import type { ReportContext } from './report.ts';

/** Exit of a row that counts the spells that began. */
const ENTERED = 0;
/** Exit of the spells that ended by lapsing; those that ended in another stage have 2 and that stage's index. */
export const EXIT_LAPSED = 1;
/** Exit of the spells that ended in the first stage of the model. */
export const EXIT_STAGE = 2;

const LAPSED = ACTIVITIES.indexOf('lapsed');
const NO_SPELL = -1;
// The one measure.
const SPELLS = 0;

/**
 * Spells of a stage: unbroken times in it while not lapsed, whatever else the activity does. One row counts those that began in a month, dated the
 * month's last day; others count those of them that ended, by how, and after how many completed weeks. A spell that never ends has no such row. Everybody
 * only: groups would multiply months and weeks. Its state is the first day of the latest spell. Time-in-stage reads it.
 */
export const timeInStageRollup: Projection<Day> = {
  name: 'time-in-stage',
  version: 1,
  per_model: true,
  everybody_only: true,
  key: [
    { name: 'stage', least: 0, size: MODEL_LIMITS.stages },
    { name: 'month_end', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 },
    { name: 'exit', least: ENTERED, size: EXIT_STAGE + MODEL_LIMITS.stages },
    { name: 'weeks', least: 0, size: Math.ceil((LAST_DAY - FIRST_DAY + 1) / 7) },
  ],
  measures: ['spells'],
  start: 0,
  advance: (begun, { moves }, tally) => follow(begun, moves, tally),
  settle(begun, _facts, scheduled, tally) {
    follow(begun, scheduled, tally);
  },
};

/** Ends and begins spells move by move. Returns the first day of the latest one. */
function follow(begun: Day, moves: readonly Move[], tally: Tally): Day {
  let first = begun;
  for (const { day, from, to } of moves) {
    const left = stageOfSpell(from);
    const entered = stageOfSpell(to);
    if (left === entered) continue;
    if (left !== NO_SPELL) {
      const exit = entered === NO_SPELL ? EXIT_LAPSED : EXIT_STAGE + entered;
      tally.at(left, monthEnd(first), exit, Math.floor((day - first) / 7)).add(SPELLS, 1);
    }
    if (entered !== NO_SPELL) {
      tally.at(entered, monthEnd(day), ENTERED, 0).add(SPELLS, 1);
      first = day;
    }
  }
  return first;
}

function stageOfSpell(position: Position): number {
  return position === UNKNOWN || activityOf(position) === LAPSED ? NO_SPELL : stageOf(position);
}

function monthEnd(day: Day): Day {
  return monthStart(monthStart(day) + 31) - 1;
}

/** The spells of one stage as observed until a day. */
export interface ObservedSpells {
  /** Spells that began in a month whose last day is on or before that day. */
  readonly spells: number;
  /** How many of them ended after so many completed weeks by an exit (as in the key); ascending by week, those that lapsed last of each. */
  readonly exits: readonly { readonly weeks: number; readonly exit: number; readonly spells: number }[];
  /** How many of them, none counted as ended, are followed for no more than so many weeks; ascending. */
  readonly left: readonly { readonly followed: number; readonly spells: number }[];
}

interface ObservedRow {
  readonly exit: number;
  readonly weeks: number;
  /** Null in a row of an exit and week; exit and week are null in one of a follow-up. */
  readonly followed: number | null;
  readonly spells: number;
  readonly going_on: number;
}

/** Sums a stage's spells over the months in which they began; exits count as far as the whole month is followed. One statement. */
export async function readObservedSpells(
  { trx, model }: ReportContext,
  stage: number,
  as_of: Day,
): Promise<ObservedSpells> {
  const { rows } = await sql<ObservedRow>`
    select exit, weeks, followed, sum(spells)::float8 as spells,
      sum(case when exit = ${ENTERED} then spells else -spells end)::float8 as going_on
    from (
      select exit, weeks, spells, (${as_of}::int - month_end) / 7 as followed from rollup_time_in_stage
      where model_version = ${model.version} and group_id = ${EVERYBODY} and stage = ${stage} and month_end <= ${as_of}
    ) as observed
    where spells <> 0 and (exit = ${ENTERED} or weeks < followed)
    group by grouping sets ((exit, weeks), (followed))
    order by weeks, exit = ${EXIT_LAPSED}, exit, followed`.execute(trx);
  const left = rows.flatMap(({ followed, going_on }) => (followed === null ? [] : [{ followed, spells: going_on }]));
  const counted = rows.filter(({ followed }) => followed === null);
  const spells = counted.reduce((sum, row) => sum + (row.exit === ENTERED ? row.spells : 0), 0);
  return { spells, left, exits: counted.filter(({ exit }) => exit !== ENTERED) };
}
