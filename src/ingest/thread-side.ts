import { parentPort } from 'node:worker_threads';
import { workerData } from 'piscina';
import { connect } from '../store/connect.ts';
import type { StoreLog } from '../store/log.ts';
import type { EngineParts } from './engine.ts';
import { machineClock } from './machine-clock.ts';
import type { ThreadMessage, ThreadParts } from './service-thread.ts';

/** What a thread of `serviceThread` works with. */
export interface ThreadSide<Told> {
  readonly parts: EngineParts;
  readonly signal: { readonly aborted: boolean };
  tell(told: Told): void;
  /** Lets go of the connections if the thread is to do no more. */
  leave(): Promise<void>;
}

/** To be called once, by the file that the thread runs. */
export function threadSide<Told = never>(connections: number): ThreadSide<Told> {
  const { database, stopping, statement_timeout_ms } = workerData as ThreadParts;
  const post = (message: ThreadMessage<Told>): void => parentPort!.postMessage(message);
  const log: StoreLog = {
    info: (fields, message) => post({ log: 'info', fields, message }),
    warn: (fields, message) => post({ log: 'warn', fields, message }),
    error: (fields, message) => post({ log: 'error', fields, message }),
  };
  const connected = connect({ ...database, max: connections }, log);
  const signal = {
    get aborted(): boolean {
      return Atomics.load(stopping, 0) !== 0;
    },
  };
  return {
    parts: { ...connected, log, now: machineClock, statement_timeout_ms },
    signal,
    tell: (told) => post({ told }),
    async leave() {
      if (signal.aborted) await connected.pool.end();
    },
  };
}
