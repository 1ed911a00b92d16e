import type { Day } from '../domain/calendar.ts';
import type { CustomerRow } from '../store/customers.ts';
import { EVENT_KINDS, type EventKind, type Events, type EventsById, noEvents } from '../store/histories.ts';
import type { Change, CustomerChange, EventChange, Outcome, Refusal, VoidChange } from './change.ts';
import { MAX_EVENTS } from './change.ts';
import type { GroupBook } from './group-book.ts';
import { sameEvent } from './same-event.ts';

/** What is said of a customer; group numbers may still be those of a `GroupBook`. */
export interface Attributes {
  readonly known_since: Day | null;
  readonly received_on: Day;
  readonly group_ids: readonly number[];
}

/**
 * One customer during one batch: what is stored, what the batch adds, and whether the history must be folded anew. Decides what becomes of each
 * change, in the order in which they were sent; later changes see earlier ones.
 */
export class CustomerWork {
  readonly customer_id: string;
  /** As stored before the batch; null if the customer does not exist yet. */
  readonly stored: CustomerRow | null;
  attributes: Attributes;
  events: number;
  turnover: number;
  /** Events that are new, and events that replace stored ones. */
  readonly inserted: EventsById = noEvents();
  readonly replaced: EventsById = noEvents();
  /** True once anything was accepted that changes what is stored. */
  changed = false;
  attributesChanged = false;
  /** Days of what was added, and whether anything else than adding later days happened. */
  private earliest: Day = Number.POSITIVE_INFINITY;
  private rewritten = false;
  private purchasesAdded = false;
  /** The stored events that the batch names, and what has become of them. */
  private readonly known: EventsById;

  constructor(customerId: string, stored: CustomerRow | null, known: EventsById, today: Day) {
    this.customer_id = customerId;
    this.stored = stored;
    this.known = known;
    this.attributes = stored ?? { known_since: null, received_on: today, group_ids: [] };
    this.events = stored?.events ?? 0;
    this.turnover = stored?.turnover ?? 0;
  }

  /** Decides one change. `erasedOn` is the day on which the id that it was sent for was erased: an erasure holds for ids, not for whom they stand for later. */
  apply(change: Change, groups: GroupBook, erasedOn: Day | null): Outcome {
    if (change.type === 'void') return this.applyVoid(change);
    const day = change.type === 'event' ? change.event.moment.day : change.known_since;
    if (erasedOn !== null && (day === undefined || day <= erasedOn)) return refused('customer_erased');
    return change.type === 'event' ? this.applyEvent(change) : this.applyCustomer(change, groups);
  }

  /**
   * True if the whole history must be folded anew: something stored was changed, a refund came or waits, an event is older than the open
   * day, or until now only the day of receipt dated the customer.
   */
  mustRefold(openDay: Day): boolean {
    if (this.stored === null) return false;
    const onlyReceived = this.stored.events === 0 && this.stored.known_since === null;
    const refundWaits = this.purchasesAdded && this.stored.pending_refunds > 0;
    return this.rewritten || onlyReceived || refundWaits || this.earliest < openDay;
  }

  private get exists(): boolean {
    return this.stored !== null || this.changed;
  }

  private applyEvent(change: EventChange): Outcome {
    const { kind, event } = change;
    const id = idOf(kind, event);
    const known = this.known[kind].get(id);
    if (known === undefined) return this.insert(kind, id, event);
    const same = sameEvent(kind, known as Events[EventKind], event);
    if (change.mode === 'post') return { status: same ? 'duplicate' : 'conflict' };
    return same && !known.voided ? { status: 'duplicate' } : this.replace(kind, id, known, event);
  }

  private insert(kind: EventKind, id: string, event: Events[EventKind]): Outcome {
    if (this.events + 1 > MAX_EVENTS) return refused('history_too_long');
    const turnover = this.turnover + turnoverOf(event);
    if (!Number.isSafeInteger(turnover)) return refused('total_out_of_range');
    this.events += 1;
    this.turnover = turnover;
    this.note(kind, id, event, this.inserted);
    this.earliest = Math.min(this.earliest, event.moment.day);
    if (kind === 'purchases') this.purchasesAdded = true;
    if (kind === 'refunds') this.rewritten = true;
    return { status: 'created' };
  }

  private replace(kind: EventKind, id: string, known: Events[EventKind], event: Events[EventKind]): Outcome {
    const turnover = this.turnover - turnoverOf(known) + turnoverOf(event);
    if (!Number.isSafeInteger(turnover)) return refused('total_out_of_range');
    this.turnover = turnover;
    this.rewritten = true;
    // An event of this very batch is still to be inserted; it is only inserted otherwise.
    this.note(kind, id, event, this.inserted[kind].has(id) ? this.inserted : this.replaced);
    return { status: 'updated' };
  }

  private applyVoid({ kind, item_id }: VoidChange): Outcome {
    const known = this.known[kind].get(item_id);
    if (known === undefined) return { status: 'not_found' };
    if (!known.voided) {
      this.rewritten = true;
      this.note(
        kind,
        item_id,
        { ...known, voided: true },
        this.inserted[kind].has(item_id) ? this.inserted : this.replaced,
      );
    }
    return { status: 'voided' };
  }

  private applyCustomer(change: CustomerChange, groups: GroupBook): Outcome {
    const { known_since } = change;
    const group_ids = change.groups === undefined ? this.attributes.group_ids : groups.claim(change.groups);
    if (group_ids === null) return refused('too_many_groups');
    const next = { ...this.attributes, known_since: known_since ?? this.attributes.known_since, group_ids };
    const status = this.exists ? 'updated' : 'created';
    const same =
      next.known_since === this.attributes.known_since && group_ids.join() === this.attributes.group_ids.join();
    if (same && this.exists) return { status: 'duplicate' };
    this.attributes = next;
    this.attributesChanged = true;
    this.rewritten = true;
    this.changed = true;
    return { status };
  }

  private note(kind: EventKind, id: string, event: Events[EventKind], into: EventsById): void {
    (this.known[kind] as Map<string, Events[EventKind]>).set(id, event);
    (into[kind] as Map<string, Events[EventKind]>).set(id, event);
    this.changed = true;
  }
}

function refused(refusal: Refusal): Outcome {
  return { status: 'invalid', refusal };
}

/** The id of an event within its customer and kind. */
export function idOf(kind: EventKind, event: Events[EventKind]): string {
  if (kind === 'purchases') return (event as Events['purchases']).purchase_id;
  return kind === 'refunds' ? (event as Events['refunds']).refund_id : (event as Events['interactions']).interaction_id;
}

/** What an event adds to the sum that must stay a safe integer. */
export function turnoverOf(event: Events[EventKind]): number {
  const { amount = 0, cost = 0, discount = 0 } = event as Partial<Events['purchases']>;
  return amount + cost + discount;
}

/** The stored events with what the batch has put in their place or beside them. */
export function overlay(stored: EventsById, ...layers: readonly EventsById[]): EventsById {
  const merged = noEvents();
  for (const kind of EVENT_KINDS) {
    const target = merged[kind] as Map<string, Events[EventKind]>;
    for (const layer of [stored, ...layers]) for (const [id, event] of layer[kind]) target.set(id, event);
  }
  return merged;
}
