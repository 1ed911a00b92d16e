import { type Static, Type } from '@sinclair/typebox';
import { type Day, formatDay, nextPeriodStart, periodStart } from '../domain/calendar.ts';
import { activityOf, type CompiledModel, type Position, stageOf, UNKNOWN } from '../domain/compile-model.ts';
import { ACTIVITIES, type Activity } from '../domain/model.ts';
import { GRAINS, type Grain, previousPeriodStart } from '../domain/period.ts';
import { activity, count, day, nullable, oneOf, stage } from './fields.ts';
import { groupParameter, modelParameter, readRange } from './parameters.ts';
import { periodMovesRollup, readPeriodMoves } from './period-moves-rollup.ts';
import { MAX_ROWS, type Report, type ReportContext, type ReportFault } from './report.ts';
import { type MoveSum, stageMovesRollup, sumMoves } from './stage-moves-rollup.ts';

const query = Type.Object(
  {
    model: modelParameter,
    group: groupParameter,
    from: Type.Optional(day('First day of the range; the first day of the current month if absent.')),
    to: Type.Optional(day('The day after the last day of the range (half-open); tomorrow if absent.')),
    basis: Type.Optional(
      oneOf(['gross', 'net'], {
        description:
          '`gross` (if absent): every move, one a customer and day. `net`: each customer once, from the position on the eve of the range to that at its end; from and to must then span exactly one week, month, quarter or year that is over; both absent, it is the last complete month.',
      }),
    ),
  },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

const row = Type.Object({
  from_stage: nullable(stage(), { description: 'Stage on the eve of the move; null for customers who became known.' }),
  from_activity: nullable(activity(), {
    description: 'Activity on the eve of the move; null for customers who became known.',
  }),
  to_stage: stage('Stage at the end of the day of the move.'),
  to_activity: activity('Activity at the end of the day of the move.'),
  customers: count(
    'Moves between these two positions: one net move a customer and day, or with basis=net one a customer.',
  ),
});

const balanceRow = Type.Object({
  stage: stage(),
  opening: count('Customers on the stage at the end of the day before `from`.'),
  entered: count('Moves into the stage from another one, or by becoming known; on the basis asked for.'),
  left: count('Moves out of the stage to another one; on the basis asked for.'),
  closing: count('Customers on the stage at the end of the last day: opening + entered − left.'),
});

/** Who moved where in a range of days, and the balance of each stage. */
export const stageMoves: Report<Query> = {
  definition: {
    report: 'stage-moves',
    definition_version: 1,
    question: 'Who moved from which stage and activity to which, and does the stock of each stage balance?',
    formula:
      'customers = number of moves between the ends of two consecutive days, the later one in [from, to); a customer moves at most once a day. balance: opening + entered − left = closing, where entered and left count changes of stage and becoming known, not changes of activity alone. basis=net: customers = number of customers who stood at the one position at the end of the day before `from` and at the other at the end of the last day, if these differ; entered and left then count them only.',
    denominator: 'None: counts.',
    window:
      'Moves dated from `from` to the day before `to`, as known now; days after today hold the moves scheduled if nothing more happens.',
    exclusions:
      'Moves within one day. A customer who goes and comes back on different days is counted for each move; with basis=net not at all.',
    reading: 'In June 2025, 31 active early repeat buyers became active core customers.',
  },
  operation_id: 'getStageMoves',
  per_model: true,
  reads: [stageMovesRollup, periodMovesRollup],
  query,
  row,
  summary: {},
  tables: { balance: balanceRow },
  example: {
    items: [
      {
        from_stage: 'early_repeat_buyer',
        from_activity: 'active',
        to_stage: 'core_customer',
        to_activity: 'active',
        customers: 31,
      },
    ],
    balance: [{ stage: 'core_customer', opening: 172, entered: 31, left: 12, closing: 191 }],
  },
  async read(context, request) {
    const range = (request.basis === 'net' ? completePeriod : anyDays)(request, context.today);
    if ('code' in range) return range;
    const last = range.to - 1;
    const found = await sumsOf(context, range);
    const sums = found.filter((sum) => sum.customers !== 0 && sum.from !== sum.to);
    const moves = sums.filter((sum) => sum.span === MOVES);
    if (moves.length > MAX_ROWS) {
      return {
        parameter: 'to',
        code: 'range_too_wide',
        detail: `the answer exceeds ${MAX_ROWS} rows; narrow the range`,
      };
    }
    return {
      as_of: last,
      projected: last > context.today,
      items: moves.map((sum) => moveRow(context.model, sum)),
      tables: { balance: balance(context.model, sums) },
    };
  },
};

/** Spans of the sums: everything before the range, and the range. */
const OPENING = 0;
const MOVES = 1;

/** The days asked for, and of which grain they are one period; null where every move counts. */
interface Days {
  readonly from: Day;
  readonly to: Day;
  readonly net: Grain | null;
}

function anyDays({ from, to }: Query, today: Day): Days | ReportFault {
  const range = readRange(from ?? formatDay(periodStart(today, 'month')), to ?? formatDay(today + 1));
  return 'code' in range ? range : { ...range, net: null };
}

/** A range that is exactly one period, and over: only of such the net moves are counted, and final. */
function completePeriod({ from, to }: Query, today: Day): Days | ReportFault {
  if (from === undefined && to === undefined) {
    const running = periodStart(today, 'month');
    return { from: previousPeriodStart(running, 'month'), to: running, net: 'month' };
  }
  const range = readRange(from, to);
  if ('code' in range) return range;
  const net = GRAINS.find((grain) => {
    return periodStart(range.from, grain) === range.from && nextPeriodStart(range.from, grain) === range.to;
  });
  const refused = { parameter: 'to', code: 'invalid_range' } as const;
  if (net === undefined)
    return { ...refused, detail: 'with basis=net, from and to must span exactly one week, month, quarter or year' };
  if (range.to > today) return { ...refused, detail: 'with basis=net, the period must be over' };
  return { ...range, net };
}

/** The moves before the range, and those in it. */
async function sumsOf(context: ReportContext, { from, to, net }: Days): Promise<readonly Moved[]> {
  if (net === null) return await sumMoves(context, [from - 1, to - 1]);
  const opening = await sumMoves(context, [from - 1]);
  const moves = await readPeriodMoves(context, net, from, to);
  return [...opening, ...moves.map((move): Moved => ({ ...move, span: MOVES }))];
}

/** Customers who moved, before the range or in it. */
type Moved = Omit<MoveSum, 'revenue'>;

function moveRow(model: CompiledModel, sum: Moved) {
  const from = named(model, sum.from);
  const to = named(model, sum.to);
  return {
    from_stage: from?.stage ?? null,
    from_activity: from?.activity ?? null,
    to_stage: to!.stage,
    to_activity: to!.activity,
    customers: sum.customers,
  };
}

function named({ model }: CompiledModel, position: Position): { stage: string; activity: Activity } | null {
  if (position === UNKNOWN) return null;
  return { stage: model.stages[stageOf(position)]!.stage, activity: ACTIVITIES[activityOf(position)]! };
}

/** The stock of each stage before and after, and what led from one to the other. */
function balance({ model }: CompiledModel, sums: readonly Moved[]) {
  const rows = model.stages.map(({ stage: name }) => ({ stage: name, opening: 0, entered: 0, left: 0, closing: 0 }));
  for (const { span, from, to, customers } of sums) {
    const fromStage = from === UNKNOWN ? null : stageOf(from);
    const toStage = stageOf(to);
    if (fromStage === toStage) continue;
    const entering = rows[toStage]!;
    const leaving = fromStage === null ? null : rows[fromStage]!;
    if (span === OPENING) {
      entering.opening += customers;
      if (leaving !== null) leaving.opening -= customers;
    } else {
      entering.entered += customers;
      if (leaving !== null) leaving.left += customers;
    }
  }
  for (const stock of rows) stock.closing = stock.opening + stock.entered - stock.left;
  return rows;
}
