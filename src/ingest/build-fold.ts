import type { ActivityDay } from '../domain/activity-day.ts';
import type { Differences } from '../domain/differences.ts';
import type { SavedFold } from '../domain/fold.ts';
import { composeFold, layoutOf, missingIn } from '../domain/fold-layout.ts';
import { decodeFold } from '../domain/saved-fold.ts';
import type { StageSave } from '../store/customer-copy.ts';
import { figuresOf } from '../store/customer-figures.ts';
import type { CustomerRow } from '../store/customers.ts';
import type { Foldings } from './foldings.ts';
import { emitInto, foldWhole } from './refold.ts';

/** A customer folded into what was missing: the whole saved fold, and the spells in the models that it lacked. */
export interface Built extends StageSave {
  readonly saved: SavedFold;
  /** The models it had already, and still has. */
  readonly kept: readonly number[];
}

/** Folds customers of one layout into what it lacks: adds only that up, and takes the rest of the saved fold as it is. */
export interface BuildFold {
  fold(customer: CustomerRow, days: readonly ActivityDay[], differences: Differences): Built;
}

/** Makes one for the customers of a layout. */
export function buildFold({ whole, of }: Foldings, layout: number): BuildFold {
  const { stored, model_versions: kept } = of(layout);
  const target = layoutOf(whole.plan);
  const plan = missingIn(whole.plan, stored);
  const source = layoutOf(plan);
  const places = source.states.map((name) => target.states.indexOf(name));
  const added = source.model_versions
    .map((version, index) => ({ version, index }))
    .filter(({ version }) => !stored.model_versions.includes(version));
  const model_versions = added.map(({ version }) => version);
  return {
    fold({ customer_id, fold, group_ids }, days, differences) {
      const all = emitInto(differences, 1, group_ids);
      const folded = foldWhole(
        plan,
        days,
        places.map((place) => all[place]!),
      );
      const parts = [
        { layout: source, saved: folded.saved },
        { layout: stored, saved: decodeFold(fold) },
      ];
      return {
        customer_id,
        saved: composeFold(target, parts),
        kept,
        model_versions,
        spells: added.map(({ index }) => folded.spells[index]!),
        figures: figuresOf(folded.facts),
      };
    },
  };
}
