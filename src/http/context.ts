import type { FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { EVERYBODY } from '../domain/differences.ts';
import { LANGUAGES, type Language } from '../domain/model.ts';
import type { Engine } from '../ingest/engine.ts';
import type { EngineSource } from '../ingest/start.ts';
import { Problem } from '../problems.ts';
import { inSnapshot, type Statements, type Trx } from '../store/connect.ts';
import { readGroupIds } from '../store/groups.ts';

/** The engine, or a 503 while the service is starting. */
export function requireEngine(source: EngineSource): Engine {
  const engine = source.current();
  if (engine === null) throw new Problem('not_ready');
  return engine;
}

/** Runs reads of one answer in one snapshot. */
export async function snapshot<Result>(engine: Engine, read: (trx: Trx) => Promise<Result>): Promise<Result> {
  return await inSnapshot(engine.db, engine.statement_timeout_ms, read);
}

/** Index of a model in the plan; a 400 that names the parameter if there is none. */
export function requireModel(engine: Engine, modelId: string, parameter = 'model'): number {
  const index = engine.models.findIndex(({ model }) => model.model_id === modelId);
  if (index !== -1) return index;
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
