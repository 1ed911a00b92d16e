import { setTimeout as delay } from 'node:timers/promises';
import { classifyFailure } from '../store/failures.ts';
import {
  countRows,
  failSilent,
  forgetImports,
  holdImport,
  ImportMovedError,
  inShort,
  markCleared,
  moveImport,
  nextStaged,
  type RowCounts,
  type RowFault,
} from '../store/imports.ts';
import { dropStaged, pageStaged, type StagedPage, type StagedRow, takeStaged } from '../store/staged-rows.ts';
import type { Outcome } from './change.ts';
import type { Engine } from './engine.ts';
import { holding } from './held-customers.ts';
import { ingestIn } from './ingest.ts';
import { REFUSALS } from './refusals.ts';
import { decodeChange } from './staged-change.ts';

/**
 * Rows of one transaction, unless it takes longer than a statement may. Customers share roll-up rows, so more of them at once write fewer: 2,500 rows were stored at
 * 3,900/s, 5,000 at 4,800/s, 10,000 at 6,000/s. Small writes of the same customers wait for as long as it
 * takes: 0.6, 1.0 and 1.6 s; and the service held 214, 250 and 316 MiB.
 */
const PAGE_ROWS = 5_000;
const FEWEST_ROWS = 50;
/** A process that receives gives a sign of life every three seconds. */
const SILENT_S = 20;
const POLL_MS = 500;
const TIDY_MS = 10_000;
const LONGEST_WAIT_MS = 30_000;
const KEPT_MS = 90 * 86_400_000;

/** Why the rows of an import whose upload broke off are dropped. */
export const UPLOAD_INTERRUPTED = 'upload_interrupted';

/** What the storing of imports may be told. */
export interface StoringOptions {
  readonly signal?: AbortSignal;
  readonly page_rows?: number;
  /** Told of items that are stored, by kind and by what became of them. */
  readonly onStored?: OnStored;
}

/** Counts items of a kind with a result. */
export type OnStored = (kind: string, result: string, items: number) => void;

/**
 * Stores all staged rows of received imports, the earliest import first, and removes those of failed and cancelled ones. Every customer's rows of an import
 * are stored together. A transaction takes rows out of the stage and stores them, so it may be killed at any moment, and any number of processes may do it at
 * once: what one takes, the others do not find.
 */
export async function storeImports(engine: Engine, options: StoringOptions = {}): Promise<void> {
  while (!options.signal?.aborted) {
    const staged = await nextStaged(engine.db);
    if (staged === undefined) return;
    if (staged.state === 'storing') await storeImport(engine, staged.import_id, options);
    else await clearImport(engine, staged.import_id, options);
  }
}

async function storeImport(engine: Engine, importId: number, options: StoringOptions): Promise<void> {
  const { signal, page_rows: limit = PAGE_ROWS } = options;
  const started_at = performance.now();
  for (let place = { after: '', including: true }; !signal?.aborted; ) {
    const page = await pageStaged(engine.db, importId, { ...place, limit });
    if (page.customer_ids.length > 0) {
      await storePage(engine, importId, page, options);
      place = { after: page.customer_ids.at(-1)!, including: page.cut };
    } else if (place.after === '') {
      const done = { from: ['storing'], to: 'done', at: engine.now() } as const;
      if (!(await moveImport(engine.db, importId, done))) return;
      const duration_ms = Math.round(performance.now() - started_at);
      engine.log.info({ import_id: importId, duration_ms }, 'import stored');
      return await markCleared(engine.db, importId);
    } else place = { after: '', including: true };
  }
}

async function storePage(
  engine: Engine,
  importId: number,
  page: StagedPage,
  { onStored }: StoringOptions,
): Promise<void> {
  const started_at = performance.now();
  const { results, ...stored } = await holding(engine, page.customer_ids, 'survivors', async (trx, held) => {
    await holdImport(trx, importId, 'storing');
    const rows = await takeStaged(trx, importId, page);
    // Whoever took some of them before has locked their customers for nothing else: the ids that are held have to be those that are stored.
    if (new Set(rows.map((row) => row.customer_id)).size < page.customer_ids.length) throw new ImportMovedError();
    const changes = rows.map((row) => decodeChange(row.customer_id, row.change, engine.zone));
    const { outcomes, customers, rollup_rows } = await ingestIn(trx, engine, held, changes, async (all) => {
      const { counts, faults } = countOutcomes(rows, all);
      await countRows(trx, importId, counts, faults);
    });
    const results = onStored === undefined ? [] : changes.map((change, index) => [change, outcomes[index]!] as const);
    return { rows: rows.length, customers, rollup_rows, results };
  });
  const duration_ms = Math.round(performance.now() - started_at);
  engine.log.info({ import_id: importId, ...stored, duration_ms }, 'ingested');
  for (const [change, { status }] of results)
    onStored?.(change.type === 'customer' ? 'customers' : change.kind, status, 1);
}

function countOutcomes(
  rows: readonly StagedRow[],
  outcomes: readonly Outcome[],
): { counts: Partial<RowCounts>; faults: RowFault[] } {
  const counts = { created: 0, updated: 0, duplicate: 0, conflict: 0, invalid: 0 };
  const faults: RowFault[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    counts[outcome.status as keyof typeof counts] += 1;
    const { line } = rows[index]!;
    if (outcome.status === 'conflict') faults.push({ line, status: 'conflict', pointer: null, ...CONFLICT });
    else if (outcome.status === 'invalid') {
      const [pointer, detail] = REFUSALS[outcome.refusal];
      faults.push({ line, status: 'invalid', pointer: pointer === '' ? null : pointer, code: outcome.refusal, detail });
    }
  }
  return { counts, faults };
}

const CONFLICT = {
  code: 'conflict',
  detail: 'Other content is stored under this id, and stays; PUT the item to correct it.',
};

async function clearImport(engine: Engine, importId: number, { signal }: StoringOptions): Promise<void> {
  // From the beginning every time, each page would pass by all that was deleted before.
  for (let after = ''; !signal?.aborted; ) {
    const page = await pageStaged(engine.db, importId, { after, including: after === '', limit: PAGE_ROWS });
    if (page.customer_ids.length === 0) return await markCleared(engine.db, importId);
    await inShort(engine.db, async (trx) => await dropStaged(trx, importId, page.customer_ids));
    after = page.customer_ids.at(-1)!;
  }
}

/** Ends imports whose receiving process died, and forgets those that ended long ago. */
export async function tidyImports(engine: Engine): Promise<void> {
  const at = engine.now();
  for (const import_id of await failSilent(engine.db, SILENT_S, { at, failure: UPLOAD_INTERRUPTED }))
    engine.log.warn({ import_id }, 'an upload was interrupted: its process died');
  await forgetImports(engine.db, at - KEPT_MS * 1_000);
}

/** Stores imports from when the engine is there until it is stopped; `stop` waits for the transaction that is running. */
export function startStoring(started: Promise<Engine>, onStored?: OnStored): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  started.then(
    (engine) => {
      running = keepStoring(engine, stopping.signal, onStored);
    },
    () => undefined,
  );
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function keepStoring(engine: Engine, signal: AbortSignal, onStored?: OnStored): Promise<void> {
  let page_rows = PAGE_ROWS;
  let wait_ms = POLL_MS;
  let tidied_at = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      if (performance.now() - tidied_at > TIDY_MS) {
        await tidyImports(engine);
        tidied_at = performance.now();
      }
      await storeImports(engine, { signal, page_rows, ...(onStored === undefined ? {} : { onStored }) });
      page_rows = PAGE_ROWS;
      wait_ms = POLL_MS;
    } catch (error) {
      if (classifyFailure(error) === 'timeout') page_rows = Math.max(FEWEST_ROWS, Math.ceil(page_rows / 4));
      wait_ms = error instanceof ImportMovedError ? POLL_MS : Math.min(LONGEST_WAIT_MS, wait_ms * 2);
      report(engine, error, wait_ms);
    }
    await delay(Math.random() * wait_ms + wait_ms / 2, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

function report(engine: Engine, error: unknown, wait_ms: number): void {
  if (error instanceof ImportMovedError) return;
  const reason = (error as { code?: string }).code ?? (error as Error).name;
  const message = 'staged rows could not be stored; they stay, and it is tried again';
  if (classifyFailure(error) === 'unexpected') engine.log.error({ reason, wait_ms }, message);
  else engine.log.warn({ reason, wait_ms }, message);
}
