import { formatDay } from '../domain/calendar.ts';
import type { Classification } from '../domain/classify.ts';
import type { Input, Need } from '../domain/explain.ts';
import type { Feature, Language, Model } from '../domain/model.ts';
import { MONEY_FEATURES } from '../domain/model.ts';
import { formatMoney } from '../domain/money.ts';
import { howMuchMore, wordNeed } from '../domain/wording.ts';

/** What one stage answer is about. */
export interface AnswerContext {
  readonly model: Model;
  readonly model_version: number;
  readonly as_of: number;
  readonly today: number;
  readonly language: Language;
  /** Decimals of the currency. */
  readonly decimals: number;
}

/** The one form in which a customer's stage is ever answered; `found` is null while the customer is not known. */
export function stageAnswer(customerId: string | null, found: Classification | null, context: AnswerContext) {
  const { model, language, as_of } = context;
  const stages = model.stages;
  const title = (index: number): string => stages[index]!.title[language];
  return {
    customer_id: customerId,
    model: model.model_id,
    model_version: context.model_version,
    as_of: formatDay(as_of),
    projected: as_of > context.today,
    stage: found?.stage ?? null,
    title: found === null ? null : title(found.stage_index),
    rung: found === null ? null : found.stage_index + 1,
    rungs: stages.length,
    activity: found?.activity ?? null,
    since: found === null ? null : formatDay(found.since),
    rule: found?.rule ?? null,
    inputs: (found?.inputs ?? []).map((input) => ({
      ...input,
      value: shown(input.feature, input.value, context.decimals),
    })),
    next_stage: nextStage(found, context),
    next_move: found?.next_move ? { ...found.next_move, on: formatDay(found.next_move.on) } : null,
  };
}

function nextStage(found: Classification | null, context: AnswerContext) {
  if (found === null || found.next_stage === null) return null;
  const { stage_index, missing } = found.next_stage;
  const stage = context.model.stages[stage_index]!;
  return {
    stage: stage.stage,
    title: stage.title[context.language],
    rung: stage_index + 1,
    missing: missing.map((need) => missingNeed(need, context)),
  };
}

function missingNeed(need: Need, context: AnswerContext) {
  const text = wordNeed(need, context);
  if (need.type !== 'comparison')
    return { text, feature: null, operator: null, threshold: null, have: null, more: null };
  const { input, operator, threshold } = need;
  const show = (value: number | null) => shown(input.feature, value, context.decimals);
  const more = howMuchMore(input, operator, threshold);
  return {
    text,
    feature: input.feature,
    operator,
    threshold: show(threshold),
    have: show(input.value),
    more: show(more),
  };
}

/** Money as a decimal string, everything else as the number it is. */
function shown(feature: Feature, value: Input['value'], decimals: number): number | string | null {
  return value !== null && MONEY_FEATURES.includes(feature) ? formatMoney(value, decimals) : value;
}
