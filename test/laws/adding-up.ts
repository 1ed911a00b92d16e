import type { Query, ReportAnswer } from '../oracle/answers.ts';
import { formatDay } from '../oracle/calendar.ts';
import { parseMoney } from '../oracle/money.ts';

/** What is asked: reports by name and query, of some customers whose figures are known one by one. */
export interface Asked {
  readonly read: (report: string, query: Query) => Promise<ReportAnswer>;
  /** The figures of every customer asked about, as `GET /v1/customers/{id}` answers them. */
  readonly customers: readonly CustomerFigures[];
  /** The group they carry; absent if they are everybody. */
  readonly group?: string;
  readonly models: readonly { readonly model: string; readonly stages: readonly string[] }[];
  /** The first day of a year before all events, and today: nothing is dated later. */
  readonly since: number;
  readonly today: number;
  readonly decimals: number;
}

/** The figures of one customer that reports must add up to. Money as decimal strings. */
export interface CustomerFigures {
  readonly purchases: number;
  readonly purchase_days: number;
  readonly revenue: string;
  readonly profit: string;
  readonly first_purchase_day: string | null;
}

/** A row of a report. */
export type Row = Readonly<Record<string, unknown>>;
/** The grains, shortest first. */
export const GRAINS = ['week', 'month', 'quarter', 'year'] as const;

/** Notes what is wrong if two values differ. */
export type Off = (what: string, actual: unknown, expected: unknown) => void;

/** Notes a sentence for each two values that are not the same. */
export function collector(): { readonly off: Off; readonly found: string[] } {
  const found: string[] = [];
  const off: Off = (what, actual, expected) => {
    const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (one !== other) found.push(`${what}: ${one} is not ${other}`);
  };
  return { off, found };
}

type Range = Readonly<{ grain: string; from: string; to: string }>;

/** Makes a check for every grain over all periods of the data, and gives the sentences of what is wrong. */
export async function overGrains(
  asked: Asked,
  check: (grain: string, range: Range, off: Off) => Promise<void>,
): Promise<string[]> {
  const { off, found } = collector();
  for (const grain of GRAINS) await check(grain, rangeOf(asked, grain), off);
  return found;
}

type CheckModel = (model: string, stages: readonly string[], off: Off) => Promise<void>;

/** Makes a check for every model, and gives the sentences of what is wrong. */
export async function overModels(asked: Asked, check: CheckModel): Promise<string[]> {
  const { off, found } = collector();
  for (const { model, stages } of asked.models) await check(model, stages, off);
  return found;
}

/** All periods of the data: from the beginning to the running period, or to the first day of a year. */
export function rangeOf({ since, today }: Asked, grain: string, to?: string): Range {
  if (grain === 'week') {
    // A Monday in the week before the first day of the data, and the one after today.
    const monday = (day: number): string => formatDay(day - ((day + 3) % 7));
    return { grain, from: monday(since), to: monday(today + 7) };
  }
  const text = formatDay(today);
  const [year, month] = [Number(text.slice(0, 4)), Number(text.slice(5, 7))];
  const months = { month: 1, quarter: 3, year: 12 }[grain as 'month' | 'quarter' | 'year'];
  const next = Math.floor((month - 1) / months) * months + months;
  const end = formatDay(Date.UTC(year, next, 1) / 86_400_000);
  return { grain, from: formatDay(since), to: to ?? end };
}

/** Asks for a report of those customers. */
export async function ask(asked: Asked, report: string, query: Query): Promise<ReportAnswer> {
  return await asked.read(report, asked.group === undefined ? query : { ...query, group: asked.group });
}

/** Each stage of a balance is closed, and agrees with the moves beside it. */
export function balanced(what: string, { items, balance }: ReportAnswer, stages: readonly string[], off: Off): void {
  const rows = tableOf(balance);
  off(
    `${what}: stages`,
    rows.map((row) => row.stage),
    stages,
  );
  for (const row of rows) {
    const { stage } = row;
    off(`${what} ${stage}`, num(row.opening) + num(row.entered) - num(row.left), num(row.closing));
    const into = items.filter((move) => move.to_stage === stage && move.from_stage !== stage);
    const out = items.filter((move) => move.from_stage === stage && move.to_stage !== stage);
    off(`${what} ${stage}: entered`, num(row.entered), total(into, 'customers'));
    off(`${what} ${stage}: left`, num(row.left), total(out, 'customers'));
  }
}

/** Who has a purchase day. */
export function buyersOf({ customers }: Asked): CustomerFigures[] {
  return customers.filter((customer) => customer.first_purchase_day !== null);
}

/** A table beside the rows; throws if the answer has none. */
export function tableOf(table: unknown): readonly Row[] {
  if (!Array.isArray(table)) throw new TypeError('a table is missing in the answer');
  return table as readonly Row[];
}

/** The value, which must be a number. */
export function num(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`not a number: ${value}`);
  return value;
}

/** The sum of numbers. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** The sum of a member over rows. */
export function total(rows: readonly object[], member: string): number {
  return sum(rows.map((row) => num((row as Row)[member])));
}

/** The sum of a money member in minor units. */
export function cents({ decimals }: Asked, rows: readonly object[], member: string): number {
  return sum(rows.map((row) => parseMoney(String((row as Row)[member]), decimals)));
}
