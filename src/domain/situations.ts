import type { Lapse } from './lapse.ts';
import { ACTIVITIES } from './model.ts';
import { domainOf, type Quantities, type Quantity, slackBetween } from './quantities.ts';
import { ABSENT, both, endsOf, isNothing, isSame, spanOf, type ValueSet } from './value-set.ts';

/**
 * A set of situations a customer can be in at the end of a day: one of the activities, these stages reached and those not, and each quantity
 * in its set. What is not mentioned may be anything.
 */
export interface Situations {
  /** Bit i: the activity of index i is possible. */
  readonly activities: number;
  /** Bit i: the rule of stage i has held at the end of this or an earlier day; has never held. */
  readonly reached: number;
  readonly unreached: number;
  readonly values: ReadonlyMap<Quantity, ValueSet>;
}

/** Every situation. */
export const ANYTHING: Situations = {
  activities: (1 << ACTIVITIES.length) - 1,
  reached: 0,
  unreached: 0,
  values: new Map(),
};

/** What is in both sets, or null if that plainly is nothing. */
export function meet(one: Situations, other: Situations): Situations | null {
  const activities = one.activities & other.activities;
  const reached = one.reached | other.reached;
  const unreached = one.unreached | other.unreached;
  if (activities === 0 || (reached & unreached) !== 0) return null;
  if (other.values.size === 0) return { activities, reached, unreached, values: one.values };
  const values = new Map(one.values);
  for (const [quantity, set] of other.values) {
    const common = both(set, values.get(quantity) ?? set);
    if (isNothing(common)) return null;
    values.set(quantity, common);
  }
  return { activities, reached, unreached, values };
}

/** Days of silence a buyer of each activity can have; a departure ends the activity of a buyer on any day. */
function silenceOf(activity: number, lapse: Lapse): ValueSet {
  if (ACTIVITIES[activity] === 'active') return spanOf(0, lapse.at_risk_most);
  if (ACTIVITIES[activity] === 'at_risk') return spanOf(lapse.at_risk_least + 1, lapse.lapsed_most);
  return spanOf(0, Number.POSITIVE_INFINITY);
}

/** False if no history can ever be in one of the situations: what their quantities say of each other leaves nothing. Sound, not complete. */
export function isPossible(situations: Situations, quantities: Quantities, lapse: Lapse): boolean {
  return ACTIVITIES.some((_, activity) => {
    if ((situations.activities & (1 << activity)) === 0) return false;
    const narrowed = new Narrowing(situations.values, quantities);
    narrowed.beginWith(activity, lapse);
    return narrowed.converges();
  });
}

/** Rounds of narrowing at most: each is sound by itself, and few rules need more than three. */
const MAX_ROUNDS = 8;

/** The values of one set of situations with one activity, narrowed by what each quantity says of the others until nothing changes. */
class Narrowing {
  private readonly values: Map<Quantity, ValueSet>;
  private readonly quantities: Quantities;
  private nothing = false;
  private changed = false;

  constructor(values: Situations['values'], quantities: Quantities) {
    this.values = new Map(values);
    this.quantities = quantities;
  }

  /** Nobody without a purchase day has an activity but `none`, and nobody with one has `none`. */
  beginWith(activity: number, lapse: Lapse): void {
    const { purchase_days, tenure_days, purchase_silence } = this.quantities;
    const bought = ACTIVITIES[activity] !== 'none';
    this.narrow(purchase_days, bought ? AT_LEAST_ONE : ZERO);
    this.narrow(tenure_days, bought ? PRESENT : ABSENT);
    this.narrow(purchase_silence, bought ? silenceOf(activity, lapse) : ABSENT);
    if (bought) return;
    for (const quantity of [...this.values.keys()]) {
      if (quantity.feature === 'purchase_days' || quantity.feature === 'distinct_products') this.narrow(quantity, ZERO);
      // A purchase that does not count was refunded wholly, or beyond.
      if (quantity.feature === 'revenue' || quantity.feature === 'profit') this.narrow(quantity, AT_MOST_ZERO);
    }
  }

  /** Narrows until nothing changes; false if nothing is left of a quantity. */
  converges(): boolean {
    for (let round = 0; round < MAX_ROUNDS && !this.nothing; round += 1) {
      this.changed = false;
      for (const [quantity, set] of [...this.values]) this.silences(quantity, set);
      this.order();
      if (!this.changed) break;
    }
    return !this.nothing;
  }

  /** What happened within so many days was not longer ago, and what did not happen was. */
  private silences({ feature, within }: Quantity, set: ValueSet): void {
    const { purchase_silence, interaction_silence } = this.quantities;
    const exists = !set.absent && set.spans.length > 0;
    if (!exists) return;
    const [least, most] = endsOf(set);
    if (feature === 'latest_score' || feature === 'days_since_open_complaint')
      this.narrow(interaction_silence, PRESENT);
    if (feature === 'interactions' && least > 0) this.narrow(interaction_silence, spanOf(0, within - 1));
    const ofPurchases = ['purchase_days', 'distinct_products', 'revenue', 'profit'].includes(feature);
    if (ofPurchases && least > 0) this.narrow(purchase_silence, spanOf(0, within - 1));
    if (feature === 'purchase_days' && most === 0 && Number.isFinite(within)) {
      this.narrow(purchase_silence, { absent: true, spans: spanOf(within, Number.POSITIVE_INFINITY).spans });
    }
  }

  /** Of two quantities that exist, of which one is never much greater than the other. */
  private order(): void {
    for (const one of this.values.keys()) {
      for (const other of this.values.keys()) {
        const slack = slackBetween(one, other);
        if (slack === null) continue;
        const [small, great] = [this.values.get(one)!, this.values.get(other)!];
        if (small.absent || great.absent || isNothing(small) || isNothing(great)) continue;
        this.narrow(one, spanOf(Number.NEGATIVE_INFINITY, endsOf(great)[1] + slack));
        this.narrow(other, spanOf(endsOf(small)[0] - slack, Number.POSITIVE_INFINITY));
      }
    }
  }

  private narrow(quantity: Quantity, to: ValueSet): void {
    const before = this.values.get(quantity);
    const after = both(before ?? domainOf(quantity), to);
    if (before !== undefined && isSame(before, after)) return;
    this.values.set(quantity, after);
    this.changed = true;
    if (isNothing(after)) this.nothing = true;
  }
}

const ZERO = spanOf(0, 0);
const AT_LEAST_ONE = spanOf(1, Number.POSITIVE_INFINITY);
const AT_MOST_ZERO = spanOf(Number.NEGATIVE_INFINITY, 0);
const PRESENT = spanOf(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
