import { isDeepStrictEqual } from 'node:util';
import { conditionsOf, foldSteps } from '../domain/compile-model.ts';
import type { Model } from '../domain/model.ts';
import { Problem } from '../problems.ts';
import { limitStatements, type Trx } from '../store/connect.ts';
import { completeLayouts, isFolded } from '../store/fold-layouts.ts';
import { insertModel, moveModels, readModels, type StoredModel } from '../store/models.ts';
import { holdVersions, raiseRevision, requireVersions } from '../store/versions.ts';
import type { Engine } from './engine.ts';
import { retrying } from './retrying.ts';

/** Models that customers are folded into at once; each costs every ingest a part of its time. */
export const MOST_MODELS = 16;
/** What folding a customer of so many activity days anew may take (`foldSteps`): some 0.5 s. */
const STEPS_OF = { days: 1_000, most: 50_000_000 } as const;

/** What the caller believes is published under the id; the conditions of `If-Match` and `If-None-Match`. */
export type Expected =
  /** Nothing was said. */
  | { readonly type: 'unsaid' }
  | { readonly type: 'nothing' }
  | { readonly type: 'anything' }
  | { readonly type: 'versions'; readonly versions: readonly number[] };

/** What became of a document that was to be published. */
export interface Published {
  readonly version: number;
  /** False if it was the newest version already. */
  readonly changed: boolean;
}

/**
 * Publishes a document as the next version of its model, which is built from then on; a version of the same model that is still being built is given up. Waits for
 * running ingests, and holds back new ones for as long. Throws a `Problem`, and has changed nothing: `precondition_failed`, `precondition_required`,
 * `too_many_models`, `model_too_costly`.
 */
export async function publishModel(engine: Engine, model: Model, expected: Expected): Promise<Published> {
  if (foldSteps(conditionsOf([model]))(STEPS_OF.days) > STEPS_OF.most) throw new Problem('model_too_costly');
  return await changing(engine, async (trx, models) => {
    const own = models.filter((one) => one.model.model_id === model.model_id);
    const newest = newestOf(own);
    const isSame = newest !== undefined && isDeepStrictEqual(newest.model, model);
    requireExpected(newest, expected, isSame);
    if (isSame) return { version: newest.version, changed: false };
    const others = models.filter((one) => isFolded(one) && one.model.model_id !== model.model_id);
    const ids = new Set(others.map((one) => one.model.model_id));
    if (ids.size >= MOST_MODELS) throw new Problem('too_many_models');
    const building = own.filter(({ state }) => state === 'building');
    await moveModels(
      trx,
      building.map(({ model_version }) => model_version),
      'retiring',
    );
    const version = 1 + Math.max(0, ...own.map((one) => one.version));
    await insertModel(trx, { version, model, state: 'building', published_at: engine.now() });
    return { version, changed: true };
  });
}

/**
 * Retires a model: it answers no more, and what is stored of it is removed in the background. Throws a `Problem`, and has changed nothing: `not_found`,
 * `precondition_failed`, `last_model`.
 */
export async function retireModel(engine: Engine, modelId: string, expected: Expected): Promise<void> {
  await changing(engine, async (trx, models) => {
    const own = models.filter((one) => one.model.model_id === modelId && isFolded(one));
    const newest = newestOf(own);
    if (newest === undefined) throw new Problem('not_found', { detail: 'There is no such model.' });
    if (expected.type !== 'unsaid') requireExpected(newest, expected, false);
    const active = models.filter(({ state }) => state === 'active');
    if (active.every((one) => one.model.model_id === modelId)) throw new Problem('last_model');
    await moveModels(
      trx,
      own.map(({ model_version }) => model_version),
      'retiring',
    );
    return { changed: true };
  });
}

/** The version that a model's tag names: the newest that answers or is being built. */
export function newestOf(versions: readonly StoredModel[]): StoredModel | undefined {
  return versions.filter(isFolded).at(-1);
}

async function changing<Result extends { readonly changed: boolean }>(
  engine: Engine,
  change: (trx: Trx, models: readonly StoredModel[]) => Promise<Result>,
): Promise<Result> {
  return await retrying(() =>
    engine.db.transaction().execute(async (trx) => {
      await limitStatements(trx, engine.statement_timeout_ms);
      const held = await holdVersions(trx);
      // Others may have published since the engine was made: what counts is what is held now.
      requireVersions({ ...held, models_revision: engine.versions.models_revision }, engine.versions);
      const result = await change(trx, await readModels(trx));
      if (result.changed) {
        await completeLayouts(trx);
        await raiseRevision(trx);
      }
      return result;
    }),
  );
}

function requireExpected(newest: StoredModel | undefined, expected: Expected, isSame: boolean): void {
  const failed = (detail: string): Problem => new Problem('precondition_failed', { detail });
  if (newest === undefined) {
    if (expected.type === 'anything' || expected.type === 'versions')
      throw failed('There is no such model. Send If-None-Match: * to create it.');
    return;
  }
  if (expected.type === 'nothing')
    throw failed('There is a model of this id. Send If-Match with its ETag to replace it.');
  if (expected.type === 'versions' && !expected.versions.includes(newest.version))
    throw failed('Another version was published since. GET the model, and send the ETag it has now.');
  if (expected.type === 'unsaid' && !isSame) throw new Problem('precondition_required');
}
