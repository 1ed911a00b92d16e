import { checkModel, isModel } from '../../src/domain/check-model.ts';
import type { ModelFault } from '../../src/domain/fault-list.ts';
import type { Model } from '../../src/domain/model.ts';
import type { Condition, ModelDocument, StageDocument } from '../oracle/model-document.ts';

/**
 * A random model without the stages that the check calls unreachable, so that it can be published. What spoke of one that is gone speaks of the first
 * stage. Throws if anything else is wrong with it.
 */
export function reachableModel(document: ModelDocument, decimals: number): Model {
  const checked = checkModel(document, decimals);
  if (isModel(checked)) return checked;
  const others = checked.filter(({ code }) => code !== 'unreachable_stage');
  if (others.length > 0) throw new Error(JSON.stringify(others));
  return reachableModel(without(document, goneOf(checked, document.stages.length)), decimals);
}

/** One stage at a time: each that goes may show another. The first has to stay, so it is the last that hides it. */
function goneOf([fault]: readonly ModelFault[], stages: number): number {
  return Number(fault?.pointer.split('/')[2]) || stages - 1;
}

function without(document: ModelDocument, gone: number): ModelDocument {
  const first = document.stages[0]?.stage ?? '';
  const name = document.stages[gone]?.stage ?? '';
  const stages = document.stages.flatMap((stage, index): StageDocument[] => {
    if (index === gone) return [];
    return stage.when === undefined ? [stage] : [{ ...stage, when: renamed(stage.when, name, first) }];
  });
  return { ...document, stages };
}

function renamed(condition: Condition, from: string, to: string): Condition {
  const again = (part: Condition): Condition => renamed(part, from, to);
  if ('all' in condition) return { all: condition.all.map(again) };
  if ('any' in condition) return { any: condition.any.map(again) };
  if ('not' in condition) return { not: again(condition.not) };
  return 'stage_reached' in condition && condition.stage_reached === from ? { stage_reached: to } : condition;
}

/** The same for random models that are told to the service and to the oracle alike. */
export function reachableModels(documents: readonly ModelDocument[], decimals: number): ModelDocument[] {
  return documents.map((document) => reachableModel(document, decimals) as unknown as ModelDocument);
}
