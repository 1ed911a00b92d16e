import { FIRST_DAY, LAST_DAY } from '../domain/calendar.ts';
import { GRAINS, grainNumber, grainStart } from '../domain/period.ts';
import type { Projection } from '../domain/projection.ts';

/** More than the weeks of 1900–2199. */
const AGES = 15_700;

// Measures.
const BUYERS = 0;
const LAST_BUYERS = 1;
const PURCHASES = 2;
const PURCHASE_DAYS = 3;
const REVENUE = 4;
const COSTS = 5;

/**
 * What the customers of each cohort do at each age, in every grain. A cohort is the period of the first purchase day, named by its first day; an age is a
 * number of periods after it. `buyers` bought at that age; `last_buyers` did so for the last time: summed from an age upwards, they are those who still
 * bought then or later. What was brought and spent before the first purchase day counts at age 0. Whoever never bought is in no cohort.
 */
export const cohortsRollup: Projection<null> = {
  name: 'cohorts',
  version: 1,
  per_model: false,
  key: [
    { name: 'grain', least: 0, size: GRAINS.length },
    { name: 'cohort', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 },
    { name: 'age', least: 0, size: AGES },
  ],
  measures: ['buyers', 'last_buyers', 'purchases', 'purchase_days', 'revenue', 'costs'],
  start: null,
  advance(state, { day, before, after }, tally) {
    const first = after.first_purchase_day;
    if (first === null) return state;
    const last = before?.last_purchase_day ?? null;
    const early = last === null ? before : null;
    const revenue = day.revenue + (early?.revenue ?? 0);
    const costs = day.costs + (early?.costs ?? 0);
    const bought = day.purchases > 0 ? 1 : 0;
    if (bought === 0 && revenue === 0 && costs === 0) return state;
    for (let grain = 0; grain < GRAINS.length; grain += 1) {
      const period = grainNumber(day.day, grain);
      const buyers = last !== null && grainNumber(last, grain) === period ? 0 : bought;
      const row = tally.at(grain, grainStart(first, grain), period - grainNumber(first, grain));
      row.add(BUYERS, buyers).add(PURCHASES, day.purchases).add(PURCHASE_DAYS, bought);
      row.add(REVENUE, revenue).add(COSTS, costs);
    }
    return state;
  },
  settle(_state, { first_purchase_day: first, last_purchase_day: last }, _scheduled, tally) {
    if (first === null) return;
    for (let grain = 0; grain < GRAINS.length; grain += 1) {
      const age = grainNumber(last!, grain) - grainNumber(first, grain);
      tally.at(grain, grainStart(first, grain), age).add(LAST_BUYERS, 1);
    }
  },
};
