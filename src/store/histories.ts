import { type ExpressionBuilder, sql } from 'kysely';
import type { History, Interaction, Purchase, Refund } from '../domain/history.ts';
import type { Moment } from '../domain/instant.ts';
import type { Trx } from './connect.ts';
import type { Tables } from './tables.ts';

/** The three kinds of events a customer's history is made of, as their tables and routes are called. */
export const EVENT_KINDS = ['purchases', 'refunds', 'interactions'] as const;
/** One of `EVENT_KINDS`. */
export type EventKind = (typeof EVENT_KINDS)[number];

/** What each kind of event is in the domain. */
export interface Events {
  readonly purchases: Purchase;
  readonly refunds: Refund;
  readonly interactions: Interaction;
}

/** Events of one customer by id. */
export type EventsById = { readonly [Kind in EventKind]: Map<string, Events[Kind]> };

/** No events at all. */
export function noEvents(): EventsById {
  return { purchases: new Map(), refunds: new Map(), interactions: new Map() };
}

/** The id column of each kind. */
export const ID_COLUMNS = { purchases: 'purchase_id', refunds: 'refund_id', interactions: 'interaction_id' } as const;

/** A history from a customer's attributes and events. */
export function historyOf(dates: Pick<History, 'known_since' | 'received_on'>, events: EventsById): History {
  return {
    known_since: dates.known_since,
    received_on: dates.received_on,
    purchases: [...events.purchases.values()],
    refunds: [...events.refunds.values()],
    interactions: [...events.interactions.values()],
  };
}

/** Reads every event of the customers. Customers without any are absent from the map. */
export async function readEvents(trx: Trx, customerIds: readonly string[]): Promise<Map<string, EventsById>> {
  const found = new Map<string, EventsById>();
  if (customerIds.length === 0) return found;
  const of = (customerId: string): EventsById => {
    let events = found.get(customerId);
    if (events === undefined) {
      events = noEvents();
      found.set(customerId, events);
    }
    return events;
  };
  const ids = sql<string[]>`${customerIds}::text[]`;
  const wanted = (builder: ExpressionBuilder<Tables, EventKind>) =>
    builder('customer_id', '=', sql<string>`any(${ids})`);
  for (const row of await trx.selectFrom('purchases').selectAll().where(wanted).execute()) {
    of(row.customer_id).purchases.set(row.purchase_id, purchaseOf(row));
  }
  for (const row of await trx.selectFrom('refunds').selectAll().where(wanted).execute()) {
    of(row.customer_id).refunds.set(row.refund_id, refundOf(row));
  }
  for (const row of await trx.selectFrom('interactions').selectAll().where(wanted).execute()) {
    of(row.customer_id).interactions.set(row.interaction_id, interactionOf(row));
  }
  return found;
}

/** Names of single events: two lists of one length. */
export interface EventNames {
  readonly customer_ids: readonly string[];
  readonly item_ids: readonly string[];
}

/** Reads single events by name into the maps of their customers. */
export async function readNamedEvents(
  trx: Trx,
  kind: EventKind,
  names: EventNames,
  into: (customerId: string) => EventsById,
): Promise<void> {
  if (names.customer_ids.length === 0) return;
  const { rows } = await sql<Record<string, unknown>>`
    select stored.* from ${sql.table(kind)} as stored
    join unnest(${names.customer_ids}::text[], ${names.item_ids}::text[]) as named (customer_id, item_id)
      on stored.customer_id = named.customer_id and stored.${sql.ref(ID_COLUMNS[kind])} = named.item_id`.execute(trx);
  for (const row of rows) {
    const customerId = row.customer_id as string;
    if (kind === 'purchases') into(customerId).purchases.set(row.purchase_id as string, purchaseOf(row as never));
    else if (kind === 'refunds') into(customerId).refunds.set(row.refund_id as string, refundOf(row as never));
    else into(customerId).interactions.set(row.interaction_id as string, interactionOf(row as never));
  }
}

interface MomentRow {
  readonly at: bigint;
  readonly day: number;
  readonly plain: boolean;
}

function momentOf(row: MomentRow): Moment {
  return { at: Number(row.at), day: row.day, plain: row.plain };
}

type Row<Kind extends EventKind> = Omit<{ [Column in keyof Tables[Kind]]: Tables[Kind][Column] }, 'voided'> & {
  voided: boolean;
};

function purchaseOf(row: Row<'purchases'>): Purchase {
  const { purchase_id, products, voided } = row;
  const [amount, cost, discount] = [Number(row.amount), Number(row.cost), Number(row.discount)];
  return { purchase_id, moment: momentOf(row), amount, cost, discount, products, voided };
}

function refundOf(row: Row<'refunds'>): Refund {
  const { refund_id, purchase_id, voided } = row;
  return { refund_id, purchase_id, moment: momentOf(row), amount: Number(row.amount), voided };
}

function interactionOf(row: Row<'interactions'>): Interaction {
  const { interaction_id, kind, score, voided } = row;
  const reason = row.reason as Interaction['reason'];
  return { interaction_id, moment: momentOf(row), kind, score, reason, cost: Number(row.cost), voided };
}
