import { PROJECTIONS } from '../reports/registry.ts';
import { dropBuild } from '../store/builds.ts';
import type { Trx } from '../store/connect.ts';
import { completeLayouts } from '../store/fold-layouts.ts';
import { readProjections, saveProjections } from '../store/projections.ts';
import { clearRollup } from '../store/rollups.ts';
import { CODE_VERSIONS, holdVersions, takeoverOf, writeCodeVersions } from '../store/versions.ts';
import type { EngineParts } from './engine.ts';

/**
 * Takes the database over from older code whose projections have changed since: empties their roll-ups, and from then on the older code is refused. Customers are
 * folded into them in the background, and until that is done the reports that read them are refused. Safe in any number of processes at once.
 */
export async function takeOver({ db, log }: EngineParts): Promise<void> {
  const changed = await db.transaction().execute(async (trx) => {
    const { code_versions } = await holdVersions(trx);
    if (takeoverOf(code_versions) !== 'build') return [];
    return await replaceProjections(trx);
  });
  if (changed.length > 0) log.info({ projections: changed }, 'projections have changed: they are being built');
}

async function replaceProjections(trx: Trx): Promise<string[]> {
  const stored = new Map((await readProjections(trx)).map(({ name, version }) => [name, version]));
  const changed = PROJECTIONS.filter(({ name, version }) => stored.get(name) !== version);
  for (const projection of changed) await clearRollup(trx, projection);
  await saveProjections(
    trx,
    changed.map(({ name, version }) => ({ name, version, ready: false })),
  );
  await writeCodeVersions(trx, CODE_VERSIONS);
  await completeLayouts(trx);
  // What the older code was building is built together with the projections, from the first customer on.
  await dropBuild(trx);
  return changed.map(({ name }) => name);
}
