import { type Static, Type } from '@sinclair/typebox';
import { formatInstant } from '../domain/instant.ts';
import { formatMoney } from '../domain/money.ts';
import { parsePeriod } from '../domain/period.ts';
import { customerValuesRollup } from './customer-values-rollup.ts';
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
  type LorenzPoint,
  lastRanks,
  lorenzOf,
  rankIn,
  totalOf,
  type ValueClass,
} from './value-ranking.ts';
import { definition, example, row, summary, tables } from './value-segments-words.ts';
import { readYearValues } from './year-values.ts';

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

/** How the values of all ranked customers lie. */
interface Shape extends Pick<Values, 'costs_alone'> {
  readonly customers: number;
  readonly total: bigint;
  readonly segments: readonly SegmentSum[];
  readonly customers_for_80_percent: number | null;
  readonly gini: number | null;
  readonly lorenz: readonly LorenzPoint[];
  readonly negative: { readonly customers: number; readonly value: bigint };
}

/** All that an answer is made of, whatever the period. */
interface Found {
  readonly shape: Shape;
  readonly profiles: Profiles | null;
  /** When it was read; null for this moment. */
  readonly computed_at: number | null;
}

/** Which fifth of the customers brings how much, who costs more than they bring, and who they are. */
export const valueSegments: Report<Query, ExactContext> = {
  definition,
  operation_id: 'getValueSegments',
  per_model: true,
  reads: [customerValuesRollup],
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
    const year = period === 'lifetime' ? null : Number(period);
    const found = await readFound(context, { by, year }, profile);
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

/** One exact read, so that segments and profiles are of one moment; without profiles the lifetime comes from a roll-up, as it is now. */
async function readFound(context: ExactContext, { by, year }: Ranking, profile: boolean): Promise<Found> {
  const read = async (): Promise<Pick<Found, 'shape' | 'profiles'>> => {
    const values = year === null ? await readLifetimeValues(context, by) : await readYearValues(context, { by, year });
    const profiles = profile ? await readRankedProfiles(context, { by, year }, values.classes) : null;
    return { shape: shapeOf(values), profiles };
  };
  if (year === null && !profile) return { ...(await read()), computed_at: null };
  const { group_id, model, today } = context;
  const key = ['value-segments', year ?? 'lifetime', by, group_id, model.version, today, profile];
  const { found, computed_at } = await context.exact(key, read);
  return { ...found, computed_at };
}

function shapeOf({ classes, costs_alone }: Values): Shape {
  const below = classes.filter(({ value }) => value < 0n);
  return {
    customers: customersOf(classes),
    total: totalOf(classes),
    segments: segmentsOf(classes),
    customers_for_80_percent: eightyPercent(classes)?.customers ?? null,
    gini: giniOf(classes),
    lorenz: lorenzOf(classes),
    negative: { customers: customersOf(below), value: totalOf(below) },
    costs_alone,
  };
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
  const { shape, profiles, computed_at } = found;
  const { customers, total, customers_for_80_percent: eighty, negative, costs_alone } = shape;
  const money = (minor: bigint): string => formatMoney(minor, decimals);
  return {
    as_of: today,
    projected: false,
    items: shape.segments.map((one) => ({
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
      gini: shape.gini,
      negative: { customers: negative.customers, value: money(negative.value) },
      cost_without_purchase: { customers: costs_alone.customers, costs: money(costs_alone.costs) },
      computed_at: computed_at === null ? null : formatInstant(computed_at),
    },
    tables: { lorenz: shape.lorenz, stages: profiles === null ? [] : stageRows(model, profiles, decimals, link) },
  };
}
