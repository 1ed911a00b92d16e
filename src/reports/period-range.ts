import { Type } from '@sinclair/typebox';
import { type Day, FIRST_DAY, nextPeriodStart, periodStart } from '../domain/calendar.ts';
import { GRAINS, type Grain, parsePeriod, periodsIn, previousPeriodStart } from '../domain/period.ts';
import { oneOf } from './fields.ts';
import { MAX_POINTS, type ReportFault } from './report.ts';

/** Parameters of reports that count by period. */
export const periodParameters = {
  grain: Type.Optional(
    oneOf(GRAINS, { description: 'Length of the periods; `month` if absent. Weeks are ISO weeks.' }),
  ),
  from: Type.Optional(
    Type.String({
      minLength: 4,
      maxLength: 10,
      description:
        'First period (2025, 2025-Q3, 2025-07, 2025-W31, or its first day); if absent, the last 12 periods are answered.',
    }),
  ),
  to: Type.Optional(
    Type.String({
      minLength: 4,
      maxLength: 10,
      description: 'The period after the last one (half-open); if absent, the one after the running period.',
    }),
  ),
};

/** A text that names a period. */
export const periodField = Type.String({ description: 'The period: 2025, 2025-Q3, 2025-07 or 2025-W31.' });
/** Whether a period is over. */
export const completeField = Type.Boolean({
  description: 'False while the period is running or to come: what silence could still change is null.',
});

/** The periods a report is asked for. */
export interface PeriodRange {
  readonly grain: Grain;
  /** First days, ascending. */
  readonly starts: readonly Day[];
  /** First day of the period after the last. */
  readonly end: Day;
}

/**
 * Reads grain, from and to, with today's period as the last and eleven before it if they are absent. Refuses what is no period between 1900 and 2199, an
 * empty range, and more than 400 periods.
 */
export function readPeriods(
  query: { readonly grain?: Grain; readonly from?: string; readonly to?: string },
  today: Day,
): PeriodRange | ReportFault {
  const grain = query.grain ?? 'month';
  const running = periodStart(today, grain);
  const end = query.to === undefined ? nextPeriodStart(running, grain) : parsePeriod(query.to, grain);
  if (end === null) return notAPeriod('to', grain);
  const from = query.from === undefined ? twelveBefore(end, grain) : parsePeriod(query.from, grain);
  if (from === null) return notAPeriod('from', grain);
  if (end <= from)
    return {
      parameter: 'to',
      code: 'invalid_range',
      detail: 'must be after from: the range holds from, and ends before to',
    };
  const starts = periodsIn(from, end, grain, MAX_POINTS);
  if (starts.length <= MAX_POINTS) return { grain, starts, end };
  return {
    parameter: 'to',
    code: 'range_too_wide',
    detail: `an answer has at most ${MAX_POINTS} periods; narrow the range or use a longer grain`,
  };
}

/** Twelve periods earlier; 1900-01-01, with which a period of every length begins, if there are fewer. */
function twelveBefore(end: Day, grain: Grain): Day {
  let start = end;
  for (let period = 0; period < 12 && start > FIRST_DAY; period += 1) start = previousPeriodStart(start, grain);
  return start;
}

const NOTATION: Readonly<Record<Grain, string>> = {
  week: '2025-W31',
  month: '2025-07',
  quarter: '2025-Q3',
  year: '2025',
};

function notAPeriod(parameter: string, grain: Grain): ReportFault {
  return {
    parameter,
    code: 'not_a_period',
    detail: `is not a ${grain} between 1900 and 2199; write it like ${NOTATION[grain]}, or as its first day`,
  };
}
