import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { mergeCustomers } from '../../ingest/merge.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem } from '../../problems.ts';
import { count } from '../../reports/fields.ts';
import { requireEngine } from '../context.ts';
import { mount } from '../route.ts';
import { mergedIds } from '../schemas/answers.ts';
import { customerId, customerIdParameter } from '../schemas/items.ts';

const params = Type.Object({
  customer_id: {
    ...customerIdParameter,
    examples: ['guest-81'],
    description: 'The customer that becomes part of the other.',
  },
});
const body = Type.Object(
  {
    into: {
      ...customerId,
      description: 'The customer that survives. An id that was merged means the customer it stands for.',
    },
  },
  { additionalProperties: false },
);
const answer = Type.Object({
  customer_id: { ...customerId, description: 'The survivor.' },
  merged_ids: mergedIds,
  moved: Type.Object(
    {
      purchases: count('Purchases moved.'),
      refunds: count('Refunds moved.'),
      interactions: count('Interactions moved.'),
    },
    {
      description:
        'What the survivor got and did not have, voided items included; all 0 if both ids were one customer already.',
    },
  ),
});

const DESCRIPTION = `For guest checkouts and duplicates. The whole history moves to the survivor, for past days too, as if it had been sent for it from the start: the earlier known_since, the groups of both, all items; an item that both have with the same content counts once, and refunds find the purchases of the other history. From then on both ids answer, in reads and in writes, and later items of the old id reach the survivor. A merge is not undone.

Repeating it is safe. Refused, with nothing changed, where an item of one id has other content in the two histories or is voided in one only (\`merge_conflict\`), where the two together would be beyond a limit (\`merge_refused\`), and where the customer was merged into a third one (\`customer_merged\`).`;

/** Two ids that are one person become one customer. */
export function mergeRoutes(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'POST',
    url: '/v1/customers/:customer_id/merge',
    operationId: 'mergeCustomer',
    tag: 'ingest',
    summary: 'Merge a customer into another one',
    description: DESCRIPTION,
    scope: 'write',
    params,
    body,
    bodyExample: { into: 'c-1' },
    success: [
      {
        status: 200,
        description: 'Merged, now or before.',
        schema: answer,
        example: {
          customer_id: 'c-1',
          merged_ids: ['guest-81'],
          moved: { purchases: 2, refunds: 0, interactions: 1 },
        },
      },
    ],
    problems: ['customer_not_found', 'customer_merged', 'merge_conflict', 'merge_refused'],
    handler: async (request) => {
      const { customer_id } = request.params as Static<typeof params>;
      const { into } = request.body as Static<typeof body>;
      if (into === customer_id) {
        const detail = 'A customer cannot be merged into itself.';
        throw new Problem('invalid_request', { errors: [{ pointer: '/into', code: 'same_customer', detail }] });
      }
      return await mergeCustomers(requireEngine(source), customer_id, into);
    },
  });
}
