import { formatDay, parseDay } from './calendar.ts';
import { comparisonsOf, lapseDays, type ModelDocument, thresholdsOf } from './model-document.ts';
import { ItemDrawer } from './random-items.ts';
import { ODD_CUSTOMER_IDS, ODD_ITEM_IDS } from './random-text.ts';
import type { Rng } from './rng.ts';
import type {
  CustomerItem,
  InteractionItem,
  ItemBody,
  ItemKind,
  PurchaseBody,
  PurchaseItem,
  RefundItem,
} from './store.ts';

/** One call of the API, or the clock moving on. `body` of a PUT has no ids in it. */
export type Step =
  | { readonly kind: 'post'; readonly route: 'customers'; readonly items: readonly CustomerItem[] }
  | { readonly kind: 'post'; readonly route: 'purchases'; readonly items: readonly PurchaseItem[] }
  | { readonly kind: 'post'; readonly route: 'refunds'; readonly items: readonly RefundItem[] }
  | { readonly kind: 'post'; readonly route: 'interactions'; readonly items: readonly InteractionItem[] }
  | {
      readonly kind: 'put';
      readonly route: ItemKind;
      readonly customer_id: string;
      readonly item_id: string;
      readonly body: ItemBody;
    }
  | { readonly kind: 'delete'; readonly route: ItemKind; readonly customer_id: string; readonly item_id: string }
  | { readonly kind: 'erase'; readonly customer_id: string }
  | { readonly kind: 'merge'; readonly customer_id: string; readonly into: string }
  | { readonly kind: 'advance_clock'; readonly days: number };

export interface RandomStepsOptions {
  /** The clock's first day, `YYYY-MM-DD`. */
  readonly startDay: string;
  /** How many steps; 60 unless told. */
  readonly steps?: number;
  /** How many customers; 4 to 12 unless told. */
  readonly customers?: number;
  /** Models whose thresholds, windows and lapse days the gaps between events shall meet exactly. */
  readonly models?: readonly ModelDocument[];
  readonly decimals?: number;
  readonly timeZone?: string;
  /** The clock stands at this hour UTC of its day: 12 unless told, which is the same local day west of +12:00. */
  readonly nowHour?: number;
}

/** The groups random customers carry. */
export const GROUPS: readonly string[] = ['vip', 'b2b', 'channel:search', 'region:north', 'wave_2'];

const KINDS_OF_ITEM: readonly ItemKind[] = ['purchases', 'purchases', 'interactions', 'interactions', 'refunds'];
const ID_FIELD = { purchases: 'purchase_id', refunds: 'refund_id', interactions: 'interaction_id' } as const;
/** How far back events go, and how far the clock goes forward: with the latter some three years of history. */
const LATE_DAYS = 700;
const FORWARD_DAYS = 330;

/** A random life of a small shop, valid call by call against a clock that starts at `startDay` and only moves forward. */
export function randomSteps(rng: Rng, options: RandomStepsOptions): Step[] {
  const shop = new Shop(rng, options);
  return Array.from({ length: options.steps ?? 60 }, () => shop.step());
}

interface SentItem {
  readonly route: ItemKind;
  readonly customer_id: string;
  readonly item_id: string;
  readonly body: ItemBody;
}

/** Remembers what was sent, so that it can be sent again, changed, refunded and voided. It does not know what became of it. */
class Shop {
  readonly #rng: Rng;
  readonly #draw: ItemDrawer;
  readonly #first: number;
  readonly #customers: readonly string[];
  readonly #gaps: readonly number[];
  readonly #favourites: readonly number[];
  readonly #lastDay = new Map<string, number>();
  readonly #erased = new Map<string, number>();
  readonly #sent: SentItem[] = [];
  readonly #counters = new Map<string, number>();
  #clock: number;
  #erasedJustNow = false;

  constructor(rng: Rng, options: RandomStepsOptions) {
    const { startDay, models = [], decimals = 2, timeZone = 'UTC', nowHour = 12 } = options;
    this.#rng = rng;
    this.#draw = new ItemDrawer(rng, decimals, nowHour, timeZone);
    this.#first = parseDay(startDay);
    this.#clock = this.#first;
    const plain = Array.from({ length: 8 }, (_, place) => `c${place + 1}`);
    const count = options.customers ?? rng.between(4, 12);
    this.#customers = rng.shuffled([...plain, ...rng.some(ODD_CUSTOMER_IDS, 8, 8)]).slice(0, count);
    this.#gaps = [0, 1, 30, 89, 90, 91, 179, 180, 181, 365, ...models.flatMap(gapsOf)].filter((gap) => gap <= 400);
    this.#favourites = Array.from({ length: 6 }, () => this.#first - rng.between(0, LATE_DAYS));
  }

  step(): Step {
    const rng = this.#rng;
    if (this.#erasedJustNow && rng.chance(0.6)) return this.#advance();
    return rng.weighted<() => Step>([
      [8, () => this.#advance()],
      [9, () => this.#postCustomers()],
      [56, () => this.#post(rng.pick(KINDS_OF_ITEM))],
      [14, () => this.#put()],
      [8, () => this.#delete()],
      [4, () => this.#erase()],
      [4, () => this.#merge()],
    ])();
  }

  #advance(): Step {
    this.#erasedJustNow = false;
    const left = FORWARD_DAYS - (this.#clock - this.#first);
    const days = Math.max(1, Math.min(left, this.#rng.pick([1, 1, 2, 7, ...this.#gaps])));
    this.#clock += days;
    return { kind: 'advance_clock', days };
  }

  #postCustomers(): Step {
    const rng = this.#rng;
    const items = Array.from({ length: rng.between(1, 5) }, (): CustomerItem => {
      const customer_id = rng.pick(this.#customers);
      const known_since = formatDay(rng.chance(0.5) ? this.#day(customer_id) : this.#first - rng.between(0, LATE_DAYS));
      return {
        customer_id,
        ...(rng.chance(0.5) ? { known_since } : {}),
        ...(rng.chance(0.6) ? { groups: rng.some(GROUPS, 0, 3) } : {}),
      };
    });
    if (rng.chance(0.3)) items.push({ ...rng.pick(items) });
    return { kind: 'post', route: 'customers', items };
  }

  #post(route: ItemKind): Step {
    const rng = this.#rng;
    const batch: SentItem[] = [];
    const size = rng.chance(0.15) ? rng.between(10, 25) : rng.between(1, 6);
    while (batch.length < size) batch.push(this.#item(route, batch));
    this.#sent.push(...batch);
    const items = batch.map(({ customer_id, item_id, body }) => ({ customer_id, [ID_FIELD[route]]: item_id, ...body }));
    return { kind: 'post', route, items } as unknown as Step;
  }

  /** A new item, one sent before (as it was, or in other words), or another one under an id sent before. */
  #item(route: ItemKind, batch: readonly SentItem[]): SentItem {
    const rng = this.#rng;
    const again = [...this.#sent, ...batch, ...batch].filter((item) => item.route === route);
    const how =
      again.length === 0
        ? 'new'
        : rng.weighted([
            [16, 'new'],
            [1, 'same'],
            [2, 'restated'],
            [1, 'other'],
          ]);
    if (how === 'new') {
      const customer_id = rng.pick(this.#customers);
      return this.#drawn(route, customer_id, this.#newId(route, customer_id));
    }
    const item = rng.pick(again);
    // Now and then somebody else's: what both have is then one item if they are merged.
    if (how === 'same') return rng.chance(0.2) ? { ...item, customer_id: rng.pick(this.#customers) } : item;
    if (how === 'restated') return { ...item, body: this.#draw.restated(item.body) };
    return this.#drawn(route, item.customer_id, item.item_id);
  }

  #put(): Step {
    const rng = this.#rng;
    const sent = this.#sent.length === 0 || rng.chance(0.15) ? null : rng.pick(this.#sent);
    const route = sent?.route ?? rng.pick(KINDS_OF_ITEM);
    const customer_id = sent?.customer_id ?? rng.pick(this.#customers);
    const item_id = sent?.item_id ?? this.#newId(route, customer_id);
    let item = this.#drawn(route, customer_id, item_id);
    if (sent !== null && rng.chance(0.4)) {
      const body = this.#draw.moved(route, sent.body, this.#day(customer_id), this.#clock);
      item = { ...sent, body };
    } else if (sent !== null && rng.chance(0.5)) {
      item = { ...sent, body: this.#draw.restated(sent.body) };
    }
    this.#sent.push(item);
    return { kind: 'put', ...item };
  }

  #delete(): Step {
    const rng = this.#rng;
    const found = this.#sent.length === 0 || rng.chance(0.1) ? null : rng.pick(this.#sent);
    if (found !== null) {
      const { route, customer_id, item_id } = found;
      return { kind: 'delete', route, customer_id, item_id };
    }
    const customer_id = rng.chance(0.5) ? 'never sent' : rng.pick(this.#customers);
    return { kind: 'delete', route: rng.pick(KINDS_OF_ITEM), customer_id, item_id: 'never sent' };
  }

  #erase(): Step {
    const customer_id = this.#rng.chance(0.1) ? 'never sent' : this.#rng.pick(this.#customers);
    this.#erased.set(customer_id, this.#clock);
    this.#erasedJustNow = true;
    return { kind: 'erase', customer_id };
  }

  /** Two customers become one, or would: most often one of those whose item ids are their own, so that nothing contradicts. */
  #merge(): Step {
    const rng = this.#rng;
    const guests = this.#customers.filter((id) => this.#isGuest(id));
    const customer_id = rng.pick(rng.chance(0.8) && guests.length > 0 ? guests : this.#customers);
    const into = rng.chance(0.05) ? 'never sent' : rng.pick(this.#customers.filter((id) => id !== customer_id));
    return rng.chance(0.05)
      ? { kind: 'merge', customer_id: into, into: customer_id }
      : { kind: 'merge', customer_id, into };
  }

  /** Every other customer has item ids that nobody else has. */
  #isGuest(customerId: string): boolean {
    return this.#customers.indexOf(customerId) % 2 === 1;
  }

  #drawn(route: ItemKind, customer_id: string, item_id: string): SentItem {
    return { route, customer_id, item_id, body: this.#body(route, customer_id) };
  }

  #body(route: ItemKind, customerId: string): ItemBody {
    const day = this.#day(customerId);
    if (route === 'purchases') return this.#draw.purchase(day, this.#clock);
    if (route === 'interactions') return this.#draw.interaction(day, this.#clock);
    const own = this.#sent.filter((item) => item.route === 'purchases' && item.customer_id === customerId);
    const known = own.length > 0 && this.#rng.chance(0.8) ? this.#rng.pick(own) : null;
    // The next number is a purchase still to come, if it ever comes.
    const coming = this.#numbered('purchases', customerId, this.#rng.between(1, 2));
    const purchase = known === null ? null : (known.body as PurchaseBody);
    return this.#draw.refund(day, this.#clock, known?.item_id ?? coming, purchase);
  }

  #newId(route: ItemKind, customerId: string): string {
    if (this.#rng.chance(0.06)) return this.#rng.pick(ODD_ITEM_IDS);
    const id = this.#numbered(route, customerId, 1);
    const key = `${route} ${customerId}`;
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + 1);
    return id;
  }

  /** The id of the item so many after the last one of its kind. */
  #numbered(route: ItemKind, customerId: string, after: number): string {
    const number = (this.#counters.get(`${route} ${customerId}`) ?? 0) + after;
    const own = this.#isGuest(customerId) ? `${this.#customers.indexOf(customerId)}-` : '';
    return `${route.slice(0, 1)}${own}${number}`;
  }

  /** A day up to tomorrow: one everybody shares, one at a model's distance from this customer's last drawn, today, or any. */
  #day(customerId: string): number {
    const rng = this.#rng;
    const erased = this.#erased.get(customerId);
    const near = (this.#lastDay.get(customerId) ?? this.#first - LATE_DAYS) + rng.pick(this.#gaps);
    const drawn = rng.weighted([
      [7, rng.pick(this.#favourites)],
      [8, near],
      [2, near - 2 * rng.pick(this.#gaps)],
      [3, this.#clock + rng.between(-1, 1)],
      [3, rng.between(this.#first - LATE_DAYS, this.#clock)],
    ]);
    const late = Math.max(this.#first - LATE_DAYS, Math.min(drawn, this.#clock + 1));
    const returns = erased !== undefined && rng.chance(0.6);
    const day = returns ? rng.between(Math.min(erased + 1, this.#clock + 1), this.#clock + 1) : late;
    this.#lastDay.set(customerId, day);
    return day;
  }
}

/** The numbers of days a model names, and one less and one more than each. */
function gapsOf(model: ModelDocument): number[] {
  const comparisons = model.stages.flatMap((stage) => (stage.when === undefined ? [] : comparisonsOf(stage.when)));
  const spans = comparisons.filter(
    (comparison) => /days/.test(comparison.feature) && comparison.feature !== 'purchase_days',
  );
  const numbers = spans.flatMap(thresholdsOf).filter((threshold) => typeof threshold === 'number');
  const windows = comparisons.map((comparison) => comparison.within_days ?? 0);
  const days = [...numbers, ...windows, ...lapseDays(model.lapse)];
  return days.flatMap((day) => [day, day + 1, Math.max(0, day - 1)]);
}
