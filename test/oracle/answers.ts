import { cohortRetention, customerFlow, loyaltyEconomics, type PeriodAsk, revenueMovements } from './buyers-reports.ts';
import { formatDay, parseDay } from './calendar.ts';
import { defections, timeInStage } from './leaving-reports.ts';
import type { Oracle } from './oracle.ts';
import type { Person } from './people.ts';
import { type Grain, nextPeriod, type Period, parsePeriod, periodOf, previousPeriod } from './periods.ts';
import { repeatPurchases } from './repeat-report.ts';
import { cashFlow, modelCrosswalk, netMoves, type StageAsk, stageRetention } from './stage-reports.ts';
import { type Value, valueSegments } from './value-report.ts';

/** The query of a report as its URL has it, by parameter. */
export type Query = Readonly<Record<string, string>>;

/** `items`, and what stands beside them. */
export type ReportAnswer = Readonly<Record<string, unknown>> & {
  readonly items: readonly Readonly<Record<string, unknown>>[];
};

/** What the oracle answers to each report. Parameters may be absent, as in the API. */
export const ANSWERS: Readonly<Record<string, (oracle: Oracle, query: Query) => ReportAnswer>> = {
  'stage-population': (oracle, query) => {
    const asOf = query.as_of ?? formatDay(oracle.today);
    return { items: oracle.stagePopulation(modelOf(query), asOf, query.group).map((row) => ({ as_of: asOf, ...row })) };
  },
  'stage-moves': (oracle, query) => {
    const from = query.from ?? formatDay(periodOf(oracle.today, 'month').from);
    const to = query.to ?? formatDay(oracle.today + 1);
    const { moves, balance } =
      query.basis === 'net'
        ? netMoves(movers(oracle, query), oracle.stagesOf(modelOf(query)), parseDay(from), parseDay(to))
        : oracle.stageMoves(modelOf(query), from, to, query.group);
    return { items: moves as readonly object[] as ReportAnswer['items'], balance };
  },
  'stage-retention': (oracle, query) => ({ items: stageRetention(stageAsk(oracle, query)) }),
  'time-in-stage': (oracle, query) => {
    const stages = oracle.stagesOf(modelOf(query));
    const stage = query.stage ?? stages[1] ?? stages[0] ?? '';
    const asOf = query.as_of === undefined ? oracle.today : parseDay(query.as_of);
    return timeInStage(movers(oracle, query), stages, stage, asOf);
  },
  'customer-flow': (oracle, query) => ({ items: customerFlow(periodAsk(oracle, query)) }),
  'cohort-retention': (oracle, query) => ({ items: cohortRetention(periodAsk(oracle, query), query.basis ?? 'on') }),
  'revenue-movements': (oracle, query) => ({ items: revenueMovements(periodAsk(oracle, query)) }),
  'repeat-purchases': (oracle, query) => {
    const purchaseNumber = query.purchase_number === undefined ? null : Number(query.purchase_number);
    return repeatPurchases(buyers(oracle, query), oracle.today, purchaseNumber);
  },
  'value-segments': (oracle, query) =>
    valueSegments(
      buyers(oracle, query),
      (query.value ?? 'revenue') as Value,
      query.period ?? 'lifetime',
      oracle.decimals,
    ),
  defections: (oracle, query) => ({ items: defections(stageAsk(oracle, query)) }),
  'loyalty-economics': (oracle, query) => {
    const discountRate = query.discount_rate === undefined ? undefined : Number(query.discount_rate);
    const { acquisition_cost: acquisitionCost, retention_cost: retentionCost } = query;
    const ask = periodAsk(oracle, query, 'year');
    return { items: loyaltyEconomics(ask, { acquisitionCost, retentionCost, discountRate }) };
  },
  'cash-flow': (oracle, query) => ({ items: cashFlow(stageAsk(oracle, query)) }),
  'model-crosswalk': (oracle, query) => {
    const model = modelOf(query);
    const other = query.other ?? model;
    const others = oracle.people(other, query.group);
    const stages = oracle.stagesOf(model);
    return { items: modelCrosswalk(movers(oracle, query), others, stages, oracle.stagesOf(other), oracle.today) };
  },
};

/** The periods that begin in [from, to); without `from` the twelve before `to`, without `to` up to the running one. */
export function askedPeriods(query: Query, today: number, usual: Grain = 'month'): Period[] {
  const grain = (query.grain ?? usual) as Grain;
  const end = query.to === undefined ? nextPeriod(periodOf(today, grain)) : parsePeriod(query.to, grain);
  let first = end;
  if (query.from !== undefined) first = parsePeriod(query.from, grain);
  else for (let back = 0; back < 12; back += 1) first = previousPeriod(first);
  const periods: Period[] = [];
  for (let period = first; period.from < end.from; period = nextPeriod(period)) periods.push(period);
  return periods;
}

function modelOf(query: Query): string {
  return query.model ?? 'lifecycle';
}

/** Everybody asked about, without spells. */
function buyers(oracle: Oracle, query: Query): Person[] {
  return oracle.people(null, query.group);
}

/** Everybody asked about, with their spells in the model. */
function movers(oracle: Oracle, query: Query): Person[] {
  return oracle.people(modelOf(query), query.group);
}

function periodAsk(oracle: Oracle, query: Query, usual: Grain = 'month'): PeriodAsk {
  const { today, decimals } = oracle;
  return { people: buyers(oracle, query), periods: askedPeriods(query, today, usual), today, decimals };
}

function stageAsk(oracle: Oracle, query: Query): StageAsk {
  return { ...periodAsk(oracle, query), people: movers(oracle, query), stages: oracle.stagesOf(modelOf(query)) };
}
