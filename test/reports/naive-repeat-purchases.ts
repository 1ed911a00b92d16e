import { date } from '../support/notation.ts';

/** The purchase days of one customer, ascending. */
export type PurchaseDays = readonly number[];

const HORIZONS = [30, 90, 180, 365];

/** Rows of repeat-purchases by their definition, customer by customer; of one number, or of all that anybody has reached and of the first. */
export function naiveNumbers(customers: readonly PurchaseDays[], today: number, only?: number) {
  const most = Math.min(50, Math.max(1, ...customers.map((days) => days.length)));
  const numbers = only === undefined ? Array.from({ length: most }, (_, index) => index + 1) : [only];
  return numbers.flatMap((purchase_number) => {
    const reached = customers.filter((days) => days.length >= purchase_number);
    const again = reached.filter((days) => days.length > purchase_number);
    return HORIZONS.map((within_days) => {
      const matured = reached.filter((days) => today - lastOfMonth(days[purchase_number - 1]!) >= within_days);
      const within = matured.filter((days) => gapAfter(days, purchase_number) <= within_days);
      return {
        purchase_number,
        customers: reached.length,
        bought_again: again.length,
        share: reached.length === 0 ? null : again.length / reached.length,
        within_days,
        matured: matured.length,
        bought_again_within: within.length,
        matured_share: matured.length === 0 ? null : within.length / matured.length,
      };
    });
  });
}

/** Days from the n-th purchase day to the next; infinite without one. */
function gapAfter(days: PurchaseDays, number: number): number {
  return (days[number] ?? Number.POSITIVE_INFINITY) - days[number - 1]!;
}

function lastOfMonth(on: number): number {
  let last = on;
  while (date(last + 1).slice(0, 7) === date(on).slice(0, 7)) last += 1;
  return last;
}

/** Kaplan and Meier's estimate with Greenwood's bounds on the scale of log(−log S), every sum made anew for every time. */
export function naiveSurvival(customers: readonly PurchaseDays[], today: number, number: number) {
  const people = customers
    .filter((days) => days.length >= number)
    .map((days) => {
      const event = days.length > number;
      return { event, time: event ? gapAfter(days, number) : Math.max(0, today - days[number - 1]!) };
    });
  const times = [...new Set(people.filter(({ event }) => event).map(({ time }) => time))].sort((a, b) => a - b);
  const counts = times.map((time) => ({
    time,
    at_risk: people.filter((person) => person.time >= time).length,
    events: people.filter((person) => person.event && person.time === time).length,
  }));
  return counts.map(({ time, at_risk, events }) => {
    const past = counts.filter((count) => count.time <= time);
    const survival = past.reduce((product, count) => (product * (count.at_risk - count.events)) / count.at_risk, 1);
    const greenwood = past.reduce((sum, { at_risk: r, events: d }) => sum + d / (r * (r - d)), 0);
    const error = Math.sqrt(greenwood / Math.log(survival) ** 2);
    const centre = Math.log(-Math.log(survival));
    const bound = (sign: number): number | null =>
      survival === 0 ? null : Math.exp(-Math.exp(centre + sign * 1.959963984540054 * error));
    return { days: time, at_risk, events, survival, lower: bound(1), upper: bound(-1) };
  });
}

/** Percentiles of the completed gaps by nearest rank, taken from the list of all of them. */
export function naiveGaps(customers: readonly PurchaseDays[], number: number) {
  const gaps = customers
    .filter((days) => days.length > number)
    .map((days) => gapAfter(days, number))
    .sort((a, b) => a - b);
  if (gaps.length === 0) return [];
  return [10, 25, 50, 75, 90].map((percentile) => {
    let rank = 1;
    while (rank * 100 < percentile * gaps.length) rank += 1;
    return { percentile, days: gaps[rank - 1], gaps: gaps.length };
  });
}
