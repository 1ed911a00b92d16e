import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { formatDay } from '../../domain/calendar.ts';
import { timeline } from '../../domain/classify.ts';
import { settleTail } from '../../domain/fold.ts';
import { formatMoney } from '../../domain/money.ts';
import { type Engine, todayOf } from '../../ingest/engine.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem, parameterProblem } from '../../problems.ts';
import { day } from '../../reports/fields.ts';
import { modelParameter, readDay } from '../../reports/parameters.ts';
import type { Trx } from '../../store/connect.ts';
import { readCustomer } from '../../store/customer-reads.ts';
import { readGroupNames } from '../../store/groups.ts';
import { answerOn, contextOf, readDays, type StoredDays } from '../classify-stored.ts';
import { languageOf, requireEngine, requireModel, snapshot } from '../context.ts';
import { SPELL_EXAMPLE, STAGE_EXAMPLE } from '../examples.ts';
import { mount } from '../route.ts';
import { customerId, customerIdParameter, MAX_ITEMS } from '../schemas/items.ts';

const params = Type.Object({ customer_id: customerIdParameter });
type Params = Static<typeof params>;
const asOf = Type.Optional(day('End of this day; today if absent. Later days show what is scheduled.'));

/** Reads of single customers: who they are, where they stand and why. */
export function customerRoutes(app: FastifyInstance, source: EngineSource): void {
  mountCustomer(app, source);
  mountStages(app, source);
  mountTimeline(app, source);
  mountLookup(app, source);
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
        description: 'As of all stored events. Of an id that was merged, the survivor.',
        schema: Type.Ref('Customer'),
        example: {
          customer_id: 'c-1',
          known_since: '2025-02-20',
          groups: ['channel:search'],
          merged_ids: ['guest-81'],
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

async function customerFigures(trx: Trx, engine: Engine, id: string) {
  const row = await readCustomer(trx, id);
  if (row === undefined) throw new Problem('customer_not_found');
  const names = await readGroupNames(trx);
  const { plan, read } = engine.foldings.of(row.layout);
  const { facts } = settleTail({ ...plan, folds: [] }, read(row.fold), []).state;
  const money = (minor: number): string => formatMoney(minor, engine.decimals);
  const maybeDay = (found: number | null): string | null => (found === null ? null : formatDay(found));
  return {
    customer_id: row.customer_id,
    known_since: formatDay(facts.known_on),
    groups: row.group_ids.map((group) => names.get(group)!).sort(),
    merged_ids: row.merged_ids,
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
    query: Type.Object(
      {
        as_of: asOf,
        model: Type.Optional(
          Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$', description: 'Only this model; all if absent.' }),
        ),
      },
      { additionalProperties: false },
    ),
    success: [
      {
        status: 200,
        description: 'One answer for each model.',
        schema: Type.Object({ items: Type.Array(Type.Ref('StageAnswer')) }),
        example: { items: [STAGE_EXAMPLE] },
      },
    ],
    problems: ['customer_not_found', 'unknown_model'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const query = request.query as { as_of?: string; model?: string };
      const only = query.model === undefined ? null : requireModel(engine, query.model);
      const about = { as_of: readAsOf(engine, query.as_of), today: todayOf(engine), language: languageOf(request) };
      const { customer_id, days } = await requireDays(engine, idOf(request));
      const indexes = only === null ? engine.models.map((_, index) => index) : [only];
      return {
        items: indexes.map((index) =>
          answerOn(engine.classifiers[index]!, customer_id, days, contextOf(engine, index, about)),
        ),
      };
    },
  });
}

async function requireDays(engine: Engine, id: string): Promise<StoredDays> {
  const found = (await snapshot(engine, async (trx) => await readDays(trx, [id]))).get(id);
  if (found === undefined) throw new Problem('customer_not_found');
  return found;
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
        schema: Type.Object({
          customer_id: customerId,
          model: Type.String(),
          model_version: Type.Integer(),
          items: Type.Array(Type.Ref('Spell')),
        }),
        example: { customer_id: 'c-1', model: 'lifecycle', model_version: 1, items: [SPELL_EXAMPLE] },
      },
    ],
    problems: ['customer_not_found', 'unknown_model'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const index = requireModel(engine, (request.query as { model?: string }).model ?? 'lifecycle');
      const today = todayOf(engine);
      const { customer_id, days } = await requireDays(engine, idOf(request));
      const spells = timeline(engine.classifiers[index]!, days);
      const { model, version } = engine.models[index]!;
      const items = spells.map(({ stage, activity, from, to }) => {
        return {
          stage,
          activity,
          from: formatDay(from),
          to: to === null ? null : formatDay(to),
          scheduled: from > today,
        };
      });
      return { customer_id, model: model.model_id, model_version: version, items };
    },
  });
}

function mountLookup(app: FastifyInstance, source: EngineSource): void {
  const body = Type.Object(
    {
      customer_ids: Type.Array(customerId, {
        minItems: 1,
        maxItems: MAX_ITEMS,
        description: 'Each is answered once, in this order.',
      }),
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
        description:
          'Answers in the order asked for, under the ids asked for, also where an id was merged; ids that are not known stand in not_found.',
        schema: Type.Object({ items: Type.Array(Type.Ref('StageAnswer')), not_found: Type.Array(Type.String()) }),
        example: { items: [STAGE_EXAMPLE], not_found: ['c-2'] },
      },
    ],
    problems: ['unknown_model'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const { customer_ids, model, as_of } = request.body as Static<typeof body>;
      const index = requireModel(engine, model ?? 'lifecycle');
      const context = contextOf(engine, index, {
        as_of: readAsOf(engine, as_of),
        today: todayOf(engine),
        language: languageOf(request),
      });
      const ids = [...new Set(customer_ids)];
      const days = await snapshot(engine, async (trx) => await readDays(trx, ids));
      const classifier = engine.classifiers[index]!;
      const known = ids.filter((id) => days.has(id));
      return {
        items: known.map((id) => answerOn(classifier, id, days.get(id)!.days, context)),
        not_found: ids.filter((id) => !days.has(id)),
      };
    },
  });
}
