import { sql } from 'kysely';
import type pg from 'pg';
import { compareText } from '../domain/activity-day.ts';
import type { Database, Trx } from './connect.ts';
import { copyIn } from './copy.ts';
import { CopyWriter } from './copy-format.ts';

/** A row of an import that waits to be stored. */
export interface StagedRow {
  readonly customer_id: string;
  /** Line of the file, from 1. */
  readonly line: number;
  /** The change that it means, encoded. */
  readonly change: string;
}

/** What a staged row takes, more or less. */
const ROW_BYTES = 200;

/** Stages rows of an import. In the order of the customers the index is written to page by page instead of all over. The transaction is the client's. */
export async function stageRows(client: pg.ClientBase, importId: number, rows: readonly StagedRow[]): Promise<void> {
  if (rows.length === 0) return;
  const into = new CopyWriter(rows.length * ROW_BYTES);
  for (const row of rows.toSorted((a, b) => compareText(a.customer_id, b.customer_id) || a.line - b.line)) {
    into.row(4);
    into.text(row.customer_id);
    into.int4(importId);
    into.int8(row.line);
    into.text(row.change);
  }
  await copyIn(
    client,
    'copy import_rows (customer_id, import_id, line, change) from stdin (format binary)',
    into.end(),
  );
}

/** Customers with staged rows, in the order of their ids. */
export interface StagedPage {
  readonly customer_ids: readonly string[];
  /** Their staged rows, more or less. */
  readonly rows: number;
  /** The last line that is meant: all of them, unless a single customer has more rows than a page takes. */
  readonly through_line: number;
  /** True if the last customer has more rows after the page. */
  readonly cut: boolean;
}

/** What a page holds at most. */
export interface StagedPageSize {
  readonly rows: number;
  readonly customers: number;
}

/** The next customers after `after` (from it on, if `including`) whose staged rows fit in a page together, or a part of one customer who has more. */
export async function pageStaged(
  db: Database | Trx,
  importId: number,
  { after, including }: { readonly after: string; readonly including: boolean },
  size: StagedPageSize,
): Promise<StagedPage> {
  const from = sql`customer_id ${including ? sql`>=` : sql`>`} ${after} and import_id = ${importId}::int4`;
  const { rows: found } = await sql<{ customer_id: string; rows: number }>`
    select customer_id, count(*)::int4 as rows
    from (select customer_id from import_rows where ${from} order by customer_id, line limit ${size.rows + 1}) as next
    group by customer_id order by customer_id limit ${size.customers + 1}`.execute(db);
  const rowsOf = (some: typeof found): number => some.reduce((sum, one) => sum + one.rows, 0);
  const full = rowsOf(found) > size.rows || found.length > size.customers;
  if (full && found.length === 1) return await cutPage(db, importId, found[0]!.customer_id, size.rows);
  // Of the last one not all rows were looked at.
  const whole = full ? found.slice(0, -1) : found;
  const customer_ids = whole.map((one) => one.customer_id);
  return { customer_ids, rows: rowsOf(whole), through_line: Number.MAX_SAFE_INTEGER, cut: false };
}

/** The first rows of a customer. */
async function cutPage(db: Database | Trx, importId: number, customerId: string, rows: number): Promise<StagedPage> {
  const { rows: lines } = await sql<{ line: bigint }>`
    select line from import_rows where customer_id = ${customerId} and import_id = ${importId}::int4
    order by line offset ${rows - 1} limit 1`.execute(db);
  return { customer_ids: [customerId], rows, through_line: Number(lines[0]?.line ?? 0), cut: true };
}

/** Takes rows out of the stage: whoever takes them stores them in the same transaction. In the order of the lines. */
export async function takeStaged(
  trx: Trx,
  importId: number,
  { customer_ids, through_line }: Pick<StagedPage, 'customer_ids' | 'through_line'>,
): Promise<StagedRow[]> {
  const { rows } = await sql<Omit<StagedRow, 'line'> & { line: bigint }>`
    delete from import_rows
    where customer_id = any(${customer_ids}::text[]) and import_id = ${importId}::int4 and line <= ${through_line}::int8
    returning customer_id, line, change`.execute(trx);
  return rows.map((row) => ({ ...row, line: Number(row.line) })).sort((a, b) => a.line - b.line);
}

/** Removes the staged rows of some customers of an import that are not to be stored. */
export async function dropStaged(trx: Trx, importId: number, customerIds: readonly string[]): Promise<void> {
  await sql`
    delete from import_rows
    where customer_id = any(${customerIds}::text[]) and import_id = ${importId}::int4`.execute(trx);
}
