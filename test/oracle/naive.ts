import { datingDays } from './facts.ts';
import {
  type Activity,
  type Comparison,
  type Condition,
  type Days,
  longestReachDays,
  type ModelDocument,
} from './model-document.ts';
import { parseMoney } from './money.ts';
import type { Interaction, Purchase, StoredCustomer } from './store.ts';

/**
 * The stage and activity at the end of every day, `stage/activity`, from existence to where nothing moves any more. Sifts
 * all stored events anew for every question of every day: no totals, nothing kept but the stages reached. Far too slow
 * for anything but checking the oracle's own running totals.
 */
export function naiveDays(model: ModelDocument, customer: StoredCustomer, decimals: number): string[] {
  const days = datingDays(customer);
  const reached = new Set<string>();
  const standing: string[] = [];
  for (let today = Math.min(...days); today <= Math.max(...days) + longestReachDays(model); today += 1) {
    const naive = new NaiveDay(model, customer, decimals, today, reached);
    let stage = '';
    for (const { stage: name, when } of model.stages) {
      if (when !== undefined && !naive.holds(when)) continue;
      reached.add(name);
      stage = name;
    }
    standing.push(`${stage}/${naive.activity()}`);
  }
  return standing;
}

class NaiveDay {
  readonly #model: ModelDocument;
  readonly #customer: StoredCustomer;
  readonly #decimals: number;
  readonly #today: number;
  readonly #reached: ReadonlySet<string>;

  constructor(model: ModelDocument, customer: StoredCustomer, decimals: number, today: number, reached: Set<string>) {
    this.#model = model;
    this.#customer = customer;
    this.#decimals = decimals;
    this.#today = today;
    this.#reached = reached;
  }

  activity(): Activity {
    const last = this.#lastOf(this.#counting());
    if (last === null) return 'none';
    const departed = this.#interactions().some(({ kind, at }) => kind === 'departure' && at.day >= last);
    const [atRisk, lapsed] = this.#thresholds();
    if (departed || this.#today - last > lapsed) return 'lapsed';
    return this.#today - last > atRisk ? 'at_risk' : 'active';
  }

  /** Adds up every gap between one purchase day and the next, and counts them. */
  #thresholds(): [atRisk: number, lapsed: number] {
    const { lapse } = this.#model;
    if (lapse.policy === 'fixed') return [lapse.at_risk_after_days, lapse.lapsed_after_days];
    const days = [...new Set(this.#counting().map(({ at }) => at.day))].sort((one, other) => one - other);
    const gaps = days.slice(1).map((day, index) => day - (days[index] ?? day));
    const total = BigInt(lapse.weight * lapse.prior_days + sum(gaps));
    const count = BigInt(lapse.weight + gaps.length);
    const within = ({ at_least, at_most }: Days, own: bigint): number =>
      Math.min(at_most, Math.max(at_least, Number(own)));
    return [
      within(lapse.at_risk_after_days, (3n * total) / (2n * count)),
      within(lapse.lapsed_after_days, (3n * total) / count),
    ];
  }

  holds(condition: Condition): boolean {
    if ('all' in condition) return !condition.all.some((part) => !this.holds(part));
    if ('any' in condition) return condition.any.some((part) => this.holds(part));
    if ('not' in condition) return !this.holds(condition.not);
    if ('stage_reached' in condition) return this.#reached.has(condition.stage_reached);
    if ('activity' in condition) return condition.activity.includes(this.activity());
    const value = this.#value(condition);
    if (value === null) return false;
    const number = (limit: number | string): number =>
      typeof limit === 'string' ? parseMoney(limit, this.#decimals) : limit;
    const { at_least, at_most, more_than, less_than } = condition;
    if (at_least !== undefined && value < number(at_least)) return false;
    if (at_most !== undefined && value > number(at_most)) return false;
    if (more_than !== undefined && value <= number(more_than)) return false;
    return less_than === undefined || value < number(less_than);
  }

  #value({ feature, within_days, kinds = [] }: Comparison): number | null {
    const counting = this.#counting(within_days);
    switch (feature) {
      case 'purchase_days':
        return new Set(counting.map(({ at }) => at.day)).size;
      case 'distinct_products':
        return new Set(counting.flatMap(({ products }) => products)).size;
      case 'revenue':
        return this.#revenue(within_days);
      case 'profit':
        return this.#revenue(within_days) - this.#costs(within_days);
      case 'interactions':
        return this.#interactions(within_days).filter(({ kind }) => kinds.includes(kind)).length;
      case 'tenure_days':
        return this.#since(counting.map(({ at }) => at.day).sort((one, other) => one - other)[0]);
      case 'days_since_last_purchase':
        return this.#since(this.#lastOf(counting));
      case 'days_since_last_interaction':
        return this.#since(this.#lastOf(this.#interactions()));
      case 'days_since_open_complaint':
        return this.#since(this.#openComplaints().sort((one, other) => one - other)[0]);
      case 'latest_score':
        return this.#latestScore();
    }
  }

  #seen<Row extends Purchase | Interaction>(rows: Map<string, Row>, within = Number.POSITIVE_INFINITY): Row[] {
    const during = ({ at }: Row): boolean => at.day <= this.#today && at.day > this.#today - within;
    return [...rows.values()].filter((row) => !row.void && during(row));
  }

  #interactions(within?: number): Interaction[] {
    return this.#seen(this.#customer.interactions, within);
  }

  #counting(within?: number): Purchase[] {
    return this.#seen(this.#customer.purchases, within).filter((purchase) => {
      const refunds = this.#refundsOf(purchase);
      return purchase.amount === 0 || refunds.length === 0 || sum(refunds) < purchase.amount;
    });
  }

  #refundsOf(purchase: Purchase): number[] {
    const own = [...this.#customer.refunds.values()].filter(
      (refund) => !refund.void && refund.purchaseId === purchase.id,
    );
    return own.map((refund) => refund.amount);
  }

  #revenue(within?: number): number {
    const purchases = this.#seen(this.#customer.purchases, within);
    return sum(purchases.map((purchase) => purchase.amount - sum(this.#refundsOf(purchase))));
  }

  #costs(within?: number): number {
    const rows = [...this.#seen(this.#customer.purchases, within), ...this.#interactions(within)];
    return sum(rows.map((row) => row.cost));
  }

  #openComplaints(): number[] {
    const days = (wanted: string): number[] =>
      this.#interactions().flatMap(({ kind, at }) => (kind === wanted ? [at.day] : []));
    const resolutions = days('resolution');
    return days('complaint').filter((complaint) => !resolutions.some((resolution) => resolution >= complaint));
  }

  #latestScore(): number | null {
    const later = (one: Interaction, other: Interaction): boolean => {
      if (one.at.day !== other.at.day) return one.at.day > other.at.day;
      return one.at.micros === other.at.micros ? one.id > other.id : one.at.micros > other.at.micros;
    };
    const scored = this.#interactions().filter(({ score }) => score !== null);
    return scored.find((one) => scored.every((other) => one === other || later(one, other)))?.score ?? null;
  }

  #lastOf(rows: readonly (Purchase | Interaction)[]): number | null {
    return rows.length === 0 ? null : Math.max(...rows.map(({ at }) => at.day));
  }

  #since(day: number | null | undefined): number | null {
    return day === null || day === undefined ? null : this.#today - day;
  }
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
