import { PROJECTIONS } from '../reports/registry.ts';
import { dropBuild, dropStages, isAnybodyLacking, pageStanding, restartBuild } from '../store/builds.ts';
import { limitStatements, type Trx } from '../store/connect.ts';
import { deleteCustomers, lockCustomers } from '../store/customers.ts';
import { completeLayouts } from '../store/fold-layouts.ts';
import { moveModels, type StoredModel } from '../store/models.ts';
import { readProjections, saveProjections } from '../store/projections.ts';
import { dropModelRows } from '../store/rollups.ts';
import { holdVersions, raiseRevision, requireVersions } from '../store/versions.ts';
import { type Engine, todayOf } from './engine.ts';
import { retrying } from './retrying.ts';

/** Customers whose rows are removed in one transaction: small writes of the same customers wait for it. */
const REMOVED_CUSTOMERS = 2_000;

/**
 * Switches to what has been built, in one transaction that no ingest overlaps: it first proves that nobody lacks it. Whoever reads sees all of the old, or all of
 * the new. Returns false if somebody does lack it; the build then looks through everybody again.
 */
export async function finishBuild(engine: Engine): Promise<boolean> {
  const { complete } = engine.foldings;
  return await retrying(() =>
    engine.db.transaction().execute(async (trx) => {
      await limitStatements(trx, engine.statement_timeout_ms);
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
export async function removeRetired(engine: Engine, signal?: { readonly aborted: boolean }): Promise<void> {
  const { db, published, log } = engine;
  for (const { model_version, version, model, state } of published) {
    if (state !== 'retiring') continue;
    for (const projection of PROJECTIONS) {
      if (projection.per_model) await retrying(() => dropModelRows(db, projection, model_version));
    }
    for (let after = ''; ; ) {
      if (signal?.aborted) return;
      const last = await removeStanding(engine, model_version, after);
      // Another process may still hold some of them: done is who finds nobody, from the first on.
      if (last === null && after === '') break;
      after = last ?? '';
    }
    await db.transaction().execute(async (trx) => await moveModels(trx, [model_version], 'retired'));
    log.info({ model: model.model_id, version }, 'what was stored of a model version is removed');
  }
}

/** Removes where some customers stand in a model version, under the locks of ingest, in order of their ids after one; the last of them, null if there was nobody left. */
async function removeStanding(engine: Engine, modelVersion: number, after: string): Promise<string | null> {
  return await retrying(() =>
    engine.db.transaction().execute(async (trx) => {
      await limitStatements(trx, engine.statement_timeout_ms);
      const ids = await pageStanding(trx, modelVersion, after, REMOVED_CUSTOMERS);
      if (ids.length === 0) return null;
      const created = await lockCustomers(trx, ids, todayOf(engine));
      // Erased since they were found: the lock must not bring them back.
      await deleteCustomers(trx, [...created]);
      await dropStages(trx, modelVersion, ids);
      return ids.at(-1)!;
    }),
  );
}
