import type { Projection } from '../domain/projection.ts';
import { bucketOf, LAST_BUCKET } from '../domain/value-buckets.ts';

/** Kinds of value in the key: of customers with a purchase day their revenue and profit, of all others their costs. */
export const REVENUE = 0;
/** See `REVENUE`. */
export const PROFIT = 1;
/** See `REVENUE`; in bucket 0. */
export const COSTS = 2;

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
  settle(_state, { purchase_days, revenue, costs }, _scheduled, emit) {
    if (purchase_days > 0) {
      const profit = revenue - costs;
      emit([REVENUE, bucketOf(revenue)], [1, revenue]);
      emit([PROFIT, bucketOf(profit)], [1, profit]);
    } else if (costs !== 0) emit([COSTS, 0], [1, costs]);
  },
};
