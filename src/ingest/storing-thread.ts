import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { PoolOptions } from '../store/connect.ts';
import { classifyFailure, type Failure } from '../store/failures.ts';
import { ImportMovedError } from '../store/imports.ts';
import { ModelsChangedError } from '../store/versions.ts';
import type { Engine } from './engine.ts';
import type { OnStored } from './store-imports.ts';

const THREAD = fileURLToPath(new URL('store-imports-thread.ts', import.meta.url));
const IDLE_MS = 60_000;
/** The thread ends, and what it was storing is stored by the next, if it needs more: the memory of the process has a bound. */
const MEMORY_MIB = { old: 96, young: 12 } as const;

/** What the thread makes its own engine of. */
export interface StoringThreadOptions extends Pick<Engine, 'statement_timeout_ms'> {
  readonly database: PoolOptions;
  /** One number: not 0 as soon as the thread is to begin no further transaction. */
  readonly stopping: Int32Array<SharedArrayBuffer>;
}

/** Why storing broke off. What moved is no longer as it was when the storing began, the import or the models; what did not fit needs smaller transactions. */
export interface BrokenOff {
  readonly failure: Failure | 'moved' | 'too_large';
  /** Code or name of the error. */
  readonly reason: string;
}

/** What an error means for the rows that were to be stored. */
export function brokenBy(error: unknown): BrokenOff {
  const reason = (error as { code?: string }).code ?? (error as Error).name;
  if (error instanceof ImportMovedError || error instanceof ModelsChangedError) return { failure: 'moved', reason };
  return { failure: reason === 'ERR_WORKER_OUT_OF_MEMORY' ? 'too_large' : classifyFailure(error), reason };
}

/** What the thread tells while it runs. */
export type ThreadMessage =
  | { readonly log: 'info' | 'warn' | 'error'; readonly fields: object; readonly message: string }
  | { readonly stored: Parameters<OnStored> };

/** Stores imports on a thread of its own, with connections of its own, so that requests never wait for a page to be folded. */
export interface StoringThread {
  /** As `storeImports`, in transactions of so many rows; null if all is stored or it was stopped. */
  store(page_rows: number): Promise<BrokenOff | null>;
  /** No further transaction is begun from now on. */
  halt(): void;
  /** Ends the thread, once `store` has returned. */
  close(): Promise<void>;
}

/** The thread itself starts when there is something to store, and ends a minute after. */
export function storingThread(
  { log, statement_timeout_ms }: Pick<Engine, 'log' | 'statement_timeout_ms'>,
  database: PoolOptions,
  onStored?: OnStored,
): StoringThread {
  const stopping = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Piscina({
    filename: THREAD,
    workerData: { database, statement_timeout_ms, stopping } satisfies StoringThreadOptions,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB.old, maxYoungGenerationSizeMb: MEMORY_MIB.young },
  });
  thread.on('message', (told: ThreadMessage) => {
    if ('log' in told) log[told.log](told.fields, told.message);
    else onStored?.(...told.stored);
  });
  return {
    async store(page_rows) {
      try {
        return (await thread.run(page_rows)) as BrokenOff | null;
      } catch (error) {
        return brokenBy(error);
      }
    },
    halt: () => void Atomics.store(stopping, 0, 1),
    close: () => thread.destroy(),
  };
}
