import { type Static, Type } from '@sinclair/typebox';
import { sql } from 'kysely';
import { formatMoney } from '../domain/money.ts';
import { formatPeriod, isOver } from '../domain/period.ts';
import { cashFlowRollup, NOT_KNOWN } from './cash-flow-rollup.ts';
import { money, nullable, stage } from './fields.ts';
import { groupParameter, modelParameter } from './parameters.ts';
import { completeField, type PeriodRange, periodField, periodParameters, readPeriods } from './period-range.ts';
import { MAX_ROWS, type Report, type ReportContext } from './report.ts';

const query = Type.Object(
  { model: modelParameter, group: groupParameter, ...periodParameters },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

const row = Type.Object({
  period: periodField,
  stage: nullable(stage(), {
    description:
      'Stage of the customers at the end of the day before the money moved; null for those not known until that day.',
  }),
  receipts: money('Amounts of purchases, on the day of the purchase, before any refund.'),
  refunds: money('Refunds, on the day of the refund.'),
  costs: money('Costs of purchases and interactions, on their day.'),
  net: money('receipts − refunds − costs.'),
  complete: completeField,
});

/** What came in and what went out, by the stage of the customers on the eve. */
export const cashFlow: Report<Query> = {
  definition: {
    report: 'cash-flow',
    definition_version: 1,
    question: 'What came in and what went out in each period, and from customers of which stage?',
    formula:
      'receipts = amounts of the purchases dated in the period; refunds = refunds dated in it, whatever the day of their purchase; costs = costs of the purchases and interactions dated in it; net = receipts − refunds − costs. The stage is that of the customer at the end of the day before the event.',
    denominator: 'None: sums of money.',
    window: 'Every stored event dated in the period, as known now. A period is complete when its last day is over.',
    exclusions:
      'Voided purchases, refunds and interactions; refunds of a purchase that is voided or not yet known. Wholly refunded purchases are not left out: the money came in, and went out again. Rows in which no money moved are left out.',
    reading:
      'In June 2025, customers who were core customers paid 4,312.00, got back 96.50 and cost 1,804.20: 2,411.30 remained.',
  },
  operation_id: 'getCashFlow',
  per_model: true,
  reads: [cashFlowRollup],
  query,
  row,
  summary: {},
  tables: {},
  example: {
    items: [
      {
        period: '2025-06',
        stage: 'core_customer',
        receipts: '4312.00',
        refunds: '96.50',
        costs: '1804.20',
        net: '2411.30',
        complete: true,
      },
    ],
  },
  async read(context, request) {
    const range = readPeriods(request, context.today);
    if ('code' in range) return range;
    const sums = await sumCash(context, range);
    if (sums.length > MAX_ROWS) {
      const detail = `the answer exceeds ${MAX_ROWS} rows; narrow the range or use a longer grain`;
      return { parameter: 'to', code: 'range_too_wide', detail };
    }
    return { as_of: context.today, projected: false, items: sums.map((sum) => rowOf(context, range, sum)) };
  },
};

interface CashSum {
  /** Index of the period, from 1. */
  readonly period: number;
  readonly stage: number;
  readonly receipts: bigint;
  readonly refunds: bigint;
  readonly costs: bigint;
}

/** Days summed by period and stage; only sums with anything in them. */
async function sumCash({ trx, model, group_id }: ReportContext, { starts, end }: PeriodRange): Promise<CashSum[]> {
  const { rows } = await sql<CashSum>`
    select width_bucket(day, ${starts}::int[]) as period, stage,
      sum(receipts)::int8 as receipts, sum(refunds)::int8 as refunds, sum(costs)::int8 as costs
    from rollup_cash_flow
    where model_version = ${model.version} and group_id = ${group_id} and day >= ${starts[0]} and day < ${end}
    group by 1, 2
    having sum(receipts) <> 0 or sum(refunds) <> 0 or sum(costs) <> 0
    order by 1, 2`.execute(trx);
  return rows;
}

function rowOf({ model, decimals, today }: ReportContext, { grain, starts }: PeriodRange, sum: CashSum) {
  const start = starts[sum.period - 1]!;
  return {
    period: formatPeriod(start, grain),
    stage: sum.stage === NOT_KNOWN ? null : model.model.stages[sum.stage - 1]!.stage,
    receipts: formatMoney(sum.receipts, decimals),
    refunds: formatMoney(sum.refunds, decimals),
    costs: formatMoney(sum.costs, decimals),
    net: formatMoney(sum.receipts - sum.refunds - sum.costs, decimals),
    complete: isOver(start, grain, today),
  };
}
