import { Type } from '@sinclair/typebox';
import { customersLinkField } from './customers-link.ts';
import { activity, count, money, nullable, oneOf, stage } from './fields.ts';
import type { ReportDefinition } from './report.ts';
import { SEGMENTS, VALUES } from './value-classes.ts';

const share = (description: string) => Type.Number({ description });
const number = (description: string) => Type.Number({ description });

const profile = Type.Object({
  customers: count('Customers of the segment when the profile was read.'),
  average_tenure_days: number('Mean of the days from the first purchase day until today.'),
  purchases: count('Purchases of the segment: lifetime, or of the year asked for.'),
  revenue: money('Their revenue.'),
  average_purchase: number('revenue / purchases, in units of the currency.'),
  products: count('Product codes bought, each as often as it was.'),
  products_per_purchase: number('products / purchases: average number of products in a purchase.'),
  discounted_purchases: count('Purchases paid with a discount.'),
  discounted_share: share('discounted_purchases / purchases.'),
  activity: Type.Array(
    Type.Object({
      activity: activity('Activity today in the model asked.'),
      customers: count('Customers.'),
      share: share('Share of the segment.'),
    }),
  ),
  groups: Type.Array(
    Type.Object({
      group: Type.String({ description: 'A group that customers of the segment carry.' }),
      customers: count('Customers who carry it.'),
      share: share('Share of the segment. A customer may carry several groups, so shares need not add up.'),
    }),
    { description: 'The most frequent first.' },
  ),
});

/** A segment in the answer. */
export const row = Type.Object({
  segment: oneOf(SEGMENTS, {
    description: 'top: the most valuable fifth; bottom: the least valuable; middle: between.',
  }),
  customers: count('Customers of the segment.'),
  value: money('What they are worth together.'),
  share: nullable(share('value / total; null if the total is not above zero.')),
  threshold: nullable(money('The value of the last customer of the segment: its lowest; null if nobody is in it.')),
  tied_at_threshold: count(
    'Customers of all segments who are worth exactly the threshold; among them customer_id decides, ascending.',
  ),
  profile: nullable(profile, { description: 'Who they are; null if nobody is in the segment, or with profile=false.' }),
  customers_link: customersLinkField,
});

/** The figures beside the rows. */
export const summary = {
  value: oneOf(VALUES, { description: 'What customers are ranked by.' }),
  period: Type.String({ description: '`lifetime` or a year.' }),
  customers: count('Customers with a purchase day (in the year).'),
  total: money('What they are worth together.'),
  customers_for_80_percent: nullable(
    count('The fewest customers who bring 80 % of the total; null if it is not above zero.'),
  ),
  share_for_80_percent: nullable(share('customers_for_80_percent / customers.')),
  gini: nullable(
    number(
      'Gini coefficient of max(value, 0): 0 all are worth the same, near 1 one has everything; null if nobody has a value above zero.',
    ),
  ),
  negative: Type.Object(
    { customers: count('Customers worth less than zero.'), value: money('What they are worth together.') },
    { description: 'Customers with a purchase day who cost more than they bring. They are in the segments too.' },
  ),
  cost_without_purchase: Type.Object(
    { customers: count('Customers.'), costs: money('What they cost.') },
    { description: 'Customers without a purchase day (in the year) who cost something. They are in no segment.' },
  ),
  computed_at: nullable(
    Type.String({
      format: 'date-time',
      description: 'When the customers were read (UTC): at most 60 seconds ago; null for this moment.',
    }),
  ),
};

/** The further tables. */
export const tables = {
  lorenz: Type.Object({
    share_of_customers: share('Share of the customers, from the least to the most valuable.'),
    share_of_value: share('Share of max(value, 0) that these customers bring.'),
  }),
  stages: Type.Object({
    segment: oneOf(SEGMENTS),
    stage: nullable(stage('Stage today; null for customers known only from tomorrow on.')),
    customers: count('Customers.'),
    value: money('What they are worth together.'),
    customers_link: customersLinkField,
  }),
};

/** What the numbers mean. */
export const definition: ReportDefinition = {
  report: 'value-segments',
  definition_version: 1,
  question: 'Which fifth of the customers brings how much, and who costs more than they bring?',
  formula:
    'Customers are ranked by value, descending, then by customer_id, ascending (by code point). Of N customers the top segment is the ranks up to ⌈0.2·N⌉, the bottom segment the ranks after ⌈0.8·N⌉, the middle the ranks between. share = value of the segment / total, not rounded, values below zero included. threshold = value of the last customer of the segment; tied_at_threshold = all customers of exactly that value. customers_for_80_percent = the smallest k for which 5 · (value of the first k) ≥ 4 · total. gini = 2·Σ i·x_i / (N·Σ x) − (N + 1)/N with x = max(value, 0) ascending; lorenz = the share of Σ x that the least valuable 0 %, 5 % … 100 % of the customers bring, straight between two customers. Customers, values, thresholds, ties and customers_for_80_percent are exact: from fine buckets of values, and a read of the few customers in whose buckets a border falls; gini and lorenz are exact between those buckets, and within one halfway between what its bounds and its mean allow, so that they are off by at most 0.000001. Everything is one exact read, as of computed_at. With profile=false the lifetime is read from roll-ups, as of this moment, and computed_at is null.',
  denominator:
    'share: the total value of all customers ranked. Shares of a profile: the customers or purchases of the segment, which stand beside them.',
  window:
    'lifetime: all stored events. A year: purchases, their refunds and costs, and interactions dated in it; a refund counts on the day of its purchase. Tenure, activity, groups and stages are as of today, also for a year; purchases, revenue, products and discounts of a profile are those of the period.',
  exclusions:
    'Customers without a purchase day (in the year): they are in no segment, and what they cost stands in cost_without_purchase. Voided purchases, and wholly refunded ones as purchases.',
  reading:
    'The 472 most valuable of 2,357 customers brought 164,652.26, 67 % of all revenue; the last of them brought 130.49, as nobody else did.',
};

/** An answer. */
export const example = {
  value: 'revenue',
  period: 'lifetime',
  customers: 2357,
  total: '244091.94',
  customers_for_80_percent: 777,
  share_for_80_percent: 0.329656,
  gini: 0.630917,
  negative: { customers: 0, value: '0.00' },
  cost_without_purchase: { customers: 214, costs: '321.00' },
  computed_at: '2025-06-30T10:15:00Z',
  items: [
    {
      segment: 'top',
      customers: 472,
      value: '164652.26',
      share: 0.67455,
      threshold: '130.49',
      tied_at_threshold: 1,
      profile: {
        customers: 472,
        average_tenure_days: 512.4,
        purchases: 3672,
        revenue: '164652.26',
        average_purchase: 44.83994,
        products: 7021,
        products_per_purchase: 1.912037,
        discounted_purchases: 734,
        discounted_share: 0.199891,
        activity: [
          { activity: 'none', customers: 0, share: 0 },
          { activity: 'active', customers: 236, share: 0.5 },
          { activity: 'at_risk', customers: 59, share: 0.125 },
          { activity: 'lapsed', customers: 177, share: 0.375 },
        ],
        groups: [{ group: 'channel:search', customers: 118, share: 0.25 }],
      },
      customers_link: '/v1/customers?segment=top&value=revenue&model=lifecycle',
    },
  ],
  lorenz: [
    { share_of_customers: 0.5, share_of_value: 0.088 },
    { share_of_customers: 1, share_of_value: 1 },
  ],
  stages: [
    {
      segment: 'top',
      stage: 'core_customer',
      customers: 231,
      value: '121904.10',
      customers_link: '/v1/customers?segment=top&value=revenue&model=lifecycle&stage=core_customer',
    },
  ],
};
