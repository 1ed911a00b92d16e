import type pg from 'pg';
import { Differences } from '../domain/differences.ts';
import { onConnection, type Trx } from '../store/connect.ts';
import {
  countRows,
  countStaged,
  holdImport,
  ImportMovedError,
  inShort,
  markCleared,
  moveImport,
  nextStaged,
} from '../store/imports.ts';
import {
  avoidScans,
  dropStaged,
  pageStaged,
  type StagedCustomer,
  type StagedPage,
  takeStaged,
} from '../store/staged-rows.ts';
import type { Change } from './change.ts';
import type { Engine } from './engine.ts';
import { evenRows } from './even-pages.ts';
import { type HeldCustomers, holding, readPart } from './held-customers.ts';
import { countOutcomes, noOutcomes } from './import-outcomes.ts';
import { ingestIn } from './ingest.ts';
import { decodeChange } from './staged-change.ts';
import { writeDifferences } from './write-differences.ts';

/**
 * Rows of one transaction, unless it takes longer than a statement may. Customers share roll-up rows, so the more of them at once, the fewer are written: fifteen
 * for each row at 5,000 rows, six at 20,000, two at 100,000. But small writes of the same customers wait for as long as the transaction takes.
 */
const PAGE_ROWS = 100_000;
/** Customers of one transaction: so many ids are in memory at once, and so many rows locked. */
const PAGE_CUSTOMERS = 25_000;
const PAGE_BYTES = 12_582_912;
/** Rows may be long: a hundred products of 64 characters are 25 kB, 38 kB as escapes. Most have below 200 bytes. */
const PART_ROWS = 1_000;
const PART_BYTES = 2_097_152;
/** Pages at once: while one is written by the database, the next is read and folded. */
export const LANES = 2;

/** What the storing of imports may be told. */
export interface StoringOptions {
  /** Nothing is begun any more once it is aborted. */
  readonly signal?: { readonly aborted: boolean };
  readonly page_rows?: number;
  readonly page_bytes?: number;
  readonly page_customers?: number;
  /** Rows of a page that are in memory at once, more or less. */
  readonly part_rows?: number;
  /** Pages of an import at once. */
  readonly lanes?: number;
  /** Told of items that are stored, by kind and by what became of them. */
  readonly onStored?: OnStored;
}

/** Counts items of a kind with a result. */
export type OnStored = (kind: string, result: string, items: number) => void;

/**
 * Stores all staged rows of received imports, the earliest import first, and removes those of failed and cancelled ones. Every customer's rows of an import
 * are stored together. A transaction takes rows out of the stage and stores them, so it may be killed at any moment, and any number of processes may do it at
 * once: what one takes, the others do not find.
 */
export async function storeImports(engine: Engine, options: StoringOptions = {}): Promise<void> {
  while (!options.signal?.aborted) {
    const staged = await nextStaged(engine.db);
    if (staged === undefined) return;
    if (staged.state === 'storing') await storeImport(engine, staged.import_id, options);
    else await clearImport(engine, staged.import_id, options);
  }
}

async function storeImport(engine: Engine, importId: number, options: StoringOptions): Promise<void> {
  const started_at = performance.now();
  for (const walk: Walk = { place: START, found: 0 }; !options.signal?.aborted; walk.found = 0) {
    const whole = walk.place === START;
    const { lanes: at_once = LANES, page_rows: most = PAGE_ROWS } = options;
    const page_rows = evenRows(await countStaged(engine.db, importId), at_once, most);
    const pages = walkPages(engine, importId, walk, { ...options, page_rows });
    const lane = async (): Promise<void> => {
      for await (const page of pages) await storePage(engine, importId, page, options);
    };
    const lanes = await Promise.allSettled(Array.from({ length: at_once }, lane));
    for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
    if (!whole || walk.found > 0 || options.signal?.aborted) continue;
    const done = { from: ['storing'], to: 'done', at: engine.now() } as const;
    if (!(await moveImport(engine.db, importId, done))) return;
    const duration_ms = Math.round(performance.now() - started_at);
    engine.log.info({ import_id: importId, duration_ms }, 'import stored');
    return await markCleared(engine.db, importId);
  }
}

const PAGE = { rows: PAGE_ROWS, bytes: PAGE_BYTES, customers: PAGE_CUSTOMERS };
const START = { after: '', including: true };

/** Where a walk through the staged rows of an import stands, and how many pages it has come by. */
interface Walk {
  place: typeof START;
  found: number;
}

/** Pages from the walk's place on, to the end or behind a page that is only a part of a customer: the next one is known when that is stored. */
async function* walkPages(
  engine: Engine,
  importId: number,
  walk: Walk,
  { signal, page_rows = PAGE.rows, page_bytes = PAGE.bytes, page_customers = PAGE.customers }: StoringOptions,
): AsyncGenerator<StagedPage> {
  const most = { rows: page_rows, bytes: page_bytes, customers: page_customers };
  while (!signal?.aborted) {
    const page = await pageStaged(engine.db, importId, walk.place, most);
    const last = page.customers.at(-1)?.customer_id;
    walk.place = last === undefined ? START : { after: last, including: page.cut };
    if (last === undefined) return;
    walk.found += 1;
    yield page;
    if (page.cut) return;
  }
}

async function storePage(
  engine: Engine,
  importId: number,
  page: StagedPage,
  { onStored, part_rows = PART_ROWS }: StoringOptions,
): Promise<void> {
  const started_at = performance.now();
  const write = async (client: pg.ClientBase, trx: Trx, held: HeldCustomers) => {
    const differences = new Differences(engine.plan);
    const total = { rows: 0, customers: 0, results: new Map<string, number>() };
    const counted = noOutcomes();
    await avoidScans(trx);
    for (const customer_ids of partsOf(page, part_rows, held.survivorOf)) {
      const rows = await takeStaged(trx, importId, { customer_ids, through_line: page.through_line });
      // Whoever took some of them before has locked their customers for nothing else: the ids that are held have to be those that are stored.
      if (new Set(rows.map((row) => row.customer_id)).size < customer_ids.length) throw new ImportMovedError();
      const changes = rows.map((row) => decodeChange(row.customer_id, row.change, engine.zone));
      const { outcomes, customers } = await ingestIn(trx, engine, await readPart(trx, held, customer_ids), changes, {
        differences,
        client,
      });
      countOutcomes(counted, rows, outcomes);
      total.rows += rows.length;
      total.customers += customers;
      for (const [index, { status }] of outcomes.entries()) countResult(total.results, changes[index]!, status);
    }
    // Only now, so that the pages of an import wait for each other no sooner than for the roll-ups. If it was cancelled, all this is undone.
    await holdImport(trx, importId, 'storing');
    await countRows(trx, importId, counted.counts, counted.faults);
    return { ...total, rollup_rows: await writeDifferences(trx, differences) };
  };
  const { results, ...stored } = await onConnection(engine.pool, (db, client) =>
    holding({ ...engine, db }, idsOf(page.customers), 'survivors unread', (trx, held) => write(client, trx, held)),
  );
  const duration_ms = Math.round(performance.now() - started_at);
  engine.log.info({ import_id: importId, ...stored, duration_ms }, 'ingested');
  for (const [name, items] of results) {
    const [kind, result] = name.split(' ') as [string, string];
    onStored?.(kind, result, items);
  }
}

function idsOf(customers: readonly StagedCustomer[]): string[] {
  return customers.map(({ customer_id }) => customer_id);
}

/**
 * The ids of a page in parts that have so many rows and bytes together, more or less. Ids that stand for one customer come in the same part: what the transaction
 * holds of a customer is as it was before the first.
 */
function* partsOf(
  { customers }: StagedPage,
  part_rows: number,
  survivorOf: HeldCustomers['survivorOf'],
): Generator<readonly string[]> {
  let part: string[] = [];
  let [rows, bytes] = [0, 0];
  for (const [, ids] of Map.groupBy(customers, ({ customer_id }) => survivorOf(customer_id))) {
    for (const one of ids) {
      part.push(one.customer_id);
      rows += one.rows;
      bytes += one.bytes;
    }
    if (rows < part_rows && bytes < PART_BYTES) continue;
    yield part;
    [part, rows, bytes] = [[], 0, 0];
  }
  if (part.length > 0) yield part;
}

function countResult(results: Map<string, number>, change: Change, status: string): void {
  const name = `${change.type === 'customer' ? 'customers' : change.kind} ${status}`;
  results.set(name, (results.get(name) ?? 0) + 1);
}

async function clearImport(engine: Engine, importId: number, { signal }: StoringOptions): Promise<void> {
  // From the beginning every time, each page would pass by all that was deleted before.
  for (let after = ''; !signal?.aborted; ) {
    const page = await pageStaged(engine.db, importId, { after, including: after === '' }, PAGE);
    const ids = idsOf(page.customers);
    if (ids.length === 0) return await markCleared(engine.db, importId);
    await inShort(engine.db, async (trx) => await dropStaged(trx, importId, ids));
    after = ids.at(-1)!;
  }
}
