import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { formatDay } from '../../domain/calendar.ts';
import { timeline } from '../../domain/classify.ts';
import { formatInstant } from '../../domain/instant.ts';
import { formatMoney } from '../../domain/money.ts';
import { settleTail } from '../../domain/fold.ts';
import { decodeFold } from '../../domain/saved-fold.ts';
import { type Engine, todayOf } from '../../ingest/engine.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem, parameterProblem } from '../../problems.ts';
import { day } from '../../reports/fields.ts';
import { modelParameter, readDay } from '../../reports/parameters.ts';
import type { Trx } from '../../store/connect.ts';
import { type EventRow, pageEvents, readCustomer, readEffectivePurchases, readRefunded } from '../../store/customer-reads.ts';
import { type EventKind, ID_COLUMNS } from '../../store/histories.ts';
import { readGroupNames } from '../../store/groups.ts';
import { answerOn, contextOf, readDays, readingPlan } from '../classify-stored.ts';
import { languageOf, requireEngine, requireModel, snapshot } from '../context.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import { mount } from '../route.ts';
import { customerId, MAX_ITEMS } from '../schemas.ts';
import { SPELL_EXAMPLE, STAGE_EXAMPLE } from '../examples.ts';

const params = Type.Object({ customer_id: customerId });
type Params = Static<typeof params>;
const asOf = Type.Optional(day('End of this day; today if absent. Later days show what is scheduled.'));

/** Reads of single customers: who they are, where they stand and why, and what is stored of them. */
export function customerRoutes(app: FastifyInstance, source: EngineSource): void {
  mountCustomer(app, source);
  mountStages(app, source);
  mountTimeline(app, source);
  mountLookup(app, source);
  for (const kind of LISTED) mountEvents(app, source, kind);
}

function idOf(request: FastifyRequest): string {
  return (request.params as Params).customer_id;
}

function readAsOf(engine: Engine, text: string | undefined): number {
  const found = readDay('as_of', text, todayOf(engine));
  if (typeof found === 'number') return found;
  throw parameterProblem(found.parameter, found.code, found.detail);
}

function mountCustomer(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'GET',
    url: '/v1/customers/:customer_id',
    operationId: 'getCustomer',
    tag: 'customers',
    summary: 'One customer in figures',
    scope: 'read',
    params,
    success: [
      {
        status: 200,
        description: 'As of all stored events.',
        schema: Type.Ref('Customer'),
        example: {
          customer_id: 'c-1',
          known_since: '2025-02-20',
          groups: ['channel:search'],
          purchases: 5,
          purchase_days: 4,
          revenue: '210.40',
          profit: '88.10',
          first_purchase_day: '2025-03-01',
          last_purchase_day: '2025-06-11',
        },
      },
    ],
    problems: ['customer_not_found'],
    handler: async (request) => {
      const engine = requireEngine(source);
      return await snapshot(engine, async (trx) => await customerFigures(trx, engine, idOf(request)));
    },
  });
}

async function customerFigures(trx: Trx, engine: Engine, customer_id: string) {
  const row = await readCustomer(trx, customer_id);
  if (row === undefined) throw new Problem('customer_not_found');
  const names = await readGroupNames(trx);
  const { facts } = settleTail({ ...engine.plan, folds: [] }, decodeFold(row.fold), () => undefined).state;
  const money = (minor: number): string => formatMoney(minor, engine.decimals);
  const maybeDay = (found: number | null): string | null => (found === null ? null : formatDay(found));
  return {
    customer_id,
    known_since: formatDay(facts.known_on),
    groups: row.group_ids.map((id) => names.get(id)!).sort(),
    purchases: facts.purchases,
    purchase_days: facts.purchase_days,
    revenue: money(facts.revenue),
    profit: money(facts.revenue - facts.costs),
    first_purchase_day: maybeDay(facts.first_purchase_day),
    last_purchase_day: maybeDay(facts.last_purchase_day),
  };
}

function mountStages(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'GET',
    url: '/v1/customers/:customer_id/stages',
    operationId: 'getCustomerStages',
    tag: 'customers',
    summary: 'Where a customer stands in every model, and why',
    scope: 'read',
    params,
    query: Type.Object({ as_of: asOf, model: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$', description: 'Only this model; all if absent.' })) }, { additionalProperties: false }),
    success: [
      { status: 200, description: 'One answer for each model.', schema: Type.Object({ items: Type.Array(Type.Ref('StageAnswer')) }), example: { items: [STAGE_EXAMPLE] } },
    ],
    problems: ['customer_not_found', 'unknown_model'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const query = request.query as { as_of?: string; model?: string };
      const only = query.model === undefined ? null : requireModel(engine, query.model);
      const about = { as_of: readAsOf(engine, query.as_of), today: todayOf(engine), language: languageOf(request) };
      const days = await requireDays(engine, idOf(request));
      const plan = readingPlan(engine.plan);
      const indexes = only === null ? engine.models.map((_, index) => index) : [only];
      return { items: indexes.map((index) => answerOn(plan, index, idOf(request), days, contextOf(engine, index, about))) };
    },
  });
}

async function requireDays(engine: Engine, customer_id: string) {
  const days = (await snapshot(engine, async (trx) => await readDays(trx, [customer_id]))).get(customer_id);
  if (days === undefined) throw new Problem('customer_not_found');
  return days;
}

function mountTimeline(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'GET',
    url: '/v1/customers/:customer_id/timeline',
    operationId: 'getCustomerTimeline',
    tag: 'customers',
    summary: 'Every spell of a customer in one model, past and scheduled',
    scope: 'read',
    params,
    query: Type.Object({ model: modelParameter }, { additionalProperties: false }),
    success: [
      {
        status: 200,
        description: 'Spells from the day the customer became known, without gaps, oldest first.',
        schema: Type.Object({ customer_id: customerId, model: Type.String(), model_version: Type.Integer(), items: Type.Array(Type.Ref('Spell')) }),
        example: { customer_id: 'c-1', model: 'lifecycle', model_version: 1, items: [SPELL_EXAMPLE] },
      },
    ],
    problems: ['customer_not_found', 'unknown_model'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const index = requireModel(engine, (request.query as { model?: string }).model ?? 'lifecycle');
      const customer_id = idOf(request);
      const today = todayOf(engine);
      const spells = timeline(readingPlan(engine.plan), index, await requireDays(engine, customer_id));
      const { model, version } = engine.models[index]!;
      const items = spells.map(({ stage, activity, from, to }) => {
        return { stage, activity, from: formatDay(from), to: to === null ? null : formatDay(to), scheduled: from > today };
      });
      return { customer_id, model: model.model_id, model_version: version, items };
    },
  });
}

function mountLookup(app: FastifyInstance, source: EngineSource): void {
  const body = Type.Object(
    {
      customer_ids: Type.Array(customerId, { minItems: 1, maxItems: MAX_ITEMS, description: 'Each is answered once, in this order.' }),
      model: modelParameter,
      as_of: asOf,
    },
    { additionalProperties: false },
  );
  mount(app, {
    method: 'POST',
    url: '/v1/customers/lookup',
    operationId: 'lookupCustomers',
    tag: 'customers',
    summary: 'Where up to 1,000 customers stand, and why',
    scope: 'read',
    body,
    bodyExample: { customer_ids: ['c-1', 'c-2'], model: 'lifecycle' },
    success: [
      {
        status: 200,
        description: 'Answers in the order asked for; ids that are not known stand in not_found.',
        schema: Type.Object({ items: Type.Array(Type.Ref('StageAnswer')), not_found: Type.Array(Type.String()) }),
        example: { items: [STAGE_EXAMPLE], not_found: ['c-2'] },
      },
    ],
    problems: ['unknown_model'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const { customer_ids, model, as_of } = request.body as Static<typeof body>;
      const index = requireModel(engine, model ?? 'lifecycle');
      const context = contextOf(engine, index, { as_of: readAsOf(engine, as_of), today: todayOf(engine), language: languageOf(request) });
      const ids = [...new Set(customer_ids)];
      const days = await snapshot(engine, async (trx) => await readDays(trx, ids));
      const plan = readingPlan(engine.plan);
      const known = ids.filter((id) => days.has(id));
      return { items: known.map((id) => answerOn(plan, index, id, days.get(id)!, context)), not_found: ids.filter((id) => !days.has(id)) };
    },
  });
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
    example: { refund_id: 'r-1', purchase_id: 'o-1', refunded_at: '2025-03-09', day: '2025-03-09', voided: false, amount: '12.50', pending: false },
    show: showRefunds,
  },
  {
    kind: 'interactions',
    operationId: 'listInteractions',
    schema: 'Interaction',
    example: { interaction_id: 'i-1', occurred_at: '2025-03-05T18:00:00Z', day: '2025-03-05', voided: false, kind: 'survey', score: 9, reason: null, cost: '0.00' },
    show: showInteractions,
  },
];

const page = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 50, description: 'Entries on a page.' })),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024, description: '`next_cursor` of the page before.' })),
  },
  { additionalProperties: false },
);

function mountEvents(app: FastifyInstance, source: EngineSource, { kind, operationId, schema, example, show }: Listed): void {
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
        schema: Type.Object({ items: Type.Array(Type.Ref(schema)), next_cursor: Type.Union([Type.String(), Type.Null()]) }),
        example: { items: [example], next_cursor: null },
      },
    ],
    problems: ['customer_not_found', 'invalid_cursor'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const customer_id = idOf(request);
      const { limit = 50, cursor } = request.query as Static<typeof page>;
      const list = [kind, customer_id];
      const after = readCursor(list, cursor);
      return await snapshot(engine, async (trx) => {
        if ((await readCustomer(trx, customer_id)) === undefined) throw new Problem('customer_not_found');
        const rows = await pageEvents(trx, kind, customer_id, after, limit + 1);
        const shown = rows.slice(0, limit);
        const last = rows.length > limit ? shown.at(-1)! : null;
        const next_cursor = last === null ? null : writeCursor(list, { at: Number(last.at), id: last[ID_COLUMNS[kind]] as string });
        return { items: await show(trx, customer_id, shown, engine.decimals), next_cursor };
      });
    },
  });
}

function momentText(row: EventRow): string {
  return row.plain ? formatDay(row.day) : formatInstant(Number(row.at));
}

async function showPurchases(trx: Trx, customerId: string, rows: readonly EventRow[], decimals: number) {
  const refunds = await readRefunded(trx, customerId, rows.map((row) => row.purchase_id as string));
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
  const effective = await readEffectivePurchases(trx, customerId, rows.map((row) => row.purchase_id as string));
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
