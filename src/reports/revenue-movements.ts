import { type Static, Type } from '@sinclair/typebox';
import { formatMoney } from '../domain/money.ts';
import { formatPeriod, type Grain } from '../domain/period.ts';
import { buyerPeriodsRollup, type PeriodWithEve, readBuyerPeriods, revenueOfBuyers } from './buyer-periods-rollup.ts';
import { money, nullable } from './fields.ts';
import { groupParameter } from './parameters.ts';
import { completeField, periodField, periodParameters, readPeriods } from './period-range.ts';
import type { Report } from './report.ts';

const query = Type.Object({ group: groupParameter, ...periodParameters }, { additionalProperties: false });
type Query = Static<typeof query>;

const row = Type.Object({
  period: periodField,
  opening_revenue: money('Σ r₀ over the buyers of the period before: its closing revenue.'),
  new_revenue: money('Σ r₁ over buyers whose first purchase day lies in the period.'),
  reactivated_revenue: money('Σ r₁ over buyers who had bought before, but not in the period before.'),
  expansion_revenue: money('Σ max(r₁ − r₀, 0) over buyers of both periods.'),
  contraction_revenue: nullable(money('Σ max(r₀ − r₁, 0) over buyers of both periods.'), {
    description: 'Σ max(r₀ − r₁, 0) over buyers of both periods; null until the period is over.',
  }),
  lost_revenue: nullable(money('Σ r₀ over buyers of the period before who did not buy in this one.'), {
    description: 'Σ r₀ over buyers of the period before who did not buy in this one; null until the period is over.',
  }),
  closing_revenue: money('Σ r₁ over the buyers of the period.'),
  nrr: nullable(Type.Number(), {
    description:
      'Net revenue retention: (opening + expansion − contraction − lost) / opening; null until the period is over, or if opening ≤ 0.',
  }),
  grr: nullable(Type.Number(), {
    description:
      'Gross revenue retention: Σ min(r₀, r₁) / opening over the buyers of the period before, r₁ = 0 for those who did not buy; null until the period is over, or if opening ≤ 0.',
  }),
  complete: completeField,
});

/** What did growth consist of? */
export const revenueMovements: Report<Query> = {
  definition: {
    report: 'revenue-movements',
    definition_version: 1,
    question: 'What did the growth of revenue consist of, and how much of the last period’s revenue was kept?',
    formula:
      'r₀ and r₁ are the revenue of one customer dated in the period before and in the period; only that of customers with a purchase day in the respective period counts. opening + new + reactivated + expansion − contraction − lost = closing. nrr = Σ r₁ / Σ r₀ and grr = Σ min(r₀, r₁) / Σ r₀ over the buyers of the period before, where r₁ = 0 for those who did not buy in this one.',
    denominator: 'opening_revenue: the revenue of the period before of its buyers.',
    window:
      'All stored events, as known now; a refund counts on the day of its purchase. A period is complete when its last day is over; until then contraction, lost, nrr and grr are null.',
    exclusions:
      'Voided purchases. Revenue of customers without a purchase day in the period, which refunds above the price of a purchase can make negative.',
    reading:
      'June 2025 opened with 6,378.14 from the buyers of May. New customers brought 1,204.00, returning ones 811.30 more or 902.75 less than in May, those who stayed away had brought 3,921.06: 5,590.87 in all, with those who came back. The buyers of May brought 37 % of what they had brought in May.',
  },
  operation_id: 'getRevenueMovements',
  per_model: false,
  reads: [buyerPeriodsRollup],
  query,
  row,
  summary: {},
  tables: {},
  example: {
    items: [
      {
        period: '2025-06',
        opening_revenue: '6378.14',
        new_revenue: '1204.00',
        reactivated_revenue: '2021.24',
        expansion_revenue: '811.30',
        contraction_revenue: '902.75',
        lost_revenue: '3921.06',
        closing_revenue: '5590.87',
        nrr: 0.370897,
        grr: 0.243694,
        complete: true,
      },
    ],
  },
  async read(context, request) {
    const range = readPeriods(request, context.today);
    if ('code' in range) return range;
    const periods = await readBuyerPeriods(context, range);
    const items = periods.map((period) => movements(period, range.grain, context.decimals));
    return { as_of: context.today, projected: false, items };
  },
};

function movements({ start, complete, sums, before }: PeriodWithEve, grain: Grain, decimals: number) {
  const opening = revenueOfBuyers(before);
  const kept = opening - sums.contraction_revenue - sums.lost_revenue + sums.lost_floor_revenue;
  return {
    period: formatPeriod(start, grain),
    opening_revenue: formatMoney(opening, decimals),
    new_revenue: formatMoney(sums.new_revenue, decimals),
    reactivated_revenue: formatMoney(sums.reactivated_revenue, decimals),
    expansion_revenue: formatMoney(sums.expansion_revenue, decimals),
    contraction_revenue: complete ? formatMoney(sums.contraction_revenue, decimals) : null,
    lost_revenue: complete ? formatMoney(sums.lost_revenue, decimals) : null,
    closing_revenue: formatMoney(revenueOfBuyers(sums), decimals),
    nrr: complete ? retention(sums.returning_revenue, opening) : null,
    grr: complete ? retention(kept, opening) : null,
    complete,
  };
}

function retention(revenue: bigint, opening: bigint): number | null {
  return opening > 0n ? Number(revenue) / Number(opening) : null;
}
