import { boundDay, type Memory, narrowFacts } from './facts.ts';
import type { FoldPlan, FoldState, PlannedFold, SavedFold } from './fold.ts';
import type { Projection } from './projection.ts';

/**
 * What a saved fold contains, in the order of its places and states. Models and projections come and go, customers are folded into them one after the other: so
 * not all saved folds contain the same.
 */
export interface FoldLayout {
  readonly memory: Memory;
  /** Version of the model of each place, ascending. */
  readonly model_versions: readonly number[];
  /** One for each state (`stateNames`). */
  readonly states: readonly string[];
}

/** A projection in one version, as layouts name it: `cohorts:2`, and `stage-moves:1@` if there is a state of it for each model. */
export function contentName({ name, version, per_model }: Pick<Projection, 'name' | 'version' | 'per_model'>): string {
  return `${name}:${version}${per_model ? '@' : ''}`;
}

/** Names of the states that a fold of these contents and models has, in order: those of a model end with its version, as in `stage-moves:1@3`. */
export function stateNames(contents: readonly string[], modelVersions: readonly number[]): string[] {
  return contents.flatMap((content) =>
    content.endsWith('@') ? modelVersions.map((version) => `${content}${version}`) : [content],
  );
}

/** The layout of what a plan folds. */
export function layoutOf(plan: FoldPlan): FoldLayout {
  return {
    memory: plan.memory,
    model_versions: plan.models.map(({ version }) => version),
    states: plan.folds.map((fold) => stateName(plan, fold)),
  };
}

function stateName({ models }: FoldPlan, { projection, model }: PlannedFold): string {
  return contentName(projection) + (model === null ? '' : String(models[model]!.version));
}

/** The folds of a plan whose states a layout lacks, and the models they or missing places need; the memory stays that of the plan. */
export function missingIn(plan: FoldPlan, layout: Pick<FoldLayout, 'states' | 'model_versions'>): FoldPlan {
  const there = new Set(layout.states);
  const folds = plan.folds.filter((fold) => !there.has(stateName(plan, fold)));
  const needed = plan.models
    .map((_, model) => model)
    .filter(
      (model) =>
        !layout.model_versions.includes(plan.models[model]!.version) || folds.some((fold) => fold.model === model),
    );
  return {
    memory: plan.memory,
    models: needed.map((model) => plan.models[model]!),
    folds: folds.map((fold) => ({ ...fold, model: fold.model === null ? null : needed.indexOf(fold.model) })),
  };
}

/** A saved fold, and what it contains. */
export interface FoldPart {
  readonly layout: FoldLayout;
  readonly saved: SavedFold;
}

/**
 * The fold of the target's layout, out of folds of one and the same history: each place and state from the first part that has it. The first part must remember
 * all that the target does; whatever is in no part is a broken invariant. The result is what folding the history into the target alone would save.
 */
export function composeFold(target: FoldLayout, parts: readonly FoldPart[]): SavedFold {
  const { layout, saved } = parts[0]!;
  const open = boundDay(target.memory, saved.open);
  if (saved.closed === null) return { closed: null, open };
  const places = target.model_versions.map((version) =>
    pick(parts, ({ layout: { model_versions } }) => model_versions.indexOf(version), 'places'),
  );
  const states = target.states.map((name) =>
    pick(parts, ({ layout: { states: names } }) => names.indexOf(name), 'states'),
  );
  return { closed: { facts: narrowFacts(layout.memory, target.memory, saved.closed.facts), places, states }, open };
}

function pick<Kind extends 'places' | 'states'>(
  parts: readonly FoldPart[],
  find: (part: FoldPart) => number,
  kind: Kind,
): FoldState[Kind][number] {
  for (const part of parts) {
    const index = find(part);
    if (index !== -1) return part.saved.closed![kind][index]!;
  }
  throw new Error(`a saved fold lacks some of the ${kind} of its layout`);
}
