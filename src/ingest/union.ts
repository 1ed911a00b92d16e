import { compareText } from '../domain/activity-day.ts';
import { Problem, type ProblemDetail } from '../problems.ts';
import type { CustomerDates, KnownCustomer } from '../store/customers.ts';
import { MAX_CUSTOMER_GROUPS } from '../store/groups.ts';
import { EVENT_KINDS, type EventKind, type Events, type EventsById, noEvents } from '../store/histories.ts';
import { MAX_EVENTS } from './change.ts';
import { turnoverOf } from './customer-work.ts';
import { sameEvent } from './same-event.ts';

/** Other ids one customer can have, so that locking, listing and erasing them all stays a small thing. */
export const MAX_MERGED_IDS = 1_000;

/** Items that a conflict names. */
const MAX_NAMED = 10;

/** A customer with all events. */
export interface WholeCustomer {
  readonly customer: KnownCustomer;
  readonly events: EventsById;
}

/** What two customers are together. */
export interface Union {
  readonly customer: CustomerDates;
  readonly merged_ids: readonly string[];
  readonly events: EventsById;
  /** The events that the survivor did not have. */
  readonly moved: EventsById;
}

/**
 * Unites a customer with the survivor, as if everything had been sent for the survivor from the start: the earlier of each date, all groups, all events; an event
 * that both have counts once. Throws `merge_conflict` if an event of one id is not the same in both, `merge_refused` if the union would be beyond a limit.
 */
export function unite(survivor: WholeCustomer, old: WholeCustomer): Union {
  const moved = noEvents();
  const conflicts: ProblemDetail[] = [];
  for (const kind of EVENT_KINDS) uniteKind(kind, survivor.events, old.events, moved, conflicts);
  if (conflicts.length > 0) throw conflictProblem(conflicts);
  const events = noEvents();
  for (const kind of EVENT_KINDS) {
    const all = events[kind] as Map<string, Events[EventKind]>;
    for (const part of [survivor.events, moved]) for (const [id, event] of part[kind]) all.set(id, event);
  }
  const union = {
    customer: uniteDates(survivor.customer, old.customer),
    merged_ids: idsOf(survivor, old),
    events,
    moved,
  };
  const refusals = beyondLimits(union, survivor.customer.turnover);
  if (refusals.length > 0) throw new Problem('merge_refused', { errors: refusals });
  return union;
}

/** Sorts the old events of one kind into those that move and those that contradict the survivor's. */
function uniteKind(
  kind: EventKind,
  kept: EventsById,
  old: EventsById,
  moved: EventsById,
  conflicts: ProblemDetail[],
): void {
  for (const [id, event] of old[kind] as Map<string, Events[EventKind]>) {
    const other: Events[EventKind] | undefined = kept[kind].get(id);
    if (other === undefined) (moved[kind] as Map<string, Events[EventKind]>).set(id, event);
    else if (!sameEvent(kind, other, event)) conflicts.push(conflict(kind, id, 'other_content', 'has other content'));
    else if (other.voided !== event.voided) conflicts.push(conflict(kind, id, 'voided_in_one', 'is voided'));
  }
}

function conflict(kind: EventKind, id: string, code: string, differs: string): ProblemDetail {
  return { code, detail: `${kind} ${JSON.stringify(id)} ${differs} under one of the two customers.` };
}

function conflictProblem(conflicts: readonly ProblemDetail[]): Problem {
  const named = [...conflicts].sort((a, b) => compareText(a.detail, b.detail)).slice(0, MAX_NAMED);
  const many = conflicts.length > MAX_NAMED ? `; \`errors\` names the first ${MAX_NAMED}` : '';
  return new Problem('merge_conflict', {
    errors: named,
    detail: `Items in conflict: ${conflicts.length}${many}. PUT the same content under both customers, and DELETE under both what shall not count; then merge again. Another item that has the same id by chance is sent under an id of its own. Nothing was changed.`,
  });
}

function uniteDates(survivor: KnownCustomer, old: KnownCustomer): CustomerDates {
  const given = [survivor.known_since, old.known_since].filter((day) => day !== null);
  return {
    customer_id: survivor.customer_id,
    known_since: given.length === 0 ? null : Math.min(...given),
    received_on: Math.min(survivor.received_on, old.received_on),
    group_ids: [...new Set([...survivor.group_ids, ...old.group_ids])].sort((a, b) => a - b),
  };
}

function idsOf({ customer }: WholeCustomer, { customer: old }: WholeCustomer): string[] {
  return [...customer.merged_ids, old.customer_id, ...old.merged_ids].sort(compareText);
}

function beyondLimits({ customer, merged_ids, events, moved }: Union, turnover: number): ProblemDetail[] {
  const rows = EVENT_KINDS.reduce((sum, kind) => sum + events[kind].size, 0);
  const added = EVENT_KINDS.flatMap((kind) => [...moved[kind].values()]).reduce((sum, one) => sum + turnoverOf(one), 0);
  const refusals: ProblemDetail[] = [];
  const refuse = (code: string, detail: string): number => refusals.push({ code, detail });
  if (customer.group_ids.length > MAX_CUSTOMER_GROUPS) {
    refuse(
      'too_many_groups',
      `Together they carry ${customer.group_ids.length} groups, and a customer has at most ${MAX_CUSTOMER_GROUPS}. POST /v1/customers with fewer \`groups\` for one of them, then merge again.`,
    );
  }
  if (rows > MAX_EVENTS) {
    refuse('history_too_long', `Together they have ${rows} stored events, and a customer has at most ${MAX_EVENTS}.`);
  }
  if (!Number.isSafeInteger(turnover + added)) {
    refuse(
      'total_out_of_range',
      'The sum of their amounts would leave the range that is kept exactly (2⁵³ − 1 minor units). Correct amounts that are wrong, then merge again.',
    );
  }
  if (merged_ids.length > MAX_MERGED_IDS) {
    refuse(
      'too_many_merged_ids',
      `Together they have ${merged_ids.length} ids besides the survivor's, and a customer has at most ${MAX_MERGED_IDS}.`,
    );
  }
  return refusals;
}
