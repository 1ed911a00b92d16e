import { setTimeout as delay } from 'node:timers/promises';
import type { PoolOptions } from '../store/connect.ts';
import { failSilent, forgetImports, nextStaged } from '../store/imports.ts';
import type { Engine } from './engine.ts';
import type { OnStored } from './store-imports.ts';
import { type BrokenOff, brokenBy, storingThread } from './storing-thread.ts';

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

/** How imports are stored. */
export interface KeepStoringOptions {
  /** How connections for it are made. */
  readonly database: PoolOptions;
  /** Rows of one transaction at most. */
  readonly page_rows: number;
  readonly onStored?: OnStored;
}

/** Stores imports from when the engine is there until it is stopped; `stop` waits for the transactions that are running. */
export function startStoring(started: Promise<Engine>, options: KeepStoringOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  started.then(
    (engine) => {
      if (!stopping.signal.aborted) running = keepStoring(engine, options, stopping.signal);
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
  { database, page_rows: most, onStored }: KeepStoringOptions,
  signal: AbortSignal,
): Promise<void> {
  const thread = storingThread(engine, database, onStored);
  signal.addEventListener('abort', thread.halt, { once: true });
  let page_rows = most;
  let wait_ms = POLL_MS;
  let tidied_at = Number.NEGATIVE_INFINITY;
  const round = async (): Promise<BrokenOff | null> => {
    if (performance.now() - tidied_at > TIDY_MS) {
      await tidyImports(engine);
      tidied_at = performance.now();
    }
    return (await nextStaged(engine.db)) === undefined ? null : await thread.run(page_rows);
  };
  while (!signal.aborted) {
    const broken = await round().catch(brokenBy);
    const smaller = broken?.failure === 'timeout' || broken?.failure === 'too_large';
    if (smaller) page_rows = Math.max(FEWEST_ROWS, Math.ceil(page_rows / 4));
    if (broken === null) page_rows = most;
    wait_ms = broken === null || broken.failure === 'moved' ? POLL_MS : Math.min(LONGEST_WAIT_MS, wait_ms * 2);
    if (broken !== null) report(engine, broken, wait_ms);
    await delay(Math.random() * wait_ms + wait_ms / 2, undefined, { signal, ref: false }).catch(() => undefined);
  }
  await thread.close();
}

function report(engine: Engine, { failure, reason }: BrokenOff, wait_ms: number): void {
  if (failure === 'moved') return;
  const message = 'staged rows could not be stored; they stay, and it is tried again';
  if (failure === 'unexpected') engine.log.error({ reason, wait_ms }, message);
  else engine.log.warn({ reason, wait_ms }, message);
}
