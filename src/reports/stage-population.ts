import { type Static, Type } from '@sinclair/typebox';
import { type Day, formatDay, INTERVALS, type Interval, nextPeriodStart } from '../domain/calendar.ts';
import { type CompiledModel, type Position, positionOf, UNKNOWN } from '../domain/compile-model.ts';
import { ACTIVITIES } from '../domain/model.ts';
import { formatMoney } from '../domain/money.ts';
import { possibleActivities } from '../domain/possible-activities.ts';
import { customersLink, customersLinkField } from './customers-link.ts';
import { activity, count, day, money, oneOf, stage } from './fields.ts';
import { groupParameter, modelParameter, readDay, readRange } from './parameters.ts';
import { MAX_POINTS, MAX_ROWS, type Report, type ReportContext, type ReportFault } from './report.ts';
import { type MoveSum, stageMovesRollup, sumMoves } from './stage-moves-rollup.ts';

const query = Type.Object(
  {
    model: modelParameter,
    group: groupParameter,
    as_of: Type.Optional(day('The day whose end is asked for; today if absent. Not together with from and to.')),
    from: Type.Optional(day('First day of a series; with `to`.')),
    to: Type.Optional(day('The day after the last day of a series (the range is half-open).')),
    interval: Type.Optional(
      oneOf(INTERVALS, {
        description: 'Step of a series; `month` if absent. Each point is the last day of a step, cut at `to`.',
      }),
    ),
  },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

const row = Type.Object({
  as_of: day('End of this day.'),
  stage: stage(),
  activity: activity(),
  customers: count('Customers who stand there at the end of the day.'),
  revenue: money('Lifetime revenue, up to that day, of the customers who stand there.'),
  customers_link: customersLinkField,
});

/** How many customers stand where, and what they have brought, on any day or as a series. */
export const stagePopulation: Report<Query> = {
  definition: {
    report: 'stage-population',
    definition_version: 1,
    question:
      'How many customers stand on each stage at the end of a day, how active are they, and what have they brought?',
    formula:
      'customers = number of customers whose stage and activity at the end of the day are those of the row; revenue = sum, over these customers, of amounts less refunds of their purchases dated on or before that day.',
    denominator: 'None: counts and sums.',
    window:
      'Every event that counts, dated on or before the day, as known now. A later refund, correction or erasure restates past days.',
    exclusions:
      'Customers not yet known on the day. Voided and wholly refunded purchases do not count. A row whose stage and activity contradict each other by the rules of the model is left out.',
    reading:
      'At the end of 2025-06-30, 172 customers were core customers and active; they had brought 21,904.10 until then.',
  },
  operation_id: 'getStagePopulation',
  per_model: true,
  reads: [stageMovesRollup],
  query,
  row,
  summary: {},
  tables: {},
  example: {
    items: [
      {
        as_of: '2025-06-30',
        stage: 'core_customer',
        activity: 'active',
        customers: 172,
        revenue: '21904.10',
        customers_link: '/v1/customers?model=lifecycle&stage=core_customer&activity=active',
      },
      {
        as_of: '2025-06-29',
        stage: 'core_customer',
        activity: 'at_risk',
        customers: 25,
        revenue: '2519.80',
        customers_link: null,
      },
    ],
  },
  async read(context, request) {
    const points = pointsOf(request, context.today);
    if ('code' in points) return points;
    const shown = shownPositions(context.model);
    if (points.length * shown.length > MAX_ROWS) {
      const fits = Math.floor(MAX_ROWS / shown.length);
      return tooWide(
        `${points.length} points of ${shown.length} rows each exceed ${MAX_ROWS} rows; ask for at most ${fits} points`,
      );
    }
    const sums = await sumMoves(context, points);
    const last = points.at(-1)!;
    const link = linkTo(context, request.group);
    return { as_of: last, projected: last > context.today, items: stocks(points, sums, shown, context.decimals, link) };
  },
};

function tooWide(detail: string): ReportFault {
  return { parameter: 'to', code: 'range_too_wide', detail };
}

/** The days asked for: one, or the last day of each step of the series. */
function pointsOf(request: Query, today: Day): readonly Day[] | ReportFault {
  if (request.from === undefined && request.to === undefined) {
    if (request.interval !== undefined) {
      return {
        parameter: 'interval',
        code: 'invalid_range',
        detail: 'needs from and to; leave it out to ask for one day',
      };
    }
    const asOf = readDay('as_of', request.as_of, today);
    return typeof asOf === 'number' ? [asOf] : asOf;
  }
  if (request.as_of !== undefined) {
    return {
      parameter: 'as_of',
      code: 'invalid_range',
      detail: 'cannot be given together with from and to; ask for a day or for a series',
    };
  }
  const range = readRange(request.from, request.to);
  if ('code' in range) return range;
  return series(range.from, range.to, request.interval ?? 'month');
}

function series(from: Day, to: Day, interval: Interval): readonly Day[] | ReportFault {
  const points: Day[] = [];
  for (let start = from; start < to; start = nextPeriodStart(start, interval)) {
    if (points.length === MAX_POINTS)
      return tooWide(`a series has at most ${MAX_POINTS} points; narrow the range or widen the interval`);
    points.push(Math.min(nextPeriodStart(start, interval), to) - 1);
  }
  return points;
}

interface Shown {
  readonly position: Position;
  readonly stage: string;
  readonly activity: (typeof ACTIVITIES)[number];
}

/** The positions a row is shown for, zeros too: every stage with each activity its rule allows. */
function shownPositions({ model }: CompiledModel): Shown[] {
  return model.stages.flatMap(({ stage: name }, index) =>
    possibleActivities(model, index).map((name_of) => ({
      position: positionOf(index, ACTIVITIES.indexOf(name_of)),
      stage: name,
      activity: name_of,
    })),
  );
}

/** Gives the list of those who stand at a position at the end of a day, if that is today. */
function linkTo({ model, today }: ReportContext, group: string | undefined) {
  const { model_id } = model.model;
  return (day: Day, { stage: name, activity: state }: Shown): string | null =>
    day === today ? customersLink({ model: model_id, stage: name, activity: state, group }) : null;
}

/** Adds the moves up step by step: the stock of a point is that of the point before, plus who came, less who went. */
function stocks(
  points: readonly Day[],
  sums: readonly MoveSum[],
  shown: readonly Shown[],
  decimals: number,
  link: ReturnType<typeof linkTo>,
) {
  const customers = new Map<Position, number>();
  const revenue = new Map<Position, bigint>();
  const add = (position: Position, people: number, value: bigint): void => {
    customers.set(position, (customers.get(position) ?? 0) + people);
    revenue.set(position, (revenue.get(position) ?? 0n) + value);
  };
  let next = 0;
  return points.flatMap((point, span) => {
    for (; sums[next]?.span === span; next += 1) {
      const sum = sums[next]!;
      add(sum.to, sum.from === sum.to ? 0 : sum.customers, sum.revenue);
      if (sum.from !== sum.to && sum.from !== UNKNOWN) add(sum.from, -sum.customers, -sum.revenue);
    }
    const as_of = formatDay(point);
    return shown.map((row) => ({
      as_of,
      stage: row.stage,
      activity: row.activity,
      customers: customers.get(row.position) ?? 0,
      revenue: formatMoney(revenue.get(row.position) ?? 0n, decimals),
      customers_link: link(point, row),
    }));
  });
}
