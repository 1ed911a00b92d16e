import { Calendar, formatDay } from './calendar.ts';
import { parseMoney } from './money.ts';
import { KINDS } from './random-models.ts';
import { randomMicros, writeInstant, writeMoney } from './random-text.ts';
import type { Rng } from './rng.ts';
import type { InteractionBody, ItemBody, ItemKind, PurchaseBody, RefundBody } from './store.ts';

const PRODUCTS = ['A-1', 'A-2', 'B/3', 'C 4', 'ü5', 'SKU:6'];
const REASONS = ['competitor', 'unattended_service', 'unresolved_defect', 'boredom', 'price', 'other'];
const AMOUNTS = [0, 1, 550, 1000, 1000, 2500, 2500, 3333, 5000, 9999, 10000, 12345];
const COSTS = [0, 1, 100, 1500, 5000];
/** Complaints, their resolutions, scores and departures move customers, so they come more often than the rest. */
const LIKELY_KINDS = [...KINDS, 'complaint', 'complaint', 'resolution', 'survey', 'survey', 'survey', 'departure'];

/** Draws the bodies of single items. The clock's day moves forward; the hour is that of the clock in UTC. */
export class ItemDrawer {
  readonly #rng: Rng;
  readonly #decimals: number;
  readonly #nowHour: number;
  readonly #calendar: Calendar;

  constructor(rng: Rng, decimals: number, nowHour: number, timeZone: string) {
    this.#rng = rng;
    this.#decimals = decimals;
    this.#nowHour = nowHour;
    this.#calendar = new Calendar(timeZone);
  }

  purchase(day: number, clockDay: number): PurchaseBody {
    const rng = this.#rng;
    return {
      purchased_at: this.#at(day, clockDay),
      amount: this.#money(AMOUNTS),
      ...(rng.chance(0.3) ? { cost: this.#money(COSTS) } : {}),
      ...(rng.chance(0.2) ? { discount: this.#money(COSTS) } : {}),
      ...(rng.chance(0.6) ? { products: rng.some(PRODUCTS, 0, 4) } : {}),
    };
  }

  /** A refund of a purchase: in part, wholly to the last unit, or of more than was paid. */
  refund(day: number, clockDay: number, purchaseId: string, purchase: PurchaseBody | null): RefundBody {
    const paid = purchase === null ? 1000 : parseMoney(purchase.amount, this.#decimals);
    const amounts = [paid, paid, Math.floor(paid / 2), paid - 1, paid + 1, paid + 700, 1];
    const amount = Math.max(1, this.#rng.pick(amounts));
    return { purchase_id: purchaseId, refunded_at: this.#at(day, clockDay), amount: this.#write(amount) };
  }

  interaction(day: number, clockDay: number): InteractionBody {
    const rng = this.#rng;
    const kind = rng.pick(LIKELY_KINDS);
    return {
      occurred_at: this.#at(day, clockDay),
      kind,
      ...(kind === 'survey' ? { score: rng.pick([0, 3, 6, 7, 8, 9, 10]) } : {}),
      ...(kind === 'departure' ? { reason: rng.pick(REASONS) } : {}),
      ...(rng.chance(0.25) ? { cost: this.#money(COSTS) } : {}),
    };
  }

  /** The same content in another notation: other offset, other decimals, other order, a stated zero. */
  restated<Body extends ItemBody>(body: Body): Body {
    const rng = this.#rng;
    const copy: Record<string, unknown> = { ...body };
    for (const field of ['purchased_at', 'refunded_at', 'occurred_at']) {
      const at = copy[field];
      if (typeof at !== 'string' || (at.length === 10 && rng.chance(0.5))) continue;
      copy[field] = writeInstant(rng, this.#calendar.read(at).micros);
    }
    for (const field of ['amount', 'cost', 'discount']) {
      const text = copy[field];
      if (typeof text === 'string') copy[field] = this.#write(parseMoney(text, this.#decimals));
    }
    if (Array.isArray(copy.products)) copy.products = rng.shuffled(copy.products);
    if ('purchased_at' in body && copy.cost === undefined && rng.chance(0.3)) copy.cost = '0';
    return copy as unknown as Body;
  }

  /** The same body on another day. */
  moved(kind: ItemKind, body: ItemBody, day: number, clockDay: number): ItemBody {
    const field = { purchases: 'purchased_at', refunds: 'refunded_at', interactions: 'occurred_at' }[kind];
    return { ...body, [field]: this.#at(day, clockDay) };
  }

  /** A plain date or an instant of the day, never more than a day ahead of the clock. */
  #at(day: number, clockDay: number): string {
    if (this.#rng.chance(0.45)) return formatDay(day);
    const beforeHour = day > clockDay ? this.#nowHour : 24;
    return beforeHour === 0 ? formatDay(day) : writeInstant(this.#rng, randomMicros(this.#rng, day, beforeHour));
  }

  #money(minorUnits: readonly number[]): string {
    return this.#write(this.#rng.pick(minorUnits));
  }

  #write(minor: number): string {
    return writeMoney(this.#rng, minor, this.#decimals);
  }
}
