import { formatDay, parseDay } from './calendar.ts';

/** The lengths reports count in; weeks are ISO weeks. */
export const GRAINS = ['week', 'month', 'quarter', 'year'] as const;
/** One of `GRAINS`. */
export type Grain = (typeof GRAINS)[number];

/** A calendar period: its name as reports write it, its first day, and the first day after it. */
export interface Period {
  readonly name: string;
  readonly grain: Grain;
  readonly from: number;
  readonly to: number;
}

/** The period that holds a day. */
export function periodOf(day: number, grain: Grain): Period {
  if (grain === 'week') return weekOf(day);
  const [year = 0, month = 0] = formatDay(day).split('-').map(Number);
  if (grain === 'year') return { name: `${year}`, grain, from: firstOf(year, 1), to: firstOf(year + 1, 1) };
  if (grain === 'month') {
    return { name: formatDay(day).slice(0, 7), grain, from: firstOf(year, month), to: firstOf(year, month + 1) };
  }
  const quarter = Math.ceil(month / 3);
  const from = firstOf(year, quarter * 3 - 2);
  return { name: `${year}-Q${quarter}`, grain, from, to: firstOf(year, quarter * 3 + 1) };
}

/** The period after. */
export function nextPeriod(period: Period): Period {
  return periodOf(period.to, period.grain);
}

/** The period before. */
export function previousPeriod(period: Period): Period {
  return periodOf(period.from - 1, period.grain);
}

/** A period from its name, or from its first day as `YYYY-MM-DD`: tries every day of the year and the weeks around it. */
export function parsePeriod(text: string, grain: Grain): Period {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const period = periodOf(parseDay(text), grain);
    if (period.from !== parseDay(text)) throw new RangeError(`${text} is not the first day of a ${grain}`);
    return period;
  }
  const year = Number(text.slice(0, 4));
  for (let day = firstOf(year, 1) - 7; day < firstOf(year + 1, 1) + 7; day += 1) {
    const period = periodOf(day, grain);
    if (period.name === text) return period;
  }
  throw new RangeError(`not a ${grain}: ${text}`);
}

/** The first day of a month; months beyond 12 are those of the next year. */
export function firstOf(year: number, month: number): number {
  return Date.UTC(year, month - 1, 1) / 86_400_000;
}

/** ISO 8601: a week begins on Monday and belongs to the year of its Thursday; the first holds the year's first Thursday. */
function weekOf(day: number): Period {
  const weekday = new Date(day * 86_400_000).getUTCDay();
  const from = day - (weekday === 0 ? 6 : weekday - 1);
  const thursday = from + 3;
  const year = Number(formatDay(thursday).slice(0, 4));
  const week = Math.floor((thursday - firstOf(year, 1)) / 7) + 1;
  return { name: `${year}-W${String(week).padStart(2, '0')}`, grain: 'week', from, to: from + 7 };
}
