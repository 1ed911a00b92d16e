import { sql } from 'kysely';
import { FIRST_DAY, LAST_DAY, monthStart } from '../domain/calendar.ts';
import type { RepeatCount } from '../domain/core-advice.ts';
import { NO_MODEL } from '../domain/differences.ts';
import type { Projection } from '../domain/projection.ts';
import type { ReportContext } from './report.ts';

/** The greatest purchase day number that is counted. */
export const MOST_PURCHASE_NUMBERS = 50;

/** After how many days it is asked whether they bought again. */
export const WITHIN_DAYS = [30, 90, 180, 365] as const;

// Measures; from the third on, one for each of `WITHIN_DAYS`.
const CUSTOMERS = 0;
const BOUGHT_AGAIN = 1;
const WITHIN = 2;

/**
 * Customers by their n-th purchase day and its month (first day), how many of them had a further purchase day, and how many had it at most so many days
 * later.
 */
export const purchaseNumbersRollup: Projection<null> = {
  name: 'purchase-numbers',
  version: 1,
  per_model: false,
  key: [
    { name: 'purchase_number', least: 1, size: MOST_PURCHASE_NUMBERS },
    { name: 'month', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 },
  ],
  measures: ['customers', 'bought_again', ...WITHIN_DAYS.map((days) => `within_${days}`)],
  start: null,
  // The n-th purchase day is counted with its successor, or as the last one when the history is settled: one row for each purchase day.
  advance(state, { day, before }, tally) {
    if (day.purchases === 0 || before === null) return state;
    const { purchase_days: number, last_purchase_day: last } = before;
    if (last === null || number > MOST_PURCHASE_NUMBERS) return state;
    const gap = day.day - last;
    const row = tally.at(number, monthStart(last)).add(CUSTOMERS, 1).add(BOUGHT_AGAIN, 1);
    for (let index = 0; index < WITHIN_DAYS.length; index += 1) {
      if (gap <= WITHIN_DAYS[index]!) row.add(WITHIN + index, 1);
    }
    return state;
  },
  settle(_state, { purchase_days: number, last_purchase_day: last }, _scheduled, tally) {
    if (last === null || number > MOST_PURCHASE_NUMBERS) return;
    tally.at(number, monthStart(last)).add(CUSTOMERS, 1);
  },
};

/** Customers who have reached each purchase day number and how many of them went on, from the first to the last that anybody has reached. */
export async function readRepeatCounts({ trx, group_id }: Pick<ReportContext, 'trx' | 'group_id'>) {
  const { rows } = await sql<RepeatCount>`
    select purchase_number, sum(customers)::float8 as customers, sum(bought_again)::float8 as bought_again
    from rollup_purchase_numbers where model_version = ${NO_MODEL} and group_id = ${group_id}
    group by purchase_number having sum(customers) > 0 order by purchase_number`.execute(trx);
  return rows;
}
