import { parentPort } from 'node:worker_threads';
import { workerData } from 'piscina';
import { connect } from '../store/connect.ts';
import type { StoreLog } from '../store/log.ts';
import { ModelsChangedError } from '../store/versions.ts';
import { type Engine, loadEngine } from './engine.ts';
import { machineClock } from './machine-clock.ts';
import { LANES, storeImports } from './store-imports.ts';
import { type BrokenOff, brokenBy, type StoringThreadOptions, type ThreadMessage } from './storing-thread.ts';

// What the thread of `storingThread` runs.

const { database, stopping, statement_timeout_ms } = workerData as StoringThreadOptions;

const tell = (told: ThreadMessage): void => parentPort!.postMessage(told);
const log: StoreLog = {
  info: (fields, message) => tell({ log: 'info', fields, message }),
  warn: (fields, message) => tell({ log: 'warn', fields, message }),
  error: (fields, message) => tell({ log: 'error', fields, message }),
};
/** One for each lane, and one that looks for the next page. */
const connected = connect({ ...database, max: LANES + 1 }, log);
const parts = { ...connected, log, now: machineClock, statement_timeout_ms };
let engine: Engine | null = null;
const signal = {
  get aborted(): boolean {
    return Atomics.load(stopping, 0) !== 0;
  },
};

/** Stores all imports, in transactions of so many rows. Errors lose what they are on their way to another thread, so it says what they mean. */
export default async function store(page_rows: number): Promise<BrokenOff | null> {
  try {
    engine ??= await loadEngine(parts);
    await storeImports(engine, { signal, page_rows, onStored: (...stored) => tell({ stored }) });
    return null;
  } catch (error) {
    if (error instanceof ModelsChangedError) engine = null;
    return brokenBy(error);
  } finally {
    if (signal.aborted) await connected.pool.end();
  }
}
