/** A record of `POST /v1/customers`. */
export interface DemoCustomer {
  readonly customer_id: string;
  readonly known_since?: string;
  readonly groups: readonly string[];
}

/** An item of `POST /v1/purchases`. Amounts are decimal strings of a currency with two decimals. */
export interface DemoPurchase {
  readonly customer_id: string;
  readonly purchase_id: string;
  readonly purchased_at: string;
  readonly amount: string;
  readonly cost: string;
  readonly discount?: string;
  readonly products: readonly string[];
}

/** An item of `POST /v1/refunds`. */
export interface DemoRefund {
  readonly customer_id: string;
  readonly refund_id: string;
  readonly purchase_id: string;
  readonly refunded_at: string;
  readonly amount: string;
}

/** An item of `POST /v1/interactions`. */
export interface DemoInteraction {
  readonly customer_id: string;
  readonly interaction_id: string;
  readonly occurred_at: string;
  readonly kind: string;
  readonly score?: number;
  readonly reason?: string;
  readonly cost?: string;
}

/** The body of one ingest request, at most 1,000 items, with the last part of its path. */
export type DemoBatch =
  | { readonly route: 'customers'; readonly items: readonly DemoCustomer[] }
  | { readonly route: 'purchases'; readonly items: readonly DemoPurchase[] }
  | { readonly route: 'refunds'; readonly items: readonly DemoRefund[] }
  | { readonly route: 'interactions'; readonly items: readonly DemoInteraction[] };

/** An item with when it happens. */
export interface Dated<Item> {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly item: Item;
}

/** All that a shop tells, by route. */
export interface Log {
  readonly customers: Dated<DemoCustomer>[];
  readonly purchases: Dated<DemoPurchase>[];
  readonly refunds: Dated<DemoRefund>[];
  readonly interactions: Dated<DemoInteraction>[];
}
