import type { Calendar, Moment } from './calendar.ts';
import { parseMoney } from './money.ts';

/** What became of one item of a request. `invalid` here always means `customer_erased`. */
export type Status = 'created' | 'updated' | 'duplicate' | 'conflict' | 'invalid';
/** What became of a PUT. */
export type PutStatus = 'created' | 'updated' | 'duplicate' | 'customer_erased';
/** What became of a merge. */
export type MergeStatus = 'merged' | 'customer_not_found' | 'customer_merged' | 'merge_conflict';
export type ItemKind = 'purchases' | 'refunds' | 'interactions';

/** The bodies of PUT: the items of POST without their ids. */
export interface PurchaseBody {
  readonly purchased_at: string;
  readonly amount: string;
  readonly cost?: string;
  readonly discount?: string;
  readonly products?: readonly string[];
}
export interface RefundBody {
  readonly purchase_id: string;
  readonly refunded_at: string;
  readonly amount: string;
}
export interface InteractionBody {
  readonly occurred_at: string;
  readonly kind: string;
  readonly score?: number;
  readonly reason?: string;
  readonly cost?: string;
}
export type ItemBody = PurchaseBody | RefundBody | InteractionBody;

/** The items of POST, as in its JSON body. */
export interface PurchaseItem extends PurchaseBody {
  readonly customer_id: string;
  readonly purchase_id: string;
}
export interface RefundItem extends RefundBody {
  readonly customer_id: string;
  readonly refund_id: string;
}
export interface InteractionItem extends InteractionBody {
  readonly customer_id: string;
  readonly interaction_id: string;
}
export interface CustomerItem {
  readonly customer_id: string;
  readonly known_since?: string;
  readonly groups?: readonly string[];
}

interface Row {
  readonly id: string;
  readonly at: Moment;
  /** Everything that makes two rows the same, normalised. */
  readonly content: string;
  readonly void: boolean;
}
export interface Purchase extends Row {
  readonly amount: number;
  readonly cost: number;
  readonly products: readonly string[];
}
export interface Refund extends Row {
  readonly purchaseId: string;
  readonly amount: number;
}
export interface Interaction extends Row {
  readonly kind: string;
  readonly score: number | null;
  /** Why a customer left, of a departure. */
  readonly reason: string | null;
  readonly cost: number;
}

/** One customer's rows, voided ones included. Day numbers, integer minor units. */
export interface StoredCustomer {
  knownSince: number | null;
  /** The day of receipt of a customer record that brought no `known_since`, or of the first event. */
  received: number;
  groups: readonly string[];
  readonly purchases: Map<string, Purchase>;
  readonly refunds: Map<string, Refund>;
  readonly interactions: Map<string, Interaction>;
}

/** The stored events, and what becomes of each item sent. `today` answers a day number. */
export class EventStore {
  readonly customers = new Map<string, StoredCustomer>();
  /** The customer that every merged id stands for. */
  readonly survivors = new Map<string, string>();
  readonly #erased = new Map<string, number>();
  readonly #calendar: Calendar;
  readonly #decimals: number;
  readonly #today: () => number;
  readonly #changed: (customerId: string) => void;

  constructor(calendar: Calendar, decimals: number, today: () => number, changed: (customerId: string) => void) {
    this.#calendar = calendar;
    this.#decimals = decimals;
    this.#today = today;
    this.#changed = changed;
  }

  postCustomer(item: CustomerItem): Status {
    const id = this.survivor(item.customer_id);
    const knownSince = item.known_since === undefined ? null : this.#calendar.read(item.known_since).day;
    const erased = this.#erased.get(item.customer_id);
    if (erased !== undefined && (knownSince === null || knownSince <= erased)) return 'invalid';
    const groups = item.groups === undefined ? null : [...new Set(item.groups)].sort();
    const customer = this.customers.get(id);
    if (customer === undefined) {
      Object.assign(this.#start(id), { knownSince, groups: groups ?? [] });
      return 'created';
    }
    const sameDay = knownSince === null || knownSince === customer.knownSince;
    const sameGroups = groups === null || JSON.stringify(groups) === JSON.stringify(customer.groups);
    if (sameDay && sameGroups) return 'duplicate';
    customer.knownSince = knownSince ?? customer.knownSince;
    customer.groups = groups ?? customer.groups;
    this.#changed(id);
    return 'updated';
  }

  postItem(kind: ItemKind, sentFor: string, itemId: string, body: ItemBody): Status {
    const row = this.#row(kind, itemId, body);
    if (this.#isErased(sentFor, row)) return 'invalid';
    const customerId = this.survivor(sentFor);
    const stored = this.customers.get(customerId)?.[kind].get(itemId);
    if (stored !== undefined) return stored.content === row.content ? 'duplicate' : 'conflict';
    this.#set(kind, customerId, row);
    return 'created';
  }

  putItem(kind: ItemKind, sentFor: string, itemId: string, body: ItemBody): PutStatus {
    const row = this.#row(kind, itemId, body);
    if (this.#isErased(sentFor, row)) return 'customer_erased';
    const customerId = this.survivor(sentFor);
    const stored = this.customers.get(customerId)?.[kind].get(itemId);
    if (stored !== undefined && !stored.void && stored.content === row.content) return 'duplicate';
    this.#set(kind, customerId, row);
    return stored === undefined ? 'created' : 'updated';
  }

  /** Voids a row. False when there is none. */
  deleteItem(kind: ItemKind, sentFor: string, itemId: string): boolean {
    const customerId = this.survivor(sentFor);
    const stored = this.customers.get(customerId)?.[kind].get(itemId);
    if (stored === undefined) return false;
    this.#set(kind, customerId, { ...stored, void: true });
    return true;
  }

  /** Removes a customer under every id and remembers the day. False when nobody of that id is or was known. */
  erase(sentFor: string): boolean {
    const customerId = this.survivor(sentFor);
    const ids = [customerId, ...this.mergedIds(customerId)];
    if (!this.customers.delete(customerId)) return this.#erased.has(sentFor);
    for (const id of ids) {
      this.survivors.delete(id);
      this.#erased.set(id, this.#today());
    }
    this.#changed(customerId);
    return true;
  }

  /** Puts the rows of one customer under another, whom the old id stands for from then on. */
  merge(oldId: string, intoId: string): MergeStatus {
    const [from, to] = [this.survivor(oldId), this.survivor(intoId)];
    const [old, kept] = [this.customers.get(from), this.customers.get(to)];
    if (old === undefined || kept === undefined) return 'customer_not_found';
    if (old === kept) return 'merged';
    if (from !== oldId) return 'customer_merged';
    const kinds = ['purchases', 'refunds', 'interactions'] as const;
    const rows = kinds.flatMap((kind) =>
      [...old[kind].values()].map((row) => ({ kind, row, same: kept[kind].get(row.id) })),
    );
    const differs = rows.some(({ row, same }) => same && (same.content !== row.content || same.void !== row.void));
    if (differs) return 'merge_conflict';
    for (const { kind, row, same } of rows) if (same === undefined) this.#set(kind, to, row);
    const days = [old.knownSince, kept.knownSince].filter((day) => day !== null);
    kept.knownSince = days.length === 0 ? null : Math.min(...days);
    kept.received = Math.min(old.received, kept.received);
    kept.groups = [...new Set([...old.groups, ...kept.groups])].sort();
    this.customers.delete(from);
    for (const id of [from, ...this.mergedIds(from)]) this.survivors.set(id, to);
    for (const id of [from, to]) this.#changed(id);
    return 'merged';
  }

  /** The customer an id stands for. */
  survivor(id: string): string {
    return this.survivors.get(id) ?? id;
  }

  /** The ids that stand for a customer, in the order of their UTF-8 bytes. */
  mergedIds(customerId: string): string[] {
    const ids = [...this.survivors].flatMap(([id, survivor]) => (survivor === customerId ? [id] : []));
    return ids.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  }

  #isErased(customerId: string, row: Row): boolean {
    const erased = this.#erased.get(customerId);
    return erased !== undefined && row.at.day <= erased;
  }

  #start(customerId: string): StoredCustomer {
    const nothing = { purchases: new Map(), refunds: new Map(), interactions: new Map() };
    const customer: StoredCustomer = { knownSince: null, received: this.#today(), groups: [], ...nothing };
    this.customers.set(customerId, customer);
    this.#changed(customerId);
    return customer;
  }

  #set(kind: ItemKind, customerId: string, row: Row): void {
    const customer = this.customers.get(customerId) ?? this.#start(customerId);
    (customer[kind] as Map<string, Row>).set(row.id, row);
    this.#changed(customerId);
  }

  #row(kind: ItemKind, id: string, body: ItemBody): Row {
    switch (kind) {
      case 'purchases':
        return this.#purchase(id, body as PurchaseBody);
      case 'refunds':
        return this.#refund(id, body as RefundBody);
      case 'interactions':
        return this.#interaction(id, body as InteractionBody);
    }
  }

  #purchase(id: string, body: PurchaseBody): Purchase {
    const at = this.#calendar.read(body.purchased_at);
    const [amount, cost, discount] = [body.amount, body.cost, body.discount].map((text) => this.#money(text));
    const products = [...new Set(body.products)].sort();
    const content = JSON.stringify([at.micros, amount, cost, discount, products]);
    return { id, at, content, void: false, amount: amount ?? 0, cost: cost ?? 0, products };
  }

  #refund(id: string, body: RefundBody): Refund {
    const at = this.#calendar.read(body.refunded_at);
    const amount = this.#money(body.amount);
    const content = JSON.stringify([at.micros, body.purchase_id, amount]);
    return { id, at, content, void: false, purchaseId: body.purchase_id, amount };
  }

  #interaction(id: string, body: InteractionBody): Interaction {
    const at = this.#calendar.read(body.occurred_at);
    const score = body.score ?? null;
    const cost = this.#money(body.cost);
    const reason = body.reason ?? null;
    const content = JSON.stringify([at.micros, body.kind, score, reason, cost]);
    return { id, at, content, void: false, kind: body.kind, score, reason, cost };
  }

  /** A missing cost or discount is zero, so it is the same content as a stated zero. */
  #money(text: string | undefined): number {
    return text === undefined ? 0 : parseMoney(text, this.#decimals);
  }
}
