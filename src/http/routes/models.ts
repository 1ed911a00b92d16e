import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { Language, Model } from '../../domain/model.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem } from '../../problems.ts';
import type { StoredModel } from '../../store/models.ts';
import { languageOf, requireEngine } from '../context.ts';
import { MODEL_EXAMPLE } from '../examples.ts';
import { mount } from '../route.ts';

const params = Type.Object({
  model_id: Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$', description: 'Name of the model.' }),
});

const PROSPECT = { stage: 'prospect', title: 'Prospect', description: 'Known, but has not bought yet.' };

/** The lifecycle models in use. */
export function modelRoutes(app: FastifyInstance, source: EngineSource): void {
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
              model_id: 'lifecycle',
              version: 1,
              title: 'Lifecycle',
              description: 'How far customers come.',
              stages: [PROSPECT],
            },
          ],
        },
      },
    ],
    handler: async (request) => ({
      items: requireEngine(source).models.map((stored) => summaryOf(stored, languageOf(request))),
    }),
  });
  mount(app, {
    method: 'GET',
    url: '/v1/models/:model_id',
    operationId: 'getModel',
    tag: 'models',
    summary: 'One model with its rules',
    scope: 'read',
    params,
    success: [
      {
        status: 200,
        description: 'The summary, and the document with every rule and every language.',
        schema: Type.Object({ summary: Type.Ref('ModelSummary'), document: Type.Ref('ModelDocument') }),
        example: { summary: summaryOf({ model: MODEL_EXAMPLE as Model, version: 1 }, 'en'), document: MODEL_EXAMPLE },
      },
    ],
    problems: ['not_found'],
    handler: async (request) => {
      const { model_id } = request.params as Static<typeof params>;
      const stored = requireEngine(source).models.find(({ model }) => model.model_id === model_id);
      if (stored === undefined)
        throw new Problem('not_found', { detail: 'There is no such model; GET /v1/models lists them.' });
      return { summary: summaryOf(stored, languageOf(request)), document: stored.model };
    },
  });
}

function summaryOf({ model, version }: Pick<StoredModel, 'model' | 'version'>, language: Language) {
  return {
    model_id: model.model_id,
    version,
    title: model.title[language],
    description: model.description[language],
    stages: model.stages.map(({ stage, title, description }) => ({
      stage,
      title: title[language],
      description: description[language],
    })),
  };
}
