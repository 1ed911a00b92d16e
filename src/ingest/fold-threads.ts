import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { DifferencePart, Differences } from '../domain/differences.ts';
import type { EncodedSaves } from '../store/customer-copy.ts';
import type { HistoryPage } from '../store/history-pages.ts';
import { type PageFold, type PageFoldOptions, pageFold } from './page-fold.ts';

const THREAD = fileURLToPath(new URL('page-fold-thread.ts', import.meta.url));
/** One that is folded, and one that waits or whose result is being saved, so that the thread need not. */
const PAGES_PER_THREAD = 2;

/** Where pages come from, and where their results go. Neither is called again before it is done, nor both at once: they may share a connection. */
export interface FoldedPages {
  readonly pages: AsyncGenerator<HistoryPage>;
  /** Pages come in no order. */
  save(saves: EncodedSaves, customers: number): Promise<void>;
}

/** A `PageFold` somewhere else. */
type RemoteFold = {
  [Method in keyof PageFold]: (...of: Parameters<PageFold[Method]>) => Promise<ReturnType<PageFold[Method]>>;
} & {
  close(): Promise<void>;
};

/**
 * Folds pages on several threads, each with a few pages at most. A single page is folded here instead, and so is everything with `threads` 0: a thread takes
 * some 0.3 s to start.
 */
export class FoldThreads {
  private readonly options: PageFoldOptions;
  private readonly threads: number;
  private readonly folds: RemoteFold[] = [];

  constructor(options: PageFoldOptions, threads: number) {
    this.options = options;
    this.threads = threads;
  }

  /** Folds and saves every page. With the first error no further page is begun; it is thrown when nothing runs any more. */
  async foldAll({ pages, save }: FoldedPages): Promise<void> {
    const inTurn = oneAtATime();
    const begin = [await pages.next(), await pages.next()];
    const single = begin[1]!.done || this.threads === 0;
    while (this.folds.length < (single ? 1 : this.threads))
      this.folds.push(single ? foldHere(this.options) : foldThere(this.options));
    const failures: unknown[] = [];
    /** What waited for its turn meanwhile is not begun any more: it would only fail for what the first has left behind. */
    const attempt = async <Result>(run: () => Promise<Result>): Promise<Result> => {
      if (failures.length > 0) throw failures[0];
      return await run().catch((error: unknown) => {
        failures.push(error);
        throw failures[0];
      });
    };
    const lane = async (remote: RemoteFold): Promise<void> => {
      for (;;) {
        const { done, value: page } = await inTurn(() => attempt(async () => begin.shift() ?? (await pages.next())));
        if (done) return;
        const saves = await attempt(() => remote.fold(page));
        await inTurn(() => attempt(() => save(saves, page.customers.length)));
      }
    };
    const lanes = this.folds.flatMap((remote) => Array.from({ length: PAGES_PER_THREAD }, () => lane(remote)));
    await Promise.allSettled(lanes);
    if (failures.length > 0) throw failures[0];
  }

  /** Adds to the differences what all pages since the last call add to the roll-ups. */
  async takeDifferences(into: Differences): Promise<void> {
    for (const parts of await Promise.all(this.folds.map((remote) => remote.takeDifferences()))) into.merge(parts);
  }

  /** Ends the threads; whoever made them must call it. */
  async close(): Promise<void> {
    await Promise.all(this.folds.splice(0).map((remote) => remote.close()));
  }
}

function foldHere(options: PageFoldOptions): RemoteFold {
  const here = pageFold(options);
  return {
    fold: async (page) => here.fold(page),
    takeDifferences: async () => here.takeDifferences(),
    close: async () => undefined,
  };
}

/** A pool of one thread: differences are taken from the very thread that made them. */
function foldThere(options: PageFoldOptions): RemoteFold {
  const thread = new Piscina({ filename: THREAD, workerData: options, minThreads: 1, maxThreads: 1 });
  return {
    async fold(page) {
      const transferList = Object.values(page.events).map((bytes) => bytes.buffer);
      return (await thread.run(page, { name: 'fold', transferList })) as EncodedSaves;
    },
    takeDifferences: async () => (await thread.run(undefined, { name: 'takeDifferences' })) as DifferencePart[],
    close: () => thread.destroy(),
  };
}

function oneAtATime(): <Result>(run: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const next = last.then(run, run);
    last = next;
    return next;
  };
}
