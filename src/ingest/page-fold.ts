import { type DifferencePart, Differences } from '../domain/differences.ts';
import { type EncodedSaves, encodeSaves } from '../store/customer-copy.ts';
import type { Saving } from '../store/customer-saves.ts';
import { isFolded } from '../store/fold-layouts.ts';
import { decodeHistories, type HistoryPage } from '../store/history-pages.ts';
import type { StoredModel } from '../store/models.ts';
import { type FoldingPlan, foldStored } from './fold-all.ts';
import { planModels } from './foldings.ts';

/** What folds whole histories need to know; as it goes to a thread. */
export interface PageFoldOptions {
  readonly models: readonly StoredModel[];
  /** That of customers who contain everything. */
  readonly layout: number;
  /** Decimals of the currency. */
  readonly decimals: number;
  readonly saving: Saving;
}

/** Folds page after page, and keeps what all of them add to the roll-ups. */
export interface PageFold {
  /** Folds every history of a page, and returns what should be saved. */
  fold(page: HistoryPage): EncodedSaves;
  /** What all pages since the last call add to the roll-ups. */
  takeDifferences(): DifferencePart[];
}

/** Makes one. It has no connection and no clock: bytes go in, bytes come out. */
export function pageFold({ models, layout, decimals, saving }: PageFoldOptions): PageFold {
  const plan = planModels(models.filter(isFolded), decimals);
  const model_versions = plan.models.map(({ version }) => version);
  const folding: FoldingPlan = { plan, layout, model_versions, talliesOf: (all) => all };
  let differences = new Differences(plan);
  return {
    fold(page) {
      const saves = decodeHistories(page).map((history, index) =>
        foldStored(folding, page.customers[index]!, history, differences),
      );
      return encodeSaves(saves, saving);
    },
    takeDifferences() {
      const taken = differences.parts();
      differences = new Differences(plan);
      return taken;
    },
  };
}
