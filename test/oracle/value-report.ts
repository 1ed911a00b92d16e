import { formatMoney } from './money.ts';
import { buysIn, byBytes, type Person, share, sumIn } from './people.ts';
import { parsePeriod } from './periods.ts';

/** Revenue or profit. */
export type Value = 'revenue' | 'profit';

interface Ranked {
  readonly id: string;
  readonly value: number;
}

const ALWAYS = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** Everybody with a purchase day in the period (`lifetime` or a year), most valuable first, then by id. */
export function rankByValue(people: readonly Person[], value: Value, period: string): Ranked[] {
  const days = period === 'lifetime' ? ALWAYS : parsePeriod(period, 'year');
  const ranked = people
    .filter((person) => buysIn(person, days))
    .map((person) => {
      const costs = value === 'profit' ? sumIn(person.costs, days) : 0;
      return { id: person.id, value: sumIn(person.revenue, days) - costs };
    });
  return ranked.sort((one, other) => other.value - one.value || byBytes(one.id, other.id));
}

/** The segments of a ranking: the first fifth (rounded up), the last fifth (rounded down), and who is between. */
export function segmentsOf<Customer>(ranked: readonly Customer[]): Record<'top' | 'middle' | 'bottom', Customer[]> {
  const top = Math.ceil(ranked.length / 5);
  const upper = Math.ceil((ranked.length * 4) / 5);
  return { top: ranked.slice(0, top), middle: ranked.slice(top, upper), bottom: ranked.slice(upper) };
}

/** The segments of lifetime value or of a year's, and what stands beside them; without profile and Lorenz curve. */
export function valueSegments(people: readonly Person[], value: Value, period: string, decimals: number) {
  const days = period === 'lifetime' ? ALWAYS : parsePeriod(period, 'year');
  const ranked = rankByValue(people, value, period);
  const total = sumOf(ranked);
  const items = Object.entries(segmentsOf(ranked)).map(([segment, own]) => {
    const threshold = own.at(-1)?.value ?? null;
    return {
      segment,
      customers: own.length,
      value: formatMoney(sumOf(own), decimals),
      share: share(sumOf(own), total),
      threshold: threshold === null ? null : formatMoney(threshold, decimals),
      tied_at_threshold: threshold === null ? null : ranked.filter((one) => one.value === threshold).length,
    };
  });
  const negative = ranked.filter((one) => one.value < 0);
  const idle = people.filter((person) => !buysIn(person, days) && sumIn(person.costs, days) > 0);
  const wasted = idle.reduce((sum, person) => sum + sumIn(person.costs, days), 0);
  return {
    items,
    customers_for_80_percent: customersFor80Percent(ranked, total),
    gini: gini(ranked.map((one) => Math.max(one.value, 0))),
    negative: { customers: negative.length, value: formatMoney(sumOf(negative), decimals) },
    cost_without_purchase: { customers: idle.length, costs: formatMoney(wasted, decimals) },
  };
}

function sumOf(ranked: readonly Ranked[]): number {
  return ranked.reduce((sum, { value }) => sum + value, 0);
}

function customersFor80Percent(ranked: readonly Ranked[], total: number): number | null {
  if (total <= 0) return null;
  for (let k = 1; k <= ranked.length; k += 1) if (5 * sumOf(ranked.slice(0, k)) >= 4 * total) return k;
  throw new Error('all of them bring everything');
}

/** 2 Σ i·x_i / (n Σ x) − (n + 1)/n with the values ascending and i from 1; null if they sum to nothing. */
export function gini(values: readonly number[]): number | null {
  const ascending = [...values].sort((one, other) => one - other);
  const n = ascending.length;
  const sum = ascending.reduce((total, value) => total + value, 0);
  if (sum === 0) return null;
  const weighted = ascending.reduce((total, value, place) => total + (place + 1) * value, 0);
  return (2 * weighted) / (n * sum) - (n + 1) / n;
}
