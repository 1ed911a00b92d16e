import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { DEPARTURE_REASONS } from '../domain/history.ts';
import { ACTIVITIES, FEATURES, MODEL_LIMITS, OPERATORS } from '../domain/model.ts';
import { activity, count, day, money, nullable, oneOf, stage } from '../reports/fields.ts';

/** Items in one batch at most. */
export const MAX_ITEMS = 1_000;
/** Product codes in one purchase at most. */
const MAX_PRODUCTS = 100;

const strict = { additionalProperties: false } as const;

function id(description: string) {
  return Type.String({ minLength: 1, maxLength: 128, description });
}

export const customerId = id("The caller's own id of the customer; compared exactly.");
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
  currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$', description: "If given, it must be the deployment's currency (ISO 4217)." })),
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
  purchase_id: id('The purchase that is refunded, wholly or in part. It may be stored later; until then the refund is pending.'),
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
  score: Type.Optional(Type.Integer({ minimum: 0, maximum: 10, description: 'Answer of a survey, 0 to 10. A survey needs it, no other kind has it.' })),
  reason: Type.Optional(oneOf(DEPARTURE_REASONS, { description: 'Why the customer left. A departure needs it, no other kind has it.' })),
  cost: Type.Optional(amount('What the interaction cost the business; 0 if absent.')),
};

const purchaseId = id('Identifies the purchase among those of the customer.');
const refundId = id('Identifies the refund among those of the customer.');
const interactionId = id('Identifies the interaction among those of the customer.');

/** Bodies of single items: without the ids, which are in the path. */
export const PurchaseBody = Type.Object(purchaseFields, { $id: 'PurchaseBody', ...strict });
export const RefundBody = Type.Object(refundFields, { $id: 'RefundBody', ...strict });
export const InteractionBody = Type.Object(interactionFields, { $id: 'InteractionBody', ...strict });

/** Items of batches. */
export const PurchaseItem = Type.Object({ customer_id: customerId, purchase_id: purchaseId, ...purchaseFields }, { $id: 'PurchaseItem', ...strict });
export const RefundItem = Type.Object({ customer_id: customerId, refund_id: refundId, ...refundFields }, { $id: 'RefundItem', ...strict });
export const InteractionItem = Type.Object(
  { customer_id: customerId, interaction_id: interactionId, ...interactionFields },
  { $id: 'InteractionItem', ...strict },
);
export const CustomerItem = Type.Object(
  {
    customer_id: customerId,
    known_since: Type.Optional(day('The day since which the customer is known, if before the first event. At most tomorrow.')),
    groups: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 16,
        description: 'Free tags; replaces the groups the customer had. A repeated tag counts once. 200 distinct ones in a deployment.',
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
      Type.Array(Type.Object({ purchase_id: Type.Optional(purchaseId), ...purchaseFields }, strict), { maxItems: 10_000 }),
    ),
    refunds: Type.Optional(Type.Array(Type.Object({ refund_id: Type.Optional(refundId), ...refundFields }, strict), { maxItems: 10_000 })),
    interactions: Type.Optional(
      Type.Array(Type.Object({ interaction_id: Type.Optional(interactionId), ...interactionFields }, strict), { maxItems: 10_000 }),
    ),
  },
  { $id: 'History', ...strict },
);

export const ProblemDetailSchema = Type.Object(
  {
    pointer: Type.Optional(Type.String({ description: 'Where in the body (JSON Pointer).' })),
    parameter: Type.Optional(Type.String({ description: 'Which parameter of the path, query or header.' })),
    code: Type.String({ description: 'What is wrong, for programs.' }),
    detail: Type.String({ description: 'What is wrong and what to do, for people.' }),
  },
  { $id: 'ProblemDetail' },
);
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'Relative URI of the kind of problem.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String({ description: 'urn:request:<request_id>' }),
    code: Type.String({ description: 'The kind of problem, for programs.' }),
    request_id: Type.String({ description: 'Also in the X-Request-Id header and in the log.' }),
    retryable: Type.Boolean({ description: 'True if the same request may succeed later.' }),
    errors: Type.Array(Type.Ref('ProblemDetail')),
  },
  { $id: 'Problem', description: 'RFC 9457.' },
);

export const STATUSES = ['created', 'updated', 'duplicate', 'conflict', 'invalid'] as const;
const status = oneOf(STATUSES, {
  description:
    'created: stored. updated: replaced. duplicate: the same is stored already. conflict: other content is stored under this id and stays; PUT corrects it. invalid: not stored, see error.',
});

function itemResult(name: string, ids: Record<string, TSchema>) {
  const optional = Object.fromEntries(Object.entries(ids).map(([key, schema]) => [key, nullable(schema)]));
  return Type.Object({ index: count('Position in the request, from 0.'), ...optional, status, error: nullable(Type.Ref('ProblemDetail')) }, { $id: name });
}
export const CustomerResult = itemResult('CustomerResult', { customer_id: customerId });
export const PurchaseResult = itemResult('PurchaseResult', { customer_id: customerId, purchase_id: purchaseId });
export const RefundResult = itemResult('RefundResult', { customer_id: customerId, refund_id: refundId });
export const InteractionResult = itemResult('InteractionResult', { customer_id: customerId, interaction_id: interactionId });
export const BatchSummary = Type.Object(
  Object.fromEntries(STATUSES.map((name) => [name, count(`Items with status ${name}.`)])) as Record<(typeof STATUSES)[number], ReturnType<typeof count>>,
  { $id: 'BatchSummary' },
);

const stored = { voided: Type.Boolean({ description: 'True after DELETE: it is kept, and does not count.' }), day: day('Its day in the reporting time zone.') };
export const Purchase = Type.Object(
  {
    purchase_id: purchaseId,
    purchased_at: Type.String({ description: 'As sent if it was a plain date, else the instant in UTC.' }),
    ...stored,
    amount: money('Paid, after discount.'),
    refunded: money('Sum of its refunds that are not voided.'),
    cost: money('Cost to the business.'),
    discount: money('Taken off the price.'),
    products: Type.Array(Type.String(), { description: 'Distinct codes, sorted.' }),
    counts: Type.Boolean({ description: 'False if voided or wholly refunded.' }),
  },
  { $id: 'Purchase' },
);
export const Refund = Type.Object(
  {
    refund_id: refundId,
    purchase_id: purchaseId,
    refunded_at: Type.String({ description: 'As sent if it was a plain date, else the instant in UTC.' }),
    ...stored,
    amount: money('Paid back.'),
    pending: Type.Boolean({ description: 'True while its purchase is not stored, or voided: it has no effect.' }),
  },
  { $id: 'Refund' },
);
export const Interaction = Type.Object(
  {
    interaction_id: interactionId,
    occurred_at: Type.String({ description: 'As sent if it was a plain date, else the instant in UTC.' }),
    ...stored,
    kind: Type.String(),
    score: nullable(Type.Integer({ minimum: 0, maximum: 10 })),
    reason: nullable(oneOf(DEPARTURE_REASONS)),
    cost: money('Cost to the business.'),
  },
  { $id: 'Interaction' },
);

export const Customer = Type.Object(
  {
    customer_id: customerId,
    known_since: day('The day the customer became known: as said, or the first event if that is earlier.'),
    groups: Type.Array(Type.String()),
    purchases: count('Purchases that count.'),
    purchase_days: count('n: days with at least one purchase that counts.'),
    revenue: money('Amounts less refunds.'),
    profit: money('Revenue less the costs of purchases and interactions.'),
    first_purchase_day: nullable(day('First purchase day.')),
    last_purchase_day: nullable(day('Last purchase day.')),
  },
  { $id: 'Customer', description: 'A customer as of all stored events.' },
);

const feature = oneOf(FEATURES, { description: 'What a rule looks at.' });
const value = nullable(Type.Union([Type.Integer(), money('Money as a decimal string.')]), {
  description: 'A whole number, or a decimal string for money; null if there is none yet.',
});
export const StageInput = Type.Object(
  {
    feature,
    within_days: nullable(Type.Integer({ description: 'Only the last so many days.' })),
    kinds: nullable(Type.Array(Type.String(), { description: 'Only these kinds of interactions.' })),
    value,
  },
  { $id: 'StageInput', description: 'What the rule looked at. distinct_products is counted up to 1,001.' },
);
export const MissingNeed = Type.Object(
  {
    text: Type.String({ description: 'In the language of Accept-Language: "2 more purchase days".' }),
    feature: nullable(feature),
    operator: nullable(oneOf(OPERATORS)),
    threshold: value,
    have: value,
    more: value,
  },
  { $id: 'MissingNeed', description: 'One thing missing for the next stage. Only `text` is set where a need is not a single comparison.' },
);
export const StageAnswer = Type.Object(
  {
    customer_id: nullable(customerId),
    model: Type.String(),
    model_version: Type.Integer({ minimum: 1 }),
    as_of: day('End of this day.'),
    projected: Type.Boolean({ description: 'True if as_of is after today.' }),
    stage: nullable(stage(), { description: 'Null if the customer was not known yet.' }),
    title: nullable(Type.String({ description: 'In the language of Accept-Language.' })),
    rung: nullable(Type.Integer({ minimum: 1, description: 'Which stage of the model, from 1.' })),
    rungs: Type.Integer({ minimum: 1, description: 'How many stages the model has.' }),
    activity: nullable(activity()),
    since: nullable(day('First day of the unbroken time in this stage and activity.')),
    rule: nullable(Type.Ref('Condition'), { description: 'The rule that held; null for the first stage, which needs none.' }),
    inputs: Type.Array(Type.Ref('StageInput')),
    next_stage: nullable(
      Type.Object({
        stage: stage(),
        title: Type.String(),
        rung: Type.Integer({ minimum: 1 }),
        missing: Type.Array(Type.Ref('MissingNeed'), { description: 'All of these are needed.' }),
      }),
      { description: 'The next stage up, losses left out; null on top.' },
    ),
    next_move: nullable(Type.Object({ on: day('The day of the move.'), stage: stage(), activity: activity() }), {
      description: 'What happens next if the customer does nothing more; null if nothing does.',
    }),
  },
  { $id: 'StageAnswer', description: 'Where a customer stands in a model at the end of a day, and why.' },
);
export const SpellSchema = Type.Object(
  {
    stage: stage(),
    activity: activity(),
    from: day('First day.'),
    to: nullable(day('The day after the last one; null if nothing ends it.')),
    scheduled: Type.Boolean({ description: 'True if it begins after today: what happens if nothing more does.' }),
  },
  { $id: 'Spell', description: 'Unbroken time in one stage and activity.' },
);

const localized = Type.Object({ en: Type.String(), es: Type.String(), de: Type.String() }, { description: 'In every language.', ...strict });
const name = (description: string) => Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$', description });
const threshold = Type.Optional(
  Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^-?(0|[1-9]\\d{0,13})(\\.\\d{1,4})?$' })], {
    description: 'A whole number; for revenue and profit a decimal string.',
  }),
);
export const Condition = Type.Union(
  [
    Type.Object({ all: Type.Array(Type.Ref('Condition'), { minItems: 1 }) }, strict),
    Type.Object({ any: Type.Array(Type.Ref('Condition'), { minItems: 1 }) }, strict),
    Type.Object({ not: Type.Ref('Condition') }, strict),
    Type.Object({ stage_reached: name('An earlier stage whose rule held at the end of this or an earlier day.') }, strict),
    Type.Object({ activity: Type.Array(oneOf(ACTIVITIES), { minItems: 1 }) }, strict),
    Type.Object(
      {
        feature,
        at_least: threshold,
        at_most: threshold,
        more_than: threshold,
        less_than: threshold,
        within_days: Type.Optional(
          Type.Integer({ minimum: 1, maximum: MODEL_LIMITS.within_days, description: 'W: only days in (t − W, t]. On counts and sums.' }),
        ),
        kinds: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_]{0,31}$' }), { minItems: 1, maxItems: MODEL_LIMITS.kinds })),
      },
      strict,
    ),
  ],
  { $id: 'Condition', description: 'A rule about one customer at the end of one day. A comparison with something that does not exist yet is false.' },
);
export const ModelDocument = Type.Object(
  {
    model_id: name('Name of the model.'),
    title: localized,
    description: localized,
    lapse: Type.Object(
      {
        policy: oneOf(['fixed']),
        at_risk_after_days: Type.Integer({ minimum: 0, maximum: MODEL_LIMITS.days, description: 'Day so many of silence is still active.' }),
        lapsed_after_days: Type.Integer({ minimum: 1, maximum: MODEL_LIMITS.days, description: 'Day so many of silence is still at risk.' }),
      },
      strict,
    ),
    stages: Type.Array(
      Type.Object(
        {
          stage: name('Name of the stage, once in a model.'),
          title: localized,
          description: localized,
          when: Type.Optional(Type.Ref('Condition')),
          off_ladder: Type.Optional(Type.Boolean({ description: 'True for a loss: never offered as the next stage up.' })),
        },
        strict,
      ),
      { minItems: 1, maxItems: MODEL_LIMITS.stages, description: 'A customer stands on the last listed stage whose `when` holds; the first has none.' },
    ),
  },
  { $id: 'ModelDocument', ...strict },
);
export const ModelSummary = Type.Object(
  {
    model_id: Type.String(),
    version: Type.Integer({ minimum: 1 }),
    title: Type.String({ description: 'In the language of Accept-Language.' }),
    description: Type.String(),
    stages: Type.Array(Type.Object({ stage: stage(), title: Type.String(), description: Type.String() })),
  },
  { $id: 'ModelSummary' },
);

/** Schemas that others refer to by name, registered once. */
export const SHARED_SCHEMAS: readonly TSchema[] = [
  ProblemDetailSchema,
  ProblemSchema,
  PurchaseBody,
  RefundBody,
  InteractionBody,
  PurchaseItem,
  RefundItem,
  InteractionItem,
  CustomerItem,
  HistoryItem,
  CustomerResult,
  PurchaseResult,
  RefundResult,
  InteractionResult,
  BatchSummary,
  Purchase,
  Refund,
  Interaction,
  Customer,
  StageInput,
  MissingNeed,
  Condition,
  StageAnswer,
  SpellSchema,
  ModelDocument,
  ModelSummary,
];

export type PurchaseBody = Static<typeof PurchaseBody>;
export type RefundBody = Static<typeof RefundBody>;
export type InteractionBody = Static<typeof InteractionBody>;
export type PurchaseItem = Static<typeof PurchaseItem>;
export type RefundItem = Static<typeof RefundItem>;
export type InteractionItem = Static<typeof InteractionItem>;
export type CustomerItem = Static<typeof CustomerItem>;
export type HistoryItem = Static<typeof HistoryItem>;
