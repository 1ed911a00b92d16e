import { PROJECTIONS } from '../reports/registry.ts';
import { dropBuild, dropStages, isAnybodyLacking, restartBuild } from '../store/builds.ts';
import type { Trx } from '../store/connect.ts';
import { completeLayouts } from '../store/fold-layouts.ts';
import { moveModels, type StoredModel } from '../store/models.ts';
import { readProjections, saveProjections } from '../store/projections.ts';
import { dropModelRows } from '../store/rollups.ts';
import { holdVersions, raiseRevision, requireVersions } from '../store/versions.ts';
import type { Engine } from './engine.ts';
import { retrying } from './retrying.ts';

/** Rows of `customer_stages` that are removed in one transaction. */
const REMOVED_ROWS = 5_000;

/**
 * Switches to what has been built, in one transaction that no ingest overlaps: it first proves that nobody lacks it. Whoever reads sees all of the old, or all of
 * the new. Returns false if somebody does lack it; the build then looks through everybody again.
 */
export async function finishBuild(engine: Engine): Promise<boolean> {
  const { complete } = engine.foldings;
  return await retrying(() =>
    engine.db.transaction().execute(async (trx) => {
      requireVersions(await holdVersions(trx), engine.versions);
      if (await isAnybodyLacking(trx, complete)) {
        await restartBuild(trx);
        return false;
      }
      await switchIn(trx, engine.published);
      return true;
    }),
  );
}

async function switchIn(trx: Trx, published: readonly StoredModel[]): Promise<void> {
  const built = published.filter(({ state }) => state === 'building');
  const names = new Set(built.map(({ model }) => model.model_id));
  const replaced = published.filter(({ state, model }) => state === 'active' && names.has(model.model_id));
  await moveModels(trx, versionsOf(replaced), 'retiring');
  await moveModels(trx, versionsOf(built), 'active');
  await saveProjections(
    trx,
    (await readProjections(trx)).map((one) => ({ ...one, ready: true })),
  );
  await dropBuild(trx);
  await completeLayouts(trx);
  await raiseRevision(trx);
}

function versionsOf(models: readonly StoredModel[]): number[] {
  return models.map(({ model_version }) => model_version);
}

/**
 * Removes what is stored of model versions that answer no more: their roll-up rows, and where customers stand in them. Saved folds keep their part until the customer
 * is next folded, which then leaves it out. Safe in any number of processes at once, and may be stopped anywhere.
 */
export async function removeRetired(
  { db, published, log }: Engine,
  signal?: { readonly aborted: boolean },
): Promise<void> {
  for (const { model_version, version, model, state } of published) {
    if (state !== 'retiring') continue;
    for (const projection of PROJECTIONS) {
      if (projection.per_model) await dropModelRows(db, projection, model_version);
    }
    for (let after: string | null = ''; after !== null; ) {
      if (signal?.aborted) return;
      const from: string = after;
      after = await retrying(() => dropStages(db, model_version, from, REMOVED_ROWS));
    }
    await db.transaction().execute(async (trx) => await moveModels(trx, [model_version], 'retired'));
    log.info({ model: model.model_id, version }, 'what was stored of a model version is removed');
  }
}
