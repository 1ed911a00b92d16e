/** Whether a customer is still there, beside the stage, in every model. The order is that of the codes in roll-up keys. */
export const ACTIVITIES = ['none', 'active', 'at_risk', 'lapsed'] as const;
/** `none`: never bought; the others by the model's lapse policy. */
export type Activity = (typeof ACTIVITIES)[number];

/** Languages of titles and descriptions. */
export const LANGUAGES = ['en', 'es', 'de'] as const;
/** One of `LANGUAGES`. */
export type Language = (typeof LANGUAGES)[number];
/** One text in every language. */
export type Localized = Readonly<Record<Language, string>>;

/** What a comparison can ask about. */
export const FEATURES = [
  'purchase_days',
  'revenue',
  'profit',
  'distinct_products',
  'tenure_days',
  'days_since_last_purchase',
  'days_since_last_interaction',
  'days_since_open_complaint',
  'latest_score',
  'interactions',
] as const;
/** One of `FEATURES`. */
export type Feature = (typeof FEATURES)[number];
/** Features that can be limited to the last `within_days`. */
export const WINDOWED_FEATURES: readonly Feature[] = [
  'purchase_days',
  'revenue',
  'profit',
  'distinct_products',
  'interactions',
];
/** Features whose thresholds are decimal strings of money. */
export const MONEY_FEATURES: readonly Feature[] = ['revenue', 'profit'];

/** The four ways to compare a feature with a threshold. */
export const OPERATORS = ['at_least', 'at_most', 'more_than', 'less_than'] as const;
/** One of `OPERATORS`. */
export type Operator = (typeof OPERATORS)[number];

/** A comparison of one feature with one threshold or several, all of which must hold. */
export interface Comparison extends Readonly<Partial<Record<Operator, number | string>>> {
  readonly feature: Feature;
  readonly within_days?: number;
  /** The kinds an `interactions` comparison counts. */
  readonly kinds?: readonly string[];
}

/** A rule about one customer at the end of one day. A comparison with something that does not exist yet is false. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly stage_reached: string }
  | { readonly activity: readonly Activity[] }
  | Comparison;

/** True for a comparison, the one condition that has a feature. */
export function isComparison(condition: Condition): condition is Comparison {
  return 'feature' in condition;
}

/** A lapse policy with one pair of thresholds for everybody. Day `at_risk_after_days` of silence is still active. */
export interface FixedLapse {
  readonly policy: 'fixed';
  readonly at_risk_after_days: number;
  readonly lapsed_after_days: number;
}

/** A range of days, both ends included. */
export interface DayRange {
  readonly at_least: number;
  readonly at_most: number;
}

/**
 * A lapse policy by each buyer's own rhythm. The mean gap between purchase days, shrunk towards the prior: g = (weight·prior_days + sum of gaps) / (weight +
 * number of gaps). At risk after ⌊1.5·g⌋ days of silence, lapsed after ⌊3·g⌋, each clamped to its range; both ends of lapsed are greater than those of at risk.
 */
export interface CadenceLapse {
  readonly policy: 'cadence';
  readonly prior_days: number;
  readonly weight: number;
  readonly at_risk_after_days: DayRange;
  readonly lapsed_after_days: DayRange;
}

/** When silence puts a buyer at risk, and when they count as lapsed. */
export type LapsePolicy = FixedLapse | CadenceLapse;

/** One rung of a model. */
export interface Stage {
  readonly stage: string;
  readonly title: Localized;
  readonly description: Localized;
  /** Absent only in the first stage, which everybody known has reached. */
  readonly when?: Condition;
  /** True for a loss, such as `core_defector`: never offered as the next stage up. */
  readonly off_ladder?: boolean;
}

/** A lifecycle model: an ordered list of stages. A customer stands on the last listed stage whose `when` holds. */
export interface Model {
  readonly model_id: string;
  readonly title: Localized;
  readonly description: Localized;
  readonly lapse: LapsePolicy;
  readonly stages: readonly Stage[];
}

/** What a model may hold at most; beyond it the document is refused. */
export const MODEL_LIMITS = {
  stages: 31,
  conditions: 200,
  depth: 8,
  kinds: 32,
  within_days: 1_096,
  distinct_products: 1_000,
  count: 1_000_000,
  days: 36_525,
  title_length: 200,
  description_length: 2_000,
  prior_days: 1_096,
  weight: 100,
  /** Of the document as compact JSON in UTF-8: 64 KiB. */
  bytes: 65_536,
} as const;
