import { sql } from 'kysely';
import { type Database, limitStatements, type Trx } from './connect.ts';

/** How the rows of an import are written. */
export const IMPORT_FORMATS = ['ndjson', 'csv'] as const;
/** One of `IMPORT_FORMATS`. */
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** How far an import is. It is open in the first two states; in the others nothing of it changes any more. */
export const IMPORT_STATES = ['receiving', 'storing', 'done', 'failed', 'cancelled'] as const;
/** One of `IMPORT_STATES`. */
export type ImportState = (typeof IMPORT_STATES)[number];

/** What can become of a row that was read. */
export const ROW_RESULTS = ['created', 'updated', 'duplicate', 'conflict', 'invalid', 'dropped'] as const;
/** Rows by what became of them. */
export type RowCounts = Readonly<Record<(typeof ROW_RESULTS)[number], number>>;

/** An import as stored. Instants are microseconds since 1970-01-01T00:00:00Z. */
export interface StoredImport extends RowCounts {
  readonly import_id: number;
  readonly format: ImportFormat;
  readonly kind: string | null;
  readonly state: ImportState;
  readonly failure: string | null;
  readonly bytes_read: number;
  readonly rows_read: number;
  readonly started_at: number;
  readonly received_at: number | null;
  readonly finished_at: number | null;
}

/** A row that could not be stored. */
export interface RowFault {
  readonly line: number;
  readonly status: 'conflict' | 'invalid';
  /** Where in the row (JSON Pointer); null if it is about the row as a whole. */
  readonly pointer: string | null;
  readonly code: string;
  readonly detail: string;
}

/** The import is not, or no longer, in the state in which it was: it was cancelled, or another process goes on with it. */
export class ImportMovedError extends Error {
  override readonly name = 'ImportMovedError';
  constructor() {
    super('the import is no longer in the state in which it was');
  }
}

/** Of the faulty rows of an import the first that are found are kept. */
export const FAULTS_KEPT = 1_000;

const COUNT_LOCK = 7_310_010;
const SHORT_MS = 10_000;

/** Runs a transaction that touches some rows of an import, and so is over in a moment. */
export async function inShort<Result>(db: Database, run: (trx: Trx) => Promise<Result>): Promise<Result> {
  return await db.transaction().execute(async (trx) => {
    await limitStatements(trx, SHORT_MS);
    return await run(trx);
  });
}

/** Begins an import, and returns its id; null if as many as `most` are open already. */
export async function beginImport(
  db: Database,
  begun: { readonly format: ImportFormat; readonly kind: string | null; readonly started_at: number },
  most: number,
): Promise<number | null> {
  return await inShort(db, async (trx) => {
    await sql`select pg_advisory_xact_lock(${COUNT_LOCK}::int8)`.execute(trx);
    const { rows } = await sql<{ import_id: number }>`
      insert into imports (format, kind, started_at) select ${begun.format}, ${begun.kind}, ${begun.started_at}::int8
      where (select count(*) from imports where not cleared and state in ('receiving', 'storing')) < ${most}::int4
      returning import_id`.execute(trx);
    return rows[0]?.import_id ?? null;
  });
}

/**
 * Locks an import for the transaction and gives a sign of life. Throws `ImportMovedError` if it is not in the state: then nothing that the transaction did may
 * remain.
 */
export async function holdImport(trx: Trx, importId: number, state: 'receiving' | 'storing'): Promise<void> {
  const { rows } = await sql`
    update imports set heard_at = now() where import_id = ${importId} and state = ${state} returning import_id`.execute(
    trx,
  );
  if (rows.length === 0) throw new ImportMovedError();
}

/** Adds to the counts of an import that the transaction holds, and keeps the faulty rows while there is room for them. */
export async function countRows(
  trx: Trx,
  importId: number,
  added: Partial<Pick<StoredImport, 'bytes_read' | 'rows_read'> & RowCounts>,
  faults: readonly RowFault[],
): Promise<void> {
  const entries = Object.entries(added).filter(([, value]) => value > 0);
  if (entries.length > 0) {
    const sums = entries.map(([name, value]) => sql`${sql.ref(name)} = ${sql.ref(name)} + ${value}::int8`);
    await sql`update imports set ${sql.join(sums)} where import_id = ${importId}`.execute(trx);
  }
  const kept = faults.slice(0, FAULTS_KEPT);
  if (kept.length === 0) return;
  await sql`
    insert into import_faults (import_id, line, status, pointer, code, detail)
    select ${importId}::int4, line, status, pointer, code, detail
    from unnest(${kept.map((fault) => fault.line)}::int8[], ${kept.map((fault) => fault.status)}::text[],
      ${kept.map((fault) => fault.pointer)}::text[], ${kept.map((fault) => fault.code)}::text[],
      ${kept.map((fault) => fault.detail)}::text[]) as given (line, status, pointer, code, detail)
    order by line
    limit greatest(0, ${FAULTS_KEPT}::int4 - (select count(*) from import_faults where import_id = ${importId}::int4))`.execute(
    trx,
  );
}

/** How many rows of an import wait to be stored, by its counts. */
export async function countStaged(db: Database, importId: number): Promise<number> {
  const { rows } = await sql<{ left: number }>`
    select (rows_read - created - updated - duplicate - conflict - invalid - dropped)::float8 as left
    from imports where import_id = ${importId}`.execute(db);
  return rows[0]?.left ?? 0;
}

/** What an import becomes when it leaves an open state. */
export interface Ending {
  readonly from: readonly ('receiving' | 'storing')[];
  readonly to: ImportState;
  /** Now, by the clock of the service. */
  readonly at: number;
  readonly failure?: string;
}

/** Moves an import on. Rows of which nothing became are dropped unless they are still to be stored. Returns false if it was in none of the states. */
export async function moveImport(db: Database, importId: number, { from, to, at, failure }: Ending): Promise<boolean> {
  const when = to === 'storing' ? sql`received_at = ${at}::int8` : sql`finished_at = ${at}::int8`;
  const rest = sql`rows_read - created - updated - duplicate - conflict - invalid`;
  const dropped = to === 'failed' || to === 'cancelled' ? rest : sql`dropped`;
  return await inShort(db, async (trx) => {
    const { rows } = await sql`
      update imports set state = ${to}, failure = ${failure ?? null}, dropped = ${dropped}, ${when}, heard_at = now()
      where import_id = ${importId} and state = any(${from}::text[]) returning import_id`.execute(trx);
    return rows.length > 0;
  });
}

/** Gives up imports whose receiving process has been silent for so long, and returns their ids. */
export async function failSilent(
  db: Database,
  silent_s: number,
  { at, failure }: { readonly at: number; readonly failure: string },
): Promise<number[]> {
  const { rows } = await sql<{ import_id: number }>`
    select import_id from imports
    where not cleared and state = 'receiving' and heard_at < now() - make_interval(secs => ${silent_s})`.execute(db);
  const failed: number[] = [];
  for (const { import_id } of rows)
    if (await moveImport(db, import_id, { from: ['receiving'], to: 'failed', at, failure })) failed.push(import_id);
  return failed;
}

const COLUMNS = sql`import_id, format, kind, state, failure, bytes_read, rows_read, created, updated, duplicate, conflict, invalid,
  dropped, started_at, received_at, finished_at`;

/** An import by its id; undefined if there is none. */
export async function readImport(db: Database | Trx, importId: number): Promise<StoredImport | undefined> {
  const { rows } = await sql<Row>`select ${COLUMNS} from imports where import_id = ${importId}`.execute(db);
  return rows.map(importOf)[0];
}

/** Imports, the latest first, of those before an id if one is given. */
export async function pageImports(db: Database | Trx, before: number | null, limit: number): Promise<StoredImport[]> {
  const { rows } = await sql<Row>`
    select ${COLUMNS} from imports where import_id < ${before ?? 2_147_483_647} order by import_id desc limit ${limit}`.execute(
    db,
  );
  return rows.map(importOf);
}

/** An import with rows in the stage that are to be stored or to be dropped: the earliest one; undefined if there is none. */
export async function nextStaged(
  db: Database,
): Promise<{ readonly import_id: number; readonly state: ImportState } | undefined> {
  const { rows } = await sql<{ import_id: number; state: ImportState }>`
    select import_id, state from imports where not cleared and state <> 'receiving' order by import_id limit 1`.execute(
    db,
  );
  return rows[0];
}

/** Notes that no row of an import is staged any more. */
export async function markCleared(db: Database, importId: number): Promise<void> {
  await inShort(db, async (trx) => {
    await sql`update imports set cleared = true where import_id = ${importId}`.execute(trx);
  });
}

/** Faulty rows of an import after a line, in the order of the lines. */
export async function pageFaults(
  db: Database | Trx,
  importId: number,
  after: number,
  limit: number,
): Promise<RowFault[]> {
  const { rows } = await sql<Omit<RowFault, 'line'> & { line: bigint }>`
    select line, status, pointer, code, detail from import_faults
    where import_id = ${importId} and line > ${after}::int8 order by line limit ${limit}`.execute(db);
  return rows.map((row) => ({ ...row, line: Number(row.line) }));
}

/** Forgets imports that ended before an instant, and what was wrong with their rows. */
export async function forgetImports(db: Database, before: number): Promise<void> {
  await inShort(db, async (trx) => {
    await sql`
      with gone as (delete from imports where finished_at < ${before}::int8 and cleared returning import_id)
      delete from import_faults where import_id in (select import_id from gone)`.execute(trx);
  });
}

type Row = Omit<StoredImport, Sums> & Readonly<Record<Sums, bigint | null>>;
type Sums = 'bytes_read' | 'rows_read' | 'started_at' | 'received_at' | 'finished_at' | keyof RowCounts;

function importOf({ import_id, format, kind, state, failure, ...sums }: Row): StoredImport {
  const numbers = Object.fromEntries(
    Object.entries(sums).map(([name, value]) => [name, value === null ? null : Number(value)]),
  );
  return { import_id, format, kind, state, failure, ...(numbers as Pick<StoredImport, Sums>) };
}
