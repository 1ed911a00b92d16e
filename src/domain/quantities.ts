import { type Comparison, type Feature, MONEY_FEATURES } from './model.ts';
import { spanOf, type ValueSet } from './value-set.ts';

/** What a comparison looks at: a feature in its window, of its kinds. One object for each in a model. */
export interface Quantity {
  readonly feature: Feature;
  /** `within_days`, infinite without a window. */
  readonly within: number;
  /** Sorted, each once; empty but for interactions. */
  readonly kinds: readonly string[];
}

/** The quantities of one model: equal ones are one object. */
export class Quantities {
  private readonly known = new Map<string, Quantity>();
  readonly purchase_days = this.of({ feature: 'purchase_days' });
  readonly tenure_days = this.of({ feature: 'tenure_days' });
  readonly purchase_silence = this.of({ feature: 'days_since_last_purchase' });
  readonly interaction_silence = this.of({ feature: 'days_since_last_interaction' });

  /** What a comparison looks at. */
  of({ feature, within_days, kinds = [] }: Pick<Comparison, 'feature' | 'within_days' | 'kinds'>): Quantity {
    const quantity: Quantity = {
      feature,
      within: within_days ?? Number.POSITIVE_INFINITY,
      kinds: [...new Set(kinds)].sort(),
    };
    const key = `${feature} ${quantity.within} ${quantity.kinds.join()}`;
    const known = this.known.get(key);
    if (known === undefined) this.known.set(key, quantity);
    return known ?? quantity;
  }

  /** The same without its window. */
  unlimited({ feature, kinds }: Quantity): Quantity {
    return this.of({ feature, kinds });
  }
}

/** Features that count: whole numbers from 0 that always exist. Without a window they never fall while a history goes on. */
export const COUNTED: readonly Feature[] = ['purchase_days', 'distinct_products', 'interactions'];

/** Every value the quantity can have in any history. */
export function domainOf({ feature, within }: Quantity): ValueSet {
  if (feature === 'purchase_days') return spanOf(0, within);
  if (COUNTED.includes(feature)) return spanOf(0, Number.POSITIVE_INFINITY);
  if (MONEY_FEATURES.includes(feature)) return spanOf(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  return { absent: true, spans: [[0, feature === 'latest_score' ? 10 : Number.POSITIVE_INFINITY]] };
}

/** The c for which always one ≤ other + c whenever both exist; null if the one says nothing about the other. */
export function slackBetween(one: Quantity, other: Quantity): number | null {
  if (one === other) return null;
  if (one.feature === other.feature) {
    const narrower = one.within <= other.within && one.kinds.every((kind) => other.kinds.includes(kind));
    return COUNTED.includes(one.feature) && narrower ? 0 : null;
  }
  // Costs are never negative.
  if (one.feature === 'profit') return other.feature === 'revenue' && one.within === other.within ? 0 : null;
  if (other.feature === 'tenure_days') {
    if (one.feature === 'purchase_days') return 1;
    return one.feature === 'days_since_last_purchase' ? 0 : null;
  }
  const complaint = other.feature === 'days_since_open_complaint';
  return complaint && one.feature === 'days_since_last_interaction' ? 0 : null;
}
