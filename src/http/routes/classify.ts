import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { LAST_DAY } from '../../domain/calendar.ts';
import { type Classifier, compileClassifier } from '../../domain/classify.ts';
import { conditionsOf, foldSteps } from '../../domain/compile-model.ts';
import { activityDays, type History } from '../../domain/history.ts';
import type { Model } from '../../domain/model.ts';
import { type Engine, todayOf } from '../../ingest/engine.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem, type ProblemDetail, parameterProblem } from '../../problems.ts';
import { day, oneOf } from '../../reports/fields.ts';
import { modelParameter, readDay } from '../../reports/parameters.ts';
import { checkedModel } from '../checked-model.ts';
import { answerOn, contextOf } from '../classify-stored.ts';
import { languageOf, requireEngine, requireModel } from '../context.ts';
import { STAGE_EXAMPLE } from '../examples.ts';
import { FieldFault, type Reading, readInteraction, readKnownSince, readPurchase, readRefund } from '../read-items.ts';
import { mount } from '../route.ts';
import { HistoryItem, MAX_ITEMS } from '../schemas/items.ts';
import type { AnswerContext } from '../stage-answer.ts';
import { checkTexts } from '../text.ts';
import { bodyFault, compileBody } from '../validation.ts';

const documented = Type.Object(
  {
    model: modelParameter,
    model_document: Type.Optional(Type.Ref('ModelDocument')),
    as_of: Type.Optional(day('End of this day; today if absent.')),
    histories: Type.Array(Type.Ref('History'), { minItems: 1, maxItems: MAX_ITEMS }),
  },
  { additionalProperties: false },
);
/** The histories and the model are checked one by one, so that a fault names its place. */
const envelope = compileBody(
  Type.Object(
    {
      ...documented.properties,
      model_document: Type.Optional(Type.Unknown()),
      histories: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_ITEMS }),
    },
    { additionalProperties: false },
  ),
);
type Body = Omit<Static<typeof documented>, 'histories' | 'model_document'> & {
  histories: unknown[];
  model_document?: unknown;
};

/** Steps of folding in one request at most: about half a second. */
const MAX_STEPS = 50_000_000;

const result = Type.Object({
  index: Type.Integer({ minimum: 0, description: 'Position in the request, from 0.' }),
  status: oneOf(['classified', 'invalid']),
  answer: Type.Union([Type.Ref('StageAnswer'), Type.Null()]),
  error: Type.Union([Type.Ref('ProblemDetail'), Type.Null()]),
});

/** The stateless classifier: histories in, stages and reasons out, nothing stored. */
export function classifyRoutes(app: FastifyInstance, source: EngineSource): void {
  const validate = compileBody(HistoryItem);
  mount(app, {
    method: 'POST',
    url: '/v1/classifications',
    operationId: 'classifyHistories',
    tag: 'classify',
    summary: 'Classify histories without storing them',
    description:
      'Up to 1,000 histories, by a stored model (`model`) or by one in the request (`model_document`). Events after as_of do not count; days may lie in the future.',
    scope: 'read',
    body: documented,
    bodyExample: {
      model: 'lifecycle',
      as_of: '2025-06-30',
      histories: [
        {
          customer_id: 'c-1',
          purchases: [
            { purchased_at: '2025-05-02', amount: '20' },
            { purchased_at: '2025-06-11', amount: '20' },
          ],
        },
      ],
    },
    each: 'histories',
    checkBody: (body) =>
      envelope(body)
        ? { value: body }
        : { error: new Problem('invalid_request', { errors: [bodyFault(envelope.errors![0]!)] }) },
    success: [
      {
        status: 200,
        description: 'One result for each history, in order; a wrong history never harms the others.',
        schema: Type.Object({ items: Type.Array(result) }),
        example: { items: [{ index: 0, status: 'classified', answer: STAGE_EXAMPLE, error: null }] },
      },
    ],
    problems: ['unknown_model'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const body = request.body as Body;
      const today = todayOf(engine);
      const as_of = readDay('as_of', body.as_of, today);
      if (typeof as_of !== 'number') throw parameterProblem('as_of', as_of.code, as_of.detail);
      const { classifier, context } = chosen(engine, body, { as_of, today, language: languageOf(request) });
      requireAffordable(body.histories, context.model);
      // A stateless question may be about any day, so nothing is "in the future".
      const reading = { ...engine, now: () => Number.MAX_SAFE_INTEGER / 2 };
      const answer = (given: HistoryItem) => {
        const history = readHistory(given, reading, as_of);
        const days = history === null ? [] : activityDays(history);
        return answerOn(classifier, given.customer_id ?? null, days, context);
      };
      return {
        items: body.histories.map((given, index) => {
          const pointer = `/histories/${index}`;
          const wrongText = checkTexts(given, pointer, 2);
          if (wrongText !== null) return invalid(index, wrongText);
          if (!validate(given)) return invalid(index, bodyFault(validate.errors![0]!, pointer));
          try {
            return { index, status: 'classified', answer: answer(given as HistoryItem), error: null };
          } catch (error) {
            if (!(error instanceof FieldFault)) throw error;
            return invalid(index, { ...error.fault, pointer: `${pointer}${error.fault.pointer}` });
          }
        }),
      };
    },
  });
}

/** Refuses what would keep the process busy for long: many events a history under many windowed conditions. */
function requireAffordable(histories: readonly unknown[], model: Model): void {
  const stepsOf = foldSteps(conditionsOf([model]));
  let steps = 0;
  for (const history of histories) {
    const { purchases, refunds, interactions } = (history ?? {}) as Record<string, unknown>;
    steps += stepsOf(1 + lengthOf(purchases) + lengthOf(refunds) + lengthOf(interactions));
  }
  if (steps <= MAX_STEPS) return;
  const detail =
    'The model has too many windowed conditions for histories of this length; send fewer histories, or shorter ones, in one request.';
  throw new Problem('invalid_request', { errors: [{ pointer: '/histories', code: 'too_complex', detail }] });
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

function invalid(index: number, error: ProblemDetail) {
  return { index, status: 'invalid', answer: null, error };
}

interface Chosen {
  readonly classifier: Classifier;
  readonly context: AnswerContext;
}

/** The model the caller wants: a stored one, or the one in the request, which is checked and compiled for this request only. */
function chosen(engine: Engine, body: Body, about: Pick<AnswerContext, 'as_of' | 'today' | 'language'>): Chosen {
  if (body.model_document === undefined) {
    const index = requireModel(engine, body.model ?? 'lifecycle');
    return { classifier: engine.classifiers[index]!, context: contextOf(engine, index, about) };
  }
  if (body.model !== undefined) {
    const detail = 'Cannot be given together with model_document; send one of them.';
    throw new Problem('invalid_request', { errors: [{ pointer: '/model', code: 'not_allowed', detail }] });
  }
  const checked = checkedModel(body.model_document, engine.decimals, '/model_document');
  const context = { model: checked, model_version: 1, decimals: engine.decimals, ...about };
  return { classifier: compileClassifier(checked, 1, engine.decimals), context };
}

/** Reads a history; null if it is empty, so that nobody is known. Two items of one id are refused. Throws `FieldFault`. */
function readHistory(given: HistoryItem, reading: Reading, asOf: number): History | null {
  const history: History = {
    known_since: given.known_since === undefined ? null : readKnownSince(given.known_since, LAST_DAY),
    received_on: asOf,
    // Nothing can refer to a purchase without id: that of a refund is not empty.
    purchases: readList('purchases', given.purchases, 'purchase_id', (item) =>
      readPurchase(item.purchase_id ?? '', item, reading),
    ),
    refunds: readList('refunds', given.refunds, 'refund_id', (item) => readRefund(item.refund_id ?? '', item, reading)),
    // Of two at one instant the greater id is the latest: without ids, the later in the list, which has 10,000 at most.
    interactions: readList('interactions', given.interactions, 'interaction_id', (item, index) =>
      readInteraction(item.interaction_id ?? `\u0001${String(index).padStart(4, '0')}`, item, reading),
    ),
  };
  requireExactSums(history);
  const events = history.purchases.length + history.refunds.length + history.interactions.length;
  return events === 0 && history.known_since === null ? null : history;
}

function readList<Id extends string, Item extends { readonly [Field in Id]?: string }, Read>(
  field: string,
  items: readonly Item[] | undefined,
  idField: Id,
  read: (item: Item, index: number) => Read,
): Read[] {
  if (items === undefined) return [];
  const seen = new Set<string>();
  return items.map((item, index) => {
    const id = item[idField];
    if (id !== undefined) {
      if (seen.has(id)) throw duplicate(`${field}/${index}/${idField}`);
      seen.add(id);
    }
    try {
      return read(item, index);
    } catch (error) {
      if (!(error instanceof FieldFault)) throw error;
      throw new FieldFault(`${field}/${index}${error.fault.pointer}`, error.fault.code, error.fault.detail);
    }
  });
}

function duplicate(field: string): FieldFault {
  return new FieldFault(field, 'duplicate_id', 'Another entry of this history has the same id.');
}

function requireExactSums({ purchases, refunds, interactions }: History): void {
  let turnover = 0;
  for (const { amount, cost, discount } of purchases) turnover += amount + cost + discount;
  for (const { amount } of refunds) turnover += amount;
  for (const { cost } of interactions) turnover += cost;
  if (!Number.isSafeInteger(turnover)) {
    throw new FieldFault(
      'purchases',
      'total_out_of_range',
      'The sum of the amounts would leave the range that is kept exactly (2⁵³ − 1 minor units).',
    );
  }
}
