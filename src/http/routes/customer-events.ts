import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { formatDay } from '../../domain/calendar.ts';
import { formatInstant } from '../../domain/instant.ts';
import { formatMoney } from '../../domain/money.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem } from '../../problems.ts';
import type { Trx } from '../../store/connect.ts';
import {
  type EventRow,
  pageEvents,
  readCustomer,
  readEffectivePurchases,
  readRefunded,
} from '../../store/customer-reads.ts';
import { type EventKind, ID_COLUMNS } from '../../store/histories.ts';
import { requireEngine, snapshot } from '../context.ts';
import { isInteger, readCursor, writeCursor } from '../cursor.ts';
import { mount } from '../route.ts';
import { customerIdParameter } from '../schemas/items.ts';

const params = Type.Object({ customer_id: customerIdParameter });

/** What is stored of a customer, page by page. */
export function customerEventRoutes(app: FastifyInstance, source: EngineSource): void {
  for (const kind of LISTED) mountEvents(app, source, kind);
}

interface Listed {
  readonly kind: EventKind;
  readonly operationId: string;
  readonly schema: string;
  readonly example: object;
  readonly show: (trx: Trx, customerId: string, rows: readonly EventRow[], decimals: number) => Promise<object[]>;
}

const LISTED: readonly Listed[] = [
  {
    kind: 'purchases',
    operationId: 'listPurchases',
    schema: 'Purchase',
    example: {
      purchase_id: 'o-1',
      purchased_at: '2025-03-01T08:30:00Z',
      day: '2025-03-01',
      voided: false,
      amount: '42.50',
      refunded: '12.50',
      cost: '0.00',
      discount: '0.00',
      products: ['tea'],
      counts: true,
    },
    show: showPurchases,
  },
  {
    kind: 'refunds',
    operationId: 'listRefunds',
    schema: 'Refund',
    example: {
      refund_id: 'r-1',
      purchase_id: 'o-1',
      refunded_at: '2025-03-09',
      day: '2025-03-09',
      voided: false,
      amount: '12.50',
      pending: false,
    },
    show: showRefunds,
  },
  {
    kind: 'interactions',
    operationId: 'listInteractions',
    schema: 'Interaction',
    example: {
      interaction_id: 'i-1',
      occurred_at: '2025-03-05T18:00:00Z',
      day: '2025-03-05',
      voided: false,
      kind: 'survey',
      score: 9,
      reason: null,
      cost: '0.00',
    },
    show: showInteractions,
  },
];

const page = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 50, description: 'Entries on a page.' })),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1_024, description: '`next_cursor` of the page before.' }),
    ),
  },
  { additionalProperties: false },
);

function mountEvents(
  app: FastifyInstance,
  source: EngineSource,
  { kind, operationId, schema, example, show }: Listed,
): void {
  mount(app, {
    method: 'GET',
    url: `/v1/customers/:customer_id/${kind}`,
    operationId,
    tag: 'customers',
    summary: `The ${kind} stored of a customer`,
    description: `Voided ones included, by instant and id, page by page.`,
    scope: 'read',
    params,
    query: page,
    success: [
      {
        status: 200,
        description: 'One page; next_cursor is null on the last.',
        schema: Type.Object({
          items: Type.Array(Type.Ref(schema)),
          next_cursor: Type.Union([Type.String(), Type.Null()]),
        }),
        example: { items: [example], next_cursor: null },
      },
    ],
    problems: ['customer_not_found', 'invalid_cursor'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const { customer_id } = request.params as Static<typeof params>;
      const { limit = 50, cursor } = request.query as Static<typeof page>;
      const list = [kind, customer_id];
      const place = readCursor(list, cursor, isInteger);
      const after = place === null ? null : { at: place.value, id: place.id };
      return await snapshot(engine, async (trx) => {
        const customer = await readCustomer(trx, customer_id);
        if (customer === undefined) throw new Problem('customer_not_found');
        const rows = await pageEvents(trx, kind, customer.customer_id, after, limit + 1);
        const shown = rows.slice(0, limit);
        const last = rows.length > limit ? shown.at(-1)! : null;
        const next_cursor =
          last === null ? null : writeCursor(list, { value: Number(last.at), id: last[ID_COLUMNS[kind]] as string });
        return { items: await show(trx, customer.customer_id, shown, engine.decimals), next_cursor };
      });
    },
  });
}

function momentText(row: EventRow): string {
  return row.plain ? formatDay(row.day) : formatInstant(Number(row.at));
}

async function showPurchases(trx: Trx, customerId: string, rows: readonly EventRow[], decimals: number) {
  const refunds = await readRefunded(
    trx,
    customerId,
    rows.map((row) => row.purchase_id as string),
  );
  return rows.map((row) => {
    const refunded = refunds.get(row.purchase_id as string);
    const amount = row.amount as bigint;
    const whollyRefunded = refunded !== undefined && amount > 0n && refunded >= amount;
    return {
      purchase_id: row.purchase_id,
      purchased_at: momentText(row),
      day: formatDay(row.day),
      voided: row.voided,
      amount: formatMoney(amount, decimals),
      refunded: formatMoney(refunded ?? 0n, decimals),
      cost: formatMoney(row.cost as bigint, decimals),
      discount: formatMoney(row.discount as bigint, decimals),
      products: row.products,
      counts: !row.voided && !whollyRefunded,
    };
  });
}

async function showRefunds(trx: Trx, customerId: string, rows: readonly EventRow[], decimals: number) {
  const effective = await readEffectivePurchases(
    trx,
    customerId,
    rows.map((row) => row.purchase_id as string),
  );
  return rows.map((row) => ({
    refund_id: row.refund_id,
    purchase_id: row.purchase_id,
    refunded_at: momentText(row),
    day: formatDay(row.day),
    voided: row.voided,
    amount: formatMoney(row.amount as bigint, decimals),
    pending: !row.voided && !effective.has(row.purchase_id as string),
  }));
}

async function showInteractions(_trx: Trx, _customerId: string, rows: readonly EventRow[], decimals: number) {
  return rows.map((row) => ({
    interaction_id: row.interaction_id,
    occurred_at: momentText(row),
    day: formatDay(row.day),
    voided: row.voided,
    kind: row.kind,
    score: row.score,
    reason: row.reason,
    cost: formatMoney(row.cost as bigint, decimals),
  }));
}
