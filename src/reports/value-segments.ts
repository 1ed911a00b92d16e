import { type Static, Type } from '@sinclair/typebox';
import { formatInstant } from '../domain/instant.ts';
import { formatMoney } from '../domain/money.ts';
import { parsePeriod } from '../domain/period.ts';
import { customersLink } from './customers-link.ts';
import { oneOf } from './fields.ts';
import { groupParameter, modelParameter } from './parameters.ts';
import type { ExactContext, Report, ReportAnswer, ReportFault } from './report.ts';
import { type Profiles, readProfiles } from './segment-profiles.ts';
import { profileRow, type SegmentLink, stageRows } from './segment-rows.ts';
import {
  type Ranking,
  readBorders,
  readLifetimeValues,
  SEGMENTS,
  type Segment,
  VALUES,
  type Value,
  type Values,
} from './value-classes.ts';
import {
  customersOf,
  eightyPercent,
  giniOf,
  lastRanks,
  lorenzOf,
  rankIn,
  totalOf,
  type ValueClass,
} from './value-ranking.ts';
import { definition, example, row, summary, tables } from './value-segments-words.ts';
import { readYearValues, type YearRanking } from './year-values.ts';

const query = Type.Object(
  {
    value: Type.Optional(oneOf(VALUES, { description: 'What customers are ranked by; `revenue` if absent.' })),
    period: Type.Optional(
      Type.String({
        pattern: '^(lifetime|\\d{4})$',
        description: '`lifetime` (if absent), or a year such as 2025: what is dated in it.',
      }),
    ),
    model: modelParameter,
    group: groupParameter,
    profile: Type.Optional(
      Type.Boolean({
        description:
          'false leaves out what is read from every customer: the rows have no profile then, and `stages` is empty. true if absent.',
      }),
    ),
  },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

/** One segment's sums. */
interface SegmentSum {
  readonly segment: Segment;
  readonly customers: number;
  readonly value: bigint;
  readonly threshold: bigint | null;
  readonly tied_at_threshold: number;
}

/** All that an answer is made of, whatever the period. */
interface Found extends Values {
  readonly profiles: Profiles | null;
  /** When the exact reads took place; null without any. */
  readonly computed_at: number | null;
}

/** Which fifth of the customers brings how much, who costs more than they bring, and who they are. */
export const valueSegments: Report<Query, ExactContext> = {
  definition,
  operation_id: 'getValueSegments',
  per_model: true,
  query,
  row,
  summary,
  tables,
  example,
  async read(context, request) {
    const by = request.value ?? 'revenue';
    const period = request.period ?? 'lifetime';
    if (period !== 'lifetime' && parsePeriod(period, 'year') === null) return NOT_A_PERIOD;
    const profile = request.profile ?? true;
    const found =
      period === 'lifetime'
        ? await readLifetime(context, by, profile)
        : await readYear(context, { by, year: Number(period) }, profile);
    const filters = { value: by, model: context.model.model.model_id, group: request.group };
    const link: SegmentLink = (segment, stage) =>
      period === 'lifetime' ? customersLink({ segment, ...filters, stage }) : null;
    return answerOf(context, by, period, found, link);
  },
};

const NOT_A_PERIOD: ReportFault = {
  parameter: 'period',
  code: 'not_a_period',
  detail: 'is neither `lifetime` nor a year between 1900 and 2199',
};

async function readLifetime(context: ExactContext, by: Value, profile: boolean): Promise<Found> {
  const values = await readLifetimeValues(context, by);
  const key = ['value-segments', 'lifetime', by, context.group_id, context.model.version, context.today];
  const read = async () => await readRankedProfiles(context, { by, year: null }, values.classes);
  const exact = profile ? await context.exact(key, read) : null;
  return { ...values, profiles: exact?.found ?? null, computed_at: exact?.computed_at ?? null };
}

async function readYear(context: ExactContext, ranking: YearRanking, profile: boolean): Promise<Found> {
  const { by, year } = ranking;
  const key = ['value-segments', year, by, context.group_id, context.model.version, context.today, profile];
  const { found, computed_at } = await context.exact(key, async () => {
    const values = await readYearValues(context, ranking);
    return { ...values, profiles: profile ? await readRankedProfiles(context, ranking, values.classes) : null };
  });
  return { ...found, computed_at };
}

async function readRankedProfiles(
  context: ExactContext,
  ranking: Ranking,
  classes: readonly ValueClass[],
): Promise<Profiles> {
  const borders = await readBorders(context, ranking, classes);
  return borders === null ? { standings: [], sums: [], groups: [] } : await readProfiles(context, ranking, borders);
}

/** The sums of the segments; their borders lie in levels. */
function segmentsOf(classes: readonly ValueClass[]): SegmentSum[] {
  const customers = customersOf(classes);
  const ends = customers === 0 ? [] : lastRanks(customers);
  let [before, worth] = [0, 0n];
  return SEGMENTS.map((segment, index) => {
    const end = ends[index] ?? 0;
    if (end === before) return { segment, customers: 0, value: 0n, threshold: null, tied_at_threshold: 0 };
    const last = rankIn(classes, end);
    const level = classes[last.index]!;
    const sum = { segment, customers: end - before, value: last.value - worth };
    [before, worth] = [end, last.value];
    return { ...sum, threshold: BigInt(level.greatest), tied_at_threshold: level.customers };
  });
}

function answerOf(
  { decimals, model, today }: ExactContext,
  by: Value,
  period: string,
  found: Found,
  link: SegmentLink,
): ReportAnswer {
  const { classes, costs_alone, profiles, computed_at } = found;
  const [customers, total] = [customersOf(classes), totalOf(classes)];
  const eighty = eightyPercent(classes)?.customers ?? null;
  const below = classes.filter(({ value }) => value < 0n);
  const money = (minor: bigint): string => formatMoney(minor, decimals);
  return {
    as_of: today,
    projected: false,
    items: segmentsOf(classes).map((one) => ({
      segment: one.segment,
      customers: one.customers,
      value: money(one.value),
      share: total > 0n ? Number(one.value) / Number(total) : null,
      threshold: one.threshold === null ? null : money(one.threshold),
      tied_at_threshold: one.tied_at_threshold,
      profile: profiles === null ? null : profileRow(profiles, one.segment, decimals),
      customers_link: link(one.segment),
    })),
    summary: {
      value: by,
      period,
      customers,
      total: money(total),
      customers_for_80_percent: eighty,
      share_for_80_percent: eighty === null ? null : eighty / customers,
      gini: giniOf(classes),
      negative: { customers: customersOf(below), value: money(totalOf(below)) },
      cost_without_purchase: { customers: costs_alone.customers, costs: money(costs_alone.costs) },
      computed_at: computed_at === null ? null : formatInstant(computed_at),
    },
    tables: { lorenz: lorenzOf(classes), stages: profiles === null ? [] : stageRows(model, profiles, decimals, link) },
  };
}
