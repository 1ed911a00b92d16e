import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { textFault } from '../../domain/text.ts';
import type { Change, Outcome } from '../../ingest/change.ts';
import type { Engine } from '../../ingest/engine.ts';
import type { GroupCommit } from '../../ingest/group-commit.ts';
import { REFUSALS } from '../../ingest/refusals.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem, type ProblemDetail } from '../../problems.ts';
import { requireEngine } from '../context.ts';
import { ITEM_SCHEMAS, type ItemReader, itemReader } from '../item-kinds.ts';
import type { Metrics } from '../metrics.ts';
import { mount } from '../route.ts';
import { customerId, type ItemKind, MAX_ITEMS } from '../schemas/items.ts';
import { STATUSES } from '../schemas/results.ts';
import { bodyFault, compileBody } from '../validation.ts';

/** What differs between the four batch routes. */
interface BatchKind {
  readonly path: ItemKind;
  readonly operationId: string;
  readonly noun: string;
  readonly result: string;
  readonly ids: readonly string[];
  readonly example: object;
}

const BATCHES: readonly BatchKind[] = [
  {
    path: 'customers',
    operationId: 'postCustomers',
    noun: 'customers',
    result: 'CustomerResult',
    ids: ['customer_id'],
    example: { customer_id: 'c-1', known_since: '2025-02-20', groups: ['channel:search'] },
  },
  {
    path: 'purchases',
    operationId: 'postPurchases',
    noun: 'purchases',
    result: 'PurchaseResult',
    ids: ['customer_id', 'purchase_id'],
    example: {
      customer_id: 'c-1',
      purchase_id: 'o-1',
      purchased_at: '2025-03-01T09:30:00+01:00',
      amount: '42.50',
      products: ['tea'],
    },
  },
  {
    path: 'refunds',
    operationId: 'postRefunds',
    noun: 'refunds',
    result: 'RefundResult',
    ids: ['customer_id', 'refund_id'],
    example: { customer_id: 'c-1', refund_id: 'r-1', purchase_id: 'o-1', refunded_at: '2025-03-09', amount: '12.50' },
  },
  {
    path: 'interactions',
    operationId: 'postInteractions',
    noun: 'interactions',
    result: 'InteractionResult',
    ids: ['customer_id', 'interaction_id'],
    example: {
      customer_id: 'c-1',
      interaction_id: 'i-1',
      occurred_at: '2025-03-05T18:00:00Z',
      kind: 'survey',
      score: 9,
    },
  },
];

/** What the writing routes need besides the app. */
export interface WriteParts {
  readonly source: EngineSource;
  readonly metrics: Metrics;
  readonly writes: GroupCommit;
}

/** Ingest in batches, one route for each kind. */
export function batchRoutes(app: FastifyInstance, parts: WriteParts): void {
  for (const kind of BATCHES) mountBatch(app, parts, kind);
}

interface ItemResult {
  readonly status: (typeof STATUSES)[number];
  readonly error: ProblemDetail | null;
}

function mountBatch(app: FastifyInstance, { source, metrics, writes }: WriteParts, kind: BatchKind): void {
  const read = itemReader(kind.path);
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
    body: Type.Object(
      { items: Type.Array(Type.Ref(ITEM_SCHEMAS[kind.path].$id!), { minItems: 1, maxItems: MAX_ITEMS }) },
      { additionalProperties: false },
    ),
    bodyExample: { items: [kind.example] },
    each: 'items',
    checkBody: checkEnvelope,
    problems: ['too_busy'],
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
      const results = await storeItems(requireEngine(source), writes, read, items);
      return answerBatch(kind, items, results, metrics);
    },
  });
}

const envelope = compileBody(
  Type.Object(
    { items: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_ITEMS }) },
    { additionalProperties: false },
  ),
);

/** Checks the list only: each item is checked for itself. */
function checkEnvelope(body: unknown): { value: unknown } | { error: Error } {
  if (envelope(body)) return { value: body };
  return { error: new Problem('invalid_request', { errors: [bodyFault(envelope.errors![0]!)] }) };
}

/** Reads every item, stores those that are valid, and says what became of each, in order. */
async function storeItems(
  engine: Engine,
  writes: GroupCommit,
  readItem: ItemReader,
  items: readonly unknown[],
): Promise<ItemResult[]> {
  const changes: Change[] = [];
  const faults = items.map((item, index) => {
    const read = readItem(item, engine, `/items/${index}`);
    if ('pointer' in read) return read;
    changes.push(read.change);
    return null;
  });
  const outcomes = await writes.store(engine, changes);
  let next = 0;
  return faults.map((error, index) =>
    error === null ? resultOf(outcomes[next++]!, `/items/${index}`) : { status: 'invalid', error },
  );
}

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

const isId = compileBody(customerId);

/** The ids of an item as far as they are valid; what is not a valid id is not repeated. */
function idsOf(kind: BatchKind, item: unknown): Record<string, string | null> {
  return Object.fromEntries(
    kind.ids.map((name) => {
      const id = (item as Record<string, unknown> | null)?.[name];
      return [name, typeof id === 'string' && isId(id) && textFault(id) === null ? id : null];
    }),
  );
}
