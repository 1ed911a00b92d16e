import { type Estimate, wilson } from './wilson.ts';

/** Customers with at least n purchase days that a suggestion needs at least. */
export const LEAST_AT_RISK = 100;

/** How many have reached the n-th purchase day, and how many of them the next. */
export interface RepeatCount {
  readonly purchase_number: number;
  readonly customers: number;
  readonly bought_again: number;
}

/** P(n + 1 | n) with its 95 % interval. */
export interface RepeatShare extends RepeatCount, Estimate {}

/** From how many purchase days on customers are core; null if the data do not say. */
export interface CoreAdvice {
  readonly at_least: number | null;
  readonly reason: string;
}

/** The share of those with at least n purchase days who have a further one. */
export function repeatShares(counts: readonly RepeatCount[]): RepeatShare[] {
  return counts.map((count) => {
    const { share, lower, upper } = wilson(count.bought_again, count.customers);
    return { ...count, share, lower, upper };
  });
}

/** The smallest n after which the wanted share goes on, among those that enough customers have reached. `shares` ascend from n = 1. */
export function adviseCore(shares: readonly RepeatShare[], wanted: number): CoreAdvice {
  const enough = shares.filter(({ customers }) => customers >= LEAST_AT_RISK);
  const found = enough.find(({ share }) => share! >= wanted);
  if (found !== undefined) {
    const { purchase_number, customers, bought_again, share } = found;
    const reason = `Of ${customers} customers with at least ${purchase_number} purchase days ${bought_again} went on, ${share!.toFixed(3)}: the smallest number of purchase days with ${wanted} or more.`;
    return { at_least: purchase_number, reason };
  }
  const reached = `reached by at least ${LEAST_AT_RISK} customers`;
  const reason =
    enough.length === 0
      ? `No purchase day was ${reached}.`
      : `After none of the ${enough.length} purchase days ${reached} ${wanted} or more went on.`;
  return { at_least: null, reason };
}
