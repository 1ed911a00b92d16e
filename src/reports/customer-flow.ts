import { type Static, Type } from '@sinclair/typebox';
import { formatPeriod } from '../domain/period.ts';
import { buyerPeriodsRollup, buyersOf, readBuyerPeriods } from './buyer-periods-rollup.ts';
import { count, nullable } from './fields.ts';
import { groupParameter } from './parameters.ts';
import { completeField, periodField, periodParameters, readPeriods } from './period-range.ts';
import type { Report } from './report.ts';

const query = Type.Object({ group: groupParameter, ...periodParameters }, { additionalProperties: false });
type Query = Static<typeof query>;

const row = Type.Object({
  period: periodField,
  new_buyers: count('Customers whose first purchase day lies in the period.'),
  returning_buyers: count('Customers who bought in it and in the period before.'),
  reactivated_buyers: count('Customers who bought in it and earlier, but not in the period before.'),
  dormant_buyers: nullable(count('Customers who bought in the period before and not in this one.'), {
    description: 'Customers who bought in the period before and not in this one; null until the period is over.',
  }),
  buyers: count('Customers with a purchase day in the period: new + returning + reactivated.'),
  complete: completeField,
});

/** Is the base of buyers growing or leaking? */
export const customerFlow: Report<Query> = {
  definition: {
    report: 'customer-flow',
    definition_version: 1,
    question: 'Is the base of buyers growing or leaking: who is new, returns, comes back, stays away?',
    formula:
      'A buyer of a period has a purchase day in it. new: the first purchase day lies in the period. returning: also a buyer of the period before. reactivated: bought earlier, but not in the period before. dormant: a buyer of the period before and not of this one. buyers(t) = buyers(t−1) + new + reactivated − dormant.',
    denominator: 'None: counts of customers.',
    window:
      'Purchase days of all stored events in the period, as known now. A period is complete when its last day is over; until then dormant is null.',
    exclusions: 'Voided and wholly refunded purchases. Customers who never bought.',
    reading:
      'In March 2025, 719 customers bought for the first time, 168 had also bought in February, 61 came back after a pause, and 813 who had bought in February did not buy.',
  },
  operation_id: 'getCustomerFlow',
  per_model: false,
  reads: [buyerPeriodsRollup],
  query,
  row,
  summary: {},
  tables: {},
  example: {
    items: [
      {
        period: '2025-03',
        new_buyers: 719,
        returning_buyers: 168,
        reactivated_buyers: 61,
        dormant_buyers: 813,
        buyers: 948,
        complete: true,
      },
    ],
  },
  async read(context, request) {
    const range = readPeriods(request, context.today);
    if ('code' in range) return range;
    const periods = await readBuyerPeriods(context, range);
    const items = periods.map(({ start, complete, sums }) => ({
      period: formatPeriod(start, range.grain),
      new_buyers: sums.new_buyers,
      returning_buyers: sums.returning_buyers,
      reactivated_buyers: sums.reactivated_buyers,
      dormant_buyers: complete ? sums.dormant_buyers : null,
      buyers: buyersOf(sums),
      complete,
    }));
    return { as_of: context.today, projected: false, items };
  },
};
