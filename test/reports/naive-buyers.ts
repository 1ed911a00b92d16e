import type { Rng } from '../oracle/rng.ts';
import { date } from '../support/notation.ts';

/** Grains by the code in the roll-up's key. */
export const GRAIN_NAMES = ['week', 'month', 'quarter', 'year'] as const;
export type GrainName = (typeof GRAIN_NAMES)[number];

interface ToldRefund {
  readonly day: number;
  readonly cents: number;
  readonly voided: boolean;
}

interface ToldPurchase {
  readonly day: number;
  readonly cents: number;
  readonly cost: number;
  readonly voided: boolean;
  readonly refunds: readonly ToldRefund[];
}

interface ToldInteraction {
  readonly day: number;
  readonly cost: number;
  readonly voided: boolean;
}

/** One customer as a test tells of them. */
export interface ToldCustomer {
  readonly customer_id: string;
  readonly vip: boolean;
  readonly purchases: readonly ToldPurchase[];
  readonly interactions: readonly ToldInteraction[];
}

/** Customers with anything from nothing to twelve purchases in [first, last], some of them refunded in part, wholly or in excess, some voided. */
export function randomCustomers(rng: Rng, count: number, first: number, last: number): ToldCustomer[] {
  return Array.from({ length: count }, (_, index): ToldCustomer => {
    // A narrow span makes periods in a row likely, a wide one pauses.
    const begin = rng.between(first, last);
    const end = rng.chance(0.4) ? Math.min(last, begin + 70) : last;
    const day = (): number => rng.between(begin, end);
    const purchases = Array.from({ length: rng.pick([0, 1, 1, 2, 3, 5, 8, 12]) }, (): ToldPurchase => {
      const cents = rng.pick([0, 1, 500, 1000, 1000, 2599, 12_345]);
      const refunded = rng.chance(0.25) ? rng.pick([1, cents - 1, cents, cents + 700]) : 0;
      const refunds = refunded > 0 ? [{ day: day(), cents: refunded, voided: rng.chance(0.2) }] : [];
      return { day: day(), cents, cost: rng.pick([0, 0, 300]), voided: rng.chance(0.08), refunds };
    });
    const interactions = Array.from({ length: rng.between(0, 4) }, (): ToldInteraction => {
      return { day: day(), cost: rng.pick([0, 150, 999]), voided: rng.chance(0.1) };
    });
    return { customer_id: `c-${index}`, vip: rng.chance(0.3), purchases, interactions };
  });
}

/** The period of a day in the notation of the answers. */
export function labelOf(day: number, grain: GrainName): string {
  const [year = '', month = ''] = date(day).split('-');
  switch (grain) {
    case 'year':
      return year;
    case 'quarter':
      return `${year}-Q${'111222333444'[Number(month) - 1]}`;
    case 'month':
      return `${year}-${month}`;
    case 'week': {
      // 1970-01-01 was a Thursday, and a week belongs to the year of its Thursday: the n-th Thursday of the year names it.
      const thursday = Math.floor((day + 3) / 7) * 7;
      const dayOfYear = thursday - Date.parse(`${date(thursday).slice(0, 4)}-01-01`) / 86_400_000;
      return `${date(thursday).slice(0, 4)}-W${String(Math.floor(dayOfYear / 7) + 1).padStart(2, '0')}`;
    }
  }
}

/** The periods that hold a day of [first, last], in order, found by walking day by day. */
export function labelsOf(first: number, last: number, grain: GrainName): string[] {
  const labels: string[] = [];
  for (let day = first; day <= last; day += 1) {
    const label = labelOf(day, grain);
    if (labels.at(-1) !== label) labels.push(label);
  }
  return labels;
}

/** The sums of one period, with the money in cents. */
export interface NaivePeriod {
  period: string;
  new_buyers: number;
  returning_buyers: number;
  reactivated_buyers: number;
  dormant_buyers: number;
  new_revenue: number;
  returning_revenue: number;
  reactivated_revenue: number;
  expansion_revenue: number;
  contraction_revenue: number;
  lost_revenue: number;
  lost_floor_revenue: number;
  existing_revenue: number;
  /** What follows is no measure of the roll-up. */
  buyers: number;
  opening: number;
  kept_at_most: number;
  revenue: number;
  costs: number;
  acquisition_costs: number;
  retention_costs: number;
}

/** Every period by the definitions, asking each customer anew for each; `labels` are all periods in order, the first of them before anything happened. */
export function naivePeriods(
  customers: readonly ToldCustomer[],
  labels: readonly string[],
  grain: GrainName,
): NaivePeriod[] {
  const lives = customers.map((customer) => lifeOf(customer, grain));
  return labels.slice(1).map((period, index) => {
    const row = emptyPeriod(period);
    for (const life of lives) addLife(row, life, labels, index + 1);
    return row;
  });
}

function emptyPeriod(period: string): NaivePeriod {
  const counts = { new_buyers: 0, returning_buyers: 0, reactivated_buyers: 0, dormant_buyers: 0 };
  const came = { new_revenue: 0, returning_revenue: 0, reactivated_revenue: 0 };
  const moved = { expansion_revenue: 0, contraction_revenue: 0, lost_revenue: 0, lost_floor_revenue: 0 };
  const more = { buyers: 0, opening: 0, kept_at_most: 0, revenue: 0, costs: 0 };
  const spent = { acquisition_costs: 0, retention_costs: 0 };
  return { period, ...counts, ...came, ...moved, existing_revenue: 0, ...more, ...spent };
}

interface Life {
  readonly bought: ReadonlySet<string>;
  readonly firstBought: string | null;
  readonly sum: (what: 'revenue' | 'costs' | 'acquisition_costs' | 'retention_costs', label: string) => number;
}

function lifeOf({ purchases, interactions }: ToldCustomer, grain: GrainName): Life {
  const standing = purchases.filter((purchase) => !purchase.voided);
  const refunded = (purchase: ToldPurchase): number =>
    purchase.refunds.filter((refund) => !refund.voided).reduce((sum, refund) => sum + refund.cents, 0);
  const counting = standing.filter((purchase) => {
    return purchase.cents === 0 || refunded(purchase) === 0 || refunded(purchase) < purchase.cents;
  });
  const firstDay = Math.min(...counting.map((purchase) => purchase.day));
  const talks = interactions.filter((interaction) => !interaction.voided);
  const entries = [
    ...standing.map((purchase) => ({ what: 'revenue', ...purchase, money: purchase.cents - refunded(purchase) })),
    ...standing.map((purchase) => ({ what: 'costs', ...purchase, money: purchase.cost })),
    ...talks.map((talk) => ({ what: 'costs', ...talk, money: talk.cost })),
    ...talks.map((talk) => {
      return { what: talk.day > firstDay ? 'retention_costs' : 'acquisition_costs', ...talk, money: talk.cost };
    }),
  ];
  const sums = new Map<string, number>();
  for (const { what, day, money } of entries) {
    const key = `${what} ${labelOf(day, grain)}`;
    sums.set(key, (sums.get(key) ?? 0) + money);
  }
  return {
    bought: new Set(counting.map((purchase) => labelOf(purchase.day, grain))),
    firstBought: counting.length === 0 ? null : labelOf(firstDay, grain),
    sum: (what, label) => sums.get(`${what} ${label}`) ?? 0,
  };
}

function addLife(row: NaivePeriod, life: Life, labels: readonly string[], index: number): void {
  const [before, now] = [labels[index - 1]!, labels[index]!];
  const [there, here] = [life.bought.has(before), life.bought.has(now)];
  const [r0, r1] = [there ? life.sum('revenue', before) : 0, here ? life.sum('revenue', now) : 0];
  const boughtEarlier = life.firstBought !== null && labels.indexOf(life.firstBought) < index;
  row.opening += r0;
  if (there) row.kept_at_most += Math.min(r0, r1);
  if (here) {
    row.buyers += 1;
    const came = there ? 'returning' : boughtEarlier ? 'reactivated' : 'new';
    row[`${came}_buyers`] += 1;
    row[`${came}_revenue`] += r1;
  }
  if (there && here) {
    if (r1 > r0) row.expansion_revenue += r1 - r0;
    if (r1 < r0) row.contraction_revenue += r0 - r1;
  }
  if (there && !here) {
    row.dormant_buyers += 1;
    row.lost_revenue += r0;
    if (r0 < 0) row.lost_floor_revenue += r0;
  }
  if (boughtEarlier) row.existing_revenue += life.sum('revenue', now);
  for (const what of ['revenue', 'costs', 'acquisition_costs', 'retention_costs'] as const)
    row[what] += life.sum(what, now);
}
