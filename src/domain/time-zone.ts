import { type Day, dayOf } from './calendar.ts';

/** Microseconds since 1970-01-01T00:00:00Z: a safe integer for every instant between 1900 and 2199. */
export type Micros = number;

/** Microseconds of a day of 24 hours. */
export const DAY_MICROS = 86_400_000_000;

/** What one time zone says of instants and days. Made once a process: it remembers offsets. */
export interface TimeZone {
  /** IANA name, such as `Europe/Madrid`. */
  readonly name: string;
  /** Calendar day of an instant. */
  dayOf(at: Micros): Day;
  /** First instant of a calendar day; for a day the zone skipped, the first instant after it. */
  startOf(day: Day): Micros;
}

/** The rules of an IANA time zone, from the runtime's own tables. Throws `RangeError` for an unknown name. */
export function timeZone(name: string): TimeZone {
  const offsetAt = offsets(name);
  const dayOfInstant = (at: Micros): Day => Math.floor((at + offsetAt(at)) / DAY_MICROS);
  return {
    name,
    dayOf: dayOfInstant,
    startOf(day) {
      const wall = day * DAY_MICROS;
      // The offset near midnight is one of those a day to either side; the earliest instant that falls on the day, or after it, wins.
      const candidates = [wall - offsetAt(wall - DAY_MICROS), wall - offsetAt(wall + DAY_MICROS)];
      const starts = candidates.filter((at) => dayOfInstant(at) >= day && dayOfInstant(at - 1) < day);
      return starts.length > 0 ? Math.min(...starts) : transition(dayOfInstant, day, Math.min(...candidates));
    },
  };
}

/** The zone jumped over midnight: the instant of the jump, by bisection. */
function transition(dayOfInstant: (at: Micros) => Day, day: Day, near: Micros): Micros {
  let before = near - 2 * DAY_MICROS;
  let after = near + 2 * DAY_MICROS;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (dayOfInstant(middle) < day) before = middle;
    else after = middle;
  }
  return after;
}

/** Offset from UTC in microseconds at an instant. Asking Intl costs about 1 µs a part, so days without a transition are remembered. */
function offsets(name: string): (at: Micros) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const exact = (at: Micros): number => {
    const second = Math.floor(at / 1_000_000);
    const parts: Record<string, string> = {};
    for (const part of format.formatToParts(second * 1_000)) parts[part.type] = part.value;
    const [year, month, day] = [Number(parts.year), Number(parts.month), Number(parts.day)];
    const wall =
      dayOf(year, month, day) * 86_400 + Number(parts.hour) * 3_600 + Number(parts.minute) * 60 + Number(parts.second);
    return (wall - second) * 1_000_000;
  };
  const ofDay = new Map<number, number | null>();
  return (at) => {
    const utcDay = Math.floor(at / DAY_MICROS);
    let offset = ofDay.get(utcDay);
    if (offset === undefined) {
      const first = exact(utcDay * DAY_MICROS);
      offset = first === exact((utcDay + 1) * DAY_MICROS) ? first : null;
      ofDay.set(utcDay, offset);
    }
    return offset ?? exact(at);
  };
}
