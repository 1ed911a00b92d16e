import type { FastifyReply } from 'fastify';
import { formatInstant } from '../domain/instant.ts';
import type { Language, Model } from '../domain/model.ts';
import type { Engine } from '../ingest/engine.ts';
import { newestOf } from '../ingest/publish.ts';
import { Problem } from '../problems.ts';
import { type Build, readBuild } from '../store/builds.ts';
import type { StoredModel } from '../store/models.ts';
import { showProgress } from './build-progress.ts';
import { snapshot } from './context.ts';
import { modelTag } from './preconditions.ts';

/** A model with its document and its tag, as `Model`. Throws `not_found`. */
export async function showModel(engine: Engine, model_id: string, language: Language, reply: FastifyReply) {
  const found = await snapshot(engine, readBuild);
  const versions = engine.published.filter(({ model }) => model.model_id === model_id);
  const newest = newestOf(versions);
  if (newest === undefined)
    throw new Problem('not_found', { detail: 'There is no such model; GET /v1/models lists them.' });
  reply.header('etag', modelTag(newest.version)).header('cache-control', 'private, no-cache');
  const shown = versions.find((one) => shownOf(engine, one))!;
  const summary = summaryOf(engine, model_id, { build: found, language });
  return { summary, document: shown.model };
}

/** Whether a version is the one of its model that is shown: the active one, or while there is none, the one that is being built. */
export function shownOf({ models }: Engine, { state, model }: StoredModel): boolean {
  return state === 'active' || (state === 'building' && !models.some((one) => one.model.model_id === model.model_id));
}

interface Shown {
  readonly build: Build | undefined;
  readonly language: Language;
}

/** A model without its document, as `ModelSummary`. */
export function summaryOf(engine: Engine, modelId: string, { build, language }: Shown) {
  const versions = engine.published.filter(({ model }) => model.model_id === modelId);
  const { model, version, state, published_at } = versions.find((one) => shownOf(engine, one))!;
  const next = versions.find((one) => one.state === 'building');
  return {
    model_id: modelId,
    version,
    state,
    published_at: formatInstant(published_at),
    building:
      next === undefined
        ? null
        : { version: next.version, published_at: formatInstant(next.published_at), ...showProgress(engine, build) },
    ...textsOf(model, language),
  };
}

/** Its texts in one language. */
export function textsOf(model: Model, language: Language) {
  return {
    title: model.title[language],
    description: model.description[language],
    stages: model.stages.map(({ stage, title, description }) => ({
      stage,
      title: title[language],
      description: description[language],
    })),
  };
}
