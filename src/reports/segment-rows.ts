import { activityOf, type CompiledModel, stageOf, UNKNOWN } from '../domain/compile-model.ts';
import { ACTIVITIES } from '../domain/model.ts';
import { formatMoney } from '../domain/money.ts';
import type { Profiles, StandingSum } from './segment-profiles.ts';
import { SEGMENTS, type Segment } from './value-classes.ts';

/** The profile of a segment as an answer shows it; null if nobody is in it. */
export function profileRow({ standings, sums, groups }: Profiles, segment: Segment, decimals: number) {
  const own = sums.filter((one) => one.segment === segment);
  const sum = (pick: (one: (typeof own)[number]) => number): number => own.reduce((total, one) => total + pick(one), 0);
  const customers = sum((one) => one.customers);
  if (customers === 0) return null;
  const purchases = sum((one) => one.purchases);
  const revenue = own.reduce((total, one) => total + one.revenue, 0n);
  const [product_lines, discounted_purchases] = [
    sum((one) => one.product_lines),
    sum((one) => one.discounted_purchases),
  ];
  const standing = standings.filter((one) => one.segment === segment);
  return {
    customers,
    average_tenure_days: sum((one) => one.tenure_days) / customers,
    purchases,
    revenue: formatMoney(revenue, decimals),
    average_purchase: Number(revenue) / 10 ** decimals / purchases,
    products: product_lines,
    products_per_purchase: product_lines / purchases,
    discounted_purchases,
    discounted_share: discounted_purchases / purchases,
    activity: ACTIVITIES.map((activity, index) => {
      const here = customersOf(standing.filter(({ position }) => activityToday(position) === index));
      return { activity, customers: here, share: here / customers };
    }),
    groups: groups
      .filter((one) => one.segment === segment)
      .sort((a, b) => b.customers - a.customers || (a.group < b.group ? -1 : 1))
      .map((one) => ({ group: one.group, customers: one.customers, share: one.customers / customers })),
  };
}

/** Who is known only from tomorrow on has never bought until today. */
function activityToday(position: number): number {
  return position === UNKNOWN ? ACTIVITIES.indexOf('none') : activityOf(position);
}

/** The list of a segment's customers, or of those of them in a stage; null if they cannot be listed. */
export type SegmentLink = (segment: Segment, stage?: string) => string | null;

/** Every segment by every stage of the model, zeros too; stage null for those known only from tomorrow on, if there are any. */
export function stageRows({ model }: CompiledModel, { standings }: Profiles, decimals: number, link: SegmentLink) {
  return SEGMENTS.flatMap((segment) => {
    const own = standings.filter((one) => one.segment === segment);
    const unknown = own.filter(({ position }) => position === UNKNOWN);
    const stages = model.stages.map(({ stage }, index) => {
      const here = own.filter(({ position }) => position !== UNKNOWN && stageOf(position) === index);
      return { segment, stage: stage as string | null, ...sumOf(here, decimals), customers_link: link(segment, stage) };
    });
    return customersOf(unknown) === 0
      ? stages
      : [{ segment, stage: null, ...sumOf(unknown, decimals), customers_link: null }, ...stages];
  });
}

function sumOf(standings: readonly StandingSum[], decimals: number) {
  const value = standings.reduce((total, one) => total + one.value, 0n);
  return { customers: customersOf(standings), value: formatMoney(value, decimals) };
}

function customersOf(standings: readonly StandingSum[]): number {
  return standings.reduce((total, { customers }) => total + customers, 0);
}
