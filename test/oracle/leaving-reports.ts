import { isComplete } from './buyers-reports.ts';
import { formatDay } from './calendar.ts';
import { formatMoney } from './money.ts';
import { byBytes, isIn, oldestOpenComplaint, type Person, share, sumIn } from './people.ts';
import { firstOf, periodOf } from './periods.ts';
import type { StageAsk } from './stage-reports.ts';
import { estimate, type Step } from './survival.ts';

/** Reasons in the order of the rows. */
const REASONS = [
  'competitor',
  'unattended_service',
  'unresolved_defect',
  'boredom',
  'price',
  'other',
  'open_complaint',
  'unknown',
];

/** One customer becoming lapsed. */
interface Defection {
  readonly day: number;
  readonly stageLeft: string | null;
  readonly reason: string;
  /** Revenue of the month of the last purchase day and the eleven before, up to the day. */
  readonly atStake: number;
  readonly tenureDays: number;
  readonly openComplaint: boolean;
  /** Days to the next purchase day; infinite if there is none. */
  readonly backAfter: number;
}

/** Moves into `lapsed` by period, stage left and reason; only rows with somebody in them. */
export function defections({ people, periods, today, decimals, stages }: StageAsk) {
  const all = people.flatMap(defectionsOf);
  const rows = [];
  for (const period of periods) {
    for (const stage of [null, ...stages]) {
      for (const reason of REASONS) {
        const own = all.filter((one) => isIn(one.day, period) && one.stageLeft === stage && one.reason === reason);
        if (own.length === 0) continue;
        const total = (of: (one: Defection) => number): number => own.reduce((sum, one) => sum + of(one), 0);
        const wonBack = (within: number): number | null =>
          today - (period.to - 1) >= within ? own.filter(({ backAfter }) => backAfter <= within).length : null;
        rows.push({
          period: period.name,
          complete: isComplete(period, today),
          stage_left: stage,
          reason,
          defections: own.length,
          value_at_stake: formatMoney(
            total(({ atStake }) => atStake),
            decimals,
          ),
          average_tenure_days: share(
            total(({ tenureDays }) => tenureDays),
            own.length,
          ),
          with_open_complaint: own.filter(({ openComplaint }) => openComplaint).length,
          won_back_90: wonBack(90),
          won_back_180: wonBack(180),
          won_back_365: wonBack(365),
        });
      }
    }
  }
  return rows;
}

function defectionsOf(person: Person): Defection[] {
  const found: Defection[] = [];
  for (const [place, spell] of person.spells.entries()) {
    const before = person.spells[place - 1];
    if (spell.activity !== 'lapsed' || before?.activity === 'lapsed') continue;
    const day = spell.from;
    const last = person.purchaseDays.findLast((bought) => bought <= day);
    const first = person.purchaseDays[0];
    if (last === undefined || first === undefined) throw new Error('only who has bought can lapse');
    const next = person.purchaseDays.find((bought) => bought > day) ?? Number.POSITIVE_INFINITY;
    const openComplaint = oldestOpenComplaint(person, day) !== null;
    found.push({
      day,
      stageLeft: before?.stage ?? null,
      reason: departureReason(person, last, next) ?? (openComplaint ? 'open_complaint' : 'unknown'),
      atStake: sumIn(person.revenue, yearAround(last, day)),
      tenureDays: day - first,
      openComplaint,
      backAfter: next - day,
    });
  }
  return found;
}

/** From the first of the month eleven months before that of the last purchase, to the end of that month or the day itself. */
function yearAround(last: number, day: number): { from: number; to: number } {
  const [year = 0, month = 0] = formatDay(last).split('-').map(Number);
  return { from: firstOf(year, month - 11), to: Math.min(firstOf(year, month + 1), day + 1) };
}

/** The reason of the latest departure on the days [from, before): latest day, then instant, then id. */
function departureReason({ interactions }: Person, from: number, before: number): string | null {
  const departures = interactions.filter(({ kind, at }) => kind === 'departure' && at.day >= from && at.day < before);
  departures.sort(
    (one, other) => one.at.day - other.at.day || one.at.micros - other.at.micros || byBytes(one.id, other.id),
  );
  return departures.at(-1)?.reason ?? null;
}

/** Unbroken time in the stage while not lapsed. Without an exit it lasts. */
interface Stay {
  readonly start: number;
  readonly end: number;
  readonly exit: string | null;
}

function staysOf({ spells }: Person, stage: string): Stay[] {
  const stays: Stay[] = [];
  const isStay = (place: number): boolean => spells[place]?.stage === stage && spells[place]?.activity !== 'lapsed';
  for (const [place, spell] of spells.entries()) {
    if (!isStay(place) || isStay(place - 1)) continue;
    const next = spells.find((_, later) => later > place && !isStay(later));
    if (next === undefined) stays.push({ start: spell.from, end: Number.POSITIVE_INFINITY, exit: null });
    else stays.push({ start: spell.from, end: next.from, exit: next.activity === 'lapsed' ? 'lapsed' : next.stage });
  }
  return stays;
}

/** Whether Π(1 − d/r) is at most a half, in whole numbers: rounding must not put off a median. */
function isHalfGone(steps: readonly Step[]): boolean {
  const product = (of: (step: Step) => number): bigint => steps.reduce((all, step) => all * BigInt(of(step)), 1n);
  return 2n * product(({ atRisk, events }) => atRisk - events) <= product(({ atRisk }) => atRisk);
}

/** How long stays in a stage last, by completed weeks, as of a day. Entry-month cohorts are followed as long as their youngest member. */
export function timeInStage(people: readonly Person[], stages: readonly string[], stage: string, asOf: number) {
  const stays = people
    .flatMap((person) => staysOf(person, stage))
    .map((stay) => ({
      exit: stay.exit,
      weeks: Math.floor((stay.end - stay.start) / 7),
      followed: Math.floor((asOf - (periodOf(stay.start, 'month').to - 1)) / 7),
    }));
  const counted = stays.filter(({ followed }) => followed >= 0);
  const exits = [...stages.filter((name) => name !== stage), 'lapsed'];
  const incidence = new Map(exits.map((exit) => [exit, 0]));
  const totals = new Map(exits.map((exit) => [exit, 0]));
  const steps: Step[] = [];
  const items = [];
  let median: number | null = null;
  let survival = 1;
  for (let week = 0; week < Math.max(0, ...counted.map(({ followed }) => followed)); week += 1) {
    const atRisk = counted.filter(({ followed, weeks }) => followed > week && weeks >= week);
    const leaving = atRisk.filter(({ weeks }) => weeks === week);
    if (leaving.length === 0) continue;
    steps.push({ atRisk: atRisk.length, events: leaving.length });
    const after = estimate(steps);
    for (const exit of exits) {
      const count = leaving.filter((stay) => stay.exit === exit).length;
      if (count === 0) continue;
      totals.set(exit, (totals.get(exit) ?? 0) + count);
      incidence.set(exit, (incidence.get(exit) ?? 0) + (survival * count) / atRisk.length);
      const row = { weeks: week, at_risk: atRisk.length, exit, exits: count, incidence: incidence.get(exit) ?? 0 };
      items.push({ ...row, ...after });
    }
    survival = after.survival;
    if (median === null && isHalfGone(steps)) median = week;
  }
  const left = exits.filter((exit) => (totals.get(exit) ?? 0) > 0);
  return {
    items,
    stage,
    median,
    spells: counted.length,
    exits: left.map((exit) => ({ exit, exits: totals.get(exit) ?? 0, incidence: incidence.get(exit) ?? 0 })),
  };
}
