import { formatDay } from '../oracle/calendar.ts';
import type { Walked } from './lives.ts';

// What the roll-ups and reports on leaving must say, worked out customer by customer and day by day from what the oracle walked.

/** One move into lapsed. */
export interface TrueDefection {
  readonly day: number;
  readonly stage_left: string | null;
  readonly reason: string;
  readonly cents: number;
  readonly tenure_days: number;
  readonly open_complaint: boolean;
  /** Days to the next purchase day; infinite if none came. */
  readonly silence: number;
}

/** Every move into lapsed of one customer. */
export function trueDefections(life: Walked): TrueDefection[] {
  return life.spells.flatMap((spell, index): TrueDefection[] => {
    const eve = life.spells[index - 1];
    if (spell.activity !== 'lapsed' || eve?.activity === 'lapsed') return [];
    const day = spell.from;
    const last = life.purchase_days.findLast((bought) => bought <= day)!;
    const next = life.purchase_days.find((bought) => bought > day) ?? Number.POSITIVE_INFINITY;
    const open_complaint = hasOpenComplaint(life, day);
    return [
      {
        day,
        stage_left: eve?.stage ?? null,
        reason: statedReason(life, last, next) ?? (open_complaint ? 'open_complaint' : 'unknown'),
        cents: life.revenue
          .filter((paid) => paid.day <= day && monthsFrom(paid.day, last) >= 0 && monthsFrom(paid.day, last) <= 11)
          .reduce((sum, paid) => sum + paid.cents, 0),
        tenure_days: day - life.purchase_days[0]!,
        open_complaint,
        silence: next - day,
      },
    ];
  });
}

function monthsFrom(early: number, late: number): number {
  const [from, to] = [formatDay(early).split('-'), formatDay(late).split('-')];
  return (Number(to[0]) - Number(from[0])) * 12 + Number(to[1]) - Number(from[1]);
}

function hasOpenComplaint({ stored }: Walked, day: number): boolean {
  const days = (wanted: string): number[] =>
    [...stored.interactions.values()]
      .filter((one) => !one.void && one.kind === wanted && one.at.day <= day)
      .map((one) => one.at.day);
  return days('complaint').some((complaint) => !days('resolution').some((resolution) => resolution >= complaint));
}

/** Reason of the latest departure on the days [last, next). */
function statedReason({ told, stored }: Walked, last: number, next: number): string | undefined {
  const stated = [...stored.interactions.values()]
    .filter((one) => !one.void && one.kind === 'departure' && one.at.day >= last && one.at.day < next)
    .sort((one, other) => one.at.micros - other.at.micros || (one.id < other.id ? -1 : 1));
  return told.find(({ id }) => id === stated.at(-1)?.id)?.said;
}

/** One unbroken time in a stage while not lapsed. */
export interface TrueSpell {
  readonly stage: string;
  readonly from: number;
  /** How it ended, and on which day; null if it never does. */
  readonly exit: string | null;
  readonly to: number | null;
}

/** Every spell of one customer, found by going through all days. */
export function trueSpells({ spells }: Walked): TrueSpell[] {
  const found: TrueSpell[] = [];
  const last = spells.at(-1)!.from;
  let now: { stage: string; from: number } | null = null;
  for (let day = spells[0]!.from; day <= last; day += 1) {
    const { stage, activity } = spells.findLast(({ from }) => from <= day)!;
    const lapsed = activity === 'lapsed';
    if (now !== null && (lapsed || stage !== now.stage)) {
      found.push({ ...now, exit: lapsed ? '(lapsed)' : stage, to: day });
      now = null;
    }
    if (!lapsed) now ??= { stage, from: day };
  }
  if (now !== null) found.push({ ...now, exit: null, to: null });
  return found;
}

/** Last day of the month of a day. */
export function monthEnd(day: number): number {
  const [year, month] = formatDay(day).split('-').map(Number);
  return Date.UTC(year!, month!, 0) / 86_400_000;
}

/** A row of time-in-stage, with how it follows from single spells. */
export interface TrueExit {
  readonly weeks: number;
  readonly at_risk: number;
  readonly exit: string;
  readonly exits: number;
  readonly incidence: number;
  readonly survival: number;
}

/** The rows of time-in-stage for the spells of one stage, counting spell by spell. `exits` lists the exits in their order. */
export function trueExits(spells: readonly TrueSpell[], asOf: number, exits: readonly string[]): TrueExit[] {
  const seen = spells
    .filter(({ from }) => monthEnd(from) <= asOf)
    .map(({ from, to, exit }) => {
      const followed = Math.floor((asOf - monthEnd(from)) / 7);
      const weeks = to === null ? Number.POSITIVE_INFINITY : Math.floor((to - from) / 7);
      return { followed, exit, weeks: weeks < followed ? weeks : Number.POSITIVE_INFINITY };
    });
  const rows: TrueExit[] = [];
  const incidence = new Map<string, number>();
  let survival = 1;
  for (let weeks = 0; weeks <= Math.max(0, ...seen.map(({ followed }) => followed)); weeks += 1) {
    const at_risk = seen.filter((spell) => spell.followed > weeks && spell.weeks >= weeks).length;
    const ended = seen.filter((spell) => spell.weeks === weeks);
    if (ended.length === 0) continue;
    const after = survival * (1 - ended.length / at_risk);
    for (const exit of exits) {
      const count = ended.filter((spell) => spell.exit === exit).length;
      if (count === 0) continue;
      incidence.set(exit, (incidence.get(exit) ?? 0) + (survival * count) / at_risk);
      rows.push({ weeks, at_risk, exit, exits: count, incidence: incidence.get(exit)!, survival: after });
    }
    survival = after;
  }
  return rows;
}
