import type { Query } from '../oracle/answers.ts';
import { formatDay } from '../oracle/calendar.ts';
import { GRAINS, type Grain, nextPeriod, type Period, periodOf, previousPeriod } from '../oracle/periods.ts';
import type { Rng } from '../oracle/random.ts';
import type { SideBySide } from './side-by-side.ts';

/** How far questions reach: the histories some 700 days back, the schedules some 1,100 ahead. */
const BACK_DAYS = 760;
const AHEAD_DAYS = 400;
const MOST_PERIODS = { week: 20, month: 14, quarter: 8, year: 4 } as const;

/** Draws the parameters of a question about a model, without the model itself and the group. */
export type DrawQuery = (both: SideBySide, modelId: string, rng: Rng) => Query;

/** Random parameters of every report that is answered for periods, days, values or purchase numbers. */
export const QUESTIONS: Readonly<Record<string, DrawQuery>> = {
  'stage-moves': (both, _, rng) => {
    let period = periodOf(both.today - rng.between(0, BACK_DAYS), rng.pick(GRAINS));
    if (period.to > both.today) period = previousPeriod(period);
    return { basis: 'net', from: formatDay(period.from), to: formatDay(period.to) };
  },
  'stage-retention': (both, _, rng) => somePeriods(both, rng),
  'time-in-stage': (both, modelId, rng) => ({
    ...(rng.chance(0.85) ? { stage: rng.pick(both.oracle.stagesOf(modelId)) } : {}),
    ...(rng.chance(0.7) ? { as_of: formatDay(both.today + rng.between(-BACK_DAYS, AHEAD_DAYS)) } : {}),
  }),
  'customer-flow': (both, _, rng) => somePeriods(both, rng),
  'cohort-retention': (both, _, rng) => ({
    ...withinAYearOfWeeks(somePeriods(both, rng)),
    ...(rng.chance(0.7) ? { basis: rng.pick(['on', 'on_or_after']) } : {}),
  }),
  'revenue-movements': (both, _, rng) => somePeriods(both, rng),
  'repeat-purchases': (_both, _, rng) =>
    rng.chance(0.6) ? { purchase_number: `${rng.pick([1, 1, 2, 2, 3, 4, 5, 20, 21, 50])}` } : {},
  'value-segments': (both, _, rng) => ({
    ...(rng.chance(0.7) ? { value: rng.pick(['revenue', 'profit']) } : {}),
    ...(rng.chance(0.5)
      ? { period: rng.pick(['lifetime', yearAgo(both, 0), yearAgo(both, 1), yearAgo(both, 2)]) }
      : {}),
  }),
  defections: (both, _, rng) => somePeriods(both, rng),
  'loyalty-economics': (both, _, rng) => ({
    ...somePeriods(both, rng, 'year'),
    ...(rng.chance(0.3) ? { acquisition_cost: rng.pick(['0', '3', '12']) } : {}),
    ...(rng.chance(0.3) ? { retention_cost: rng.pick(['0', '2', '40']) } : {}),
    ...(rng.chance(0.4) ? { discount_rate: rng.pick(['0', '0.05', '0.25', '1']) } : {}),
  }),
  'cash-flow': (both, _, rng) => somePeriods(both, rng),
  'model-crosswalk': (both, _, rng) => ({ other: rng.pick(both.modelIds) }),
};

function yearAgo(both: SideBySide, years: number): string {
  return `${Number(formatDay(both.today).slice(0, 4)) - years}`;
}

/** A grain and a range of its periods, past, running or to come, or one end of it, or none. */
function somePeriods({ today }: SideBySide, rng: Rng, usual: Grain = 'month'): Query {
  const stated = rng.chance(0.85);
  const grain = stated ? rng.pick(GRAINS) : usual;
  const first = periodOf(today + rng.between(-BACK_DAYS, 60), grain);
  let end = first;
  for (let left = rng.between(1, MOST_PERIODS[grain]); left > 0; left -= 1) end = nextPeriod(end);
  // Open ranges of weeks would be longer than an answer of cohorts may be.
  const isOpen = rng.chance(0.15) && first.from <= today && grain !== 'week';
  return {
    ...(stated ? { grain } : {}),
    ...rng.weighted<Query>([
      [2, {}],
      [1, { to: write(rng, end) }],
      [9, { from: write(rng, first), ...(isOpen ? {} : { to: write(rng, end) }) }],
    ]),
  };
}

/** Without an open end of weeks: a report of weekly cohorts takes 53 at most. */
function withinAYearOfWeeks(query: Query): Query {
  const { from, ...rest } = query;
  return query.grain === 'week' && query.to === undefined ? rest : query;
}

/** A period by its name, or by its first day. */
function write(rng: Rng, period: Period): string {
  return rng.chance(0.8) ? period.name : formatDay(period.from);
}
