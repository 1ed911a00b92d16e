import { type Day, FIRST_DAY, LAST_DAY, leadingDay, parseDay } from './calendar.ts';
import { digits, POWERS_OF_TEN } from './digits.ts';
import { DAY_MICROS, type Micros, type TimeZone } from './time-zone.ts';

/** When an event happened, as the caller wrote it: an instant, or a plain date that means the whole day. */
export interface Moment {
  /** The instant; of a plain date, the start of the day. */
  readonly at: Micros;
  /** Its calendar day in the reporting time zone. */
  readonly day: Day;
  /** True for a plain date: its day stays, whatever the zone. */
  readonly plain: boolean;
}

/** Why a moment was refused. */
export type MomentFault = 'malformed' | 'out_of_range' | 'in_the_future';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads an RFC 3339 instant with offset (at most 6 decimals of a second, no leap second), or a plain `YYYY-MM-DD`.
 * Days before 1900 or after 2199 are `out_of_range`; an instant more than 24 hours after `now`, or a plain date after tomorrow, is
 * `in_the_future`. Pass `now` as null to allow any day.
 */
export function parseMoment(text: string, zone: TimeZone, now: Micros | null): Moment | MomentFault {
  const plainDay = parseDay(text);
  if (plainDay !== null) {
    if (now !== null && plainDay > zone.dayOf(now) + 1) return 'in_the_future';
    return { at: zone.startOf(plainDay), day: plainDay, plain: true };
  }
  const at = parseInstant(text);
  if (at === null) return /^\d{4}-\d{2}-\d{2}/.test(text) && !/^(19|2[01])/.test(text) ? 'out_of_range' : 'malformed';
  const day = zone.dayOf(at);
  if (day < FIRST_DAY || day > LAST_DAY) return 'out_of_range';
  if (now !== null && at > now + DAY_MICROS) return 'in_the_future';
  return { at, day, plain: false };
}

function parseInstant(text: string): Micros | null {
  if (!INSTANT.test(text)) return null;
  const day = leadingDay(text);
  const [hour, minute, second] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19)];
  if (day === null || hour > 23 || minute > 59 || second > 59) return null;
  const end = text.length - (text.endsWith('Z') ? 1 : 6);
  const offset = offsetMinutes(text, end);
  if (offset === null) return null;
  const decimals = end - 20;
  const micros = decimals > 0 ? digits(text, 20, end) * POWERS_OF_TEN[6 - decimals]! : 0;
  return (((day * 24 + hour) * 60 + minute - offset) * 60 + second) * 1_000_000 + micros;
}

/** Minutes that local time is ahead of UTC, by what is written at this place: `Z` or `+01:00`. */
function offsetMinutes(text: string, at: number): number | null {
  if (text[at] === 'Z') return 0;
  const [hours, minutes] = [digits(text, at + 1, at + 3), digits(text, at + 4, at + 6)];
  if (hours > 23 || minutes > 59) return null;
  return (text[at] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** Writes an instant as RFC 3339 in UTC, decimals only where there are any: `2025-03-01T09:30:00Z`. */
export function formatInstant(at: Micros): string {
  const second = Math.floor(at / 1_000_000);
  const micros = at - second * 1_000_000;
  const whole = new Date(second * 1_000).toISOString().slice(0, 19);
  return micros === 0 ? `${whole}Z` : `${whole}.${String(micros).padStart(6, '0').replace(/0+$/, '')}Z`;
}
