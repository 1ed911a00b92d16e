import { type Static, Type } from '@sinclair/typebox';
import { DEPARTURE_REASONS } from '../../domain/activity-day.ts';
import { day, oneOf } from '../../reports/fields.ts';
import { MAX_CUSTOMER_GROUPS } from '../../store/groups.ts';

/** The kinds of items that callers send, called as their routes are. */
export const ITEM_KINDS = ['customers', 'purchases', 'refunds', 'interactions'] as const;
/** One of `ITEM_KINDS`. */
export type ItemKind = (typeof ITEM_KINDS)[number];

/** Items in one batch at most. */
export const MAX_ITEMS = 1_000;
/** Product codes in one purchase at most. */
const MAX_PRODUCTS = 100;

const strict = { additionalProperties: false } as const;

function id(description: string) {
  return Type.String({ minLength: 1, maxLength: 128, description });
}

/** Id of a customer, 1 to 128 characters. */
export const customerId = id("The caller's own id of the customer; compared exactly.");
/** The same as a parameter of a path. */
export const customerIdParameter = { ...customerId, examples: ['c-1'] };
const moment = (description: string) =>
  Type.String({
    minLength: 10,
    maxLength: 35,
    description: `${description} An RFC 3339 instant with offset (at most 6 decimals), or a plain YYYY-MM-DD, which means that day in the reporting time zone. From 1900 to 2199, at most 24 hours ahead; a plain date at most tomorrow.`,
  });
const amount = (description: string) =>
  Type.String({
    pattern: '^(0|[1-9]\\d{0,13})(\\.\\d{1,4})?$',
    description: `${description} A decimal string without sign, with no more decimals than the currency has, at most 10¹³ minor units.`,
  });

const purchaseFields = {
  purchased_at: moment('When it was bought.'),
  amount: amount('What was paid, after discount.'),
  currency: Type.Optional(
    Type.String({ pattern: '^[A-Z]{3}$', description: "If given, it must be the deployment's currency (ISO 4217)." }),
  ),
  cost: Type.Optional(amount('What the purchase cost the business; 0 if absent.')),
  discount: Type.Optional(amount('What was taken off the price; 0 if absent.')),
  products: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      maxItems: MAX_PRODUCTS,
      description: 'Codes of the products bought: a set, so a repeated code counts once. None if absent.',
    }),
  ),
};
const refundFields = {
  purchase_id: id(
    'The purchase that is refunded, wholly or in part. It may be stored later; until then the refund is pending.',
  ),
  refunded_at: moment('When it was refunded.'),
  amount: amount('What was paid back; more than 0.'),
};
const interactionFields = {
  occurred_at: moment('When it happened.'),
  kind: Type.String({
    pattern: '^[a-z][a-z0-9_]{0,31}$',
    description:
      'We reached out: contact. We closed all open complaints: resolution. Inbound: inquiry, visit, signup, response, survey (with score), complaint, testimonial, referral. departure (with reason). Any other name is kept and can be used in rules.',
  }),
  score: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 10,
      description: 'Answer of a survey, 0 to 10. A survey needs it, no other kind has it.',
    }),
  ),
  reason: Type.Optional(
    oneOf(DEPARTURE_REASONS, { description: 'Why the customer left. A departure needs it, no other kind has it.' }),
  ),
  cost: Type.Optional(amount('What the interaction cost the business; 0 if absent.')),
};

/** Id of a purchase, unique within its customer. */
export const purchaseId = id('Identifies the purchase among those of the customer.');
/** Id of a refund, unique within its customer. */
export const refundId = id('Identifies the refund among those of the customer.');
/** Id of an interaction, unique within its customer. */
export const interactionId = id('Identifies the interaction among those of the customer.');

/** Body of a single purchase. The ids of single items are in the path. */
export const PurchaseBody = Type.Object(purchaseFields, {
  $id: 'PurchaseBody',
  ...strict,
  examples: [{ purchased_at: '2025-03-01T09:30:00+01:00', amount: '39.90', products: ['tea'] }],
});
/** Body of a single refund. */
export const RefundBody = Type.Object(refundFields, {
  $id: 'RefundBody',
  ...strict,
  examples: [{ purchase_id: 'o-1', refunded_at: '2025-03-09', amount: '12.50' }],
});
/** Body of a single interaction. */
export const InteractionBody = Type.Object(interactionFields, {
  $id: 'InteractionBody',
  ...strict,
  examples: [{ occurred_at: '2025-03-05T18:00:00Z', kind: 'survey', score: 9 }],
});

/** A purchase in a batch. */
export const PurchaseItem = Type.Object(
  { customer_id: customerId, purchase_id: purchaseId, ...purchaseFields },
  { $id: 'PurchaseItem', ...strict },
);
/** A refund in a batch. */
export const RefundItem = Type.Object(
  { customer_id: customerId, refund_id: refundId, ...refundFields },
  { $id: 'RefundItem', ...strict },
);
/** An interaction in a batch. */
export const InteractionItem = Type.Object(
  { customer_id: customerId, interaction_id: interactionId, ...interactionFields },
  { $id: 'InteractionItem', ...strict },
);
/** What a batch says of a customer; absent fields stay as they are. */
export const CustomerItem = Type.Object(
  {
    customer_id: customerId,
    known_since: Type.Optional(
      day('The day since which the customer is known, if before the first event. At most tomorrow.'),
    ),
    groups: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: MAX_CUSTOMER_GROUPS,
        description:
          'Free tags; replaces the groups the customer had. A repeated tag counts once. 200 distinct ones in a deployment.',
      }),
    ),
  },
  { $id: 'CustomerItem', ...strict },
);

/** Histories for the stateless classifier: the same fields, ids only where something refers to them. */
export const HistoryItem = Type.Object(
  {
    customer_id: Type.Optional(customerId),
    known_since: Type.Optional(day('The day since which the customer is known, if before the first event.')),
    purchases: Type.Optional(
      Type.Array(Type.Object({ purchase_id: Type.Optional(purchaseId), ...purchaseFields }, strict), {
        maxItems: 10_000,
      }),
    ),
    refunds: Type.Optional(
      Type.Array(Type.Object({ refund_id: Type.Optional(refundId), ...refundFields }, strict), { maxItems: 10_000 }),
    ),
    interactions: Type.Optional(
      Type.Array(Type.Object({ interaction_id: Type.Optional(interactionId), ...interactionFields }, strict), {
        maxItems: 10_000,
      }),
    ),
  },
  { $id: 'History', ...strict },
);

export type PurchaseBody = Static<typeof PurchaseBody>;
export type RefundBody = Static<typeof RefundBody>;
export type InteractionBody = Static<typeof InteractionBody>;
export type PurchaseItem = Static<typeof PurchaseItem>;
export type RefundItem = Static<typeof RefundItem>;
export type InteractionItem = Static<typeof InteractionItem>;
export type CustomerItem = Static<typeof CustomerItem>;
export type HistoryItem = Static<typeof HistoryItem>;
