import { MAX_GROUPS } from '../store/groups.ts';
import { MAX_EVENTS, type Refusal } from './change.ts';

/** Why an item that is well-formed is refused, for people, and the field it is about. */
export const REFUSALS: Readonly<Record<Refusal, readonly [field: string, detail: string]>> = {
  customer_erased: [
    '',
    'The customer was erased; only items dated after that day, and records with a later known_since, start the customer anew.',
  ],
  history_too_long: ['', `A customer has at most ${MAX_EVENTS} stored events.`],
  total_out_of_range: [
    '',
    "The sum of this customer's amounts would leave the range that is kept exactly (2⁵³ − 1 minor units).",
  ],
  too_many_groups: ['/groups', `A deployment has at most ${MAX_GROUPS} distinct groups; use one that exists.`],
};
