import { sql } from 'kysely';
import type { Database, Trx } from './connect.ts';

/** A row of an import that waits to be stored. */
export interface StagedRow {
  readonly customer_id: string;
  /** Line of the file, from 1. */
  readonly line: number;
  /** The change that it means, encoded. */
  readonly change: string;
}

/** Stages rows of an import. In the order of the customers the index is written to page by page instead of all over. */
export async function stageRows(trx: Trx, importId: number, rows: readonly StagedRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    insert into import_rows (customer_id, import_id, line, change)
    select customer_id, ${importId}::int4, line, change
    from unnest(${rows.map((row) => row.customer_id)}::text[], ${rows.map((row) => row.line)}::int8[],
      ${rows.map((row) => row.change)}::text[]) as given (customer_id, line, change)
    order by customer_id collate "C", line`.execute(trx);
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

/** The next customers after `after` (from it on, if `including`) who together have at most `limit` staged rows, or a part of one customer who has more. */
export async function pageStaged(
  db: Database | Trx,
  importId: number,
  { after, including, limit }: { readonly after: string; readonly including: boolean; readonly limit: number },
): Promise<StagedPage> {
  const { rows } = await sql<{ customer_id: string; line: bigint }>`
    select customer_id, line from import_rows
    where customer_id ${including ? sql`>=` : sql`>`} ${after} and import_id = ${importId}::int4
    order by customer_id, line limit ${limit + 1}`.execute(db);
  const last = rows.at(-1)?.customer_id;
  const full = rows.length > limit;
  const ids = [...new Set(rows.map((row) => row.customer_id))];
  const whole = { rows: rows.length, through_line: Number.MAX_SAFE_INTEGER, cut: false };
  if (!full || last === undefined) return { ...whole, customer_ids: ids };
  if (ids.length > 1) return { ...whole, customer_ids: ids.slice(0, -1) };
  return { customer_ids: ids, rows: limit, through_line: Number(rows[limit - 1]!.line), cut: true };
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
