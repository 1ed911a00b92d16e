import { formatMoney, parseMoney } from './money.ts';
import { buysIn, isIn, type Person, profitIn, share, sumIn } from './people.ts';
import { nextPeriod, type Period, periodOf, previousPeriod } from './periods.ts';

/** What every period report is told. */
export interface PeriodAsk {
  readonly people: readonly Person[];
  readonly periods: readonly Period[];
  readonly today: number;
  readonly decimals: number;
}

type Row = Readonly<Record<string, string | number | boolean | null>>;

/** A period is complete when its last day is before today. */
export function isComplete(period: Period, today: number): boolean {
  return period.to - 1 < today;
}

interface Buyers {
  readonly all: Person[];
  readonly before: Person[];
  readonly fresh: Person[];
  readonly returning: Person[];
  readonly reactivated: Person[];
  readonly dormant: Person[];
}

/** Who bought in a period, who in the one before, and how they differ. */
function buyersOf(people: readonly Person[], period: Period): Buyers {
  const last = previousPeriod(period);
  const all = people.filter((person) => buysIn(person, period));
  const before = people.filter((person) => buysIn(person, last));
  const fresh = all.filter((person) => isIn(person.purchaseDays[0], period));
  const returning = all.filter((person) => before.includes(person));
  const reactivated = all.filter((person) => !fresh.includes(person) && !returning.includes(person));
  return { all, before, fresh, returning, reactivated, dormant: before.filter((person) => !all.includes(person)) };
}

/** New, returning, reactivated and dormant buyers of each period. */
export function customerFlow({ people, periods, today }: PeriodAsk): Row[] {
  return periods.map((period) => {
    const complete = isComplete(period, today);
    const buyers = buyersOf(people, period);
    return {
      period: period.name,
      complete,
      new_buyers: buyers.fresh.length,
      returning_buyers: buyers.returning.length,
      reactivated_buyers: buyers.reactivated.length,
      dormant_buyers: complete ? buyers.dormant.length : null,
      buyers: buyers.all.length,
    };
  });
}

/** What led from the revenue of the period before to that of each period. */
export function revenueMovements({ people, periods, today, decimals }: PeriodAsk): Row[] {
  const money = (minor: number): string => formatMoney(minor, decimals);
  return periods.map((period) => {
    const complete = isComplete(period, today);
    const { all, before, fresh, returning, reactivated, dormant } = buyersOf(people, period);
    const now = (person: Person): number => sumIn(person.revenue, period);
    const then = (person: Person): number => sumIn(person.revenue, previousPeriod(period));
    const total = (list: readonly Person[], of: (person: Person) => number): number =>
      list.reduce((sum, person) => sum + of(person), 0);
    const opening = total(before, then);
    const kept = (person: Person): number => (all.includes(person) ? now(person) : 0);
    const floor = (person: Person): number => Math.min(then(person), kept(person));
    return {
      period: period.name,
      complete,
      opening_revenue: money(opening),
      new_revenue: money(total(fresh, now)),
      reactivated_revenue: money(total(reactivated, now)),
      expansion_revenue: money(total(returning, (person) => Math.max(now(person) - then(person), 0))),
      contraction_revenue: complete
        ? money(total(returning, (person) => Math.max(then(person) - now(person), 0)))
        : null,
      lost_revenue: complete ? money(total(dormant, then)) : null,
      closing_revenue: money(total(all, now)),
      nrr: complete ? share(total(before, kept), opening) : null,
      grr: complete ? share(total(before, floor), opening) : null,
    };
  });
}

/** Rows of every cohort asked for, and every age up to the running period. `basis` is `on` or `on_or_after`. */
export function cohortRetention({ people, periods, today, decimals }: PeriodAsk, basis: string): Row[] {
  const rows: Row[] = [];
  for (const cohort of periods) {
    const running = periodOf(today, cohort.grain);
    const members = people.filter((person) => isIn(person.purchaseDays[0], cohort));
    let age = 0;
    for (let period = cohort; period.from <= running.from; period = nextPeriod(period)) {
      const retained = members.filter((person) =>
        basis === 'on' ? buysIn(person, period) : (person.purchaseDays.at(-1) ?? 0) >= period.from,
      );
      // What is dated before the first purchase belongs to age 0.
      const days = age === 0 ? { from: Number.NEGATIVE_INFINITY, to: period.to } : period;
      const total = (of: (person: Person) => number): number => members.reduce((sum, person) => sum + of(person), 0);
      const complete = isComplete(period, today);
      rows.push({
        cohort: cohort.name,
        age,
        complete,
        customers: members.length,
        retained: retained.length,
        retention: complete ? share(retained.length, members.length) : null,
        purchases: total(({ purchases }) => purchases.filter(({ counts, at }) => counts && isIn(at.day, days)).length),
        purchase_days: total(({ purchaseDays }) => purchaseDays.filter((day) => isIn(day, days)).length),
        revenue: formatMoney(
          total((person) => sumIn(person.revenue, days)),
          decimals,
        ),
        profit: formatMoney(
          total((person) => profitIn(person, days)),
          decimals,
        ),
      });
      age += 1;
    }
  }
  return rows;
}

/** The parameters of loyalty-economics: money as decimal strings. */
export interface EconomicsParameters {
  readonly acquisitionCost?: string | undefined;
  readonly retentionCost?: string | undefined;
  readonly discountRate?: number | undefined;
}

const PERIODS_A_YEAR = { week: 52, month: 12, quarter: 4, year: 1 } as const;

/** What winning and keeping customers cost and is worth, period by period. Averages are numbers of major units. */
export function loyaltyEconomics(ask: PeriodAsk, parameters: EconomicsParameters): Row[] {
  return ask.periods.map((period) => economicsOf(ask, period, parameters));
}

function economicsOf({ people, today, decimals }: PeriodAsk, period: Period, parameters: EconomicsParameters): Row {
  const complete = isComplete(period, today);
  const { all, before, fresh, returning, reactivated } = buyersOf(people, period);
  const major = (minor: number): number => minor / 10 ** decimals;
  const existing = people.filter(({ purchaseDays }) => purchaseDays.some((day) => day < period.from));
  const revenue = (list: readonly Person[]): number =>
    list.reduce((sum, person) => sum + sumIn(person.revenue, period), 0);
  const interactionCosts = (wanted: (day: number, first: number) => boolean): number => {
    let sum = 0;
    for (const { interactions, purchaseDays } of people) {
      const first = purchaseDays[0] ?? Number.POSITIVE_INFINITY;
      for (const { at, cost } of interactions) if (isIn(at.day, period) && wanted(at.day, first)) sum += cost;
    }
    return sum;
  };
  const acquisition = interactionCosts((day, first) => day <= first);
  const retaining = interactionCosts((day, first) => day > first);
  const each = (given: string | undefined, sum: number, buyers: number): number | null =>
    given === undefined ? share(major(sum), buyers) : major(parseMoney(given, decimals));
  const acquisitionEach = each(parameters.acquisitionCost, acquisition, fresh.length);
  const retentionEach = each(parameters.retentionCost, retaining, returning.length + reactivated.length);
  const profit = people.reduce((sum, person) => sum + profitIn(person, period), 0);
  const retention = complete ? share(returning.length, before.length) : null;
  const margin = share(major(profit), all.length);
  const rate = parameters.discountRate ?? 0.1;
  const d = (1 + rate) ** (1 / PERIODS_A_YEAR[period.grain]) - 1;
  return {
    period: period.name,
    complete,
    buyers: all.length,
    buyers_before: before.length,
    new_buyers: fresh.length,
    returning_buyers: returning.length,
    reactivated_buyers: reactivated.length,
    existing_revenue: formatMoney(revenue(existing), decimals),
    revenue: formatMoney(revenue(people), decimals),
    existing_share: share(revenue(existing), revenue(people)),
    acquisition_cost: formatMoney(acquisition, decimals),
    acquisition_cost_each: acquisitionEach,
    retention_cost: formatMoney(retaining, decimals),
    retention_cost_each: retentionEach,
    cost_ratio: acquisitionEach === null || retentionEach === null ? null : share(acquisitionEach, retentionEach),
    retention,
    profit: formatMoney(profit, decimals),
    margin,
    ...worthOf(margin, retention, d, acquisitionEach),
  };
}

/** V(r) = m(1 + d)/(1 + d − r), and what five points more of r would change. */
function worthOf(margin: number | null, retention: number | null, d: number, acquisitionEach: number | null): Row {
  const worth = (r: number): number | null => {
    if (margin === null || 1 + d - r <= 0) return null;
    return (margin * (1 + d)) / (1 + d - r);
  };
  const now = retention === null ? null : worth(retention);
  const better = retention === null ? null : worth(Math.min(retention + 0.05, 1));
  const change = (cost: number | null): number | null => {
    if (now === null || better === null || cost === null || now <= 0 || now - cost <= 0) return null;
    return (better - cost) / (now - cost) - 1;
  };
  return {
    margin_now: now,
    profit_change_5_points: change(0),
    profit_change_5_points_after_acquisition: change(acquisitionEach),
  };
}
