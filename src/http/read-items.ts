import { compareText } from '../domain/activity-day.ts';
import { parseDay } from '../domain/calendar.ts';
import type { Interaction, Purchase, Refund } from '../domain/history.ts';
import { type Moment, type MomentFault, parseMoment } from '../domain/instant.ts';
import { type MoneyFault, parseMoney } from '../domain/money.ts';
import type { CustomerChange } from '../ingest/change.ts';
import type { Engine } from '../ingest/engine.ts';
import { todayOf } from '../ingest/engine.ts';
import type { ProblemDetail } from '../problems.ts';
import type { CustomerItem, InteractionBody, PurchaseBody, RefundBody } from './schemas/items.ts';

/** A field that fits the schema and still means nothing; thrown while an item is read. */
export class FieldFault extends Error {
  readonly fault: ProblemDetail;
  constructor(field: string, code: string, detail: string) {
    super(detail);
    this.fault = { pointer: `/${field}`, code, detail };
  }
}

/** What items are read with. */
export type Reading = Pick<Engine, 'zone' | 'decimals' | 'now' | 'versions'>;

const NO_PRODUCTS: readonly string[] = [];

/** Reads a purchase that fits its schema; throws `FieldFault`. */
export function readPurchase(id: string, body: PurchaseBody, engine: Reading): Purchase {
  const { currency } = engine.versions;
  if (body.currency !== undefined && body.currency !== currency) {
    throw new FieldFault(
      'currency',
      'other_currency',
      `This deployment keeps ${currency} only; convert the amount, or use a deployment of that currency.`,
    );
  }
  return {
    purchase_id: id,
    moment: readMoment('purchased_at', body.purchased_at, engine),
    amount: readMoney('amount', body.amount, engine),
    cost: readMoney('cost', body.cost, engine),
    discount: readMoney('discount', body.discount, engine),
    products: body.products === undefined ? NO_PRODUCTS : [...new Set(body.products)].sort(compareText),
    voided: false,
  };
}

/** Reads a refund that fits its schema; throws `FieldFault`. */
export function readRefund(id: string, body: RefundBody, engine: Reading): Refund {
  const amount = readMoney('amount', body.amount, engine);
  if (amount === 0)
    throw new FieldFault('amount', 'out_of_range', 'Must be more than 0: a refund of nothing has no meaning.');
  const moment = readMoment('refunded_at', body.refunded_at, engine);
  return { refund_id: id, purchase_id: body.purchase_id, moment, amount, voided: false };
}

/** Reads an interaction that fits its schema; throws `FieldFault`. */
export function readInteraction(id: string, body: InteractionBody, engine: Reading): Interaction {
  const { kind, score = null, reason = null } = body;
  if ((kind === 'survey') !== (score !== null)) {
    const detail =
      kind === 'survey'
        ? 'A survey needs a score from 0 to 10.'
        : 'Only a survey has a score; remove it, or send a survey.';
    throw new FieldFault('score', kind === 'survey' ? 'required' : 'not_allowed', detail);
  }
  if ((kind === 'departure') !== (reason !== null)) {
    const detail =
      kind === 'departure'
        ? 'A departure needs a reason; `other` if it is not known.'
        : 'Only a departure has a reason; remove it.';
    throw new FieldFault('reason', kind === 'departure' ? 'required' : 'not_allowed', detail);
  }
  const moment = readMoment('occurred_at', body.occurred_at, engine);
  // Adding 0 turns −0, which JSON can write, into 0.
  return {
    interaction_id: id,
    moment,
    kind,
    score: score === null ? null : score + 0,
    reason,
    cost: readMoney('cost', body.cost, engine),
    voided: false,
  };
}

/** Reads what is said of a customer; throws `FieldFault`. */
export function readCustomer(item: CustomerItem, engine: Reading): CustomerChange {
  const { customer_id, known_since, groups } = item;
  return {
    type: 'customer',
    customer_id,
    ...(known_since === undefined ? {} : { known_since: readKnownSince(known_since, todayOf(engine) + 1) }),
    ...(groups === undefined ? {} : { groups: [...new Set(groups)] }),
  };
}

/** Reads the day since which a customer is known, `latest` at most. */
export function readKnownSince(text: string, latest: number): number {
  const day = parseDay(text);
  if (day === null) throw new FieldFault('known_since', 'out_of_range', MOMENT_FAULTS.malformed[1]);
  if (day > latest) throw new FieldFault('known_since', ...MOMENT_FAULTS.in_the_future);
  return day;
}

const MOMENT_FAULTS: Readonly<Record<MomentFault, readonly [code: string, detail: string]>> = {
  malformed: [
    'not_a_moment',
    'Must be an instant of the calendar with offset, such as 2025-03-01T09:30:00Z (at most 6 decimals, no leap second), or a plain day YYYY-MM-DD.',
  ],
  out_of_range: ['out_of_range', 'Must lie between 1900-01-01 and 2199-12-31.'],
  in_the_future: [
    'in_the_future',
    'Must be at most 24 hours ahead, a plain day at most tomorrow; check the clock and the offset.',
  ],
};

function readMoment(field: string, text: string, { zone, now }: Reading): Moment {
  const moment = parseMoment(text, zone, now());
  if (typeof moment === 'string') throw new FieldFault(field, ...MOMENT_FAULTS[moment]);
  return moment;
}

function readMoney(field: string, text: string | undefined, { decimals, versions }: Reading): number {
  if (text === undefined) return 0;
  const minor = parseMoney(text, decimals);
  if (typeof minor === 'number') return minor;
  const faults: Readonly<Record<MoneyFault, string>> = {
    malformed: 'Must be a decimal string without sign, such as "12.50".',
    too_many_decimals: `Has more decimals than ${versions.currency}, which has ${decimals}; round it before sending.`,
    out_of_range: 'Is above 10¹³ minor units, the largest amount that is kept.',
  };
  throw new FieldFault(field, minor, faults[minor]);
}
