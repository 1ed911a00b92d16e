import { setTimeout as delay } from 'node:timers/promises';
import { classifyFailure } from '../store/failures.ts';
import { failSilent, forgetImports, ImportMovedError } from '../store/imports.ts';
import type { Engine } from './engine.ts';
import { type OnStored, PAGE_ROWS, storeImports } from './store-imports.ts';

/** A process that receives gives a sign of life every three seconds. */
const SILENT_S = 20;
const POLL_MS = 500;
const TIDY_MS = 10_000;
const LONGEST_WAIT_MS = 30_000;
const KEPT_MS = 90 * 86_400_000;
const FEWEST_ROWS = 50;

/** Why the rows of an import whose upload broke off are dropped. */
export const UPLOAD_INTERRUPTED = 'upload_interrupted';

/** Ends imports whose receiving process died, and forgets those that ended long ago. */
export async function tidyImports(engine: Engine): Promise<void> {
  const at = engine.now();
  for (const import_id of await failSilent(engine.db, SILENT_S, { at, failure: UPLOAD_INTERRUPTED }))
    engine.log.warn({ import_id }, 'an upload was interrupted: its process died');
  await forgetImports(engine.db, at - KEPT_MS * 1_000);
}

/** Stores imports from when the engine is there until it is stopped; `stop` waits for the transactions that are running. */
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
