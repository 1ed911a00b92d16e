import type { FastifyInstance, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { EVERYBODY } from '../domain/differences.ts';
import { LANGUAGES, type Language } from '../domain/model.ts';
import type { Projection } from '../domain/projection.ts';
import type { Engine } from '../ingest/engine.ts';
import { type EngineSource, withEngine } from '../ingest/start.ts';
import { Problem } from '../problems.ts';
import { inSnapshot, type Pipeline, type Statements, type Trx } from '../store/connect.ts';
import { readGroupIds } from '../store/groups.ts';
import { inSnapshotAtOnce } from '../store/snapshot-at-once.ts';
import { readableBy } from '../store/versions.ts';

/** The engine, or a 503 while the service is starting. */
export function requireEngine(source: EngineSource): Engine {
  const engine = source.current();
  if (engine === null) throw new Problem('not_ready');
  return engine;
}

/**
 * Runs reads of one answer in one snapshot, in which the models are those of the engine. A read of roll-ups names their projections: while one of them is being
 * built it is a 503.
 */
export async function snapshot<Result>(
  engine: Engine,
  read: (trx: Trx) => Promise<Result>,
  reads: readonly Projection[] = [],
): Promise<Result> {
  requireReady(engine, reads);
  return await inSnapshot(engine.db, engine.statement_timeout_ms, read, readableBy(engine.versions, reads));
}

/** As `snapshot`, with the reads sent without waiting for the answers to those before. */
export async function snapshotAtOnce<Result>(
  engine: Engine,
  read: (pipeline: Pipeline) => Promise<Result>,
  reads: readonly Projection[],
): Promise<Result> {
  requireReady(engine, reads);
  return await inSnapshotAtOnce(engine.db, engine.statement_timeout_ms, read, readableBy(engine.versions, reads));
}

/** Throws `rebuilding` if one of these projections is being built. */
export function requireReady({ unready }: Engine, reads: readonly Projection[]): void {
  if (reads.some(({ name }) => unready.has(name))) throw new Problem('rebuilding');
}

/** Lets every route answer with newer models if they change while it answers: what was answered so far was nothing yet. Uploads are no answers from models. */
export function followModels(app: FastifyInstance, source: EngineSource): void {
  app.addHook('onRoute', (route) => {
    const { handler } = route;
    route.handler = async function (request, reply) {
      const answer = async (): Promise<unknown> => await handler.call(this, request, reply);
      if (source.current() === null) return await answer();
      return await withEngine(source, async (engine) => await answer().catch((error) => requireNewest(engine, error)));
    };
  });
}

/** Throws what a request failed with; if that depends on which models there are, only when they are still those of the engine. */
async function requireNewest(engine: Engine, error: unknown): Promise<never> {
  const isOfModels = error instanceof Problem && (error.code === 'unknown_model' || error.code === 'rebuilding');
  if (isOfModels) await snapshot(engine, async () => undefined);
  throw error;
}

/** Index of a model in the plan; a 400 that names the parameter if there is none, a 503 while its first version is being built. */
export function requireModel(engine: Engine, modelId: string, parameter = 'model'): number {
  const index = engine.models.findIndex(({ model }) => model.model_id === modelId);
  if (index !== -1) return index;
  if (engine.published.some(({ model, state }) => state === 'building' && model.model_id === modelId))
    throw new Problem('rebuilding', { detail: 'The model is being built; GET /v1/models says how far it is.' });
  const detail = `There is no such model; there are ${engine.models.map(({ model }) => model.model_id).join(', ')}.`;
  throw new Problem('unknown_model', { errors: [{ parameter, code: 'unknown_model', detail }] });
}

/** Number of a group, `EVERYBODY` if none is named; a 400 that names the parameter if no customer has ever carried it. */
export async function requireGroup(trx: Statements, group: string | undefined): Promise<number> {
  if (group === undefined) return EVERYBODY;
  const id = group.includes('\0') ? undefined : (await readGroupIds(trx, [group])).get(group);
  if (id !== undefined) return id;
  throw new Problem('unknown_group', {
    errors: [{ parameter: 'group', code: 'unknown_group', detail: 'No customer has ever carried this group.' }],
  });
}

/** The language that the caller prefers among those we have; English if none. */
export function languageOf(request: FastifyRequest): Language {
  const preferred = new Negotiator(request.raw).languages([...LANGUAGES])[0];
  return LANGUAGES.find((language) => language === preferred) ?? 'en';
}
