import { sql } from 'kysely';
import { DEPARTURE_REASONS } from '../domain/activity-day.ts';
import { type Day, FIRST_DAY, LAST_DAY, monthStart, periodStart } from '../domain/calendar.ts';
import { activityOf, type Move, stageOf, UNKNOWN } from '../domain/compile-model.ts';
import type { Facts } from '../domain/facts.ts';
import { ACTIVITIES, MODEL_LIMITS } from '../domain/model.ts';
import type { Minor } from '../domain/money.ts';
import type { Projection, Tally } from '../domain/projection.ts';
import type { PeriodRange } from './period-range.ts';
import { MAX_ROWS, type ReportContext } from './report.ts';

/** Rows of whole ISO weeks, dated their Mondays. */
const WEEK_ROW = 0;
/** Rows of whole months, dated their first days. */
export const MONTH_ROW = 1;

/** Why customers left. The order is that of the codes in the roll-up's key: stated reasons, then what is only inferred. */
export const DEFECTION_REASONS = [...DEPARTURE_REASONS, 'open_complaint', 'unknown'] as const;
/** One of `DEFECTION_REASONS`. */
export type DefectionReason = (typeof DEFECTION_REASONS)[number];

/** Days after the defection within which a purchase day counts as winning back, ascending. */
export const WIN_BACK_DAYS = [90, 180, 365] as const;

const OPEN_COMPLAINT = DEFECTION_REASONS.indexOf('open_complaint');
const UNSTATED = DEFECTION_REASONS.indexOf('unknown');
const LAPSED = ACTIVITIES.indexOf('lapsed');

// Measures; from the fifth on, one for each of `WIN_BACK_DAYS`.
const DEFECTIONS = 0;
const VALUE_AT_STAKE = 1;
const TENURE_DAYS = 2;
const WITH_OPEN_COMPLAINT = 3;
const WON_BACK = 4;

/** A defection whose reason and win-back later days can still change. */
type Pending = readonly [
  day: Day,
  stage_left: number,
  value_at_stake: Minor,
  tenure_days: number,
  open_complaint: 0 | 1,
];

/**
 * Code of the reason last stated since the last purchase day, that day included; the pending defection; and the revenue of recent months, each by its
 * first day: month, revenue, month, revenue …
 */
type State = readonly [stated: number, pending: Pending | null, months: readonly number[]];

/**
 * Every move into lapsed, by the week and again by the month of its day, by the stage on its eve (0: not known then; else 1 + the stage's index) and by reason.
 * From one purchase day to the next there is at most one; what was said and bought after it is settled by the next. The defections report reads it.
 */
export const defectionsRollup: Projection<State> = {
  name: 'defections',
  version: 1,
  per_model: true,
  key: [
    { name: 'grain', least: WEEK_ROW, size: 2 },
    { name: 'day', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 },
    { name: 'stage_left', least: 0, size: 1 + MODEL_LIMITS.stages },
    { name: 'reason', least: 0, size: DEFECTION_REASONS.length },
  ],
  measures: [
    'defections',
    'value_at_stake',
    'tenure_days',
    'with_open_complaint',
    ...WIN_BACK_DAYS.map((days) => `won_back_${days}`),
  ],
  start: [UNSTATED, null, []],
  advance(state, { day, before, after, moves }, tally) {
    let [stated, pending, months] = state;
    const lapse = lapseAmong(moves);
    if (lapse !== null && lapse.day < day.day) pending = defection(lapse, months, before!);
    if (day.purchases > 0) {
      if (pending !== null) tallyDefection(tally, pending, stated, day.day);
      pending = null;
      stated = UNSTATED;
    }
    if (day.departure !== null) stated = DEFECTION_REASONS.indexOf(day.departure.reason ?? 'other');
    if (day.revenue !== 0) months = withRevenue(months, day.day, day.revenue, after.last_purchase_day);
    if (lapse !== null && lapse.day === day.day) pending = defection(lapse, months, after);
    return stated === state[0] && pending === state[1] && months === state[2] ? state : [stated, pending, months];
  },
  settle([stated, pending, months], facts, scheduled, tally) {
    if (pending !== null) tallyDefection(tally, pending, stated, null);
    const lapse = lapseAmong(scheduled);
    if (lapse !== null) tallyDefection(tally, defection(lapse, months, facts), stated, null);
  },
};

/** The move into lapsed, if there is one. Only a purchase day ends being lapsed, and no move between two of them comes after it, so there is at most one. */
function lapseAmong(moves: readonly Move[]): Move | null {
  for (const move of moves) {
    const was = move.from !== UNKNOWN && activityOf(move.from) === LAPSED;
    if (!was && activityOf(move.to) === LAPSED) return move;
  }
  return null;
}

/** What a move into lapsed loses, by the facts of its day. */
function defection({ day, from }: Move, months: readonly number[], facts: Facts): Pending {
  const last = monthStart(facts.last_purchase_day!);
  const first = elevenMonthsBefore(last);
  let value = 0;
  for (let index = 0; index < months.length; index += 2) {
    if (months[index]! >= first && months[index]! <= last) value += months[index + 1]!;
  }
  const stage_left = from === UNKNOWN ? 0 : 1 + stageOf(from);
  return [day, stage_left, value, day - facts.first_purchase_day!, facts.open_complaint_day === null ? 0 : 1];
}

function tallyDefection(tally: Tally, pending: Pending, stated: number, next_purchase_day: Day | null): void {
  const [day, stage_left, , , complaint] = pending;
  const reason = stated === UNSTATED && complaint === 1 ? OPEN_COMPLAINT : stated;
  const silence = next_purchase_day === null ? Number.POSITIVE_INFINITY : next_purchase_day - day;
  tallyLoss(tally.at(WEEK_ROW, periodStart(day, 'week'), stage_left, reason), pending, silence);
  tallyLoss(tally.at(MONTH_ROW, monthStart(day), stage_left, reason), pending, silence);
}

function tallyLoss(row: Tally, [, , value, tenure, complaint]: Pending, silence: number): void {
  row.add(DEFECTIONS, 1).add(VALUE_AT_STAKE, value).add(TENURE_DAYS, tenure).add(WITH_OPEN_COMPLAINT, complaint);
  for (let index = 0; index < WIN_BACK_DAYS.length; index += 1) {
    if (silence <= WIN_BACK_DAYS[index]!) row.add(WON_BACK + index, 1);
  }
}

/**
 * Adds revenue to the month of a day, the latest there is. Drops the months that no value at stake will ask for again: neither of a purchase to come,
 * nor of the last one. At most 24 remain.
 */
function withRevenue(months: readonly number[], day: Day, revenue: Minor, last_purchase_day: Day | null): number[] {
  const month = monthStart(day);
  if (months.at(-2) === month) return months.with(-1, months.at(-1)! + revenue);
  const ahead = elevenMonthsBefore(month);
  const last = last_purchase_day === null ? month : monthStart(last_purchase_day);
  const first = elevenMonthsBefore(last);
  const kept = months.filter((_, index) => {
    const of = months[index - (index % 2)]!;
    return of >= ahead || (of >= first && of <= last);
  });
  kept.push(month, revenue);
  return kept;
}

/** The first day of the month eleven before the one that begins on `month`: 330 days back lies inside it, whatever the year. */
function elevenMonthsBefore(month: Day): Day {
  return monthStart(month - 330);
}

/** The defections of one period from one stage for one reason. */
export interface DefectionSum {
  /** Index of the period in the range. */
  readonly period: number;
  /** As in the key. */
  readonly stage_left: number;
  readonly reason: number;
  readonly defections: number;
  readonly value_at_stake: bigint;
  readonly tenure_days: number;
  readonly with_open_complaint: number;
  readonly won_back_90: number;
  readonly won_back_180: number;
  readonly won_back_365: number;
}

/**
 * Sums the defections of each period, from week rows or from month rows. One statement; rows ascending by period, stage left and reason, at most one more
 * than an answer may have.
 */
export async function sumDefections(
  { trx, model, group_id }: ReportContext,
  { grain, starts, end }: PeriodRange,
): Promise<DefectionSum[]> {
  const { rows } = await sql<DefectionSum>`
    select width_bucket(day, ${starts}::int[]) - 1 as period, stage_left, reason,
      sum(defections)::float8 as defections, sum(value_at_stake)::int8 as value_at_stake, sum(tenure_days)::float8 as tenure_days,
      sum(with_open_complaint)::float8 as with_open_complaint, sum(won_back_90)::float8 as won_back_90,
      sum(won_back_180)::float8 as won_back_180, sum(won_back_365)::float8 as won_back_365
    from rollup_defections
    where model_version = ${model.version} and group_id = ${group_id} and grain = ${grain === 'week' ? WEEK_ROW : MONTH_ROW}
      and day between ${starts[0]} and ${end - 1}
    group by 1, 2, 3
    having sum(defections) <> 0
    order by 1, 2, 3
    limit ${MAX_ROWS + 1}`.execute(trx);
  return rows;
}
