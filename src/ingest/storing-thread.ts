import type { PoolOptions } from '../store/connect.ts';
import { classifyFailure, type Failure } from '../store/failures.ts';
import { ImportMovedError } from '../store/imports.ts';
import { ModelsChangedError } from '../store/versions.ts';
import type { Engine } from './engine.ts';
import { type ServiceThread, serviceThread } from './service-thread.ts';
import type { OnStored } from './store-imports.ts';

/** The thread ends, and what it was storing is stored by the next, if it needs more: the memory of the process has a bound. */
const MEMORY_MIB = { old: 96, young: 12 } as const;

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

/** What the thread tells of items it has stored. */
export type Stored = Parameters<OnStored>;

/** Stores imports on a thread of its own: as `storeImports`, in transactions of so many rows; null if all is stored or it was stopped. */
export function storingThread(
  parts: Pick<Engine, 'log' | 'statement_timeout_ms'>,
  database: PoolOptions,
  onStored?: OnStored,
): ServiceThread<number, BrokenOff | null> {
  const file = new URL('store-imports-thread.ts', import.meta.url);
  const thread = serviceThread<number, BrokenOff | null, Stored>(parts, database, {
    file,
    memory: MEMORY_MIB,
    onTold: (stored) => onStored?.(...stored),
  });
  return { ...thread, run: async (page_rows) => await thread.run(page_rows).catch(brokenBy) };
}
