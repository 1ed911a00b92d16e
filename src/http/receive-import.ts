import type { Readable } from 'node:stream';
import type { Engine } from '../ingest/engine.ts';
import { encodeChange } from '../ingest/staged-change.ts';
import { Problem } from '../problems.ts';
import { beginImport, holdImport, type ImportFormat, ImportMovedError, inShort, moveImport } from '../store/imports.ts';
import { toProblem } from './errors.ts';
import type { ColumnMap } from './import-columns.ts';
import { csvRows, type FoundRow, ndjsonRows } from './import-rows.ts';
import { ImportStage } from './import-stage.ts';
import { type ArrivedBytes, type Arriving, arriving } from './import-upload.ts';
import { type ItemReader, itemReader } from './item-kinds.ts';
import { ITEM_KINDS, type ItemKind } from './schemas/items.ts';

/** Imports that are open at once, in the whole deployment. */
export const MAX_OPEN = 8;
/** Signs of life of a process that receives; it counts as dead after some twenty seconds without. */
const LIFE_SIGN_MS = 3_000;

/** A file on its way, and how it is to be understood. */
export interface Upload {
  readonly stream: Readable;
  readonly gzip: boolean;
  readonly format: ImportFormat;
  /** What every row is; null if each says so itself. */
  readonly kind: ItemKind | null;
  readonly map: ColumnMap | null;
  /** How long nothing may arrive; null for files, which are there. */
  readonly idle_ms: number | null;
}

/** How much has been read. */
export interface Reception extends ArrivedBytes {
  rows: number;
  /** Items that mean nothing, by kind; lines that hold no item are none. */
  readonly invalid: Map<ItemKind, number>;
}

/** Nothing has been read. */
export function newReception(): Reception {
  return { bytes: 0, rows: 0, invalid: new Map() };
}

const READERS = Object.fromEntries(ITEM_KINDS.map((kind) => [kind, itemReader(kind)])) as Record<ItemKind, ItemReader>;

/**
 * Reads a whole file into the stage of a new import, as fast as the database takes it, and returns the import's id once all of it is committed there: from then
 * on it will be stored, whatever happens. If anything breaks off before, nothing of it will be. Throws a `Problem`: `too_many_imports`, `malformed_csv`,
 * `invalid_request` for columns that say nothing, `import_cancelled`, `request_timeout`, `upload_interrupted`, `payload_too_large`.
 */
export async function receiveImport(
  engine: Engine,
  upload: Upload,
  reception: Reception = newReception(),
): Promise<number> {
  const { format, kind } = upload;
  const importId = await beginImport(engine.db, { format, kind, started_at: engine.now() }, MAX_OPEN);
  if (importId === null) throw new Problem('too_many_imports');
  const life = keepAlive(engine, importId);
  try {
    await stageUpload(engine, importId, upload, { reception, signal: life.signal });
    const received = { from: ['receiving'], to: 'storing', at: engine.now() } as const;
    if (!(await moveImport(engine.db, importId, received))) throw new ImportMovedError();
    engine.log.info({ import_id: importId, rows: reception.rows, bytes: reception.bytes }, 'import received');
    return importId;
  } catch (error) {
    const problem = error instanceof ImportMovedError ? new Problem('import_cancelled') : toProblem(error);
    const failed = { from: ['receiving'], to: 'failed', at: engine.now(), failure: problem.code } as const;
    // Without a database it is found by its silence.
    await moveImport(engine.db, importId, failed).catch(() => undefined);
    throw problem;
  } finally {
    life.stop();
  }
}

async function stageUpload(
  engine: Engine,
  importId: number,
  upload: Upload,
  { reception, signal }: { reception: Reception; signal: AbortSignal },
): Promise<void> {
  const stage = new ImportStage(engine, importId, reception);
  try {
    for await (const rows of foundRows(upload, { arrived: reception, signal })) {
      for (const row of rows) readRow(engine, { stage, reception }, row, upload.kind);
      reception.rows += rows.length;
      await stage.settle();
    }
    await stage.finish();
  } finally {
    await stage.rest();
  }
}

/** The rows of a file, some at a time, as fast as they are asked for. */
export function foundRows(
  { stream, gzip, format, kind, map, idle_ms }: Upload,
  reading: Pick<Arriving, 'arrived' | 'signal'>,
): AsyncGenerator<FoundRow[]> {
  const chunks = arriving(stream, { gzip, idle_ms, ...reading });
  return format === 'csv' ? csvRows(chunks, { map, kind }) : ndjsonRows(chunks);
}

interface Destination {
  readonly stage: ImportStage;
  readonly reception: Reception;
}

function readRow(engine: Engine, { stage, reception }: Destination, row: FoundRow, named: ItemKind | null): void {
  const { line } = row;
  if ('code' in row)
    return stage.refuse({ line, status: 'invalid', pointer: null, code: row.code, detail: row.detail });
  const kind = named ?? kindOf(row.item);
  const read = READERS[kind](row.item, engine, '');
  if ('change' in read)
    return stage.add({ customer_id: read.change.customer_id, line, change: encodeChange(read.change) });
  const pointer = read.pointer === '' ? null : read.pointer;
  reception.invalid.set(kind, (reception.invalid.get(kind) ?? 0) + 1);
  stage.refuse({ line, status: 'invalid', pointer, code: read.code, detail: read.detail });
}

/** Reads an item that is of a kind, or that says by its fields of which kind it is. */
export function readFound(item: unknown, engine: Engine, kind: ItemKind | null): ReturnType<ItemReader> {
  return READERS[kind ?? kindOf(item)](item, engine, '');
}

/** What an item is by the fields that only one kind has; a refund names its purchase too. */
export function kindOf(item: unknown): ItemKind {
  const has = (field: string): boolean => Object.hasOwn(item as object, field);
  if (typeof item !== 'object' || item === null) return 'customers';
  if (has('refund_id') || has('refunded_at')) return 'refunds';
  if (has('interaction_id') || has('occurred_at')) return 'interactions';
  return has('purchase_id') || has('purchased_at') ? 'purchases' : 'customers';
}

/** Says every few seconds that the import is still being received; aborts the signal once it no longer is. */
function keepAlive(engine: Engine, importId: number): { readonly signal: AbortSignal; stop(): void } {
  const moved = new AbortController();
  const timer = setInterval(() => {
    const said = inShort(engine.db, async (trx) => await holdImport(trx, importId, 'receiving'));
    // While the database is away, the rows that cannot be staged tell.
    said.catch((error: unknown) => error instanceof ImportMovedError && moved.abort(error));
  }, LIFE_SIGN_MS);
  timer.unref();
  return { signal: moved.signal, stop: () => clearInterval(timer) };
}
