import { parseDay } from './calendar.ts';
import { ACTIVITIES } from './model-document.ts';
import type { Oracle } from './oracle.ts';
import type { Person } from './people.ts';
import { type Bounds, wilsonBounds } from './wilson.ts';

// What the preview of a draft and the calibration of a model must answer, customer by customer. Everybody is looked at: nothing is sampled.

/** How many stand where in a draft, and where they stand in another model; pairs and places as texts. */
export function previewTruth(oracle: Oracle, draft: string, current: string, asOf: string) {
  const counts = new Map<string, number>();
  const moves = new Map<string, number>();
  let [customers, changed] = [0, 0];
  for (const id of oracle.customerIds()) {
    const [to, from] = [oracle.position(draft, id, asOf), oracle.position(current, id, asOf)];
    if (to === null || from === null) continue;
    customers += 1;
    const [is, was] = [`${to.stage} ${to.activity}`, `${from.stage} ${from.activity}`];
    if (is !== was) changed += 1;
    counts.set(is, (counts.get(is) ?? 0) + 1);
    moves.set(`${was} > ${is}`, (moves.get(`${was} > ${is}`) ?? 0) + 1);
  }
  return { customers, changed, counts, moves };
}

const FIXED = [30, 45, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 365];
const PERCENTILES = [50, 75, 80, 90, 95];

/** A candidate as the answer shows it, bounds included. */
export interface CandidateTruth {
  readonly name: string;
  readonly false_lapse: Bounds & { numerator: number; denominator: number };
  readonly caught: Bounds & { numerator: number; denominator: number };
  readonly balanced_accuracy: Bounds;
}

/** The candidates on the buyers of a past day; the people's spells are those of the model that is calibrated. */
export function calibrationTruth(everybody: readonly Person[], at: string, horizonDays: number) {
  const day = parseDay(at);
  const people = everybody.filter(({ purchaseDays }) => purchaseDays.some((bought) => bought <= day));
  const returns = (person: Person): boolean =>
    person.purchaseDays.some((bought) => bought > day && bought <= day + horizonDays);
  const gaps = people.flatMap(gapsUntil(day)).sort((one, other) => one - other);
  const ranked = PERCENTILES.flatMap((p) => {
    const days = gaps[Math.ceil((p * gaps.length) / 100) - 1];
    return days === undefined ? [] : [{ p, days }];
  });
  const median = ranked[0]?.days;
  const rules: [string, (person: Person) => boolean][] = [
    ['current', (person) => person.spells.findLast(({ from }) => from <= day)?.activity === ACTIVITIES[3]],
    ...FIXED.map((days): (typeof rules)[number] => [`fixed ${days}`, (person) => isSilent(person, day, () => days)]),
    ...ranked.map(({ p, days }): (typeof rules)[number] => {
      return [`gap_percentile ${p} ${days}`, (person) => isSilent(person, day, () => days)];
    }),
  ];
  if (median !== undefined)
    rules.push([`cadence ${median}`, (person) => isSilent(person, day, (own) => cadenceDays(own, median))]);
  const returners = people.filter(returns);
  const silent = people.filter((person) => !returns(person));
  return {
    buyers: people.length,
    returners: returners.length,
    silent: silent.length,
    gaps: ranked.map(({ p, days }) => ({ percentile: p, days, gaps: gaps.length })),
    candidates: rules.map(([name, isLapsed]): CandidateTruth => {
      const wrong = shareOf(returners.filter(isLapsed).length, returners.length);
      const right = shareOf(silent.filter(isLapsed).length, silent.length);
      return { name, false_lapse: wrong, caught: right, balanced_accuracy: balanced(wrong, right) };
    }),
  };
}

const gapsUntil =
  (day: number) =>
  ({ purchaseDays }: Person): number[] => {
    const until = purchaseDays.filter((bought) => bought <= day);
    return until.slice(1).map((bought, place) => bought - until[place]!);
  };

/** Silent for more days than the person may be, or gone by their own words. */
function isSilent(person: Person, day: number, allowed: (gaps: readonly number[]) => number): boolean {
  const last = Math.max(...person.purchaseDays.filter((bought) => bought <= day));
  const left = person.interactions.some(({ kind, at }) => kind === 'departure' && at.day <= day && at.day >= last);
  return left || day - last > allowed(gapsUntil(day)(person));
}

function cadenceDays(gaps: readonly number[], prior: number): number {
  const mean = [prior, prior, ...gaps].reduce((sum, gap) => sum + gap, 0) / (2 + gaps.length);
  // A mean is a fraction: three of them may miss a whole number by a little.
  return Math.min(365, Math.max(30, Math.floor(3 * mean + 1e-9)));
}

function shareOf(numerator: number, denominator: number) {
  return { numerator, denominator, ...wilsonBounds(numerator, denominator) };
}

function balanced(wrong: Bounds, right: Bounds): Bounds {
  if (wrong.share === null || right.share === null) return { share: null, lower: null, upper: null };
  const share = (right.share + 1 - wrong.share) / 2;
  // The lower end is where many returners are called lapsed and few silent ones caught.
  const down = Math.sqrt((right.share - right.lower!) ** 2 + (wrong.upper! - wrong.share) ** 2) / 2;
  const up = Math.sqrt((right.upper! - right.share) ** 2 + (wrong.share - wrong.lower!) ** 2) / 2;
  return { share, lower: share - down, upper: share + up };
}
