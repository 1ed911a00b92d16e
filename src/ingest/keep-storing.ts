import { setTimeout as delay } from 'node:timers/promises';
import type { PoolOptions } from '../store/connect.ts';
import { classifyFailure } from '../store/failures.ts';
import { failSilent, forgetImports, nextStaged } from '../store/imports.ts';
import type { Engine } from './engine.ts';
import { type OnStored, PAGE_ROWS } from './store-imports.ts';
import { type BrokenOff, storingThread } from './storing-thread.ts';

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
export function startStoring(
  started: Promise<Engine>,
  database: PoolOptions,
  onStored?: OnStored,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  started.then(
    (engine) => {
      if (!stopping.signal.aborted) running = keepStoring(engine, database, stopping.signal, onStored);
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

async function keepStoring(
  engine: Engine,
  database: PoolOptions,
  signal: AbortSignal,
  onStored?: OnStored,
): Promise<void> {
  const thread = storingThread(engine, database, onStored);
  signal.addEventListener('abort', thread.halt, { once: true });
  let page_rows = PAGE_ROWS;
  let wait_ms = POLL_MS;
  let tidied_at = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      if (performance.now() - tidied_at > TIDY_MS) {
        await tidyImports(engine);
        tidied_at = performance.now();
      }
      const brokenOff = (await nextStaged(engine.db)) === undefined ? null : await thread.store(page_rows);
      if (brokenOff?.failure === 'timeout') page_rows = Math.max(FEWEST_ROWS, Math.ceil(page_rows / 4));
      if (brokenOff === null) page_rows = PAGE_ROWS;
      wait_ms = brokenOff === null || brokenOff.failure === 'moved' ? POLL_MS : longer(wait_ms);
      if (brokenOff !== null) report(engine, brokenOff, wait_ms);
    } catch (error) {
      wait_ms = longer(wait_ms);
      const reason = (error as { code?: string }).code ?? (error as Error).name;
      report(engine, { failure: classifyFailure(error), reason }, wait_ms);
    }
    await delay(Math.random() * wait_ms + wait_ms / 2, undefined, { signal, ref: false }).catch(() => undefined);
  }
  await thread.close();
}

function longer(wait_ms: number): number {
  return Math.min(LONGEST_WAIT_MS, wait_ms * 2);
}

function report(engine: Engine, { failure, reason }: BrokenOff, wait_ms: number): void {
  if (failure === 'moved') return;
  const message = 'staged rows could not be stored; they stay, and it is tried again';
  if (failure === 'unexpected') engine.log.error({ reason, wait_ms }, message);
  else engine.log.warn({ reason, wait_ms }, message);
}
