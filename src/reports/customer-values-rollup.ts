import type { Projection } from '../domain/projection.ts';
import { bucketOf, LAST_BUCKET } from '../domain/value-buckets.ts';

/** Kinds of value in the key: of customers with a purchase day their revenue and profit, of all others their costs. */
export const REVENUE = 0;
/** See `REVENUE`. */
export const PROFIT = 1;
/** See `REVENUE`; in bucket 0. */
export const COSTS = 2;

// Measures.
const CUSTOMERS = 0;
const VALUE = 1;

/**
 * Where the customers' lifetime values lie, in fine buckets: how many customers each holds, and what they are worth together. A customer without a
 * purchase day is in none; if they cost anything, their costs are added up apart. Value-segments reads it.
 */
export const customerValuesRollup: Projection<null> = {
  name: 'customer-values',
  version: 1,
  per_model: false,
  key: [
    { name: 'kind', least: REVENUE, size: COSTS + 1 },
    { name: 'bucket', least: -LAST_BUCKET, size: 2 * LAST_BUCKET + 1 },
  ],
  measures: ['customers', 'value'],
  start: null,
  advance(state) {
    return state;
  },
  settle(_state, { purchase_days, revenue, costs }, _scheduled, tally) {
    if (purchase_days > 0) {
      const profit = revenue - costs;
      tally.at(REVENUE, bucketOf(revenue)).add(CUSTOMERS, 1).add(VALUE, revenue);
      tally.at(PROFIT, bucketOf(profit)).add(CUSTOMERS, 1).add(VALUE, profit);
    } else if (costs !== 0) tally.at(COSTS, 0).add(CUSTOMERS, 1).add(VALUE, costs);
  },
};
