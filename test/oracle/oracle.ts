import { Calendar, formatDay, parseDay } from './calendar.ts';
import { dailyFacts, datingDays, type Facts, frozenAfter, settledPurchases } from './facts.ts';
import { type Activity, longestReachDays, type ModelDocument } from './model-document.ts';
import { formatMoney } from './money.ts';
import { type Person, personOf } from './people.ts';
import {
  type PopulationRow,
  type StageMoves,
  spellOn,
  stageMoves,
  stagePopulation,
  timeline,
  type Walked,
} from './reports.ts';
import {
  type CustomerItem,
  EventStore,
  type InteractionItem,
  type ItemBody,
  type ItemKind,
  type MergeStatus,
  type PurchaseItem,
  type PutStatus,
  type RefundItem,
  type Status,
  type StoredCustomer,
} from './store.ts';
import { prepareWalk, type Spell } from './walk.ts';

export interface OracleOptions {
  /** IANA name of the reporting zone. */
  readonly timeZone: string;
  /** Decimals of the currency. */
  readonly decimals: number;
  readonly models: readonly ModelDocument[];
  /** Today in the reporting zone, `YYYY-MM-DD`; asked for at every receipt and erasure. */
  today(): string;
}

export interface TimelineRow {
  readonly stage: string;
  readonly activity: Activity;
  readonly from: string;
  /** The first day after the spell; null for the one that lasts. */
  readonly to: string | null;
}

export interface Position {
  readonly stage: string;
  readonly activity: Activity;
  readonly since: string;
}

/** A move that silence alone will bring. */
export interface NextMove {
  readonly on: string;
  readonly stage: string;
  readonly activity: Activity;
}

/** One customer in numbers, for all stored events, those dated tomorrow included. */
export interface CustomerSummary {
  /** The day from which the customer exists. */
  readonly known_since: string;
  readonly purchases: number;
  readonly purchase_days: number;
  readonly revenue: string;
  readonly profit: string;
  readonly first_purchase_day: string | null;
  readonly last_purchase_day: string | null;
  readonly groups: string[];
}

export interface OracleStatus {
  readonly customers: number;
  readonly purchases: number;
  readonly refunds: number;
  readonly interactions: number;
  readonly pending_refunds: number;
  readonly data_through: string | null;
}

interface PreparedModel {
  readonly stages: readonly string[];
  readonly walk: (facts: Facts) => Spell[];
  readonly reachDays: number;
}

interface Remembered {
  readonly facts: Facts;
  readonly spells: Map<string, readonly Spell[]>;
}

/**
 * The truth the service is compared with: keeps the events it is sent, and answers every question by walking each
 * customer's days one by one. Shares no code with the service. Walks are remembered until that customer changes.
 */
export class Oracle {
  readonly decimals: number;
  readonly #today: () => string;
  readonly #models: Map<string, PreparedModel>;
  readonly #reachDays: number;
  readonly #store: EventStore;
  readonly #remembered = new Map<string, Remembered>();

  constructor({ timeZone, decimals, models, today }: OracleOptions) {
    this.decimals = decimals;
    this.#today = today;
    this.#models = new Map(models.map((model) => [model.model_id, prepare(model, decimals)]));
    this.#reachDays = Math.max(1, ...models.map(longestReachDays));
    const changed = (customerId: string): unknown => this.#remembered.delete(customerId);
    this.#store = new EventStore(new Calendar(timeZone), decimals, () => parseDay(today()), changed);
  }

  postCustomers(items: readonly CustomerItem[]): Status[] {
    return items.map((item) => this.#store.postCustomer(item));
  }

  postPurchases(items: readonly PurchaseItem[]): Status[] {
    return items.map((item) => this.#store.postItem('purchases', item.customer_id, item.purchase_id, item));
  }

  postRefunds(items: readonly RefundItem[]): Status[] {
    return items.map((item) => this.#store.postItem('refunds', item.customer_id, item.refund_id, item));
  }

  postInteractions(items: readonly InteractionItem[]): Status[] {
    return items.map((item) => this.#store.postItem('interactions', item.customer_id, item.interaction_id, item));
  }

  putItem(kind: ItemKind, customerId: string, itemId: string, body: ItemBody): PutStatus {
    return this.#store.putItem(kind, customerId, itemId, body);
  }

  /** False stands for 404. */
  deleteItem(kind: ItemKind, customerId: string, itemId: string): boolean {
    return this.#store.deleteItem(kind, customerId, itemId);
  }

  /** False stands for 404. */
  eraseCustomer(customerId: string): boolean {
    return this.#store.erase(customerId);
  }

  /** Today's day number. */
  get today(): number {
    return parseDay(this.#today());
  }

  /** The names of a model's stages, in order. */
  stagesOf(modelId: string): readonly string[] {
    return this.#model(modelId).stages;
  }

  /** Everybody, or who carries a group, as reports look at them; with their spells in a model if one is named. */
  people(modelId: string | null, group?: string): Person[] {
    const everybody = [...this.#store.customers].filter(
      ([, customer]) => group === undefined || customer.groups.includes(group),
    );
    return everybody.map(([id, customer]) =>
      personOf(id, customer, modelId === null ? [] : this.#spells(modelId, id, customer)),
    );
  }

  mergeCustomers(customerId: string, into: string): MergeStatus {
    return this.#store.merge(customerId, into);
  }

  /** The customer an id stands for. */
  survivor(customerId: string): string {
    return this.#store.survivor(customerId);
  }

  /** The ids that stand for a customer since they were merged. */
  mergedIds(customerId: string): string[] {
    return this.#store.mergedIds(customerId);
  }

  stagePopulation(modelId: string, asOf: string, group?: string): PopulationRow[] {
    const { stages } = this.#model(modelId);
    return stagePopulation(this.#walked(modelId, group), stages, parseDay(asOf), this.decimals);
  }

  /** Moves on the days [from, to). */
  stageMoves(modelId: string, from: string, to: string, group?: string): StageMoves {
    const { stages } = this.#model(modelId);
    return stageMoves(this.#walked(modelId, group), stages, parseDay(from), parseDay(to));
  }

  timeline(modelId: string, customerId: string): TimelineRow[] | null {
    const customer = this.#store.customers.get(customerId);
    return customer === undefined ? null : timeline(this.#spells(modelId, customerId, customer));
  }

  /** Null for an unknown customer, and before they existed. */
  position(modelId: string, customerId: string, asOf: string): Position | null {
    const customer = this.#store.customers.get(customerId);
    const spell = customer && spellOn(this.#spells(modelId, customerId, customer), parseDay(asOf));
    return spell ? { stage: spell.stage, activity: spell.activity, since: formatDay(spell.from) } : null;
  }

  /** The first move after a day if nothing dated later than that day had come; null if there is none. */
  nextMove(modelId: string, customerId: string, asOf: string): NextMove | null {
    const customer = this.#store.customers.get(customerId);
    if (customer === undefined) return null;
    const model = this.#model(modelId);
    const { facts } = this.#facts(customerId, customer);
    const day = parseDay(asOf);
    const last = Math.min(day - facts.start, facts.length - 1);
    if (last < 0) return null;
    const complete = last >= facts.length - 1 - this.#reachDays;
    const spells = complete
      ? this.#spells(modelId, customerId, customer)
      : model.walk(frozenAfter(facts, last, model.reachDays));
    const next = spells.find((spell) => spell.from > day);
    return next === undefined ? null : { on: formatDay(next.from), stage: next.stage, activity: next.activity };
  }

  customer(customerId: string): CustomerSummary | null {
    const customer = this.#store.customers.get(customerId);
    if (customer === undefined) return null;
    const purchases = settledPurchases(customer);
    const counting = purchases.filter((purchase) => purchase.counts);
    const days = [...new Set(counting.map((purchase) => purchase.at.day))].sort((one, other) => one - other);
    const interactions = [...customer.interactions.values()].filter((interaction) => !interaction.void);
    const revenue = purchases.reduce((sum, purchase) => sum + purchase.amount - purchase.refunded, 0);
    const costs = [...purchases, ...interactions].reduce((sum, row) => sum + row.cost, 0);
    const [first, last] = [days[0], days.at(-1)];
    return {
      known_since: formatDay(Math.min(...datingDays(customer))),
      purchases: counting.length,
      purchase_days: days.length,
      revenue: formatMoney(revenue, this.decimals),
      profit: formatMoney(revenue - costs, this.decimals),
      first_purchase_day: first === undefined ? null : formatDay(first),
      last_purchase_day: last === undefined ? null : formatDay(last),
      groups: [...customer.groups],
    };
  }

  /** In the order of their UTF-8 bytes, which is `collate "C"`. */
  customerIds(): string[] {
    return [...this.#store.customers.keys()].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  }

  status(): OracleStatus {
    const customers = [...this.#store.customers.values()];
    const rows = (kind: ItemKind): number => customers.reduce((sum, customer) => sum + customer[kind].size, 0);
    const latest = customers.flatMap(datingDays).reduce((one, other) => Math.max(one, other), Number.NEGATIVE_INFINITY);
    return {
      customers: customers.length,
      purchases: rows('purchases'),
      refunds: rows('refunds'),
      interactions: rows('interactions'),
      pending_refunds: customers.reduce((sum, customer) => sum + pendingRefunds(customer), 0),
      data_through: customers.length === 0 ? null : formatDay(latest),
    };
  }

  #model(modelId: string): PreparedModel {
    const model = this.#models.get(modelId);
    if (model === undefined) throw new RangeError(`unknown model: ${modelId}`);
    return model;
  }

  #walked(modelId: string, group: string | undefined): Walked[] {
    const walked: Walked[] = [];
    for (const [id, customer] of this.#store.customers) {
      if (group !== undefined && !customer.groups.includes(group)) continue;
      walked.push({ spells: this.#spells(modelId, id, customer), facts: this.#facts(id, customer).facts });
    }
    return walked;
  }

  #spells(modelId: string, customerId: string, customer: StoredCustomer): readonly Spell[] {
    const { facts, spells } = this.#facts(customerId, customer);
    let walked = spells.get(modelId);
    if (walked === undefined) {
      const model = this.#model(modelId);
      // The facts reach as far as the longest model asks; each model walks only as far as it can move itself.
      walked = model.walk({ ...facts, length: facts.length - this.#reachDays + model.reachDays });
      spells.set(modelId, walked);
    }
    return walked;
  }

  #facts(customerId: string, customer: StoredCustomer): Remembered {
    let remembered = this.#remembered.get(customerId);
    if (remembered === undefined) {
      remembered = { facts: dailyFacts(customer, this.#reachDays), spells: new Map() };
      this.#remembered.set(customerId, remembered);
    }
    return remembered;
  }
}

function prepare(model: ModelDocument, decimals: number): PreparedModel {
  const stages = model.stages.map((stage) => stage.stage);
  return { stages, walk: prepareWalk(model, decimals), reachDays: longestReachDays(model) };
}

function pendingRefunds(customer: StoredCustomer): number {
  const pending = [...customer.refunds.values()].filter((refund) => {
    const purchase = customer.purchases.get(refund.purchaseId);
    return !refund.void && (purchase === undefined || purchase.void);
  });
  return pending.length;
}
