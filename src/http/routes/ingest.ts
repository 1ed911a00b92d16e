import { type TObject, type TSchema, Type } from '@sinclair/typebox';
import type { ValidateFunction } from 'ajv';
import type { FastifyInstance } from 'fastify';
import type { Change, Outcome, Refusal } from '../../ingest/change.ts';
import { MAX_EVENTS } from '../../ingest/change.ts';
import type { Engine } from '../../ingest/engine.ts';
import { eraseCustomer } from '../../ingest/erase.ts';
import { ingest } from '../../ingest/ingest.ts';
import { Problem, type ProblemDetail } from '../../problems.ts';
import { MAX_GROUPS } from '../../store/groups.ts';
import type { EventKind } from '../../store/histories.ts';
import { requireEngine } from '../context.ts';
import type { Metrics } from '../metrics.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { FieldFault, readCustomer, readInteraction, readPurchase, readRefund } from '../read-items.ts';
import { mount } from '../route.ts';
import {
  CustomerItem,
  customerId,
  InteractionBody,
  InteractionItem,
  MAX_ITEMS,
  PurchaseBody,
  PurchaseItem,
  RefundBody,
  RefundItem,
  STATUSES,
} from '../schemas.ts';
import { bodyFault, compileBody } from '../validation.ts';

/** What differs between the four batch routes. */
interface BatchKind {
  readonly path: 'customers' | EventKind;
  readonly operationId: string;
  readonly noun: string;
  readonly item: TObject;
  readonly result: string;
  readonly ids: readonly string[];
  readonly example: object;
  readonly read: (item: never, engine: Engine) => Change;
}

const post = <Kind extends EventKind>(kind: Kind, customer_id: string, event: unknown): Change =>
  ({ type: 'event', mode: 'post', kind, customer_id, event }) as Change;

const BATCHES: readonly BatchKind[] = [
  {
    path: 'customers',
    operationId: 'postCustomers',
    noun: 'customers',
    item: CustomerItem,
    result: 'CustomerResult',
    ids: ['customer_id'],
    example: { customer_id: 'c-1', known_since: '2025-02-20', groups: ['channel:search'] },
    read: (item: CustomerItem, engine) => readCustomer(item, engine),
  },
  {
    path: 'purchases',
    operationId: 'postPurchases',
    noun: 'purchases',
    item: PurchaseItem,
    result: 'PurchaseResult',
    ids: ['customer_id', 'purchase_id'],
    example: { customer_id: 'c-1', purchase_id: 'o-1', purchased_at: '2025-03-01T09:30:00+01:00', amount: '42.50', products: ['tea'] },
    read: (item: PurchaseItem, engine) => post('purchases', item.customer_id, readPurchase(item.purchase_id, item, engine)),
  },
  {
    path: 'refunds',
    operationId: 'postRefunds',
    noun: 'refunds',
    item: RefundItem,
    result: 'RefundResult',
    ids: ['customer_id', 'refund_id'],
    example: { customer_id: 'c-1', refund_id: 'r-1', purchase_id: 'o-1', refunded_at: '2025-03-09', amount: '12.50' },
    read: (item: RefundItem, engine) => post('refunds', item.customer_id, readRefund(item.refund_id, item, engine)),
  },
  {
    path: 'interactions',
    operationId: 'postInteractions',
    noun: 'interactions',
    item: InteractionItem,
    result: 'InteractionResult',
    ids: ['customer_id', 'interaction_id'],
    example: { customer_id: 'c-1', interaction_id: 'i-1', occurred_at: '2025-03-05T18:00:00Z', kind: 'survey', score: 9 },
    read: (item: InteractionItem, engine) => post('interactions', item.customer_id, readInteraction(item.interaction_id, item, engine)),
  },
];

/** Ingest: batches of each kind, corrections and voids of single items, erasure. */
export function ingestRoutes(app: FastifyInstance, source: EngineSource, metrics: Metrics): void {
  for (const kind of BATCHES) mountBatch(app, source, metrics, kind);
  for (const single of SINGLES) mountSingle(app, source, metrics, single);
  mount(app, {
    method: 'DELETE',
    url: '/v1/customers/:customer_id',
    operationId: 'eraseCustomer',
    tag: 'ingest',
    summary: 'Erase a customer',
    description:
      'Removes everything of the customer, for past days too. A salted hash of the id and the day stay: items dated on or before that day, and customer records without a later known_since, are then invalid with customer_erased; later events start a new customer.',
    scope: 'admin',
    params: Type.Object({ customer_id: customerId }),
    success: [{ status: 204, description: 'Erased, now or before.', schema: Type.Null() }],
    problems: ['customer_not_found'],
    handler: async (request, reply) => {
      const { customer_id } = request.params as { customer_id: string };
      if (!(await eraseCustomer(requireEngine(source), customer_id))) throw new Problem('customer_not_found');
      return reply.code(204).send();
    },
  });
}

interface ItemResult {
  readonly status: (typeof STATUSES)[number];
  readonly error: ProblemDetail | null;
}

function mountBatch(app: FastifyInstance, source: EngineSource, metrics: Metrics, kind: BatchKind): void {
  const validate = compileBody(kind.item);
  const summary = Object.fromEntries(STATUSES.map((status) => [status, status === 'created' ? 1 : 0]));
  const ids = Object.fromEntries(kind.ids.map((id) => [id, (kind.example as Record<string, unknown>)[id]]));
  mount(app, {
    method: 'POST',
    url: `/v1/${kind.path}`,
    operationId: kind.operationId,
    tag: 'ingest',
    summary: `Store ${kind.noun}`,
    description: `Stores up to ${MAX_ITEMS} ${kind.noun}, each for itself: one bad item never harms the others. Answered after the commit; safe to repeat.`,
    scope: 'write',
    body: Type.Object({ items: Type.Array(Type.Ref(kind.item.$id!), { minItems: 1, maxItems: MAX_ITEMS }) }, { additionalProperties: false }),
    bodyExample: { items: [kind.example] },
    checkBody: checkEnvelope,
    success: [
      {
        status: 200,
        description: 'What became of each item, in order.',
        schema: Type.Object({ items: Type.Array(Type.Ref(kind.result)), summary: Type.Ref('BatchSummary') }),
        example: { items: [{ index: 0, ...ids, status: 'created', error: null }], summary },
      },
    ],
    handler: async (request) => {
      const { items } = request.body as { items: readonly unknown[] };
      const results = await storeItems(requireEngine(source), kind, validate, items);
      return answerBatch(kind, items, results, metrics);
    },
  });
}

const envelope = compileBody(
  Type.Object({ items: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_ITEMS }) }, { additionalProperties: false }),
);

/** Checks the list only: each item is checked for itself. */
function checkEnvelope(body: unknown): { value: unknown } | { error: Error } {
  if (envelope(body)) return { value: body };
  return { error: new Problem('invalid_request', { errors: [bodyFault(envelope.errors![0]!)] }) };
}

/** Reads every item, stores those that are valid, and says what became of each, in order. */
async function storeItems(engine: Engine, kind: BatchKind, validate: ValidateFunction, items: readonly unknown[]): Promise<ItemResult[]> {
  const changes: Change[] = [];
  const faults = items.map((item, index) => {
    const read = readItem(engine, kind, validate, item, `/items/${index}`);
    if ('pointer' in read) return read;
    changes.push(read.change);
    return null;
  });
  const outcomes = await ingest(engine, changes);
  let next = 0;
  return faults.map((error, index) => (error === null ? resultOf(outcomes[next++]!, `/items/${index}`) : { status: 'invalid', error }));
}

function readItem(engine: Engine, kind: BatchKind, validate: ValidateFunction, item: unknown, base: string): { change: Change } | (ProblemDetail & { pointer: string }) {
  if (!validate(item)) {
    const fault = bodyFault(validate.errors![0]!, base);
    return { ...fault, pointer: fault.pointer ?? base };
  }
  try {
    return { change: kind.read(item as never, engine) };
  } catch (error) {
    if (!(error instanceof FieldFault)) throw error;
    return { ...error.fault, pointer: `${base}${error.fault.pointer}` };
  }
}

const REFUSALS: Readonly<Record<Refusal, readonly [field: string, detail: string]>> = {
  customer_erased: ['', 'The customer was erased; only items dated after that day, and records with a later known_since, start the customer anew.'],
  history_too_long: ['', `A customer has at most ${MAX_EVENTS} stored events.`],
  total_out_of_range: ['', "The sum of this customer's amounts would leave the range that is kept exactly (2⁵³ − 1 minor units)."],
  too_many_groups: ['/groups', `A deployment has at most ${MAX_GROUPS} distinct groups; use one that exists.`],
};

function resultOf(outcome: Outcome, base: string): ItemResult {
  if (outcome.status !== 'invalid') return { status: outcome.status as ItemResult['status'], error: null };
  const [field, detail] = REFUSALS[outcome.refusal];
  return { status: 'invalid', error: { pointer: `${base}${field}`, code: outcome.refusal, detail } };
}

function answerBatch(kind: BatchKind, items: readonly unknown[], results: readonly ItemResult[], metrics: Metrics) {
  const summary = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<ItemResult['status'], number>;
  for (const { status } of results) summary[status] += 1;
  for (const status of STATUSES) metrics.ingested(kind.path, status, summary[status]);
  const named = results.map(({ status, error }, index) => ({ index, ...idsOf(kind, items[index]), status, error }));
  return { items: named, summary };
}

/** The ids of an item as far as they are valid; what is not a valid id is not repeated. */
function idsOf(kind: BatchKind, item: unknown): Record<string, string | null> {
  return Object.fromEntries(
    kind.ids.map((name) => {
      const id = (item as Record<string, unknown> | null)?.[name];
      return [name, typeof id === 'string' && id.length > 0 && id.length <= 256 ? id : null];
    }),
  );
}

/** What differs between the routes of single items. */
interface SingleKind {
  readonly kind: EventKind;
  readonly one: string;
  readonly body: TSchema & { readonly $id?: string };
  readonly read: (id: string, body: never, engine: Engine) => unknown;
}

const SINGLES: readonly SingleKind[] = [
  { kind: 'purchases', one: 'Purchase', body: PurchaseBody, read: readPurchase },
  { kind: 'refunds', one: 'Refund', body: RefundBody, read: readRefund },
  { kind: 'interactions', one: 'Interaction', body: InteractionBody, read: readInteraction },
];

interface ItemParams {
  readonly customer_id: string;
  readonly item_id: string;
}

function mountSingle(app: FastifyInstance, source: EngineSource, metrics: Metrics, { kind, one, body, read }: SingleKind): void {
  const noun = one.toLowerCase();
  const params = Type.Object({ customer_id: customerId, item_id: Type.String({ minLength: 1, maxLength: 128, description: `Id of the ${noun}.` }) });
  const url = `/v1/customers/:customer_id/${kind}/:item_id`;
  const answer = Type.Object({ customer_id: customerId, item_id: Type.String(), status: Type.Unsafe<string>({ type: 'string', enum: ['created', 'updated', 'duplicate'] }) });
  const { [kind]: example } = Object.fromEntries(BATCHES.map((batch) => [batch.path, batch.example]));
  const isBodyField = ([field]: [string, unknown]): boolean => field in (body as TObject).properties;
  mount(app, {
    method: 'PUT',
    url,
    operationId: `put${one}`,
    tag: 'ingest',
    summary: `Correct or revive a ${noun}`,
    description: `Stores the ${noun} as sent, whatever was stored under its id, voided or not.`,
    scope: 'write',
    params,
    body: Type.Ref(body.$id!),
    bodyExample: Object.fromEntries(Object.entries(example!).filter(isBodyField)),
    success: [
      { status: 200, description: 'Replaced, or the same was stored already.', schema: answer, example: { customer_id: 'c-1', item_id: 'x-1', status: 'updated' } },
      { status: 201, description: 'Stored; there was none.', schema: answer, example: { customer_id: 'c-1', item_id: 'x-1', status: 'created' } },
    ],
    problems: ['customer_erased', 'item_refused'],
    handler: async (request, reply) => {
      const { customer_id, item_id } = request.params as ItemParams;
      const event = readBody(() => read(item_id, request.body as never, requireEngine(source)));
      const change = { type: 'event', mode: 'put', kind, customer_id, event } as Change;
      const outcome = (await ingest(requireEngine(source), [change]))[0]!;
      metrics.ingested(kind, outcome.status, 1);
      refuse(outcome);
      return reply.code(outcome.status === 'created' ? 201 : 200).send({ customer_id, item_id, status: outcome.status });
    },
  });
  mount(app, {
    method: 'DELETE',
    url,
    operationId: `void${one}`,
    tag: 'ingest',
    summary: `Void a ${noun}`,
    description: `The ${noun} keeps its row and stops counting; a re-send is a duplicate and changes nothing, PUT revives it.`,
    scope: 'write',
    params,
    success: [{ status: 204, description: 'Voided, now or before.', schema: Type.Null() }],
    problems: ['item_not_found'],
    handler: async (request, reply) => {
      const { customer_id, item_id } = request.params as ItemParams;
      const outcome = (await ingest(requireEngine(source), [{ type: 'void', kind, customer_id, item_id }]))[0]!;
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

