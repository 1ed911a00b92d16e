import { sql } from 'kysely';
import { boundsOf, LAST_BUCKET } from '../domain/value-buckets.ts';
import { inGroup, isRanked, type Ranking, type ValueContext, type Values, worthOf } from './value-classes.ts';
import { classesToRead, levelIfSure, levelOf, refine, type ValueClass } from './value-ranking.ts';

/** The least value of every bucket, ascending, as an array literal: `width_bucket` counts how many of them a value has reached. */
const BUCKET_STARTS = `{${Array.from({ length: 2 * LAST_BUCKET + 1 }, (_, index) => boundsOf(index - LAST_BUCKET).least).join()}}`;

/** A ranking of one year. */
export type YearRanking = Ranking & { readonly year: number };

/** Reads how the values of a year lie, by one scan of all customers' years, and a second one for those buckets that must be known exactly. */
export async function readYearValues({ trx, group_id }: ValueContext, ranking: YearRanking): Promise<Values> {
  const value = worthOf(ranking);
  const { rows } = await sql<{ reached: number | null; customers: number; value: bigint }>`
    select case when purchases > 0 then width_bucket(${value}, ${BUCKET_STARTS}::int8[]) end as reached,
      count(*)::float8 as customers, sum(case when purchases > 0 then ${value} else costs end)::int8 as value
    from customer_years
    where year = ${ranking.year}::int2 and (purchases > 0 or costs > 0) ${inGroup(group_id, 'customer_years')}
    group by 1 order by 1 desc`.execute(trx);
  const alone = rows.find(({ reached }) => reached === null);
  const classes = rows.flatMap(({ reached, customers, value }) =>
    reached === null ? [] : [levelIfSure({ ...boundsOf(reached - 1 - LAST_BUCKET), customers, value })],
  );
  return {
    classes: refine(classes, await readLevels({ trx, group_id }, ranking, classes, classesToRead(classes))),
    costs_alone: { customers: alone?.customers ?? 0, costs: alone?.value ?? 0n },
  };
}

/** The customers of some classes, one value at a time, descending. */
async function readLevels(
  { trx, group_id }: ValueContext,
  ranking: YearRanking,
  classes: readonly ValueClass[],
  wanted: readonly number[],
): Promise<Map<number, ValueClass[]>> {
  const levels = new Map<number, ValueClass[]>(wanted.map((index) => [index, []]));
  if (wanted.length === 0) return levels;
  const ascending = [...wanted].reverse();
  // A value lies in one of the classes if it has reached an odd number of their ends.
  const ends = ascending.flatMap((index) => [classes[index]!.least, classes[index]!.greatest + 1]);
  const value = worthOf(ranking);
  const { rows } = await sql<{ reached: number; value: number; customers: number }>`
    select width_bucket(${value}, ${ends}::int8[]) as reached, ${value}::float8 as value, count(*)::float8 as customers
    from customer_years
    where ${isRanked(ranking, group_id)} and width_bucket(${value}, ${ends}::int8[]) % 2 = 1
    group by 1, 2 order by 2 desc`.execute(trx);
  for (const { reached, value, customers } of rows)
    levels.get(ascending[(reached - 1) / 2]!)!.push(levelOf(value, customers));
  return levels;
}
