import { Differences } from '../domain/differences.ts';
import { activityDays } from '../domain/history.ts';
import { Problem } from '../problems.ts';
import type { Trx } from '../store/connect.ts';
import { saveCustomers } from '../store/customer-saves.ts';
import { deleteHistories, type KnownCustomer, writeAttributes } from '../store/customers.ts';
import { EVENT_KINDS, type EventKind, historyOf, noEvents, readEvents } from '../store/histories.ts';
import { markMerged } from '../store/merges.ts';
import { insertEvents, type Owned } from '../store/write-events.ts';
import { type Engine, savingOf } from './engine.ts';
import { foldStored } from './fold-all.ts';
import { type HeldCustomers, holding } from './held-customers.ts';
import { emitInto, foldWhole } from './refold.ts';
import { type Union, unite, type WholeCustomer } from './union.ts';
import { writeDifferences } from './write-differences.ts';

/** What became of a merge. */
export interface Merged {
  /** The survivor. */
  readonly customer_id: string;
  /** Every other id that stands for it, sorted. */
  readonly merged_ids: readonly string[];
  /** Items that the survivor got and did not have; 0 if both ids were one customer already. */
  readonly moved: Readonly<Record<EventKind, number>>;
}

/**
 * Moves the whole history of a customer to another one in one transaction, and makes the old id, with every id that stood for it, stand for the survivor. If both
 * ids stand for one customer already, nothing is changed. `intoId` may be a merged id: then the customer it stands for survives. Throws a `Problem`, and has changed
 * nothing: `customer_not_found`, `customer_merged` if the old id stands for a third customer, `merge_conflict`, `merge_refused`.
 */
export async function mergeCustomers(engine: Engine, oldId: string, intoId: string): Promise<Merged> {
  const started_at = performance.now();
  const merge = await holding(engine, [oldId, intoId], 'every id', async (trx, held) => {
    const { old, survivor } = findBoth(held, oldId, intoId);
    if (old === survivor) return { ...answer(survivor, survivor.merged_ids), rollup_rows: 0 };
    if (old.customer_id !== oldId) throw new Problem('customer_merged');
    return await mergeIn(trx, engine, survivor, old);
  });
  const { rollup_rows, ...merged } = merge;
  const duration_ms = Math.round(performance.now() - started_at);
  engine.log.info({ ...merged.moved, rollup_rows, duration_ms }, 'merged');
  return merged;
}

interface Both<Customer> {
  readonly survivor: Customer;
  readonly old: Customer;
}

function findBoth({ customers, survivorOf }: HeldCustomers, oldId: string, intoId: string): Both<KnownCustomer> {
  const notFound = (where: { parameter: string } | { pointer: string }): Problem =>
    new Problem('customer_not_found', {
      errors: [{ ...where, code: 'customer_not_found', detail: 'There is no customer of this id.' }],
    });
  const old = customers.get(survivorOf(oldId));
  if (old === undefined) throw notFound({ parameter: 'customer_id' });
  const survivor = customers.get(survivorOf(intoId));
  if (survivor === undefined) throw notFound({ pointer: '/into' });
  return { old, survivor };
}

function answer({ customer_id }: KnownCustomer, merged_ids: readonly string[], moved = noEvents()): Merged {
  const counts = EVENT_KINDS.map((kind) => [kind, moved[kind].size] as const);
  return { customer_id, merged_ids, moved: Object.fromEntries(counts) as Record<EventKind, number> };
}

async function mergeIn(
  trx: Trx,
  engine: Engine,
  survivor: KnownCustomer,
  old: KnownCustomer,
): Promise<Merged & { readonly rollup_rows: number }> {
  const stored = await readEvents(trx, [survivor.customer_id, old.customer_id]);
  const whole = (customer: KnownCustomer): WholeCustomer => {
    return { customer, events: stored.get(customer.customer_id) ?? noEvents() };
  };
  const both = { survivor: whole(survivor), old: whole(old) };
  const union = unite(both.survivor, both.old);
  const differences = new Differences(engine.plan);
  for (const { customer, events } of [both.survivor, both.old]) {
    const { plan, talliesOf } = engine.foldings.of(customer.layout);
    const takeBack = talliesOf(emitInto(differences, -1, customer.group_ids));
    foldWhole(plan, activityDays(historyOf(customer, events)), takeBack);
  }
  const save = foldStored(engine.foldings.whole, union.customer, historyOf(union.customer, union.events), differences);
  for (const kind of EVENT_KINDS) await insertEvents(trx, kind, rowsOf(kind, union));
  await deleteHistories(trx, [old.customer_id]);
  await writeAttributes(trx, [save]);
  await saveCustomers(trx, [save], savingOf(engine));
  await markMerged(trx, [old.customer_id, ...old.merged_ids], survivor.customer_id, union.merged_ids);
  const rollup_rows = await writeDifferences(trx, differences);
  return { ...answer(survivor, union.merged_ids, union.moved), rollup_rows };
}

function rowsOf(kind: EventKind, { customer, moved }: Union): Owned<never>[] {
  return [...moved[kind].values()].map((event) => ({ customer_id: customer.customer_id, event: event as never }));
}
