import { type TSchema, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { Change, Outcome } from '../../ingest/change.ts';
import type { Engine } from '../../ingest/engine.ts';
import { eraseCustomer } from '../../ingest/erase.ts';
import { REFUSALS } from '../../ingest/refusals.ts';
import { Problem } from '../../problems.ts';
import type { EventKind } from '../../store/histories.ts';
import { requireEngine } from '../context.ts';
import { FieldFault, readInteraction, readPurchase, readRefund } from '../read-items.ts';
import { mount } from '../route.ts';
import { customerId, customerIdParameter, InteractionBody, PurchaseBody, RefundBody } from '../schemas/items.ts';
import type { WriteParts } from './batches.ts';

/** Corrections and voids of single items, and the erasure of a customer. */
export function itemRoutes(app: FastifyInstance, parts: WriteParts): void {
  const { source } = parts;
  for (const single of SINGLES) mountSingle(app, parts, single);
  mount(app, {
    method: 'DELETE',
    url: '/v1/customers/:customer_id',
    operationId: 'eraseCustomer',
    tag: 'ingest',
    summary: 'Erase a customer',
    description:
      'Removes everything of the customer, for past days too, and under every id that was merged. A salted hash of each id and the day stay: items dated on or before that day, and customer records without a later known_since, are then invalid with customer_erased; later events start a new customer.',
    scope: 'admin',
    params: Type.Object({ customer_id: customerIdParameter }),
    success: [{ status: 204, description: 'Erased, now or before.', schema: Type.Null() }],
    problems: ['customer_not_found'],
    handler: async (request, reply) => {
      const { customer_id } = request.params as { customer_id: string };
      if (!(await eraseCustomer(requireEngine(source), customer_id))) throw new Problem('customer_not_found');
      return reply.code(204).send();
    },
  });
}

/** What differs between the routes of single items. */
interface SingleKind {
  readonly kind: EventKind;
  readonly one: string;
  readonly body: TSchema & { readonly $id?: string };
  readonly read: (id: string, body: never, engine: Engine) => unknown;
}

const SINGLES: readonly SingleKind[] = [
  {
    kind: 'purchases',
    one: 'Purchase',
    body: PurchaseBody,
    read: readPurchase,
  },
  {
    kind: 'refunds',
    one: 'Refund',
    body: RefundBody,
    read: readRefund,
  },
  {
    kind: 'interactions',
    one: 'Interaction',
    body: InteractionBody,
    read: readInteraction,
  },
];

interface ItemParams {
  readonly customer_id: string;
  readonly item_id: string;
}

function mountSingle(
  app: FastifyInstance,
  { source, metrics, writes }: WriteParts,
  { kind, one, body, read }: SingleKind,
): void {
  const noun = one.toLowerCase();
  const a = noun === 'interaction' ? 'an' : 'a';
  const example_id = { purchases: 'o-1', refunds: 'r-1', interactions: 'i-1' }[kind];
  const item_id = Type.String({
    minLength: 1,
    maxLength: 128,
    description: `Id of the ${noun}.`,
    examples: [example_id],
  });
  const params = Type.Object({ customer_id: customerIdParameter, item_id });
  const url = `/v1/customers/:customer_id/${kind}/:item_id`;
  const answer = Type.Object({
    customer_id: customerId,
    item_id: Type.String(),
    status: Type.Unsafe<string>({ type: 'string', enum: ['created', 'updated', 'duplicate'] }),
  });
  mount(app, {
    method: 'PUT',
    url,
    operationId: `put${one}`,
    tag: 'ingest',
    summary: `Correct or revive ${a} ${noun}`,
    description: `Stores the ${noun} as sent, whatever was stored under its id, voided or not.`,
    scope: 'write',
    params,
    body: Type.Ref(body.$id!),
    success: [
      {
        status: 200,
        description: 'Replaced, or the same was stored already.',
        schema: answer,
        example: { customer_id: 'c-1', item_id: example_id, status: 'updated' },
      },
      {
        status: 201,
        description: 'Stored; there was none.',
        schema: answer,
        example: { customer_id: 'c-1', item_id: example_id, status: 'created' },
      },
    ],
    problems: ['customer_erased', 'item_refused', 'too_busy'],
    handler: async (request, reply) => {
      const { customer_id, item_id } = request.params as ItemParams;
      const event = readBody(() => read(item_id, request.body as never, requireEngine(source)));
      const change = { type: 'event', mode: 'put', kind, customer_id, event } as Change;
      const outcome = (await writes.store(requireEngine(source), [change]))[0]!;
      metrics.ingested(kind, outcome.status, 1);
      refuse(outcome);
      return reply
        .code(outcome.status === 'created' ? 201 : 200)
        .send({ customer_id, item_id, status: outcome.status });
    },
  });
  mount(app, {
    method: 'DELETE',
    url,
    operationId: `void${one}`,
    tag: 'ingest',
    summary: `Void ${a} ${noun}`,
    description: `The ${noun} keeps its row and stops counting; a re-send is a duplicate and changes nothing, PUT revives it.`,
    scope: 'write',
    params,
    success: [{ status: 204, description: 'Voided, now or before.', schema: Type.Null() }],
    problems: ['item_not_found', 'too_busy'],
    handler: async (request, reply) => {
      const { customer_id, item_id } = request.params as ItemParams;
      const outcome = (await writes.store(requireEngine(source), [{ type: 'void', kind, customer_id, item_id }]))[0]!;
      if (outcome.status === 'not_found') throw new Problem('item_not_found');
      metrics.ingested(kind, 'voided', 1);
      return reply.code(204).send();
    },
  });
}

/** Reads a single body; what it means nothing by is a 400 that names the field. */
function readBody<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (error instanceof FieldFault) throw new Problem('invalid_request', { errors: [error.fault] });
    throw error;
  }
}

function refuse(outcome: Outcome): void {
  if (outcome.status !== 'invalid') return;
  const [field, detail] = REFUSALS[outcome.refusal];
  const code = outcome.refusal === 'customer_erased' ? 'customer_erased' : 'item_refused';
  throw new Problem(code, { errors: [{ pointer: field, code: outcome.refusal, detail }] });
}
