import { Calendar, formatDay } from '../oracle/calendar.ts';
import { dailyFacts, settledPurchases } from '../oracle/facts.ts';
import { longestReachDays, type ModelDocument } from '../oracle/model-document.ts';
import { KINDS, type Rng } from '../oracle/random.ts';
import { EventStore, type ItemBody, type ItemKind, type StoredCustomer } from '../oracle/store.ts';
import { prepareWalk, type Spell } from '../oracle/walk.ts';
import type { TestService } from '../support/service.ts';

/** One thing that happened, or was voided; enough for the notation of test/support and for the bodies of the API. */
export interface Told {
  readonly route: ItemKind;
  readonly id: string;
  /** Plain date, or `2024-01-05T09:30:00` in UTC. */
  readonly at: string;
  readonly kind: string;
  /** Decimal string; empty for an interaction. */
  readonly amount: string;
  /** Purchase of a refund, reason of a departure, score of a survey; else empty. */
  readonly said: string;
  readonly voided: boolean;
}

const REASONS = ['competitor', 'unattended_service', 'unresolved_defect', 'boredom', 'price', 'other'];
const LIKELY_KINDS = [...KINDS, 'departure', 'departure', 'departure', 'complaint', 'complaint', 'resolution'];

/** A life of some years: purchases in bursts, refunds in part, in whole and in excess, and interactions, many of them on days of purchases. */
export function randomLife(rng: Rng, start: number, most: number): Told[] {
  const told: Told[] = [];
  let day = start;
  const count = rng.between(1, most);
  for (let number = 1; number <= count; number += 1) {
    day += rng.pick([0, 0, 1, 2, 7, 20, 31, 60, 95, 181, 200, 300, 365, 500]);
    const at = rng.chance(0.5)
      ? formatDay(day)
      : `${formatDay(day)}T${rng.pick(['00:00', '09:30', '09:30', '23:59'])}:00`;
    const voided = rng.chance(0.06);
    const common = { at, voided, said: '', amount: '' };
    const purchases = told.filter(({ route }) => route === 'purchases');
    const route = rng.weighted<ItemKind>([
      [5, 'purchases'],
      [4, 'interactions'],
      [purchases.length === 0 ? 0 : 2, 'refunds'],
    ]);
    if (route === 'purchases') {
      const amount = rng.pick(['0.00', '5.00', '10.00', '12.50', '99.99']);
      told.push({ ...common, route, id: `p${number}`, kind: 'purchase', amount });
    } else if (route === 'refunds') {
      const { id } = rng.pick(purchases);
      const amount = rng.pick(['1.00', '5.00', '10.00', '12.50', '150.00']);
      told.push({ ...common, route, id: `r${number}`, kind: 'refund', amount, said: id });
    } else {
      const kind = rng.pick(LIKELY_KINDS);
      const said = kind === 'departure' ? rng.pick(REASONS) : kind === 'survey' ? String(rng.between(0, 10)) : '';
      told.push({ ...common, route, id: `i${number}`, kind, said });
    }
  }
  return told;
}

/** A life in the notation of `history`. */
export function linesOf(told: readonly Told[]): string[] {
  return told.map(({ route, at, id, kind, amount, said, voided }) => {
    const what = { purchases: amount, refunds: `refund ${amount} ${said}`, interactions: `${kind} ${said}` }[route];
    return `${at} ${what.trim()} id=${id}${voided ? ' void' : ''}`;
  });
}

/** The body of one event, as the API takes it. */
export function bodyOf({ route, at, kind, amount, said }: Told): ItemBody {
  const when = at.length === 10 ? at : `${at}Z`;
  if (route === 'purchases') return { purchased_at: when, amount };
  if (route === 'refunds') return { purchase_id: said, refunded_at: when, amount };
  const score = kind === 'survey' ? { score: Number(said) } : {};
  return { occurred_at: when, kind, ...score, ...(kind === 'departure' ? { reason: said } : {}) };
}

const ITEM_IDS = { purchases: 'purchase_id', refunds: 'refund_id', interactions: 'interaction_id' } as const;

/** Sends what is not voided of many lives, each of a customer of its own. Refunds go before their purchases. */
export async function sendLives(service: TestService, lives: readonly (readonly Told[])[]): Promise<void> {
  for (const route of ['interactions', 'refunds', 'purchases'] as const) {
    const items = lives.flatMap((told, index) =>
      told
        .filter((event) => event.route === route && !event.voided)
        .map((event) => ({ customer_id: `c${index}`, [ITEM_IDS[route]]: event.id, ...bodyOf(event) })),
    );
    const answer = await service.call('POST', `/v1/${route}`, { items });
    if (answer.body.summary?.created !== items.length) throw new Error(answer.text);
  }
}

/** A life as the oracle stores it, and where it stood on every day by the oracle's walk. */
export interface Walked {
  readonly told: readonly Told[];
  readonly stored: StoredCustomer;
  /** Purchase days, ascending. */
  readonly purchase_days: readonly number[];
  /** Dated money: amounts less refunds, in cents. */
  readonly revenue: readonly { readonly day: number; readonly cents: number }[];
  readonly spells: readonly Spell[];
}

/** Tells a life to the oracle and walks it day by day in a model. */
export function walk(told: readonly Told[], model: ModelDocument): Walked {
  const store = new EventStore(
    new Calendar('UTC'),
    2,
    () => 0,
    () => {},
  );
  for (const event of told) {
    store.postItem(event.route, 'c', event.id, bodyOf(event));
    if (event.voided) store.deleteItem(event.route, 'c', event.id);
  }
  const stored = store.customers.get('c')!;
  const settled = settledPurchases(stored);
  const days = new Set(settled.filter(({ counts }) => counts).map(({ at }) => at.day));
  return {
    told,
    stored,
    purchase_days: [...days].sort((one, other) => one - other),
    revenue: settled.map(({ at, amount, refunded }) => ({ day: at.day, cents: amount - refunded })),
    spells: prepareWalk(model, 2)(dailyFacts(stored, longestReachDays(model))),
  };
}
