import { type Static, Type } from '@sinclair/typebox';
import type { Day } from '../domain/calendar.ts';
import { activityOf, type Position, stageOf, UNKNOWN } from '../domain/compile-model.ts';
import { ACTIVITIES } from '../domain/model.ts';
import { formatMoney } from '../domain/money.ts';
import { formatPeriod, isOver } from '../domain/period.ts';
import { activity, count, maybeFraction, money, nullable, stage } from './fields.ts';
import { groupParameter, modelParameter } from './parameters.ts';
import { type PeriodMove, periodMovesRollup, readPeriodMoves } from './period-moves-rollup.ts';
import { completeField, type PeriodRange, periodField, periodParameters, readPeriods } from './period-range.ts';
import { quotient } from './quotient.ts';
import { MAX_ROWS, type Report, type ReportContext, type ReportFault } from './report.ts';
import { stageMovesRollup, sumMoves } from './stage-moves-rollup.ts';

const query = Type.Object(
  { model: modelParameter, group: groupParameter, ...periodParameters },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

const mean = (description: string) => nullable(Type.Number(), { description });

const row = Type.Object({
  period: periodField,
  stage: nullable(stage(), {
    description: 'Stage at the end of the day before the period; null for customers first known inside it.',
  }),
  activity: nullable(activity(), {
    description: 'Activity at the end of the day before the period; null for customers first known inside it.',
  }),
  customers: count('Customers who stood there on the eve of the period; without stage, those first known inside it.'),
  buyers: count('Of these, customers with at least one purchase day in the period.'),
  retention: maybeFraction('buyers / customers; null until the period is over.'),
  lapsed: nullable(count('Of these, customers who are lapsed at the end of the period.'), {
    description:
      'Of these, customers who are lapsed at the end of the period, those who already were included; null until it is over.',
  }),
  lapse_rate: maybeFraction('lapsed / customers; null until the period is over.'),
  purchases: count('Purchases of these customers dated in the period.'),
  purchase_days: count('Purchase days of these customers in the period.'),
  revenue: money('Amounts less refunds of the purchases of these customers dated in the period.'),
  average_purchase: mean('revenue / purchases, in units of the currency; null without purchases.'),
  purchases_per_buyer: mean('purchases / buyers; null without buyers.'),
  scores: count('Survey scores these customers gave in the period.'),
  average_score: mean('Mean of these scores, 0–10; null without scores.'),
  complete: completeField,
});

/** Who stays and who leaves, by the stage and activity customers stood in before the period. */
export const stageRetention: Report<Query> = {
  definition: {
    report: 'stage-retention',
    definition_version: 1,
    question:
      'Of the customers of each stage and activity, how many buy in the period that follows, and how many lapse?',
    formula:
      'Customers are grouped by their stage and activity at the end of the day before the period. buyers = those with a purchase day in the period; retention = buyers / customers; lapsed = those whose activity is lapsed at the end of its last day; lapse_rate = lapsed / customers; average_purchase = revenue / purchases; purchases_per_buyer = purchases / buyers; average_score = sum of the scores / scores.',
    denominator:
      'customers: all who stood in the stage and activity on the eve of the period; without stage, all who became known in it.',
    window:
      'Events dated in the period, as known now. Until the period is over, what silence could still change (retention, lapsed, lapse_rate) is null.',
    exclusions:
      'Voided and wholly refunded purchases are no purchases. Rows with nobody in them are left out. The revenue of the rows of a period adds up to all revenue dated in it.',
    reading:
      'Of the 172 core customers who were active when June 2025 began, 88 bought in June, 51 %, and one had lapsed at its end.',
  },
  operation_id: 'getStageRetention',
  per_model: true,
  reads: [periodMovesRollup, stageMovesRollup],
  query,
  row,
  summary: {},
  tables: {},
  example: {
    items: [
      {
        period: '2025-06',
        stage: 'core_customer',
        activity: 'active',
        customers: 172,
        buyers: 88,
        retention: 0.5116279069767442,
        lapsed: 1,
        lapse_rate: 0.005813953488372093,
        purchases: 110,
        purchase_days: 104,
        revenue: '4312.00',
        average_purchase: 39.2,
        purchases_per_buyer: 1.25,
        scores: 8,
        average_score: 8.75,
        complete: true,
      },
    ],
  },
  async read(context, request) {
    const range = readPeriods(request, context.today);
    if ('code' in range) return range;
    const items = await readRows(context, range);
    if ('code' in items) return items;
    // What stands on the eve of a period to come is only scheduled.
    const projected = range.starts.at(-1)! > context.today;
    return { as_of: projected ? range.end - 1 : context.today, projected, items };
  },
};

/** Goes from period to period: the stock on the eve of one is that of the one before, moved by its net moves. */
async function readRows(context: ReportContext, { grain, starts, end }: PeriodRange): Promise<Row[] | ReportFault> {
  const from = starts[0]!;
  const stock = await stockOnEve(context, from);
  const moves = Map.groupBy(await readPeriodMoves(context, grain, from, end), (move) => move.period);
  const rows: Row[] = [];
  for (const start of starts) {
    const head = { period: formatPeriod(start, grain), complete: isOver(start, grain, context.today) };
    rows.push(...groupsOf(stock, moves.get(start) ?? []).map((group) => rowOf(context, head, group)));
    if (rows.length > MAX_ROWS) {
      const detail = `the answer exceeds ${MAX_ROWS} rows; narrow the range or use a longer grain`;
      return { parameter: 'to', code: 'range_too_wide', detail };
    }
  }
  return rows;
}

type Stock = Map<Position, number>;

/** Customers by position at the end of the day before. */
async function stockOnEve(context: ReportContext, day: Day): Promise<Stock> {
  const stock: Stock = new Map();
  for (const { from, to, customers } of await sumMoves(context, [day - 1])) {
    move(stock, from, to, customers);
  }
  return stock;
}

/** Moves customers from one position to another; a row of the roll-ups from a position to itself moves nobody. */
function move(stock: Stock, from: Position, to: Position, customers: number): void {
  if (from !== UNKNOWN) stock.set(from, (stock.get(from) ?? 0) - customers);
  stock.set(to, (stock.get(to) ?? 0) + customers);
}

/** Customers who stood at one position on the eve of a period, and what became of them in it. */
interface Group {
  readonly position: Position;
  customers: number;
  lapsed: number;
  did: Omit<PeriodMove, 'period' | 'from' | 'to' | 'customers'>;
}

const NOTHING: Group['did'] = { buyers: 0, purchases: 0, purchase_days: 0, revenue: 0n, scores: 0, score_sum: 0 };

/** The groups of a period that have customers, in order of the positions, those first known inside it last; moves the stock on. */
function groupsOf(stock: Stock, moves: readonly PeriodMove[]): Group[] {
  const groups = new Map<Position, Group>();
  for (const [position, customers] of [...[...stock].sort(byPosition), [UNKNOWN, 0] as const]) {
    groups.set(position, { position, customers, lapsed: isLapsed(position) ? customers : 0, did: NOTHING });
  }
  for (const one of moves) {
    const group = groups.get(one.from)!;
    if (one.from === one.to) group.did = one;
    else {
      if (one.from === UNKNOWN) group.customers += one.customers;
      group.lapsed += one.customers * (Number(isLapsed(one.to)) - Number(isLapsed(one.from)));
      move(stock, one.from, one.to, one.customers);
    }
  }
  return [...groups.values()].filter((group) => group.customers !== 0);
}

function isLapsed(position: Position): boolean {
  return position !== UNKNOWN && ACTIVITIES[activityOf(position)] === 'lapsed';
}

function byPosition([a]: readonly [Position, number], [b]: readonly [Position, number]): number {
  return a - b;
}

type Row = Static<typeof row>;

function rowOf(context: ReportContext, head: Pick<Row, 'period' | 'complete'>, group: Group): Row {
  const { model, decimals } = context;
  const { position, customers, lapsed, did } = group;
  const known = position !== UNKNOWN;
  return {
    period: head.period,
    stage: known ? model.model.stages[stageOf(position)]!.stage : null,
    activity: known ? ACTIVITIES[activityOf(position)]! : null,
    customers,
    buyers: did.buyers,
    retention: head.complete ? did.buyers / customers : null,
    lapsed: head.complete ? lapsed : null,
    lapse_rate: head.complete ? lapsed / customers : null,
    purchases: did.purchases,
    purchase_days: did.purchase_days,
    revenue: formatMoney(did.revenue, decimals),
    average_purchase: quotient(Number(did.revenue), did.purchases * 10 ** decimals),
    purchases_per_buyer: quotient(did.purchases, did.buyers),
    scores: did.scores,
    average_score: quotient(did.score_sum, did.scores),
    complete: head.complete,
  };
}
