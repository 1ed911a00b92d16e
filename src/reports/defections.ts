import { type Static, Type } from '@sinclair/typebox';
import { type Day, nextPeriodStart } from '../domain/calendar.ts';
import type { CompiledModel } from '../domain/compile-model.ts';
import { formatMoney } from '../domain/money.ts';
import { formatPeriod } from '../domain/period.ts';
import {
  DEFECTION_REASONS,
  type DefectionSum,
  defectionsRollup,
  sumDefections,
  WIN_BACK_DAYS,
} from './defections-rollup.ts';
import { count, money, nullable, oneOf, stage } from './fields.ts';
import { groupParameter, modelParameter } from './parameters.ts';
import { completeField, type PeriodRange, periodField, periodParameters, readPeriods } from './period-range.ts';
import { MAX_ROWS, type Report, type ReportContext } from './report.ts';

const query = Type.Object(
  { model: modelParameter, group: groupParameter, ...periodParameters },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

const wonBack = (days: number) =>
  nullable(count(`Of these, customers with a purchase day at most ${days} days after the defection.`), {
    description: `Of these, customers with a purchase day at most ${days} days after the defection; null until the period's last day is ${days} days ago.`,
  });

const row = Type.Object({
  period: periodField,
  complete: completeField,
  stage_left: nullable(stage(), {
    description: 'Stage on the eve of the defection; null for customers first known on that very day.',
  }),
  reason: oneOf(DEFECTION_REASONS, {
    description:
      'What the latest departure from the last purchase day until the next one stated; else open_complaint if one was open on the day; else unknown.',
  }),
  defections: count('Moves into lapsed dated in the period; in days to come those that are scheduled.'),
  value_at_stake: money(
    'Revenue of these customers in the month of their last purchase day and the eleven months before, up to the day of the defection.',
  ),
  average_tenure_days: Type.Number({
    minimum: 0,
    description: 'Mean number of days from the first purchase day to the defection.',
  }),
  with_open_complaint: count('Defections with a complaint open at the end of the day, whatever the reason.'),
  won_back_90: wonBack(90),
  won_back_180: wonBack(180),
  won_back_365: wonBack(365),
});

/** Whom the business lost, what they were worth, why they left and whether they came back. */
export const defections: Report<Query> = {
  definition: {
    report: 'defections',
    definition_version: 1,
    question: 'Whom did we lose, from which stage and why, what were they worth, and do they come back?',
    formula:
      'defections = number of moves into activity lapsed from any other activity, on the day of the move. value_at_stake = sum of amounts less refunds dated in the calendar month of the last purchase day and the 11 months before, on or before the day of the defection. average_tenure_days = mean of the days from the first purchase day to the defection. won_back_90 = defections whose customer has a next purchase day at most 90 days later; 180 and 365 likewise. reason = that of the latest departure dated from the last purchase day to the day before the next one (of one day the later instant, then the greater interaction_id); else open_complaint if a complaint was open at the end of the day of the defection; else unknown.',
    denominator: 'average_tenure_days: defections. All else are counts and sums.',
    window:
      'Defections dated in the period, as known now; after today those scheduled if nothing more happens. Purchases and departures after the period count for its reasons and win-backs.',
    exclusions:
      'Customers who never bought cannot lapse. A departure on the day of a purchase makes a customer lapsed on that day; it is no defection of a customer who was lapsed already. Voided and wholly refunded purchases win nobody back.',
    reading:
      'In March 2025, 12 core customers lapsed after stating that the price drove them away; they had brought 3,411.50 in their last twelve months, after 402 days on average, and 3 of them bought again within 90 days.',
  },
  operation_id: 'getDefections',
  per_model: true,
  reads: [defectionsRollup],
  query,
  row,
  summary: {},
  tables: {},
  example: {
    items: [
      {
        period: '2025-03',
        complete: true,
        stage_left: 'core_customer',
        reason: 'price',
        defections: 12,
        value_at_stake: '3411.50',
        average_tenure_days: 402.25,
        with_open_complaint: 1,
        won_back_90: 3,
        won_back_180: null,
        won_back_365: null,
      },
    ],
  },
  async read(context, request) {
    const range = readPeriods(request, context.today);
    if ('code' in range) return range;
    const sums = await sumDefections(context, range);
    if (sums.length > MAX_ROWS)
      return {
        parameter: 'to',
        code: 'range_too_wide',
        detail: `the answer exceeds ${MAX_ROWS} rows; narrow the range`,
      };
    const last = range.end - 1;
    return {
      as_of: Math.max(last, context.today),
      projected: last > context.today,
      items: sums.map((sum) => defectionRow(context, range, sum)),
    };
  },
};

function defectionRow({ model, today, decimals }: ReportContext, { grain, starts }: PeriodRange, sum: DefectionSum) {
  const start = starts[sum.period]!;
  const last = nextPeriodStart(start, grain) - 1;
  const [won_back_90, won_back_180, won_back_365] = wonBackBy(sum, last, today);
  return {
    period: formatPeriod(start, grain),
    complete: last < today,
    stage_left: stageName(model, sum.stage_left),
    reason: DEFECTION_REASONS[sum.reason]!,
    defections: sum.defections,
    value_at_stake: formatMoney(sum.value_at_stake, decimals),
    average_tenure_days: sum.tenure_days / sum.defections,
    with_open_complaint: sum.with_open_complaint,
    won_back_90,
    won_back_180,
    won_back_365,
  };
}

/** The win-backs for which all of the period has had the time. */
function wonBackBy(sum: DefectionSum, last: Day, today: Day): (number | null)[] {
  const counts = [sum.won_back_90, sum.won_back_180, sum.won_back_365];
  return counts.map((won, index) => (today - last >= WIN_BACK_DAYS[index]! ? won : null));
}

function stageName({ model }: CompiledModel, stage_left: number): string | null {
  return stage_left === 0 ? null : model.stages[stage_left - 1]!.stage;
}
