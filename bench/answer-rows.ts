import type { Cell, Row } from './rival.ts';

/** A report's answer over HTTP. */
interface Answer {
  readonly items: readonly Fields[];
  readonly [table: string]: unknown;
}
type Fields = Readonly<Record<string, Cell>>;

/** How an answer of the service reads as the rows of a rival's query. */
interface Shape {
  readonly rows: (answer: Answer) => readonly Row[];
  /** So many columns at the end are fractions, which may differ by rounding. */
  readonly fractions?: number;
}

/**
 * The service's answer to a report with its defaults, in the rows and columns of the rivals' queries. Left out is what a reader works out from a row alone, such
 * as shares, and rows of nothing but zeros.
 */
export const ANSWER_SHAPES: Readonly<Record<string, Shape>> = {
  'stage-population': {
    rows: ({ items }) =>
      items
        .filter(({ customers }) => customers !== 0)
        .map((row) => [row.stage!, row.activity!, row.customers!, minor(row.revenue)]),
  },
  'stage-moves': { rows: stageMoves },
  'stage-retention': {
    rows: ({ items }) =>
      items.map((row) => [
        monthOf(row.period),
        ...pick(row, 'stage', 'activity', 'customers', 'buyers', 'lapsed', 'purchases', 'purchase_days'),
        minor(row.revenue),
        row.scores!,
        Math.round(Number(row.average_score) * Number(row.scores)),
      ]),
  },
  'time-in-stage': {
    rows: ({ items, spells }) => [
      ...items.map((row) => pick(row, 'weeks', 'exit', 'at_risk', 'exits')),
      [null, 'spells', spells as number, null],
    ],
  },
  'customer-flow': {
    rows: ({ items }) =>
      items.map((row) => [
        monthOf(row.period),
        ...pick(row, 'new_buyers', 'returning_buyers', 'reactivated_buyers', 'dormant_buyers'),
      ]),
  },
  'cohort-retention': {
    rows: ({ items }) =>
      items
        .map((row) => [
          monthOf(row.cohort),
          ...pick(row, 'age', 'retained', 'purchases', 'purchase_days'),
          minor(row.revenue),
          minor(row.profit),
        ])
        .filter((row) => row.slice(2).some((cell) => cell !== 0)),
  },
  'revenue-movements': {
    fractions: 2,
    rows: ({ items }) =>
      items.map((row) => [
        monthOf(row.period),
        ...pick(
          row,
          'opening_revenue',
          'new_revenue',
          'reactivated_revenue',
          'expansion_revenue',
          'contraction_revenue',
          'lost_revenue',
          'closing_revenue',
        ).map(minor),
        row.nrr!,
        row.grr!,
      ]),
  },
  'repeat-purchases': { rows: repeatPurchases },
  'value-segments': { fractions: 1, rows: valueSegments },
  defections: {
    fractions: 1,
    rows: ({ items }) =>
      items.map((row) => [
        monthOf(row.period),
        ...pick(row, 'stage_left', 'reason', 'defections'),
        minor(row.value_at_stake),
        ...pick(row, 'with_open_complaint', 'won_back_90', 'won_back_180', 'won_back_365', 'average_tenure_days'),
      ]),
  },
  'loyalty-economics': {
    rows: ({ items }) =>
      items
        .filter(({ buyers }) => buyers !== 0)
        .map((row) => [
          Number(row.period),
          ...pick(row, 'buyers', 'buyers_before', 'new_buyers', 'returning_buyers', 'reactivated_buyers'),
          ...pick(row, 'revenue', 'existing_revenue', 'acquisition_cost', 'retention_cost', 'profit').map(minor),
        ]),
  },
  'cash-flow': {
    rows: ({ items }) =>
      items.map((row) => [monthOf(row.period), row.stage!, minor(row.receipts), minor(row.refunds), minor(row.costs)]),
  },
  'model-crosswalk': { rows: ({ items }) => items.map((row) => pick(row, 'stage', 'other_stage', 'customers')) },
};

function stageMoves({ items, balance }: Answer): Row[] {
  const moves = items.map((row) => [
    'move',
    ...pick(row, 'from_stage', 'from_activity', 'to_stage', 'to_activity', 'customers'),
    null,
    null,
    null,
  ]);
  const stocks = (balance as readonly Fields[])
    .filter(({ opening, entered, left, closing }) => [opening, entered, left, closing].some((sum) => sum !== 0))
    .map((row) => ['balance', null, null, row.stage!, null, ...pick(row, 'opening', 'entered', 'left', 'closing')]);
  return [...moves, ...stocks];
}

function repeatPurchases({ items, survival, gaps }: Answer): Row[] {
  return [
    ...items.map((row) => [
      'number',
      ...pick(row, 'purchase_number', 'customers', 'bought_again', 'within_days', 'matured', 'bought_again_within'),
    ]),
    ...(survival as readonly Fields[]).map((row) => [
      'survival',
      ...pick(row, 'days', 'at_risk', 'events'),
      null,
      null,
      null,
    ]),
    ...(gaps as readonly Fields[]).map((row) => ['gap', ...pick(row, 'percentile', 'days', 'gaps'), null, null, null]),
  ];
}

interface Segment extends Fields {
  readonly segment: string;
}
interface Profile {
  readonly purchases: number;
  readonly products: number;
  readonly discounted_purchases: number;
  readonly average_tenure_days: number;
  readonly activity: readonly { readonly activity: string; readonly customers: number }[];
}

function valueSegments(answer: Answer): Row[] {
  const segments = answer.items as readonly unknown[] as readonly (Segment & { readonly profile: Profile })[];
  const whole = answer as unknown as Record<'negative' | 'cost_without_purchase', Fields> & Record<string, Cell>;
  return [
    ...segments.map(({ profile, ...row }) => [
      'segment',
      row.segment,
      null,
      row.customers!,
      minor(row.value),
      minor(row.threshold),
      row.tied_at_threshold!,
      profile.purchases,
      profile.products,
      profile.discounted_purchases,
      profile.average_tenure_days,
    ]),
    ...segments.flatMap(({ segment, profile }) =>
      profile.activity
        .filter(({ customers }) => customers > 0)
        .map((row) => wide('activity', segment, row.activity, row.customers)),
    ),
    ...(answer.stages as readonly Fields[])
      .filter(({ customers }) => customers !== 0)
      .map((row) => wide('stage', row.segment!, row.stage!, row.customers!, minor(row.value))),
    ...(answer.lorenz as readonly Fields[])
      .slice(1)
      .map((row) =>
        wide('lorenz', null, null, Math.round(Number(row.share_of_customers) * 20), null, row.share_of_value!),
      ),
    wide('eighty', null, null, whole.customers_for_80_percent!),
    wide('gini', null, null, whole.customers!, null, whole.gini!),
    wide('negative', null, null, whole.negative.customers!, minor(whole.negative.value)),
    wide('costs', null, null, whole.cost_without_purchase.customers!, minor(whole.cost_without_purchase.costs)),
  ];
}

function wide(part: string, one: Cell, two: Cell, customers: Cell, value: Cell = null, fraction: Cell = null): Row {
  return [part, one, two, customers, value, null, null, null, null, null, fraction];
}

function pick(row: Fields, ...names: readonly string[]): Cell[] {
  return names.map((name) => row[name]!);
}

/** Minor units of a money text. */
function minor(money: Cell | undefined): Cell {
  return typeof money === 'string' ? Number(money.replace('.', '')) : null;
}

/** Months since year 0 of a period such as 2025-07. */
function monthOf(period: Cell | undefined): number {
  const [year, month] = String(period).split('-').map(Number);
  return year! * 12 + month! - 1;
}
