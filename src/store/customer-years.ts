import { sql } from 'kysely';
import type { ActivityDay } from '../domain/activity-day.ts';
import type { Minor } from '../domain/money.ts';
import { periodNumbers } from '../domain/period.ts';
import type { Pipeline, Trx } from './connect.ts';
import { numberArray } from './customers.ts';

/** What is dated in one calendar year of a customer; a refund counts on the day of its purchase. */
export interface YearFigures {
  readonly year: number;
  /** Purchases that count. */
  readonly purchases: number;
  readonly revenue: Minor;
  readonly costs: Minor;
  /** Product codes bought, each as often as it was. */
  readonly product_lines: number;
  readonly discounted_purchases: number;
}

/** A customer's years, or what is to be added to them. */
export interface CustomerYears {
  /** True if they are all, and what is stored goes; false if they are added to what is stored. */
  readonly whole: boolean;
  /** Ascending; years without anything are left out. */
  readonly figures: readonly YearFigures[];
}

/** The measures of `customer_years`, in the order in which they are written, with their types. */
export const YEAR_MEASURES = [
  ['purchases', 'int4'],
  ['revenue', 'int8'],
  ['costs', 'int8'],
  ['product_lines', 'int8'],
  ['discounted_purchases', 'int4'],
] as const;

/** Adds activity days, ascending, up by calendar year. */
export function yearsOf(days: readonly ActivityDay[]): YearFigures[] {
  const years: { -readonly [Name in keyof YearFigures]: number }[] = [];
  for (const day of days) {
    if (YEAR_MEASURES.every(([name]) => day[name] === 0)) continue;
    const year = periodNumbers(day.day)[3];
    if (years.at(-1)?.year !== year)
      years.push({ year, purchases: 0, revenue: 0, costs: 0, product_lines: 0, discounted_purchases: 0 });
    const sums = years.at(-1)!;
    for (const [name] of YEAR_MEASURES) sums[name] += day[name];
  }
  return years.filter((sums) => YEAR_MEASURES.some(([name]) => sums[name] !== 0));
}

/** Sends the statements that write the customers' years. */
export async function saveYears(
  trx: Pipeline,
  rows: readonly { readonly customer_id: string; readonly years: CustomerYears }[],
): Promise<void> {
  const whole = rows.filter(({ years }) => years.whole).map(({ customer_id }) => customer_id);
  const added = rows.flatMap(({ customer_id, years }) => years.figures.map((figures) => ({ customer_id, ...figures })));
  const names = YEAR_MEASURES.map(([name]) => sql.ref(name));
  const values = YEAR_MEASURES.map(
    ([name, type]) => sql`${numberArray(added.map((one) => one[name]))}::${sql.raw(type)}[]`,
  );
  const sums = names.map((name) => sql`${name} = customer_years.${name} + excluded.${name}`);
  const gone = sql`delete from customer_years where customer_id = any(${whole}::text[])`;
  const come = sql`
    insert into customer_years (customer_id, year, ${sql.join(names)})
    select * from unnest(${added.map((one) => one.customer_id)}::text[], ${numberArray(added.map((one) => one.year))}::int2[], ${sql.join(values)})
    on conflict (customer_id, year) do update set ${sql.join(sums)}`;
  await Promise.all([
    ...(whole.length > 0 ? [gone.execute(trx)] : []),
    ...(added.length > 0 ? [come.execute(trx)] : []),
  ]);
}

/** The stored years of customers, ascending; a customer without any is absent. */
export async function readYears(trx: Trx, customerIds: readonly string[]): Promise<Map<string, YearFigures[]>> {
  const rows = await trx
    .selectFrom('customer_years')
    .selectAll()
    .where('customer_id', '=', sql<string>`any(${customerIds}::text[])`)
    .orderBy('customer_id')
    .orderBy('year')
    .execute();
  const years = new Map<string, YearFigures[]>();
  for (const { customer_id, revenue, costs, product_lines, ...row } of rows) {
    const figures = {
      year: row.year,
      purchases: row.purchases,
      revenue: Number(revenue),
      costs: Number(costs),
      product_lines: Number(product_lines),
      discounted_purchases: row.discounted_purchases,
    };
    years.set(customer_id, [...(years.get(customer_id) ?? []), figures]);
  }
  return years;
}
