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
  /** Their staged rows, and the bytes of those: changes and customers' ids. */
  readonly rows: number;
  readonly bytes: number;
  /** The last line that is meant: all of them, unless a single customer has more rows than a page takes. */
  readonly through_line: number;
  /** True if the last customer has more rows after the page. */
  readonly cut: boolean;
}

/** What a page takes at most; a single row is taken whatever its bytes. */
export interface PageLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** The next customers after `after` (from it on, if `including`) who together have no more staged rows than a page takes, or a part of one customer who has. */
export async function pageStaged(
  db: Database | Trx,
  importId: number,
  { after, including, most }: { readonly after: string; readonly including: boolean; readonly most: PageLimits },
): Promise<StagedPage> {
  const { rows } = await sql<{ customer_id: string; line: bigint; bytes: number }>`
    select customer_id, line, bytes from (
      select customer_id, line, bytes, sum(bytes) over running as total, first_value(bytes) over running as first from (
        select customer_id, line, octet_length(change) + octet_length(customer_id) as bytes from import_rows
        where customer_id ${including ? sql`>=` : sql`>`} ${after} and import_id = ${importId}::int4
        order by customer_id, line limit ${most.rows + 1}
      ) as staged
      window running as (order by customer_id, line rows unbounded preceding)
    ) as summed
    where total - bytes <= greatest(first, ${most.bytes}::int8) order by customer_id, line`.execute(db);
  const fitting = countFitting(rows, most);
  const next = rows[fitting]?.customer_id;
  const whole = rows.slice(0, fitting).filter(({ customer_id }) => customer_id !== next);
  const cut = next !== undefined && whole.length === 0;
  const taken = cut ? rows.slice(0, fitting) : whole;
  return {
    customer_ids: [...new Set(taken.map(({ customer_id }) => customer_id))],
    rows: taken.length,
    bytes: taken.reduce((sum, { bytes }) => sum + bytes, 0),
    through_line: cut ? Number(taken.at(-1)!.line) : Number.MAX_SAFE_INTEGER,
    cut,
  };
}

function countFitting(rows: readonly { readonly bytes: number }[], most: PageLimits): number {
  let count = 0;
  for (let bytes = 0; count < Math.min(rows.length, most.rows); count += 1) {
    bytes += rows[count]!.bytes;
    if (bytes > most.bytes && count > 0) break;
  }
  return count;
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
