import {
  type ActivityDay,
  type DepartureReason,
  emptyDay,
  noteDeparture,
  noteKind,
  noteProducts,
  noteScore,
} from './activity-day.ts';
import type { Day } from './calendar.ts';
import type { Moment } from './instant.ts';
import type { Minor } from './money.ts';

/** A stored purchase. */
export interface Purchase {
  readonly purchase_id: string;
  readonly moment: Moment;
  readonly amount: Minor;
  readonly cost: Minor;
  readonly discount: Minor;
  /** Product codes, distinct and sorted. */
  readonly products: readonly string[];
  readonly voided: boolean;
}

/** A stored refund; without effect while its purchase is unknown or voided. */
export interface Refund {
  readonly refund_id: string;
  readonly purchase_id: string;
  readonly moment: Moment;
  readonly amount: Minor;
  readonly voided: boolean;
}

/** A stored interaction. Only a survey has a score (0–10), only a departure a reason. */
export interface Interaction {
  readonly interaction_id: string;
  readonly moment: Moment;
  readonly kind: string;
  readonly score: number | null;
  readonly reason: DepartureReason | null;
  readonly cost: Minor;
  readonly voided: boolean;
}

/** All that is stored of one customer. The order of the lists has no meaning. */
export interface History {
  /** The day the caller says the customer became known; null if never said. */
  readonly known_since: Day | null;
  /** The day of receipt of the first record, which dates a customer of whom nothing else is known. */
  readonly received_on: Day;
  readonly purchases: readonly Purchase[];
  readonly refunds: readonly Refund[];
  readonly interactions: readonly Interaction[];
}

/**
 * A history as activity days, one for each calendar day with anything on it, in order; never empty. A refund counts on the day of its
 * purchase. The first day is the day the customer became known.
 */
export function activityDays(history: History): ActivityDay[] {
  const days = new DayList();
  const refunded = history.refunds.length === 0 ? null : sumRefunds(history, days);
  for (const purchase of history.purchases)
    addPurchase(days.on(purchase.moment.day), purchase, refunded?.get(purchase.purchase_id));
  for (const interaction of history.interactions) addInteraction(days.on(interaction.moment.day), interaction);
  if (history.known_since !== null) days.on(history.known_since);
  return days.size === 0 ? [emptyDay(history.received_on)] : days.ascending();
}

/** Among so many of the latest days a day is looked for one by one, which is faster than a Map is made. */
const NEAR = 16;

/** Activity days as they are asked for. They are kept in order, since most events come nearly so; if one does not, they are found by a Map and sorted at the end. */
class DayList {
  private readonly days: ActivityDay[] = [];
  private byDay: Map<Day, ActivityDay> | null = null;

  get size(): number {
    return this.days.length;
  }

  on(day: Day): ActivityDay {
    if (this.byDay !== null) return this.found(this.byDay, day);
    const days = this.days;
    for (let at = days.length; days.length - at < NEAR; at -= 1) {
      const before = days[at - 1];
      if (before?.day === day) return before;
      if (before === undefined || before.day < day) {
        const added = emptyDay(day);
        for (let to = days.length; to > at; to -= 1) days[to] = days[to - 1]!;
        days[at] = added;
        return added;
      }
    }
    this.byDay = new Map(days.map((known) => [known.day, known]));
    return this.found(this.byDay, day);
  }

  ascending(): ActivityDay[] {
    return this.byDay === null ? this.days : this.days.sort((a, b) => a.day - b.day);
  }

  private found(byDay: Map<Day, ActivityDay>, day: Day): ActivityDay {
    let found = byDay.get(day);
    if (found === undefined) {
      found = emptyDay(day);
      byDay.set(day, found);
      this.days.push(found);
    }
    return found;
  }
}

/** Refunds in effect by purchase, and a note of every stored refund on its own day. */
function sumRefunds(history: History, days: DayList): Map<string, Minor> {
  const refunded = new Map<string, Minor>();
  const effective = new Set<string>();
  for (const purchase of history.purchases) if (!purchase.voided) effective.add(purchase.purchase_id);
  for (const refund of history.refunds) {
    const day = days.on(refund.moment.day);
    day.stored_refunds += 1;
    if (refund.voided) continue;
    if (!effective.has(refund.purchase_id)) day.pending_refunds += 1;
    else {
      day.refunds_paid += refund.amount;
      refunded.set(refund.purchase_id, (refunded.get(refund.purchase_id) ?? 0) + refund.amount);
    }
  }
  return refunded;
}

/** Adds a purchase to its day. `refunded` is the sum of its refunds, undefined if it has none. */
function addPurchase(day: ActivityDay, purchase: Purchase, refunded: Minor | undefined): void {
  day.stored_purchases += 1;
  if (purchase.voided) return;
  day.receipts += purchase.amount;
  day.revenue += purchase.amount - (refunded ?? 0);
  day.costs += purchase.cost;
  const whollyRefunded = refunded !== undefined && purchase.amount > 0 && refunded >= purchase.amount;
  if (whollyRefunded) return;
  day.purchases += 1;
  if (purchase.discount > 0) day.discounted_purchases += 1;
  day.product_lines += purchase.products.length;
  noteProducts(day, purchase.products);
}

/** Adds an interaction to its day. */
function addInteraction(day: ActivityDay, interaction: Interaction): void {
  day.stored_interactions += 1;
  if (interaction.voided) return;
  day.costs += interaction.cost;
  day.interaction_costs += interaction.cost;
  day.interactions += 1;
  noteKind(day, interaction.kind, 1);
  const { at } = interaction.moment;
  if (interaction.score !== null) {
    day.scores += 1;
    day.score_sum += interaction.score;
    noteScore(day, { at, id: interaction.interaction_id, score: interaction.score });
  }
  if (interaction.kind === 'departure') {
    noteDeparture(day, { at, id: interaction.interaction_id, reason: interaction.reason });
  }
}
