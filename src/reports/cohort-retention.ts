import { type Static, Type } from '@sinclair/typebox';
import { sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import { NO_MODEL } from '../domain/differences.ts';
import { formatMoney } from '../domain/money.ts';
import { formatPeriod, GRAINS, periodsBetween } from '../domain/period.ts';
import { cohortsRollup } from './cohorts-rollup.ts';
import { count, money, nullable, oneOf } from './fields.ts';
import { groupParameter } from './parameters.ts';
import { completeField, type PeriodRange, periodParameters, readPeriods } from './period-range.ts';
import { MAX_ROWS, type Report, type ReportContext, type ReportFault } from './report.ts';

const BASES = ['on', 'on_or_after'] as const;
/** Most weekly cohorts in one answer. */
const WEEKLY_COHORTS = 53;

const query = Type.Object(
  {
    group: groupParameter,
    ...periodParameters,
    basis: Type.Optional(
      oneOf(BASES, {
        description: '`on` (if absent): bought in the period. `on_or_after`: bought in it or later, as of today.',
      }),
    ),
  },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

const row = Type.Object({
  cohort: Type.String({ description: 'Period of the first purchase day: 2025, 2025-Q3, 2025-07 or 2025-W31.' }),
  age: count('Periods since the cohort: 0 is the period of the first purchase day.'),
  customers: count('Customers of the cohort.'),
  retained: count('Those of them who bought in the period (by basis: in it or later).'),
  retention: nullable(Type.Number({ minimum: 0, maximum: 1 }), {
    description: 'retained / customers; null while the period is running, and for a cohort without customers.',
  }),
  purchases: count('Their purchases in the period.'),
  purchase_days: count('Their purchase days in the period.'),
  revenue: money('Their revenue of the period; a refund counts on the day of its purchase.'),
  profit: money('Their revenue less costs of the period; everything before the first purchase day counts at age 0.'),
  complete: completeField,
});

/** Who comes back of the customers won in one period, and what they bring. */
export const cohortRetention: Report<Query> = {
  definition: {
    report: 'cohort-retention',
    definition_version: 1,
    question: 'Do the customers won in one period come back, and what do they bring?',
    formula:
      'A cohort is all customers whose first purchase day lies in one period; age counts the periods since. retained = those of them with a purchase day in the period cohort + age (basis on), or in that period or a later one (basis on_or_after, as of today). retention = retained / customers. revenue = amounts less refunds, and profit = revenue less costs, of these customers, dated in the period cohort + age, whatever the basis.',
    denominator: 'All customers of the cohort, at every age.',
    window:
      'Every cohort in the range, at every age up to the running period. Purchases, refunds and costs count on their own days (a refund on that of its purchase), as known now; what is dated before the first purchase day counts at age 0.',
    exclusions: 'Voided and wholly refunded purchases. Customers who never bought are in no cohort.',
    reading:
      'Of the 781 customers who first bought in January 1997, 124 bought in February: a retention of 0.158771. They brought 7003.73 in that month.',
  },
  operation_id: 'getCohortRetention',
  per_model: false,
  reads: [cohortsRollup],
  query,
  row,
  summary: {},
  tables: {},
  example: {
    items: [
      {
        cohort: '1997-01',
        age: 1,
        customers: 781,
        retained: 124,
        retention: 0.158771,
        purchases: 180,
        purchase_days: 174,
        revenue: '7003.73',
        profit: '7003.73',
        complete: true,
      },
    ],
  },
  async read(context, request) {
    const { today, decimals } = context;
    const range = readPeriods(request, today);
    if ('code' in range) return range;
    const cohorts = cohortsOf(range, today);
    if ('code' in cohorts) return cohorts;
    const cells = await readCells(context, range);
    const basis = request.basis ?? 'on';
    return {
      as_of: today,
      projected: false,
      items: cohorts.flatMap((cohort) => rowsOf(cohort, cells, basis, decimals)),
    };
  },
};

interface Cohort {
  readonly start: Day;
  readonly name: string;
  /** Age of the running period. */
  readonly running: number;
}

/** The cohorts of the range that have begun. */
function cohortsOf({ grain, starts }: PeriodRange, today: Day): readonly Cohort[] | ReportFault {
  const cohorts = starts
    .map((start) => ({ start, name: formatPeriod(start, grain), running: periodsBetween(start, today, grain) }))
    .filter(({ running }) => running >= 0);
  if (grain === 'week' && starts.length > WEEKLY_COHORTS) {
    return tooWide(`an answer has at most ${WEEKLY_COHORTS} weekly cohorts; narrow the range`);
  }
  const rows = cohorts.reduce((sum, { running }) => sum + running + 1, 0);
  if (rows <= MAX_ROWS) return cohorts;
  return tooWide(`${rows} rows exceed ${MAX_ROWS}; ask for fewer or later cohorts, or use a longer grain`);
}

function tooWide(detail: string): ReportFault {
  return { parameter: 'from', code: 'range_too_wide', detail };
}

interface Cell {
  readonly cohort: Day;
  readonly age: number;
  readonly buyers: number;
  readonly last_buyers: number;
  readonly purchases: number;
  readonly purchase_days: number;
  readonly revenue: bigint;
  readonly costs: bigint;
}

const NOTHING = { buyers: 0, last_buyers: 0, purchases: 0, purchase_days: 0, revenue: 0n, costs: 0n };

/** What happened at each age of each cohort of the range, where anything did. */
async function readCells({ trx, group_id }: ReportContext, { grain, starts, end }: PeriodRange) {
  const { rows } = await sql<Cell>`
    select cohort, age, buyers::float8 as buyers, last_buyers::float8 as last_buyers, purchases::float8 as purchases,
      purchase_days::float8 as purchase_days, revenue, costs
    from rollup_cohorts
    where model_version = ${NO_MODEL} and group_id = ${group_id} and grain = ${GRAINS.indexOf(grain)}
      and cohort >= ${starts[0]} and cohort < ${end}`.execute(trx);
  const cells = new Map<Day, Map<number, Cell>>();
  for (const cell of rows) {
    const ages = cells.get(cell.cohort);
    if (ages === undefined) cells.set(cell.cohort, new Map([[cell.age, cell]]));
    else ages.set(cell.age, cell);
  }
  return cells;
}

function rowsOf(
  { start, name, running }: Cohort,
  cells: ReadonlyMap<Day, ReadonlyMap<number, Cell>>,
  basis: (typeof BASES)[number],
  decimals: number,
) {
  const found = cells.get(start);
  const ages = Array.from({ length: running + 1 }, (_, age) => found?.get(age) ?? NOTHING);
  const customers = ages[0]!.buyers;
  let staying = customers;
  return ages.map((cell, age) => {
    const retained = basis === 'on' ? cell.buyers : staying;
    staying -= cell.last_buyers;
    const complete = age < running;
    return {
      cohort: name,
      age,
      customers,
      retained,
      retention: complete && customers > 0 ? retained / customers : null,
      purchases: cell.purchases,
      purchase_days: cell.purchase_days,
      revenue: formatMoney(cell.revenue, decimals),
      profit: formatMoney(cell.revenue - cell.costs, decimals),
      complete,
    };
  });
}
