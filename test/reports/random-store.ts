import { Calendar, parseDay } from '../oracle/calendar.ts';
import type { Step } from '../oracle/random.ts';
import { EventStore, type StoredCustomer } from '../oracle/store.ts';

const ITEM_ID = { purchases: 'purchase_id', refunds: 'refund_id', interactions: 'interaction_id' } as const;

/** The oracle's store under a clock of its own, told the life of a shop step by step. */
export class RandomStore {
  today: number;
  readonly #events: EventStore;

  constructor(startDay: string, timeZone: string, decimals: number) {
    this.today = parseDay(startDay);
    const [today, changed] = [() => this.today, () => {}];
    this.#events = new EventStore(new Calendar(timeZone), decimals, today, changed);
  }

  /** Those who carry the group, or everybody. */
  customers(group?: string): StoredCustomer[] {
    return [...this.#events.customers.values()].filter(({ groups }) => group === undefined || groups.includes(group));
  }

  apply(step: Step): void {
    const events = this.#events;
    if (step.kind === 'advance_clock') this.today += step.days;
    else if (step.kind === 'put') events.putItem(step.route, step.customer_id, step.item_id, step.body);
    else if (step.kind === 'delete') events.deleteItem(step.route, step.customer_id, step.item_id);
    else if (step.kind === 'erase') events.erase(step.customer_id);
    else if (step.kind === 'merge') events.merge(step.customer_id, step.into);
    else if (step.route === 'customers') for (const item of step.items) events.postCustomer(item);
    else {
      for (const item of step.items) {
        const id = (item as unknown as Record<string, string>)[ITEM_ID[step.route]]!;
        events.postItem(step.route, item.customer_id, id, item);
      }
    }
  }
}
