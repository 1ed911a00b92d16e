import { sql } from 'kysely';
import { contentName } from '../domain/fold-layout.ts';
import { PROJECTIONS } from '../reports/registry.ts';
import type { Trx } from './connect.ts';
import { readModels, type StoredModel } from './models.ts';

/** What saved folds of one layout contain. */
export interface LayoutContents {
  /** As `contentName` writes them, in the order of their states. */
  readonly projections: readonly string[];
  /** Ascending. */
  readonly model_versions: readonly number[];
}

/** A layout with the small integer by which the saved folds name it. */
export interface StoredLayout extends LayoutContents {
  readonly layout: number;
}

/** Every layout that there ever was. */
export async function readLayouts(trx: Trx): Promise<StoredLayout[]> {
  return await trx.selectFrom('fold_layouts').selectAll().orderBy('layout').execute();
}

async function addLayouts(trx: Trx, contents: readonly LayoutContents[]): Promise<void> {
  for (const { projections, model_versions } of contents) {
    await sql`
      insert into fold_layouts (projections, model_versions) values (${projections}::text[], ${model_versions}::int2[])
      on conflict do nothing`.execute(trx);
  }
}

/** What is folded of all customers in the end: every projection of the code, every model that answers or is being built. */
export function wantedContents(models: readonly StoredModel[]): LayoutContents {
  const model_versions = models.filter(isFolded).map(({ model_version }) => model_version);
  return { projections: PROJECTIONS.map(contentName), model_versions };
}

/** Whether customers are folded into a model. */
export function isFolded({ state }: Pick<StoredModel, 'state'>): boolean {
  return state === 'building' || state === 'active';
}

/** What of a layout is still wanted. */
export function stillWanted(layout: LayoutContents, wanted: LayoutContents): LayoutContents {
  return {
    projections: wanted.projections.filter((one) => layout.projections.includes(one)),
    model_versions: wanted.model_versions.filter((one) => layout.model_versions.includes(one)),
  };
}

/**
 * Registers the layouts that the models of now need: that of all who contain everything, and those in which customers of any other are saved again. Whoever changes
 * the models, or what the code folds, calls it in the same transaction.
 */
export async function completeLayouts(trx: Trx): Promise<void> {
  const wanted = wantedContents(await readModels(trx));
  const known = await readLayouts(trx);
  const keyOf = (contents: LayoutContents): string => JSON.stringify([contents.projections, contents.model_versions]);
  const needed = new Map(
    [wanted, ...known.map((layout) => stillWanted(layout, wanted))].map((one) => [keyOf(one), one]),
  );
  // Each once: what is inserted in vain would use up a small integer all the same.
  for (const layout of known) needed.delete(keyOf(layout));
  await addLayouts(trx, [...needed.values()]);
}
