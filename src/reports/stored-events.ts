import { FIRST_DAY, LAST_DAY } from '../domain/calendar.ts';
import type { Projection } from '../domain/projection.ts';

/**
 * What is stored, by day: customers by the day they became known, rows of each kind by their own day (voided ones included), refunds that wait for
 * their purchase, and how many customers have anything on the day. `GET /v1/status` and `data_through` read it.
 */
export const storedEvents: Projection<null> = {
  name: 'stored-events',
  version: 1,
  per_model: false,
  key: [{ name: 'day', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 }],
  measures: ['activity_days', 'customers', 'purchases', 'refunds', 'interactions', 'pending_refunds'],
  start: null,
  advance(state, { day, before }, emit) {
    emit(
      [day.day],
      [
        1,
        before === null ? 1 : 0,
        day.stored_purchases,
        day.stored_refunds,
        day.stored_interactions,
        day.pending_refunds,
      ],
    );
    return state;
  },
  settle() {},
};
