import { Type } from '@sinclair/typebox';
import { DEPARTURE_REASONS } from '../../domain/activity-day.ts';
import { FEATURES, OPERATORS } from '../../domain/model.ts';
import { activity, count, day, money, nullable, oneOf, stage } from '../../reports/fields.ts';
import { customerId, interactionId, purchaseId, refundId } from './items.ts';

const stored = {
  voided: Type.Boolean({ description: 'True after DELETE: it is kept, and does not count.' }),
  day: day('Its day in the reporting time zone.'),
};
const nextMove = nullable(Type.Object({ on: day('The day of the move.'), stage: stage(), activity: activity() }), {
  description: 'What happens next if the customer does nothing more; null if nothing does.',
});
/** A stored purchase. */
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
/** A stored refund. */
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
/** A stored interaction. */
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

/** The ids that were merged into a customer. */
export const mergedIds = Type.Array(customerId, {
  description: 'Other ids of the same customer since a merge, sorted; each is answered as customer_id is.',
});

/** A customer with totals. */
export const Customer = Type.Object(
  {
    customer_id: { ...customerId, description: "The caller's own id; that of the survivor if an id was merged." },
    known_since: day('The day the customer became known: as said, or the first event if that is earlier.'),
    groups: Type.Array(Type.String()),
    merged_ids: mergedIds,
    purchases: count('Purchases that count.'),
    purchase_days: count('n: days with at least one purchase that counts.'),
    revenue: money('Amounts less refunds.'),
    profit: money('Revenue less the costs of purchases and interactions.'),
    first_purchase_day: nullable(day('First purchase day.')),
    last_purchase_day: nullable(day('Last purchase day.')),
  },
  { $id: 'Customer', description: 'A customer as of all stored events.' },
);

/** A customer of a list. */
export const ListedCustomerSchema = Type.Object(
  {
    customer_id: customerId,
    stage: nullable(stage('Stage of the model at the end of today.'), {
      description: 'Null if the first day of the customer is still to come.',
    }),
    activity: nullable(activity()),
    since: nullable(day('First day of the unbroken time in this stage and activity.')),
    groups: Type.Array(Type.String()),
    purchases: count('Purchases that count.'),
    purchase_days: count('n: days with at least one purchase that counts.'),
    revenue: money('Amounts less refunds.'),
    profit: money('Revenue less the costs of purchases and interactions.'),
    last_purchase_day: nullable(day('Last purchase day.')),
    last_interaction_day: nullable(day('Day of the last interaction, of any kind.')),
    next_move: nextMove,
  },
  { $id: 'ListedCustomer', description: 'A customer as of all stored events, and where they stand today.' },
);

const feature = oneOf(FEATURES, { description: 'What a rule looks at.' });
const value = nullable(Type.Union([Type.Integer(), money('Money as a decimal string.')]), {
  description: 'A whole number, or a decimal string for money; null if there is none yet.',
});
/** One value that a rule looked at. */
export const StageInput = Type.Object(
  {
    feature,
    within_days: nullable(Type.Integer({ description: 'Only the last so many days.' })),
    kinds: nullable(Type.Array(Type.String(), { description: 'Only these kinds of interactions.' })),
    value,
  },
  { $id: 'StageInput', description: 'What the rule looked at. distinct_products is counted up to 1,001.' },
);
/** One thing missing for the next stage. */
export const MissingNeed = Type.Object(
  {
    text: Type.String({ description: 'In the language of Accept-Language: "2 more purchase days".' }),
    feature: nullable(feature),
    operator: nullable(oneOf(OPERATORS)),
    threshold: value,
    have: value,
    more: value,
  },
  {
    $id: 'MissingNeed',
    description: 'One thing missing for the next stage. Only `text` is set where a need is not a single comparison.',
  },
);
/** The one form in which a customer's stage is answered. */
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
    rule: nullable(Type.Ref('Condition'), {
      description: 'The rule that held; null for the first stage, which needs none.',
    }),
    inputs: Type.Array(Type.Ref('StageInput')),
    next_stage: nullable(
      Type.Object({
        stage: stage(),
        title: Type.String(),
        rung: Type.Integer({ minimum: 1, description: 'Which stage of the model, from 1.' }),
        missing: Type.Array(Type.Ref('MissingNeed'), { description: 'All of these are needed.' }),
      }),
      { description: 'The next stage up, losses left out; null on top.' },
    ),
    next_move: nextMove,
  },
  { $id: 'StageAnswer', description: 'Where a customer stands in a model at the end of a day, and why.' },
);
/** One unbroken time in one stage and activity. */
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
