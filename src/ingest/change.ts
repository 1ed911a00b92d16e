import type { Day } from '../domain/calendar.ts';
import type { EventKind, Events } from '../store/histories.ts';

/** An event to be stored: `post` leaves what is there, `put` replaces it. */
export type EventChange = {
  readonly [Kind in EventKind]: {
    readonly type: 'event';
    readonly mode: 'post' | 'put';
    readonly kind: Kind;
    readonly customer_id: string;
    readonly event: Events[Kind];
  };
}[EventKind];

/** A stored event to be voided: it keeps its row and stops counting. */
export interface VoidChange {
  readonly type: 'void';
  readonly kind: EventKind;
  readonly customer_id: string;
  readonly item_id: string;
}

/** What a caller says of a customer. Absent fields stay as they are; `groups` replaces. */
export interface CustomerChange {
  readonly type: 'customer';
  readonly customer_id: string;
  readonly known_since?: Day;
  /** Distinct names. */
  readonly groups?: readonly string[];
}

/** One thing a caller wants stored. */
export type Change = EventChange | VoidChange | CustomerChange;

/** Why a well-formed item cannot be stored. */
export type Refusal = 'customer_erased' | 'history_too_long' | 'total_out_of_range' | 'too_many_groups';

/** What became of a change. */
export type Outcome =
  | { readonly status: 'created' | 'updated' | 'duplicate' | 'conflict' | 'voided' | 'not_found' }
  | { readonly status: 'invalid'; readonly refusal: Refusal };

/** Events stored of one customer at most, until more is measured. */
export const MAX_EVENTS = 100_000;
