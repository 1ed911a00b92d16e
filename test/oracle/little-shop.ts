import { readFileSync } from 'node:fs';
import { ANSWERS, type Query } from './answers.ts';
import type { ModelDocument } from './model-document.ts';
import { Oracle } from './oracle.ts';
import type { InteractionBody, PurchaseBody } from './store.ts';

/** The built-in models as the oracle knows them. */
export const MODELS: readonly ModelDocument[] = (
  JSON.parse(readFileSync(new URL('models.json', import.meta.url), 'utf8')) as { models: ModelDocument[] }
).models;

/** An oracle on a fixed day with short words for what happens: histories that a reader can follow by hand. UTC, two decimals. */
export class LittleShop {
  readonly oracle: Oracle;
  #ids = 0;

  constructor(today: string) {
    this.oracle = new Oracle({ timeZone: 'UTC', decimals: 2, models: MODELS, today: () => today });
  }

  /** Stores a purchase and gives its id. */
  buy(customer_id: string, purchased_at: string, amount = '10.00', more: Partial<PurchaseBody> = {}): string {
    const purchase_id = this.#nextId();
    this.oracle.postPurchases([{ customer_id, purchase_id, purchased_at, amount, ...more }]);
    return purchase_id;
  }

  refund(customer_id: string, purchase_id: string, refunded_at: string, amount: string): string {
    const refund_id = this.#nextId();
    this.oracle.postRefunds([{ customer_id, refund_id, purchase_id, refunded_at, amount }]);
    return refund_id;
  }

  tell(customer_id: string, occurred_at: string, kind: string, more: Partial<InteractionBody> = {}): void {
    this.oracle.postInteractions([{ customer_id, interaction_id: this.#nextId(), occurred_at, kind, ...more }]);
  }

  know(customer_id: string, known_since: string, ...groups: readonly string[]): void {
    this.oracle.postCustomers([{ customer_id, known_since, groups }]);
  }

  ask(report: string, query: Query = {}) {
    return ANSWERS[report]!(this.oracle, query);
  }

  /** The rows of a report as texts, some members of each. */
  rows(report: string, query: Query, ...members: readonly string[]): string[] {
    return this.ask(report, query).items.map((row) => members.map((member) => String(row[member])).join(' '));
  }

  #nextId(): string {
    this.#ids += 1;
    return String(this.#ids).padStart(3, '0');
  }
}
