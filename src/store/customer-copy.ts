import { sql } from 'kysely';
import type pg from 'pg';
import type { Day } from '../domain/calendar.ts';
import { type Pipeline, pipelined, type Trx } from './connect.ts';
import { copyIn, type OwnBytes } from './copy.ts';
import { CopyWriter } from './copy-format.ts';
import { FIGURE_COLUMNS, type Standing, standingOn } from './customer-figures.ts';
import {
  type CustomerSave,
  listedFigures,
  type Saving,
  STAGE_COLUMNS,
  STATE_COLUMNS,
  standingText,
} from './customer-saves.ts';
import { saveYears, YEAR_MEASURES } from './customer-years.ts';
import type { TableRewrite } from './table-rewrite.ts';

/** The tables that are derived from a customer's events. */
export const SAVED_TABLES = ['customer_states', 'customer_stages', 'customer_years'] as const;
/** One of `SAVED_TABLES`. */
export type SavedTable = (typeof SAVED_TABLES)[number];

/** Rows of some customers for each table, as COPY takes them; as it comes from a thread. */
export type EncodedSaves = Readonly<Record<SavedTable, OwnBytes>>;

const COLUMNS: Readonly<Record<SavedTable, readonly string[]>> = {
  customer_states: STATE_COLUMNS,
  customer_stages: STAGE_COLUMNS.map(([name]) => name),
  customer_years: ['customer_id', 'year', ...YEAR_MEASURES.map(([name]) => name)],
};

/** What a row takes, more or less. */
const STATE_BYTES = 500;
const STAGE_BYTES = 250;
const YEARS_BYTES = 200;

/** Encodes what `saveCustomers` would write; years of these customers only. */
export function encodeSaves(
  rows: readonly CustomerSave[],
  { today }: Saving,
  dated: readonly CustomerSave[] = rows,
): EncodedSaves {
  const states = new CopyWriter(rows.length * STATE_BYTES);
  const stages = new CopyWriter(rows.length * (rows[0]?.model_versions.length ?? 0) * STAGE_BYTES);
  const years = new CopyWriter(dated.length * YEARS_BYTES);
  for (const row of rows) {
    const standing = standingOn(row.spells, today);
    encodeState(states, row, standing);
    encodeStages(stages, row, standing);
  }
  for (const row of dated) encodeYears(years, row);
  return { customer_states: states.end(), customer_stages: stages.end(), customer_years: years.end() };
}

/** Customers that are saved together. */
export interface ManySaves {
  /** Of whom nothing is stored yet. */
  readonly added: readonly CustomerSave[];
  readonly changed: readonly CustomerSave[];
}

/** As `saveCustomers`, for many: the stored rows go, and all are copied. The transaction is the client's. */
export async function copyCustomers(
  trx: Trx,
  client: pg.ClientBase,
  { added, changed }: ManySaves,
  saving: Saving,
): Promise<void> {
  const saves = encodeSaves([...added, ...changed], saving, added);
  if (changed.length > 0) await pipelined(trx, (pipeline) => clearSaves(pipeline, changed));
  for (const table of SAVED_TABLES)
    await copyIn(client, copyStatement({ target: table, replaces: false }, COLUMNS[table]), saves[table]);
}

/** What `customer_stages` holds of a customer in some models. */
export type StageSave = Pick<CustomerSave, 'customer_id' | 'figures' | 'model_versions' | 'spells'>;

/** Copies where customers stand in models in which nothing is stored of them yet. The transaction is the client's. */
export async function copyStages(client: pg.ClientBase, rows: readonly StageSave[], today: Day): Promise<void> {
  // One may lack a projection only, the next one a model.
  const count = rows.reduce((sum, row) => sum + row.model_versions.length, 0);
  if (count === 0) return;
  const stages = new CopyWriter(count * STAGE_BYTES);
  for (const row of rows) encodeStages(stages, row, standingOn(row.spells, today));
  const into = { target: 'customer_stages', replaces: false };
  await copyIn(client, copyStatement(into, COLUMNS.customer_stages), stages.end());
}

async function clearSaves(trx: Pipeline, rows: readonly CustomerSave[]): Promise<void> {
  const ids = sql`any(${rows.map(({ customer_id }) => customer_id)}::text[])`;
  await Promise.all([
    sql`delete from customer_states where customer_id = ${ids}`.execute(trx),
    sql`delete from customer_stages where customer_id = ${ids}`.execute(trx),
    saveYears(trx, rows),
  ]);
}

/** Copies customers into tables that do not hold them yet. */
export async function copySaves(
  client: pg.ClientBase,
  rewrites: readonly TableRewrite<SavedTable>[],
  saves: EncodedSaves,
): Promise<void> {
  for (const rewrite of rewrites)
    await copyIn(client, copyStatement(rewrite, COLUMNS[rewrite.table]), saves[rewrite.table]);
}

/**
 * Rows of a table made in this transaction are written as those of a finished one: nothing has to visit them later, and a read that has begun before the
 * table took its place, and asks for it after, finds them.
 */
function copyStatement(
  { target, replaces }: Pick<TableRewrite, 'target' | 'replaces'>,
  columns: readonly string[],
): string {
  return `copy ${target} (${columns.join(', ')}) from stdin (format binary${replaces ? ', freeze' : ''})`;
}

function encodeState(into: CopyWriter, row: CustomerSave, standing: Standing): void {
  into.row(STATE_COLUMNS.length);
  into.text(row.customer_id);
  into.int2(row.layout);
  into.int4(row.events);
  into.int8(row.turnover);
  into.int4(row.pending_refunds);
  into.bytea(row.fold);
  into.int4(standing.next_change);
  into.text(standingText(standing, row.model_versions));
  for (const [name, type] of FIGURE_COLUMNS) {
    const value = row.figures[name];
    if (type === 'int8') into.int8(value!);
    else into.int4(value);
  }
}

function encodeYears(into: CopyWriter, { customer_id, years }: CustomerSave): void {
  for (const figures of years.figures) {
    into.row(COLUMNS.customer_years.length);
    into.text(customer_id);
    into.int2(figures.year);
    for (const [name, type] of YEAR_MEASURES) {
      if (type === 'int8') into.int8(figures[name]);
      else into.int4(figures[name]);
    }
  }
}

function encodeStages(into: CopyWriter, row: StageSave, standing: Standing): void {
  const { revenue, profit, last_purchase_day } = listedFigures(row.figures);
  for (const [model, spells] of row.spells.entries()) {
    const { position, until } = standing.places[model]!;
    into.row(STAGE_COLUMNS.length);
    into.text(row.customer_id);
    into.int2(row.model_versions[model]!);
    into.int2s(spells.positions);
    into.int4s(spells.first_days);
    into.int2(position);
    into.int4(until);
    into.int4(spells.stage_since);
    into.int4(spells.activity_since);
    into.int8(revenue);
    into.int8(profit);
    into.int4(last_purchase_day);
  }
}
