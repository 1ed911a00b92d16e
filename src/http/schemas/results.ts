import { type TSchema, Type } from '@sinclair/typebox';
import { Problem, problemBody } from '../../problems.ts';
import { count, nullable, oneOf } from '../../reports/fields.ts';
import { customerId, interactionId, purchaseId, refundId } from './items.ts';

/** One thing wrong with a request, as answers name it. */
export const ProblemDetailSchema = Type.Object(
  {
    pointer: Type.Optional(Type.String({ description: 'Where in the body (JSON Pointer).' })),
    parameter: Type.Optional(Type.String({ description: 'Which parameter of the path, query or header.' })),
    code: Type.String({ description: 'What is wrong, for programs.' }),
    detail: Type.String({ description: 'What is wrong and what to do, for people.' }),
  },
  { $id: 'ProblemDetail' },
);
const EXAMPLE = problemBody(
  new Problem('invalid_request', {
    errors: [
      {
        parameter: 'as_of',
        code: 'not_a_day',
        detail: '`as_of` is not a day of the calendar between 1900-01-01 and 2199-12-31; write YYYY-MM-DD.',
      },
    ],
  }),
  'req-1',
);

/** The body of every refusal. */
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
  { $id: 'Problem', description: 'RFC 9457.', examples: [EXAMPLE] },
);

/** What can become of an item of a batch. */
export const STATUSES = ['created', 'updated', 'duplicate', 'conflict', 'invalid'] as const;
const status = oneOf(STATUSES, {
  description:
    'created: stored. updated: replaced. duplicate: the same is stored already. conflict: other content is stored under this id and stays; PUT corrects it. invalid: not stored, see error.',
});

function itemResult(name: string, ids: Record<string, TSchema>) {
  const optional = Object.fromEntries(Object.entries(ids).map(([key, schema]) => [key, nullable(schema)]));
  return Type.Object(
    {
      index: count('Position in the request, from 0.'),
      ...optional,
      status,
      error: nullable(Type.Ref('ProblemDetail')),
    },
    { $id: name },
  );
}
/** What became of a customer record. */
export const CustomerResult = itemResult('CustomerResult', { customer_id: customerId });
/** What became of a purchase. */
export const PurchaseResult = itemResult('PurchaseResult', { customer_id: customerId, purchase_id: purchaseId });
/** What became of a refund. */
export const RefundResult = itemResult('RefundResult', { customer_id: customerId, refund_id: refundId });
/** What became of an interaction. */
export const InteractionResult = itemResult('InteractionResult', {
  customer_id: customerId,
  interaction_id: interactionId,
});
/** How many items of a batch got each status. */
export const BatchSummary = Type.Object(
  Object.fromEntries(STATUSES.map((name) => [name, count(`Items with status ${name}.`)])) as Record<
    (typeof STATUSES)[number],
    ReturnType<typeof count>
  >,
  { $id: 'BatchSummary' },
);
