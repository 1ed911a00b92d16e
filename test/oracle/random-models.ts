import {
  ACTIVITIES,
  type Comparison,
  type Condition,
  type Feature,
  type LapsePolicy,
  type ModelDocument,
  type StageDocument,
  type Threshold,
  type Words,
} from './model-document.ts';
import { formatMoney } from './money.ts';
import type { Rng } from './rng.ts';

/** The kinds random histories use and random rules name; the last three are custom ones. */
export const KINDS: readonly string[] = [
  'contact',
  'resolution',
  'inquiry',
  'visit',
  'signup',
  'response',
  'survey',
  'complaint',
  'testimonial',
  'referral',
  'departure',
  'webinar',
  'call_back',
  'x9',
];

const COUNTS: readonly Feature[] = ['purchase_days', 'distinct_products', 'interactions'];
const MONEY: readonly Feature[] = ['revenue', 'profit'];
const SPANS: readonly Feature[] = [
  'tenure_days',
  'days_since_last_purchase',
  'days_since_last_interaction',
  'days_since_open_complaint',
];
const SPAN_DAYS = [1, 2, 3, 5, 7, 10, 14, 30, 31, 60, 90, 91, 180, 365];
const WINDOWS = [1, 2, 3, 7, 10, 30, 60, 90, 180, 365];
const MINOR_UNITS = [1, 1000, 2500, 5000, 9999, 10000, 15000, 25000];
const LAPSES: readonly (readonly [number, number])[] = [
  [90, 180],
  [30, 60],
  [1, 2],
  [2, 5],
  [5, 10],
  [7, 30],
  [10, 11],
];

export interface RandomModelsOptions {
  /** Decimals of the currency; 2 unless told. */
  readonly decimals?: number;
}

/** `count` valid models named `random_1` … that between them use the whole language of conditions. */
export function randomModels(rng: Rng, count: number, { decimals = 2 }: RandomModelsOptions = {}): ModelDocument[] {
  return Array.from({ length: count }, (_, place) => ({
    model_id: `random_${place + 1}`,
    title: words(`Random ${place + 1}`),
    description: words('Drawn for a test'),
    lapse: randomLapse(rng),
    stages: randomStages(rng, decimals),
  }));
}

function words(text: string): Words {
  return { en: text, es: `${text} (es)`, de: `${text} (de)` };
}

function randomLapse(rng: Rng): LapsePolicy {
  if (rng.chance(0.4)) return randomCadence(rng);
  const [at_risk_after_days, lapsed_after_days] = rng.pick(LAPSES);
  return { policy: 'fixed', at_risk_after_days, lapsed_after_days };
}

/** By each buyer's rhythm, with ranges that the rhythms of random histories fall into, below and above. */
function randomCadence(rng: Rng): LapsePolicy {
  const low = rng.pick([0, 1, 3, 7, 14, 30]);
  const high = low + rng.pick([0, 1, 5, 30, 90, 180]);
  const [later, latest] = [low + rng.pick([1, 2, 7, 30]), high + rng.pick([1, 10, 90, 180])];
  return {
    policy: 'cadence',
    prior_days: rng.pick([1, 2, 5, 7, 10, 30, 60]),
    weight: rng.pick([1, 1, 2, 3, 10]),
    at_risk_after_days: { at_least: low, at_most: high },
    lapsed_after_days: { at_least: later, at_most: Math.max(later, latest) },
  };
}

function randomStages(rng: Rng, decimals: number): StageDocument[] {
  const stages: StageDocument[] = [{ stage: 'known', title: words('Known'), description: words('Known') }];
  const last = rng.between(1, 6);
  for (let rung = 1; rung <= last; rung += 1) {
    const earlier = stages.map((stage) => stage.stage);
    const own = randomCondition(rng, earlier, decimals, 2);
    // Half of them climb with the purchase days, so that histories do move through most stages.
    const ladder: Condition = { feature: 'purchase_days', at_least: rng.between(1, rung) };
    const when = rng.weighted<Condition>([
      [2, { all: [ladder, own] }],
      [1, ladder],
      [3, own],
    ]);
    const stage = rng.chance(0.2) ? `rung_${rung}_${'x'.repeat(56)}` : `rung_${rung}`;
    const document = { stage, title: words(`Rung ${rung}`), description: words('Drawn'), when };
    stages.push(rng.chance(0.2) ? { ...document, off_ladder: true } : document);
  }
  return stages;
}

function randomCondition(rng: Rng, earlier: readonly string[], decimals: number, depth: number): Condition {
  const part = (): Condition => randomCondition(rng, earlier, decimals, depth - 1);
  const parts = (): Condition[] => Array.from({ length: rng.between(1, 3) }, part);
  const shape = rng.weighted([
    [depth > 0 ? 2 : 0, 'all'],
    [depth > 0 ? 2 : 0, 'any'],
    [depth > 0 ? 2 : 0, 'not'],
    [1, 'stage_reached'],
    [1, 'activity'],
    [5, 'comparison'],
  ]);
  if (shape === 'all') return { all: parts() };
  if (shape === 'any') return { any: parts() };
  if (shape === 'not') return { not: part() };
  if (shape === 'stage_reached') return { stage_reached: rng.pick(earlier) };
  if (shape === 'activity') return { activity: rng.some(ACTIVITIES, 1, 3) };
  return randomComparison(rng, decimals);
}

function randomComparison(rng: Rng, decimals: number): Comparison {
  const feature = rng.pick<Feature>([...COUNTS, ...COUNTS, ...MONEY, ...MONEY, ...SPANS, 'latest_score']);
  const windowed = (COUNTS.includes(feature) || MONEY.includes(feature)) && rng.chance(0.6);
  const within = rng.chance(0.04) ? 1096 : rng.pick(WINDOWS);
  return {
    feature,
    ...randomOperators(rng, feature, decimals),
    ...(windowed ? { within_days: within } : {}),
    ...(feature === 'interactions' ? { kinds: rng.some(KINDS, 1, 5) } : {}),
  };
}

type Operators = Pick<Comparison, 'at_least' | 'at_most' | 'more_than' | 'less_than'>;

/** One operator, or a range that something can fall into. */
function randomOperators(rng: Rng, feature: Feature, decimals: number): Operators {
  const { low, high } = randomRange(rng, feature);
  const write = (value: number): Threshold => (MONEY.includes(feature) ? formatMoney(value, decimals) : value);
  return rng.weighted<Operators>([
    [5, { at_least: write(low) }],
    [3, { more_than: write(low) }],
    [3, { at_most: write(low) }],
    [2, { less_than: write(low) }],
    [2, { at_least: write(low), at_most: write(high) }],
    [1, { at_least: write(low), less_than: write(high) }],
    [1, { more_than: write(low), at_most: write(high) }],
  ]);
}

/** Two different thresholds in order. Money is in minor units, and for profit it can be negative. */
function randomRange(rng: Rng, feature: Feature): { low: number; high: number } {
  if (MONEY.includes(feature)) {
    const low = rng.pick(MINOR_UNITS) * (feature === 'profit' && rng.chance(0.3) ? -1 : 1);
    return { low, high: low + rng.pick(MINOR_UNITS) };
  }
  if (SPANS.includes(feature)) {
    const low = rng.pick(SPAN_DAYS);
    return { low, high: low + rng.pick(SPAN_DAYS) };
  }
  const low = feature === 'latest_score' ? rng.between(1, 9) : rng.between(1, 4);
  return { low, high: low + (feature === 'latest_score' ? 1 : rng.between(1, 2)) };
}
