const DAY_MS = 86_400_000;
const STEP_MS = 900_000;
const INSTANT = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** A point in time: microseconds since the epoch, and the number of its calendar day in the reporting zone. */
export interface Moment {
  readonly micros: number;
  readonly day: number;
}

/** The day number (days since 1970-01-01) of `YYYY-MM-DD`. */
export function parseDay(text: string): number {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) throw new RangeError(`not a day: ${text}`);
  const day = Date.parse(`${text}T00:00:00Z`) / DAY_MS;
  if (!Number.isInteger(day) || formatDay(day) !== text) throw new RangeError(`no such day: ${text}`);
  return day;
}

/** `YYYY-MM-DD` of a day number. */
export function formatDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Calendar days of one IANA time zone, looked up with `Intl` and remembered. */
export class Calendar {
  readonly #format: Intl.DateTimeFormat | null;
  readonly #days = new Map<number, number>();
  readonly #starts = new Map<number, number>();
  readonly #moments = new Map<string, Moment>();

  constructor(timeZone: string) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    const settings = { timeZone, calendar: 'gregory', numberingSystem: 'latn', ...parts } as const;
    this.#format = timeZone === 'UTC' ? null : new Intl.DateTimeFormat('en-US', settings);
  }

  /** Reads an RFC 3339 instant with offset and at most six decimals, or a plain date: the start of that day. */
  read(text: string): Moment {
    let moment = this.#moments.get(text);
    if (moment === undefined) {
      moment = this.#read(text);
      this.#moments.set(text, moment);
    }
    return moment;
  }

  /** The day an instant falls on in this zone. */
  dayOf(epochMs: number): number {
    if (this.#format === null) return Math.floor(epochMs / DAY_MS);
    let day = this.#days.get(epochMs);
    if (day === undefined) {
      // en-US writes `01/31/2024`; four digits of year are certain, since days lie in 1900–2199.
      const [month = '', date = '', year = ''] = this.#format.format(epochMs).split('/');
      day = parseDay(`${year}-${month}-${date}`);
      this.#days.set(epochMs, day);
    }
    return day;
  }

  #read(text: string): Moment {
    const match = INSTANT.exec(text);
    if (match === null) {
      const day = parseDay(text);
      return { micros: this.#startOf(day) * 1000, day };
    }
    const [, date = '', hours, minutes, seconds, decimals = '', sign, offsetHours = '0', offsetMinutes = '0'] = match;
    const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1);
    const wall = (Number(hours) * 60 + Number(minutes) - offset) * 60 + Number(seconds);
    const micros = (parseDay(date) * 86_400 + wall) * 1_000_000 + Number(decimals.padEnd(6, '0'));
    return { micros, day: this.dayOf(Math.floor(micros / 1000)) };
  }

  /** The first instant whose local date is this day or later, in milliseconds, to the second. */
  #startOf(day: number): number {
    if (this.#format === null) return day * DAY_MS;
    let start = this.#starts.get(day);
    if (start === undefined) {
      let high = day * DAY_MS - 16 * 3_600_000;
      while (this.dayOf(high) < day) high += STEP_MS;
      let low = high - STEP_MS;
      while (high - low > 1000) {
        const middle = Math.floor((low + high) / 2000) * 1000;
        if (this.dayOf(middle) >= day) high = middle;
        else low = middle;
      }
      start = high;
      this.#starts.set(day, start);
    }
    return start;
  }
}
