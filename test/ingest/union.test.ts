import t from 'tap';
import { MAX_EVENTS } from '../../src/ingest/change.ts';
import { MAX_MERGED_IDS, unite, type WholeCustomer } from '../../src/ingest/union.ts';
import { Problem } from '../../src/problems.ts';
import type { KnownCustomer } from '../../src/store/customers.ts';
import { type EventsById, noEvents } from '../../src/store/histories.ts';

// Limits that take too many rows to be met over HTTP; the rest of what a merge does is tested there.

/** Visits of ids `i<first>`, `i<first + 1>`, … */
function visits(first: number, count: number): EventsById {
  const events = noEvents();
  const moment = { at: 0, day: 20_000, plain: true };
  for (let place = first; place < first + count; place += 1) {
    const interaction_id = `i${place}`;
    events.interactions.set(interaction_id, {
      interaction_id,
      moment,
      kind: 'visit',
      score: null,
      reason: null,
      cost: 0,
      voided: false,
    });
  }
  return events;
}

function whole(customer_id: string, events: EventsById, more: Partial<KnownCustomer> = {}): WholeCustomer {
  const attributes = { known_since: null, received_on: 20_000, group_ids: [], merged_ids: [] };
  const saved = {
    events: events.interactions.size,
    turnover: 0,
    pending_refunds: 0,
    fold: new Uint8Array(),
    layout: 1,
  };
  return { customer: { customer_id, ...attributes, ...saved, ...more }, events };
}

/** Why two customers are not united: the codes of the problem and of its errors. */
function refusal(survivor: WholeCustomer, old: WholeCustomer): string[] {
  try {
    unite(survivor, old);
  } catch (error) {
    if (error instanceof Problem) return [error.code, ...error.errors.map(({ code, detail }) => `${code}: ${detail}`)];
    throw error;
  }
  return [];
}

t.test('two histories may have as many events as one can have, those that both have counted once', async (t) => {
  const half = MAX_EVENTS / 2;
  const ana = whole('ana', visits(0, half));
  t.equal(unite(ana, whole('guest', visits(half, half))).events.interactions.size, MAX_EVENTS);
  t.equal(unite(ana, whole('guest', visits(half - 1, half + 1))).moved.interactions.size, half);
  t.strictSame(refusal(ana, whole('guest', visits(half, half + 1))), [
    'merge_refused',
    `history_too_long: Together they have ${MAX_EVENTS + 1} stored events, and a customer has at most ${MAX_EVENTS}.`,
  ]);
});

t.test('a customer has up to a thousand other ids', async (t) => {
  const ids = (first: string, count: number) => Array.from({ length: count }, (_, place) => `${first}${place}`);
  const ana = whole('ana', noEvents(), { merged_ids: ids('a', MAX_MERGED_IDS - 3) });
  t.equal(unite(ana, whole('guest', noEvents(), { merged_ids: ids('b', 2) })).merged_ids.length, MAX_MERGED_IDS);
  t.strictSame(refusal(ana, whole('guest', noEvents(), { merged_ids: ids('b', 3) })), [
    'merge_refused',
    "too_many_merged_ids: Together they have 1001 ids besides the survivor's, and a customer has at most 1000.",
  ]);
});

t.test('of two dates the earlier holds, and a date that is not given is none', async (t) => {
  const dated = (known_since: number | null, received_on: number) =>
    whole('x', noEvents(), { known_since, received_on });
  const dates = (one: WholeCustomer, other: WholeCustomer): (number | null)[] => {
    const { known_since, received_on } = unite(one, other).customer;
    return [known_since, received_on];
  };
  t.strictSame(dates(dated(10, 50), dated(20, 40)), [10, 40]);
  t.strictSame(dates(dated(20, 40), dated(10, 50)), [10, 40]);
  t.strictSame(dates(dated(null, 40), dated(20, 50)), [20, 40]);
  t.strictSame(dates(dated(20, 40), dated(null, 50)), [20, 40]);
  t.strictSame(dates(dated(null, 40), dated(null, 50)), [null, 40]);
});
