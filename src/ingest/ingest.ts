import type pg from 'pg';
import { compareText } from '../domain/activity-day.ts';
import { Differences } from '../domain/differences.ts';
import { type Pipeline, pipelined, type Trx } from '../store/connect.ts';
import { copyCustomers } from '../store/customer-copy.ts';
import { type CustomerSave, type Saving, sendCustomers } from '../store/customer-saves.ts';
import { deleteCustomers, writeAttributes } from '../store/customers.ts';
import { readErasures } from '../store/erasures.ts';
import { copyEvents } from '../store/event-copy.ts';
import { addGroups, holdGroups, readGroupIds } from '../store/groups.ts';
import { EVENT_KINDS, type EventKind, type EventsById, noEvents, readNamedEvents } from '../store/histories.ts';
import { insertEvents, type Owned, replaceEvents } from '../store/write-events.ts';
import type { Change, Outcome } from './change.ts';
import { CustomerWork, idOf } from './customer-work.ts';
import { type Engine, savingOf } from './engine.ts';
import { foldCustomers } from './fold-customers.ts';
import { GroupBook } from './group-book.ts';
import { type HeldCustomers, holding, type LockLimits } from './held-customers.ts';
import { sendDifferences } from './write-differences.ts';

/**
 * Stores a batch of changes in one transaction and returns what became of each, in order. When it returns, everything it reports is committed: events,
 * states and the differences they make in every roll-up. Throws the driver's error if the database is away; the batch may then be sent again as it is.
 */
export async function ingest(engine: Engine, changes: readonly Change[], limits: LockLimits = {}): Promise<Outcome[]> {
  if (changes.length === 0) return [];
  const started_at = performance.now();
  const ids = changes.map((change) => change.customer_id);
  const write = async (trx: Trx, held: HeldCustomers) => {
    const differences = new Differences(engine.plan);
    let rollup_rows = 0;
    const last = async (pipeline: Pipeline): Promise<void> => {
      rollup_rows = await sendDifferences(pipeline, differences);
    };
    return { ...(await ingestIn(trx, engine, held, changes, { differences, last })), rollup_rows };
  };
  const { outcomes, customers, rollup_rows } = await holding(engine, ids, 'survivors', write, limits);
  const duration_ms = Math.round(performance.now() - started_at);
  engine.log.info({ items: changes.length, customers, rollup_rows, duration_ms }, 'ingested');
  return outcomes;
}

/** From so many customers on, COPY and its additional round trips are faster than unnested lists. */
const COPY_CUSTOMERS = 200;

/** What a batch of changes did. */
export interface Ingested {
  /** In the order of the changes. */
  readonly outcomes: Outcome[];
  /** Customers that were changed. */
  readonly customers: number;
}

/** What goes with changes that are stored. */
export interface IngestParts {
  /** Takes what they add to the roll-ups, which is to be written when nothing else is locked any more (`writeDifferences`). */
  readonly differences: Differences;
  /** Sent behind everything else. */
  readonly last?: (pipeline: Pipeline) => Promise<void>;
  /** The connection of the transaction: what many customers need is copied through it. */
  readonly client?: pg.ClientBase;
}

/** Stores changes of customers that the transaction holds: events, states, everything but what they add to the roll-ups. */
export async function ingestIn(
  trx: Trx,
  engine: Engine,
  held: HeldCustomers,
  changes: readonly Change[],
  { differences, last = async () => undefined, client }: IngestParts,
): Promise<Ingested> {
  const works = await readWorks(trx, held, changes);
  const sentFor = [...new Set(changes.map((change) => change.customer_id))];
  const erasures = await readErasures(trx, engine.versions.erasure_salt, sentFor);
  const groups = await openGroupBook(trx, changes);
  const outcomes = changes.map((change) => {
    const { customer_id } = change;
    return works.get(held.survivorOf(customer_id))!.apply(change, groups, erasures.get(customer_id) ?? null);
  });
  await registerGroups(trx, groups, works);

  const changed = [...works.values()].filter((work) => work.changed);
  const unused = [...works.values()].filter((work) => work.stored === null && !work.changed);
  const saves = await foldCustomers(trx, engine, changed, differences);
  await deleteCustomers(
    trx,
    unused.map((work) => work.customer_id),
  );
  const copied = client !== undefined && changed.length >= COPY_CUSTOMERS;
  if (copied) await copyWorks(trx, client, changed, { saves, saving: savingOf(engine) });
  await pipelined(trx, async (pipeline) => {
    const attributes = saves.filter((_, index) => changed[index]!.attributesChanged);
    await Promise.all([
      ...EVENT_KINDS.flatMap((kind) => [
        insertEvents(pipeline, kind, copied ? [] : rowsOf(kind, changed, 'inserted')),
        replaceEvents(pipeline, kind, rowsOf(kind, changed, 'replaced')),
      ]),
      writeAttributes(pipeline, attributes),
      sendCustomers(pipeline, copied ? [] : saves, savingOf(engine)),
      last(pipeline),
    ]);
  });
  return { outcomes, customers: changed.length };
}

async function copyWorks(
  trx: Trx,
  client: pg.ClientBase,
  works: readonly CustomerWork[],
  { saves, saving }: { readonly saves: readonly CustomerSave[]; readonly saving: Saving },
): Promise<void> {
  for (const kind of EVENT_KINDS) await copyEvents(client, kind, rowsOf(kind, works, 'inserted'));
  const isStored = (_: unknown, index: number): boolean => works[index]!.stored !== null;
  const changed = saves.filter(isStored);
  const added = saves.filter((save, index) => !isStored(save, index));
  await copyCustomers(trx, client, { added, changed }, saving);
}

/** The customers that the batch is about, each with the stored events that the batch names. */
async function readWorks(
  trx: Trx,
  held: HeldCustomers,
  changes: readonly Change[],
): Promise<Map<string, CustomerWork>> {
  const { customers, survivorOf, today } = held;
  const ids = [...new Set(changes.map((change) => survivorOf(change.customer_id)))].sort(compareText);
  const known = new Map<string, EventsById>(ids.map((id) => [id, noEvents()]));
  for (const kind of EVENT_KINDS) {
    const named = changes
      .flatMap((change) => namedBy(change, kind, survivorOf))
      .filter((name) => customers.has(name.customer_id));
    const names = { customer_ids: named.map((name) => name.customer_id), item_ids: named.map((name) => name.item_id) };
    await readNamedEvents(trx, kind, names, (customerId) => known.get(customerId)!);
  }
  return new Map(ids.map((id) => [id, new CustomerWork(id, customers.get(id) ?? null, known.get(id)!, today)]));
}

function namedBy(
  change: Change,
  kind: EventKind,
  survivorOf: HeldCustomers['survivorOf'],
): { customer_id: string; item_id: string }[] {
  if (change.type === 'customer' || change.kind !== kind) return [];
  const item_id = change.type === 'void' ? change.item_id : idOf(kind, change.event);
  return [{ customer_id: survivorOf(change.customer_id), item_id }];
}

async function openGroupBook(trx: Trx, changes: readonly Change[]): Promise<GroupBook> {
  const names = [
    ...new Set(changes.flatMap((change) => (change.type === 'customer' ? (change.groups ?? []) : []))),
  ].sort(compareText);
  const ids = await readGroupIds(trx, names);
  if (names.every((name) => ids.has(name))) return new GroupBook(ids, 0);
  const room = await holdGroups(trx);
  return new GroupBook(await readGroupIds(trx, names), room);
}

async function registerGroups(trx: Trx, groups: GroupBook, works: ReadonlyMap<string, CustomerWork>): Promise<void> {
  if (groups.newNames.length === 0) return;
  const registered = await addGroups(trx, groups.newNames);
  for (const work of works.values()) {
    const group_ids = groups.resolve(work.attributes.group_ids, registered);
    work.attributes = { ...work.attributes, group_ids };
  }
}

function rowsOf<Kind extends EventKind>(
  kind: Kind,
  works: readonly CustomerWork[],
  side: 'inserted' | 'replaced',
): Owned<never>[] {
  return works.flatMap((work) =>
    [...work[side][kind].values()].map((event) => ({ customer_id: work.customer_id, event: event as never })),
  );
}
