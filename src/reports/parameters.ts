import { Type } from '@sinclair/typebox';
import { type Day, parseDay } from '../domain/calendar.ts';
import type { ReportFault } from './report.ts';

/** Which lifecycle model is asked about. */
export const modelParameter = Type.Optional(
  Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$', description: 'Lifecycle model; `lifecycle` if absent.' }),
);

/** Only the customers who carry this group today, for past days too. */
export const groupParameter = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 64,
    description: 'Only customers who carry this group today, for past days too.',
  }),
);

/** Reads a day parameter, or the fallback if it is absent. */
export function readDay(parameter: string, text: string | undefined, fallback: Day): Day | ReportFault {
  if (text === undefined) return fallback;
  const day = parseDay(text);
  if (day !== null) return day;
  return {
    parameter,
    code: 'not_a_day',
    detail: 'is not a day of the calendar between 1900-01-01 and 2199-12-31; write YYYY-MM-DD',
  };
}

/** Reads a half-open range of days; both ends must be given. */
export function readRange(from: string | undefined, to: string | undefined): { from: Day; to: Day } | ReportFault {
  if (from === undefined || to === undefined) {
    const parameter = from === undefined ? 'from' : 'to';
    return { parameter, code: 'invalid_range', detail: 'is missing; a range needs both from and to' };
  }
  const first = readDay('from', from, 0);
  if (typeof first !== 'number') return first;
  const end = readDay('to', to, 0);
  if (typeof end !== 'number') return end;
  if (end > first) return { from: first, to: end };
  return {
    parameter: 'to',
    code: 'invalid_range',
    detail: 'must be after from: the range holds from, and ends before to',
  };
}
