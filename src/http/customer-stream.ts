import { Readable } from 'node:stream';
import type { Engine } from '../ingest/engine.ts';
import { Problem } from '../problems.ts';
import { openSnapshot, type Trx } from '../store/connect.ts';
import type { ListPage } from '../store/customer-filter.ts';
import { keyOf, type ListedCustomer, pageList } from '../store/customer-lists.ts';
import { readableBy } from '../store/versions.ts';

/** Customers read at once: some 300 kB of answer. */
const PAGE = 1_000;

/** A list that is about to be streamed: which one, and how its rows are written. */
export interface StreamedList {
  readonly list: Pick<ListPage, 'filter' | 'sort'>;
  /** What comes before the first row. */
  readonly head: string;
  write(rows: readonly ListedCustomer[]): string;
}

/** The lists that one process streams. */
export interface ListStreams {
  /** Opens a snapshot, prepares the list in it, and reads the first page, so that what fails at once is still a refusal. */
  open(engine: Engine, prepare: (trx: Trx) => Promise<StreamedList>): Promise<Readable>;
  /** Ends those that are still being read; their readers see that the answer is cut off. */
  end(): void;
}

/**
 * Streams whole lists, page by page as fast as the reader takes them. Each holds one connection and one snapshot until it is read to the end, its reader
 * is gone, or the reader takes nothing for as long as a statement may take. More than `most` at once are refused as `busy`.
 */
export function listStreams(most: number): ListStreams {
  const open = new Set<Readable>();
  let opening = 0;
  return {
    async open(engine, prepare) {
      if (open.size + opening >= most) {
        throw new Problem('busy', { detail: 'As many lists as possible are being streamed already; ask again later.' });
      }
      opening += 1;
      try {
        const stream = await start(engine, prepare);
        open.add(stream);
        stream.once('close', () => open.delete(stream));
        return stream;
      } finally {
        opening -= 1;
      }
    },
    end() {
      for (const stream of open) stream.destroy();
    },
  };
}

async function start(engine: Engine, prepare: (trx: Trx) => Promise<StreamedList>): Promise<Readable> {
  const snapshot = await openSnapshot(engine.db, engine.statement_timeout_ms, readableBy(engine.versions));
  try {
    const streamed = await prepare(snapshot.trx);
    const first = await pageList(snapshot.trx, { ...streamed.list, after: null, limit: PAGE });
    const stream = Readable.from(chunks(snapshot.trx, streamed, first), { objectMode: false });
    stream.once('close', () => void snapshot.end());
    return stream;
  } catch (error) {
    await snapshot.end();
    throw error;
  }
}

async function* chunks(trx: Trx, { list, head, write }: StreamedList, first: readonly ListedCustomer[]) {
  yield head + write(first);
  for (let rows = first; rows.length === PAGE; ) {
    rows = await pageList(trx, { ...list, after: keyOf(rows.at(-1)!, list.sort), limit: PAGE });
    yield write(rows);
  }
}
