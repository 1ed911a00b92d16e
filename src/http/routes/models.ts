import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Model } from '../../domain/model.ts';
import { MOST_MODELS, publishModel, retireModel } from '../../ingest/publish.ts';
import { type EngineSource, withEngine } from '../../ingest/start.ts';
import { Problem } from '../../problems.ts';
import { readBuild } from '../../store/builds.ts';
import { checkedModel } from '../checked-model.ts';
import { languageOf, requireEngine, snapshot } from '../context.ts';
import { MODEL_EXAMPLE } from '../examples.ts';
import { showModel, shownOf, summaryOf, textsOf } from '../model-answer.ts';
import { expectedOf } from '../preconditions.ts';
import { mount } from '../route.ts';

const params = Type.Object({
  model_id: Type.String({
    pattern: '^[a-z][a-z0-9_]{0,63}$',
    description: 'Name of the model.',
    examples: ['lifecycle'],
  }),
});
const conditions = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'ETag of the version that is replaced, as GET gives it; `*` for whichever it is.' }),
  ),
  'if-none-match': Type.Optional(Type.String({ description: '`*`: only if there is no such model yet.' })),
});

const PUBLISH = `A published version never changes: a change is a new version. Customers are folded into it in the background, beside everything else; until that is done the version before answers, then the switch is made at once for all reads. \`GET\` says how far it is. What is stored of the version before is removed afterwards. A version that is being built is given up for a newer one. There are ${MOST_MODELS} models at most: each costs every write a part of its time.

To create a model send \`If-None-Match: *\` (or nothing), to replace one \`If-Match\` with its ETag: so nobody's version is replaced unseen. Sending the newest version again changes nothing. \`POST /v1/models/preview\` says beforehand what a document would do.`;

const PROSPECT = { stage: 'prospect', title: 'Prospect', description: 'Known, but has not bought yet.' };
const SUMMARY = { model_id: 'lifecycle', version: 1, state: 'active', published_at: '2025-06-30T09:00:00Z' };
const BUILDING_EXAMPLE = {
  version: 2,
  published_at: '2025-06-30T09:00:00Z',
  share: 0.25,
  customers_done: 250_000,
  customers_total: 1_000_000,
  expected_at: '2025-06-30T09:04:00Z',
};

/** The lifecycle models in use, and how they are changed. */
export function modelRoutes(app: FastifyInstance, source: EngineSource): void {
  mountList(app, source);
  mountGet(app, source);
  mountPut(app, source);
  mountDelete(app, source);
}

function mountList(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'GET',
    url: '/v1/models',
    operationId: 'listModels',
    tag: 'models',
    summary: 'The lifecycle models in use',
    scope: 'read',
    success: [
      {
        status: 200,
        description: 'Titles and descriptions in the language of Accept-Language (en, es, de).',
        schema: Type.Object({ items: Type.Array(Type.Ref('ModelSummary')) }),
        example: {
          items: [
            {
              ...SUMMARY,
              building: null,
              title: 'Lifecycle',
              description: 'How far customers come.',
              stages: [PROSPECT],
            },
          ],
        },
      },
    ],
    handler: async (request) => {
      const engine = requireEngine(source);
      const found = await snapshot(engine, readBuild);
      const shown = new Set(engine.published.filter((one) => shownOf(engine, one)).map(({ model }) => model.model_id));
      const ids = new Set(engine.published.map(({ model }) => model.model_id).filter((id) => shown.has(id)));
      return { items: [...ids].map((id) => summaryOf(engine, id, { build: found, language: languageOf(request) })) };
    },
  });
}

function mountGet(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'GET',
    url: '/v1/models/:model_id',
    operationId: 'getModel',
    tag: 'models',
    summary: 'One model with its rules',
    description:
      'The version that answers; while the first one is being built, that. The ETag names the newest version, be it one that is still being built.',
    scope: 'read',
    params,
    success: [
      {
        status: 200,
        description: 'The summary, and the document with every rule and every language.',
        schema: Type.Ref('Model'),
        example: modelExample(null),
      },
    ],
    problems: ['not_found'],
    handler: async (request, reply) => {
      const engine = requireEngine(source);
      return await showModel(engine, idOf(request), languageOf(request), reply);
    },
  });
}

function modelExample(building: typeof BUILDING_EXAMPLE | null) {
  const document = MODEL_EXAMPLE as Model;
  const { title, description, stages } = textsOf(document, 'en');
  return { summary: { ...SUMMARY, building, title, description, stages }, document: MODEL_EXAMPLE };
}

function mountPut(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'PUT',
    url: '/v1/models/:model_id',
    operationId: 'publishModel',
    tag: 'models',
    summary: 'Publish a version of a model',
    description: PUBLISH,
    scope: 'admin',
    params,
    headers: conditions,
    body: Type.Ref('ModelDocument'),
    bodyExample: MODEL_EXAMPLE,
    checkBody: (value) => ({ value }),
    success: [
      {
        status: 200,
        description: 'It is the newest version already.',
        schema: Type.Ref('Model'),
        example: modelExample(null),
      },
      {
        status: 202,
        description: 'Published; it is being built.',
        schema: Type.Ref('Model'),
        example: modelExample(BUILDING_EXAMPLE),
      },
    ],
    problems: ['model_too_costly', 'too_many_models', 'precondition_failed', 'precondition_required'],
    handler: async (request, reply) => {
      const engine = requireEngine(source);
      const model_id = idOf(request);
      const model = readDocument(request.body, engine.decimals, model_id);
      const { version, changed } = await publishModel(engine, model, expectedOf(request));
      if (!changed) return await showModel(engine, idOf(request), languageOf(request), reply);
      engine.log.info({ model: model_id, version }, 'a model version was published');
      reply.code(202).header('location', `/v1/models/${model_id}`);
      await source.renew(engine);
      // By itself: if the models change once more meanwhile, it is shown anew, but not published again.
      return await withEngine(source, async (newer) => await showModel(newer, model_id, languageOf(request), reply));
    },
  });
}

function mountDelete(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'DELETE',
    url: '/v1/models/:model_id',
    operationId: 'retireModel',
    tag: 'models',
    summary: 'Retire a model',
    description:
      'It answers no more, and what is stored of it is removed in the background; its versions stay taken. The only model cannot be retired.',
    scope: 'admin',
    params,
    headers: conditions,
    success: [{ status: 204, description: 'Retired.', schema: Type.Null() }],
    problems: ['not_found', 'last_model', 'precondition_failed'],
    handler: async (request, reply) => {
      const engine = requireEngine(source);
      const model_id = idOf(request);
      await retireModel(engine, model_id, expectedOf(request));
      engine.log.info({ model: model_id }, 'a model was retired');
      await source.renew(engine);
      return reply.code(204).send();
    },
  });
}

/** The document as a model; a 400 that points to everything wrong with it if it is none, or is of another id than the path. */
function readDocument(document: unknown, decimals: number, modelId: string): Model {
  const checked = checkedModel(document, decimals, '');
  if (checked.model_id === modelId) return checked;
  const detail = 'This must be the model_id of the path.';
  throw new Problem('invalid_request', { errors: [{ pointer: '/model_id', code: 'other_model', detail }] });
}

function idOf(request: FastifyRequest): string {
  return (request.params as Static<typeof params>).model_id;
}
