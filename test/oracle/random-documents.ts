import { readFileSync } from 'node:fs';
import type { Comparison, Condition, LapsePolicy, ModelDocument, StageDocument, Threshold } from './model-document.ts';
import { formatMoney } from './money.ts';
import { KINDS, type RandomModelsOptions } from './random-models.ts';
import { type Schema, SchemaDrawer } from './random-schema.ts';
import type { Rng } from './rng.ts';

const DOCUMENT = new URL('../../openapi/openapi.json', import.meta.url);
const { schemas } = (
  JSON.parse(readFileSync(DOCUMENT, 'utf8')) as { components: { schemas: Readonly<Record<string, Schema>> } }
).components;

/** Conditions within conditions. */
const DEPTH = 3;
const MOST_STAGES = 6;
const OPERATORS = ['at_least', 'more_than', 'at_most', 'less_than'] as const;
const MONEY = ['revenue', 'profit'];
const WINDOWED = [...MONEY, 'purchase_days', 'distinct_products', 'interactions'];

/**
 * `count` models drawn from the schema of the API's own document, named `drawn_1` …: whatever the schema allows, so that what is added to the
 * language is drawn by itself. Repaired where the language demands more than the schema says; a stage that nobody can reach is left in.
 */
export function randomDocuments(rng: Rng, count: number, { decimals = 2 }: RandomModelsOptions = {}): ModelDocument[] {
  const text = () => `Text ${rng.between(1, 99)}`;
  const name = () => 'name';
  const texts = {
    ...{ en: text, es: text, de: text },
    ...{ model_id: name, stage: name, stage_reached: name, kinds: () => rng.pick(KINDS) },
    ...Object.fromEntries(
      OPERATORS.map((operator) => [operator, () => formatMoney(rng.between(-5, 20) * 1_000, decimals)]),
    ),
  };
  const drawer = new SchemaDrawer(rng, { schemas, texts, depth: DEPTH });
  return Array.from({ length: count }, (_, place) => {
    const drawn = drawer.draw(schemas.ModelDocument ?? {}) as ModelDocument;
    const condition = () => drawer.draw({ $ref: '#/components/schemas/Condition' }) as Condition;
    return {
      ...drawn,
      model_id: `drawn_${place + 1}`,
      lapse: repairedLapse(drawn.lapse),
      stages: repairedStages(drawn.stages, condition, rng, decimals),
    };
  });
}

/** Thresholds in order. */
function repairedLapse(lapse: LapsePolicy): LapsePolicy {
  const { at_risk_after_days: risk, lapsed_after_days: lapsed } = lapse;
  if (typeof risk === 'number') return { ...lapse, lapsed_after_days: risk + Number(lapsed) } as LapsePolicy;
  if (lapse.policy !== 'cadence') return lapse;
  const high = risk.at_least + risk.at_most;
  const later = risk.at_least + lapse.lapsed_after_days.at_least;
  return {
    ...lapse,
    at_risk_after_days: { at_least: risk.at_least, at_most: high },
    lapsed_after_days: { at_least: later, at_most: Math.max(later, high + lapse.lapsed_after_days.at_most) },
  };
}

/** A few stages, each with a name of its own; the first without a rule, all others with one. */
function repairedStages(
  drawn: readonly StageDocument[],
  condition: () => Condition,
  rng: Rng,
  decimals: number,
): StageDocument[] {
  const wanted = rng.between(2, MOST_STAGES);
  const stages = Array.from({ length: wanted }, (_, place) => drawn[place % drawn.length] ?? ({} as StageDocument));
  const names = stages.map((_, place) => `stage_${place}`);
  return stages.map(({ when: _, ...stage }, place) => {
    const named = { ...stage, stage: names[place] ?? '' };
    return place === 0 ? named : { ...named, when: repaired(condition(), names.slice(0, place), rng, decimals) };
  });
}

/** Stages reached are earlier ones, and comparisons are what their feature allows. */
function repaired(condition: Condition, earlier: readonly string[], rng: Rng, decimals: number): Condition {
  const again = (part: Condition): Condition => repaired(part, earlier, rng, decimals);
  if ('all' in condition) return { all: condition.all.map(again) };
  if ('any' in condition) return { any: condition.any.map(again) };
  if ('not' in condition) return { not: again(condition.not) };
  if ('stage_reached' in condition) return { stage_reached: rng.pick(earlier) };
  return 'feature' in condition ? repairedComparison(condition, rng, decimals) : condition;
}

function repairedComparison(comparison: Comparison, rng: Rng, decimals: number): Comparison {
  const { at_least: _1, at_most: _2, more_than: _3, less_than: _4, within_days, kinds, ...others } = comparison;
  const windowed = WINDOWED.includes(comparison.feature) && within_days !== undefined;
  return {
    ...others,
    ...thresholds(comparison, rng, decimals),
    ...(windowed ? { within_days } : {}),
    ...(comparison.feature === 'interactions' ? { kinds: kinds ?? [rng.pick(KINDS)] } : {}),
  };
}

/** At least one threshold, of the feature's own form, and mostly in an order that something can fall between. */
function thresholds(comparison: Comparison, rng: Rng, decimals: number): Partial<Record<string, Threshold>> {
  const named = OPERATORS.filter((operator) => comparison[operator] !== undefined);
  const operators = named.length === 0 ? [rng.pick(OPERATORS)] : rng.chance(0.5) ? named : named.slice(0, 1);
  const money = MONEY.includes(comparison.feature);
  const numbers = operators.map((operator) => numberOf(comparison[operator] ?? 1, decimals));
  const inOrder = rng.chance(0.9) ? numbers.sort((one, other) => one - other) : numbers;
  const most = comparison.feature === 'latest_score' ? 10 : 1_000;
  return Object.fromEntries(
    operators.map((operator, place) => {
      const number = (inOrder[place] ?? 0) + (place > 0 && operator.endsWith('n') ? 1 : 0);
      const minor = number * 1_000 - (comparison.feature === 'profit' ? 3_000 : 0);
      return [operator, money ? formatMoney(minor, decimals) : Math.min(number, most)];
    }),
  );
}

/** A small number of zero or more from a threshold of either form. */
function numberOf(threshold: Threshold, decimals: number): number {
  if (typeof threshold === 'number') return threshold;
  return Math.abs(Math.round((Number(threshold) * 10 ** decimals) / 1_000));
}
