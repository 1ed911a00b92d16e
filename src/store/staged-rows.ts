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

/** A customer with staged rows. */
export interface StagedCustomer {
  readonly customer_id: string;
  readonly rows: number;
  /** Of the rows' changes and ids. */
  readonly bytes: number;
}

/** Customers with staged rows, in the order of their ids. */
export interface StagedPage {
  readonly customers: readonly StagedCustomer[];
  /** The last line that is meant: all of them, unless a single customer has more rows than a page takes. */
  readonly through_line: number;
  /** True if the last customer has more rows after the page. */
  readonly cut: boolean;
}

/** What a page holds at most; a single row is taken whatever its bytes. */
export interface PageLimits {
  readonly rows: number;
  readonly bytes: number;
  readonly customers: number;
}

/** The next customers after `after` (from it on, if `including`) whose staged rows fit in a page together, or a part of one customer who has more. */
export async function pageStaged(
  db: Database | Trx,
  importId: number,
  { after, including }: { readonly after: string; readonly including: boolean },
  most: PageLimits,
): Promise<StagedPage> {
  const from = sql`customer_id ${including ? sql`>=` : sql`>`} ${after} and import_id = ${importId}::int4`;
  const { rows: found } = await sql<StagedCustomer>`
    select customer_id, count(*)::int4 as rows, (sum(octet_length(change)) + count(*) * octet_length(customer_id))::float8 as bytes
    from (select customer_id, change from import_rows where ${from} order by customer_id, line limit ${most.rows + 1}) as next
    group by customer_id order by customer_id limit ${most.customers + 1}`.execute(db);
  const customers: StagedCustomer[] = [];
  const left = { ...most };
  for (const one of found) {
    left.rows -= one.rows;
    left.bytes -= one.bytes;
    left.customers -= 1;
    if (Math.min(left.rows, left.bytes, left.customers) < 0) {
      return customers.length > 0 ? wholePage(customers) : await cutPage(db, importId, one.customer_id, most);
    }
    customers.push(one);
  }
  return wholePage(customers);
}

function wholePage(customers: readonly StagedCustomer[]): StagedPage {
  return { customers, through_line: Number.MAX_SAFE_INTEGER, cut: false };
}

/** The first rows of a customer who has more than a page takes. */
async function cutPage(
  db: Database | Trx,
  importId: number,
  customerId: string,
  most: PageLimits,
): Promise<StagedPage> {
  const { rows: lines } = await sql<{ line: bigint; bytes: number }>`
    select line, (octet_length(change) + octet_length(customer_id))::float8 as bytes from import_rows
    where customer_id = ${customerId} and import_id = ${importId}::int4 order by line limit ${most.rows}`.execute(db);
  let [rows, bytes] = [0, 0];
  for (const line of lines) {
    if (rows > 0 && bytes + line.bytes > most.bytes) break;
    bytes += line.bytes;
    rows += 1;
  }
  const through_line = Number(lines[rows - 1]?.line ?? 0);
  return { customers: [{ customer_id: customerId, rows, bytes }], through_line, cut: true };
}

/**
 * Keeps the rest of the transaction to indexes. Just after tables were filled the planner knows nothing of them yet, and would rather read all of
 * `customer_stages` than look up a thousand customers.
 */
export async function avoidScans(trx: Trx): Promise<void> {
  await sql`set local enable_seqscan = off`.execute(trx);
}

/** Takes rows out of the stage: whoever takes them stores them in the same transaction. In the order of the lines. */
export async function takeStaged(
  trx: Trx,
  importId: number,
  { customer_ids, through_line }: { readonly customer_ids: readonly string[] } & Pick<StagedPage, 'through_line'>,
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
