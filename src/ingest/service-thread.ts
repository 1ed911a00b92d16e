import { Piscina } from 'piscina';
import type { PoolOptions } from '../store/connect.ts';
import type { Engine } from './engine.ts';

/** What a thread of the service makes its own connections of. */
export interface ThreadParts extends Pick<Engine, 'statement_timeout_ms'> {
  readonly database: PoolOptions;
  /** One number: not 0 as soon as the thread is to begin no further transaction. */
  readonly stopping: Int32Array<SharedArrayBuffer>;
}

/** What a thread tells while it runs: a line of the log, or something of its own. */
export type ThreadMessage<Told> =
  | { readonly log: 'info' | 'warn' | 'error'; readonly fields: object; readonly message: string }
  | { readonly told: Told };

/** What a thread is started with. */
export interface ThreadOptions<Told> {
  /** The file it runs. */
  readonly file: URL;
  /** The thread ends if it needs more, in MiB of its heap; absent, as Node decides. */
  readonly memory?: { readonly old: number; readonly young: number };
  readonly onTold?: (told: Told) => void;
}

/** Work of the service on a thread of its own, with connections of its own, so that requests do not wait for it. */
export interface ServiceThread<Task, Result> {
  run(task: Task): Promise<Result>;
  /** No further transaction is begun from now on. */
  halt(): void;
  /** Ends the thread, once `run` has returned. */
  close(): Promise<void>;
}

const IDLE_MS = 60_000;

/** The thread itself starts when there is something to do, and ends a minute after. */
export function serviceThread<Task, Result, Told = never>(
  { log, statement_timeout_ms }: Pick<Engine, 'log' | 'statement_timeout_ms'>,
  database: PoolOptions,
  { file, memory, onTold }: ThreadOptions<Told>,
): ServiceThread<Task, Result> {
  const stopping = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Piscina({
    filename: file.href,
    workerData: { database, statement_timeout_ms, stopping } satisfies ThreadParts,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    ...(memory === undefined
      ? {}
      : { resourceLimits: { maxOldGenerationSizeMb: memory.old, maxYoungGenerationSizeMb: memory.young } }),
  });
  thread.on('message', (message: ThreadMessage<Told>) => {
    if ('log' in message) log[message.log](message.fields, message.message);
    else onTold?.(message.told);
  });
  return {
    run: async (task) => (await thread.run(task)) as Result,
    halt: () => void Atomics.store(stopping, 0, 1),
    close: () => thread.destroy(),
  };
}
