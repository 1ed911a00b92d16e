import { Type } from '@sinclair/typebox';
import { count, money, nullable, oneOf } from './fields.ts';
import { completeField, periodField } from './period-range.ts';

const figure = (description: string) => nullable(Type.Number(), { description });

/** A row of loyalty-economics; every field names its formula. */
export const economicsRow = Type.Object({
  period: periodField,
  buyers: count('Customers with a purchase day in the period: new + returning + reactivated.'),
  buyers_before: count('Customers with a purchase day in the period before.'),
  new_buyers: count('Buyers whose first purchase day lies in the period.'),
  returning_buyers: count('Buyers who also bought in the period before.'),
  reactivated_buyers: count('Buyers who had bought earlier, but not in the period before.'),
  revenue: money('Revenue dated in the period, of all customers.'),
  existing_revenue: money('The part of it from customers whose first purchase day precedes the period.'),
  existing_share: figure('existing_revenue / revenue; null if revenue ≤ 0.'),
  acquisition_cost: money(
    'Costs of interactions dated in the period, on or before the first purchase day of their customer; all of customers who never bought.',
  ),
  acquisition_cost_each: figure('acquisition_cost / new_buyers, or the parameter acquisition_cost; in major units.'),
  retention_cost: money('Costs of interactions dated in the period, after the first purchase day of their customer.'),
  retention_cost_each: figure(
    'retention_cost / (returning_buyers + reactivated_buyers), or the parameter retention_cost; in major units.',
  ),
  cost_ratio: figure('acquisition_cost_each / retention_cost_each; null if either is, or the latter is 0.'),
  retention: figure('r = returning_buyers / buyers_before; null until the period is over, or without buyers before.'),
  profit: money('Revenue less costs, of purchases and interactions, dated in the period, of all customers.'),
  margin: figure('m = profit / buyers, in major units; null without buyers.'),
  margin_now: figure(
    'V(r) = m · (1 + d) / (1 + d − r), in major units, d the discount rate of one period: a customer who brings m now, and again in each later period in which they are still there. Null if r or m is, or 1 + d − r ≤ 0.',
  ),
  profit_change_5_points: figure(
    'V(min(r + 0.05, 1)) / V(r) − 1: the profit that five points more of retention bring. Null if a value is undefined, or V(r) ≤ 0.',
  ),
  profit_change_5_points_after_acquisition: figure(
    '(V(min(r + 0.05, 1)) − A) / (V(r) − A) − 1 with A = acquisition_cost_each. Null if a value is undefined, or V(r) − A ≤ 0.',
  ),
  complete: completeField,
});

const COMPARED = ['existing_share', 'cost_ratio', 'profit_change_5_points'] as const;

/** A row of the figures that everybody quotes. */
export const folkFigureRow = Type.Object({
  figure: oneOf(COMPARED, { description: 'The field of the rows that it is to be held against.' }),
  value: figure('The figure; null if a range is quoted.'),
  low: figure('Lower end of the range; null if one figure is quoted.'),
  high: figure('Upper end of the range; null if one figure is quoted.'),
  said: Type.String({ description: 'What is said.' }),
});

/** The figures that everybody quotes, and hardly anybody measures: they are no measurement of this deployment. */
export const FOLK_FIGURES = [
  {
    figure: 'existing_share',
    value: 0.65,
    low: null,
    high: null,
    said: '65 % of business comes from existing customers.',
  },
  {
    figure: 'cost_ratio',
    value: 5,
    low: null,
    high: null,
    said: 'Winning a new customer costs at least five times as much as keeping one.',
  },
  {
    figure: 'profit_change_5_points',
    value: null,
    low: 0.25,
    high: 0.85,
    said: 'Five percent more loyalty lifts profit by 25 to 85 percent.',
  },
] as const;
