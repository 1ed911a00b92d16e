import type { DepartureReason } from '../domain/activity-day.ts';
import type { Day } from '../domain/calendar.ts';
import type { Interaction, Purchase, Refund } from '../domain/history.ts';
import type { Moment } from '../domain/instant.ts';
import type { Micros, TimeZone } from '../domain/time-zone.ts';
import type { Change, VoidChange } from './change.ts';

/** A change that a row of an import can mean. Events are posted: what is stored already stays. */
export type ImportedChange = Exclude<Change, VoidChange>;

/** An instant, or the day of a plain date in a list: the days of instants belong to the time zone, which may change while a row waits. */
type EncodedMoment = Micros | readonly [Day];
type Encoded =
  | readonly ['p', string, EncodedMoment, number, number, number, readonly string[]]
  | readonly ['r', string, EncodedMoment, string, number]
  | readonly ['i', string, EncodedMoment, string, number | null, DepartureReason | null, number]
  | readonly ['c', Day | null, readonly string[] | null];

/** Writes a change, without its customer, as short JSON. */
export function encodeChange(change: ImportedChange): string {
  return JSON.stringify(encode(change));
}

function encode(change: ImportedChange): Encoded {
  if (change.type === 'customer') return ['c', change.known_since ?? null, change.groups ?? null];
  const moment = encodeMoment(change.event.moment);
  switch (change.kind) {
    case 'purchases': {
      const { purchase_id, amount, cost, discount, products } = change.event;
      return ['p', purchase_id, moment, amount, cost, discount, products];
    }
    case 'refunds': {
      const { refund_id, purchase_id, amount } = change.event;
      return ['r', refund_id, moment, purchase_id, amount];
    }
    case 'interactions': {
      const { interaction_id, kind, score, reason, cost } = change.event;
      return ['i', interaction_id, moment, kind, score, reason, cost];
    }
  }
}

function encodeMoment({ at, day, plain }: Moment): EncodedMoment {
  return plain ? [day] : at;
}

/** Reads what `encodeChange` has written, as the change means it in a time zone. */
export function decodeChange(customer_id: string, text: string, zone: TimeZone): ImportedChange {
  const encoded = JSON.parse(text) as Encoded;
  if (encoded[0] === 'c') {
    const [, known_since, groups] = encoded;
    return {
      type: 'customer',
      customer_id,
      ...(known_since === null ? {} : { known_since }),
      ...(groups === null ? {} : { groups }),
    };
  }
  const moment = decodeMoment(encoded[2], zone);
  const posted = { type: 'event', mode: 'post', customer_id } as const;
  switch (encoded[0]) {
    case 'p': {
      const [, purchase_id, , amount, cost, discount, products] = encoded;
      const event: Purchase = { purchase_id, moment, amount, cost, discount, products, voided: false };
      return { ...posted, kind: 'purchases', event };
    }
    case 'r': {
      const [, refund_id, , purchase_id, amount] = encoded;
      const event: Refund = { refund_id, purchase_id, moment, amount, voided: false };
      return { ...posted, kind: 'refunds', event };
    }
    case 'i': {
      const [, interaction_id, , kind, score, reason, cost] = encoded;
      const event: Interaction = { interaction_id, moment, kind, score, reason, cost, voided: false };
      return { ...posted, kind: 'interactions', event };
    }
  }
}

function decodeMoment(moment: EncodedMoment, zone: TimeZone): Moment {
  if (typeof moment === 'number') return { at: moment, day: zone.dayOf(moment), plain: false };
  const [day] = moment;
  return { at: zone.startOf(day), day, plain: true };
}
