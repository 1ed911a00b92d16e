import { type Static, Type } from '@sinclair/typebox';
import { sql } from 'kysely';
import { type Day, monthStart } from '../domain/calendar.ts';
import { NO_MODEL } from '../domain/differences.ts';
import { count, maybeFraction } from './fields.ts';
import { groupParameter } from './parameters.ts';
import {
  type Gaps,
  gapPercentiles,
  MOST_GAP_NUMBERS,
  purchaseGapsRollup,
  readGaps,
  survivalSteps,
} from './purchase-gaps-rollup.ts';
import { MOST_PURCHASE_NUMBERS, purchaseNumbersRollup, WITHIN_DAYS } from './purchase-numbers-rollup.ts';
import { quotient } from './quotient.ts';
import { MAX_ROWS, type Report, type ReportContext } from './report.ts';
import { kaplanMeier } from './survival.ts';

const PERCENTILES = [10, 25, 50, 75, 90];

const query = Type.Object(
  {
    group: groupParameter,
    purchase_number: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MOST_PURCHASE_NUMBERS,
        description: `Only this purchase day: 1 is the first. If absent, all are answered, and \`survival\` and \`gaps\` are those of the first. Above ${MOST_GAP_NUMBERS} these two are empty.`,
      }),
    ),
  },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

const row = Type.Object({
  purchase_number: Type.Integer({
    minimum: 1,
    maximum: MOST_PURCHASE_NUMBERS,
    description: 'n: the n-th purchase day.',
  }),
  customers: count('Customers with at least n purchase days.'),
  bought_again: count('Those of them with a further purchase day.'),
  share: maybeFraction('bought_again / customers; null without customers.'),
  within_days: count('H: 30, 90, 180 or 365 days after the n-th purchase day.'),
  matured: count('Customers whose n-th purchase day lies in a month that ended at least H days ago.'),
  bought_again_within: count('Those of the matured whose next purchase day came at most H days after the n-th.'),
  matured_share: maybeFraction('bought_again_within / matured; null while nobody has matured.'),
});

const survivalRow = Type.Object({
  days: count('Days since the n-th purchase day: every length of time after which somebody bought again.'),
  at_risk: count('Customers who were without a further purchase day until then and had been watched that long.'),
  events: count('Those of them who bought again after exactly so many days.'),
  survival: Type.Number({ minimum: 0, maximum: 1, description: 'Estimated share who have not bought again by then.' }),
  lower: maybeFraction('Lower bound of the 95 % interval; null where survival is 0.'),
  upper: maybeFraction('Upper bound of the 95 % interval; null where survival is 0.'),
});

const gapRow = Type.Object({
  percentile: count('Of every 100 completed gaps, so many are at most this long.'),
  days: count('Length of the gap at this rank.'),
  gaps: count('Completed gaps between the n-th and the next purchase day.'),
});

/** Who buys again after the n-th purchase day, and when. */
export const repeatPurchases: Report<Query> = {
  definition: {
    report: 'repeat-purchases',
    definition_version: 1,
    question: 'Will customers buy again after their first, second or n-th purchase day, and how long does it take?',
    formula:
      'share = customers with at least n + 1 purchase days / customers with at least n. matured_share = of the customers whose n-th purchase day lies in a calendar month whose last day is at least H days ago, the share whose next purchase day came at most H days later. survival: Kaplan–Meier estimate of the time from the n-th to the next purchase day, S = Π (1 − events / at_risk) over the days on which somebody bought again; whoever has not is watched until today; at_risk at t: all whose time is t or longer. lower and upper: 95 % bounds by Greenwood on the scale of log(−log S). gaps: percentiles p of the completed gaps by nearest rank, the ⌈p / 100 · gaps⌉-th shortest.',
    denominator:
      'share: all customers with at least n purchase days. matured_share: those of months that ended at least H days ago, so that each of them had H days.',
    window: `Purchase days of all stored events, as known now; waiting ends today. n up to ${MOST_PURCHASE_NUMBERS}, for survival and gaps up to ${MOST_GAP_NUMBERS}; survival up to ${MAX_ROWS} days.`,
    exclusions:
      'Voided and wholly refunded purchases. Several purchases on one day are one purchase day. Completed gaps alone are shorter than all gaps will be: survival is the estimate that counts those who still wait.',
    reading:
      'Of 2357 customers, 1139 had a second purchase day, 0.483241; of the 2357 whose first one lay in a month that had ended 90 days ago, 0.291472 came back within 90 days. 30 days after the first purchase day an estimated 0.826050 had not bought again.',
  },
  operation_id: 'getRepeatPurchases',
  per_model: false,
  reads: [purchaseNumbersRollup, purchaseGapsRollup],
  query,
  row,
  summary: {},
  tables: { survival: survivalRow, gaps: gapRow },
  example: {
    items: [
      {
        purchase_number: 1,
        customers: 2357,
        bought_again: 1139,
        share: 0.483241,
        within_days: 90,
        matured: 2357,
        bought_again_within: 687,
        matured_share: 0.291472,
      },
    ],
    survival: [{ days: 30, at_risk: 1954, events: 7, survival: 0.82605, lower: 0.810136, upper: 0.840764 }],
    gaps: [{ percentile: 50, days: 55, gaps: 1139 }],
  },
  async read(context, request) {
    const number = request.purchase_number;
    const [gaps, items] = await Promise.all([readGaps(context, number ?? 1), readNumbers(context, number)]);
    return {
      as_of: context.today,
      projected: false,
      items,
      tables: { survival: survivalOf(gaps, context.today), gaps: gapPercentiles(gaps, PERCENTILES) },
    };
  },
};

type NumberRow = { readonly purchase_number: number; readonly customers: number; readonly bought_again: number } & {
  readonly [count: string]: number;
};

/** The rows of one purchase day number, zeros too, or of all that anybody has reached and of the first. */
async function readNumbers({ trx, group_id, today }: ReportContext, number: number | undefined) {
  const sums = WITHIN_DAYS.map((days) => {
    const matured = sql`filter (where month < ${monthStart(today - days + 1)})`;
    return sql`
      coalesce(sum(customers) ${matured}, 0)::float8 as ${sql.ref(`matured_${days}`)},
      coalesce(sum(${sql.ref(`within_${days}`)}) ${matured}, 0)::float8 as ${sql.ref(`within_${days}`)}`;
  });
  const { rows } = await sql<NumberRow>`
    select purchase_number, sum(customers)::float8 as customers, sum(bought_again)::float8 as bought_again, ${sql.join(sums)}
    from rollup_purchase_numbers
    where model_version = ${NO_MODEL} and group_id = ${group_id}
      and purchase_number between ${number ?? 1} and ${number ?? MOST_PURCHASE_NUMBERS}
    group by purchase_number
    having sum(customers) > 0
    order by purchase_number`.execute(trx);
  const shown = rows.length > 0 ? rows : [{ purchase_number: number ?? 1, customers: 0, bought_again: 0 } as NumberRow];
  return shown.flatMap((found) => WITHIN_DAYS.map((days) => numberRow(found, days)));
}

function numberRow(found: NumberRow, within_days: number) {
  const { purchase_number, customers, bought_again } = found;
  const matured = found[`matured_${within_days}`] ?? 0;
  const bought_again_within = found[`within_${within_days}`] ?? 0;
  return {
    purchase_number,
    customers,
    bought_again,
    share: quotient(bought_again, customers),
    within_days,
    matured,
    bought_again_within,
    matured_share: quotient(bought_again_within, matured),
  };
}

function survivalOf(gaps: Gaps, today: Day) {
  const steps = survivalSteps(gaps, today).filter(({ time }) => time <= MAX_ROWS);
  return kaplanMeier(steps).map(({ time: days, at_risk, events, survival, lower, upper }) => {
    return { days, at_risk, events, survival, lower, upper };
  });
}
