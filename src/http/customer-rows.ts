import { formatDay, LAST_DAY } from '../domain/calendar.ts';
import { activityOf, type Position, stageOf, UNKNOWN } from '../domain/compile-model.ts';
import { spellOn } from '../domain/fold.ts';
import { ACTIVITIES, type Activity, type Model } from '../domain/model.ts';
import { formatMoney } from '../domain/money.ts';
import type { ListedCustomer } from '../store/customer-lists.ts';
import { csvOf } from './representations.ts';

/** What the rows of a list are shown with. */
export interface RowContext {
  readonly model: Model;
  readonly today: number;
  /** Decimals of the currency. */
  readonly decimals: number;
  /** Names of all groups by number. */
  readonly groups: ReadonlyMap<number, string>;
}

/** A customer of a list as it is answered. */
export interface CustomerRow {
  readonly customer_id: string;
  readonly stage: string | null;
  readonly activity: Activity | null;
  readonly since: string | null;
  readonly groups: readonly string[];
  readonly purchases: number;
  readonly purchase_days: number;
  readonly revenue: string;
  readonly profit: string;
  readonly last_purchase_day: string | null;
  readonly last_interaction_day: string | null;
  readonly next_move: { readonly on: string; readonly stage: string; readonly activity: Activity } | null;
}

/** A listed customer, with where they stand at the end of today. */
export function showCustomer(row: ListedCustomer, { model, today, decimals, groups }: RowContext): CustomerRow {
  const { position, until } = spellOn(row, today);
  const maybeDay = (day: number | null): string | null => (day === null ? null : formatDay(day));
  return {
    customer_id: row.customer_id,
    stage: position === UNKNOWN ? null : nameOf(model, position).stage,
    activity: position === UNKNOWN ? null : nameOf(model, position).activity,
    since: maybeDay(row.first_days.findLast((day) => day <= today) ?? null),
    groups: row.group_ids.map((id) => groups.get(id)!).sort(),
    purchases: row.purchases,
    purchase_days: row.purchase_days,
    revenue: formatMoney(row.revenue, decimals),
    profit: formatMoney(row.profit, decimals),
    last_purchase_day: maybeDay(row.last_purchase_day),
    last_interaction_day: maybeDay(row.last_interaction_day),
    next_move: until > LAST_DAY ? null : { on: formatDay(until), ...nameOf(model, spellOn(row, until).position) },
  };
}

function nameOf({ stages }: Model, position: Position): { stage: string; activity: Activity } {
  return { stage: stages[stageOf(position)]!.stage, activity: ACTIVITIES[activityOf(position)]! };
}

/** One JSON text a line. */
export function writeNdjson(rows: readonly CustomerRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** The columns of the CSV form: the members of a row in their order, those of `next_move` with its name before theirs. */
export const CSV_COLUMNS = [
  'customer_id',
  'stage',
  'activity',
  'since',
  'groups',
  'purchases',
  'purchase_days',
  'revenue',
  'profit',
  'last_purchase_day',
  'last_interaction_day',
  'next_move_on',
  'next_move_stage',
  'next_move_activity',
] as const;

/** The first line of the CSV form. */
export const CSV_HEADER = csvOf(CSV_COLUMNS, []);

/** RFC 4180 lines. Null is empty, groups are joined by `;`. */
export function writeCsv(rows: readonly CustomerRow[]): string {
  const flat = rows.map(({ groups, next_move, ...row }) => ({
    ...row,
    groups: groups.join(';'),
    next_move_on: next_move?.on,
    next_move_stage: next_move?.stage,
    next_move_activity: next_move?.activity,
  }));
  return csvOf(CSV_COLUMNS, flat, false);
}
