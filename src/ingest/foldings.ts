import { compileModel, memoryOfModels } from '../domain/compile-model.ts';
import { type FoldPlan, type FoldTallies, planFold, type SavedFold } from '../domain/fold.ts';
import { composeFold, contentName, type FoldLayout, layoutOf, stateNames } from '../domain/fold-layout.ts';
import { decodeFold } from '../domain/saved-fold.ts';
import { PROJECTIONS } from '../reports/registry.ts';
import { type LayoutContents, type StoredLayout, stillWanted, wantedContents } from '../store/fold-layouts.ts';
import type { StoredModel } from '../store/models.ts';
import { ModelsChangedError } from '../store/versions.ts';
import { remembering } from './remembering.ts';

/** How a customer is folded on who was saved in some layout: into what the code and the models of today still have of it. */
export interface Folding {
  /** The layout in which the customer is saved then. */
  readonly layout: number;
  readonly plan: FoldPlan;
  /** Those of the plan's models, in order. */
  readonly model_versions: readonly number[];
  /** What the stored fold contains. */
  readonly stored: FoldLayout;
  /** Reads a stored fold as one of the plan: what is folded no longer is left out. */
  read(fold: Uint8Array): SavedFold;
  /** Chooses this plan's tallies from those of the engine's plan. */
  talliesOf(all: FoldTallies): FoldTallies;
}

/** The ways in which saved folds are folded on, by their layout. */
export interface Foldings {
  /** Of new customers, and of all who contain everything. */
  readonly whole: Folding;
  /** Layouts that lack nothing. */
  readonly complete: readonly number[];
  of(layout: number): Folding;
}

/** The plan that folds these models into these projections, in a currency of so many decimals. */
export function planModels(
  models: readonly StoredModel[],
  decimals: number,
  projections: typeof PROJECTIONS = PROJECTIONS,
): FoldPlan {
  const memory = memoryOfModels(models.map(({ model }) => model));
  const compiled = models.map(({ model, model_version }) => compileModel(model, model_version, memory, decimals));
  return planFold(compiled, memory, projections);
}

/**
 * Makes the foldings of these models, every version ever published. What is still wanted of every layout must be among `layouts`; one that is asked for and is not was
 * registered later: `ModelsChangedError`.
 */
export function createFoldings(
  models: readonly StoredModel[],
  layouts: readonly StoredLayout[],
  decimals: number,
): Foldings {
  const wanted = wantedContents(models);
  const planOf = remembering((layout: StoredLayout) => planLayout(layout, models, decimals));
  const registered = (contents: LayoutContents): StoredLayout => {
    const found = layouts.find((layout) => isSame(layout, contents));
    if (found === undefined) throw new Error('a layout of saved folds is not registered');
    return found;
  };
  const whole = registered(wanted);
  const wholeStates = layoutOf(planOf(whole)).states;
  const of = remembering((id: number): Folding => {
    const stored = layouts.find(({ layout }) => layout === id);
    if (stored === undefined) throw new ModelsChangedError('a layout of saved folds was registered since');
    const kept = registered(stillWanted(stored, wanted));
    const plan = planOf(kept);
    const target = layoutOf(plan);
    const source = kept === stored ? target : storedLayout(stored, models);
    const places = target.states.map((name) => wholeStates.indexOf(name));
    return {
      layout: kept.layout,
      plan,
      model_versions: target.model_versions,
      stored: source,
      read(bytes) {
        const saved = decodeFold(bytes);
        return source === target ? saved : composeFold(target, [{ layout: source, saved }]);
      },
      talliesOf: (all) => (kept === whole ? all : places.map((place) => all[place]!)),
    };
  });
  const complete = layouts.filter((layout) => isSame(stillWanted(layout, wanted), wanted)).map(({ layout }) => layout);
  return { whole: of(whole.layout), complete, of };
}

function planLayout(
  { projections, model_versions }: StoredLayout,
  models: readonly StoredModel[],
  decimals: number,
): FoldPlan {
  const folded = models.filter(({ model_version }) => model_versions.includes(model_version));
  const own = PROJECTIONS.filter((projection) => projections.includes(contentName(projection)));
  return planModels(folded, decimals, own);
}

function storedLayout({ projections, model_versions }: StoredLayout, models: readonly StoredModel[]): FoldLayout {
  const folded = models.filter(({ model_version }) => model_versions.includes(model_version));
  const memory = memoryOfModels(folded.map(({ model }) => model));
  return { memory, model_versions, states: stateNames(projections, model_versions) };
}

function isSame(a: LayoutContents, b: LayoutContents): boolean {
  return a.projections.join() === b.projections.join() && a.model_versions.join() === b.model_versions.join();
}
