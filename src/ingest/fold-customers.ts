import type { Differences } from '../domain/differences.ts';
import { activityDays } from '../domain/history.ts';
import { encodeFold } from '../domain/saved-fold.ts';
import type { Trx } from '../store/connect.ts';
import { figuresOf } from '../store/customer-figures.ts';
import type { CustomerSave } from '../store/customer-saves.ts';
import { type CustomerYears, yearsOf } from '../store/customer-years.ts';
import { historyOf, noEvents, readEvents } from '../store/histories.ts';
import { type CustomerWork, overlay } from './customer-work.ts';
import type { Engine } from './engine.ts';
import type { Folding } from './foldings.ts';
import { emitInto, type Folded, foldMore, foldWhole } from './refold.ts';

/** Stored events of customers who are folded at once, more or less: late purchases of 5,000 customers with a hundred each took 570 MiB when all were. */
const PART_EVENTS = 5_000;

/** Folds what each customer's changes do, into the differences; returns what to save, in the order of the works. */
export async function foldCustomers(
  trx: Trx,
  engine: Engine,
  works: readonly CustomerWork[],
  differences: Differences,
): Promise<CustomerSave[]> {
  const saves: CustomerSave[] = [];
  for (const part of byHistories(works)) saves.push(...(await foldPart(trx, engine, part, differences)));
  return saves;
}

/** Customers in their order, as many at once as have so many stored events together: those who must be folded anew are in memory with all of theirs. */
function* byHistories(works: readonly CustomerWork[]): Generator<readonly CustomerWork[]> {
  let part: CustomerWork[] = [];
  let events = 0;
  for (const work of works) {
    part.push(work);
    events += work.stored?.events ?? 0;
    if (events < PART_EVENTS) continue;
    yield part;
    [part, events] = [[], 0];
  }
  if (part.length > 0) yield part;
}

async function foldPart(
  trx: Trx,
  engine: Engine,
  works: readonly CustomerWork[],
  differences: Differences,
): Promise<CustomerSave[]> {
  const { whole } = engine.foldings;
  const foldings = works.map(({ stored }) => (stored === null ? whole : engine.foldings.of(stored.layout)));
  const saved = works.map(({ stored }, index) => (stored === null ? null : foldings[index]!.read(stored.fold)));
  const rewritten = works.filter((work, index) => work.mustRefold(saved[index]?.open.day ?? 0));
  const stored = await readEvents(
    trx,
    rewritten.map((work) => work.customer_id),
  );
  const anew = new Set(rewritten);
  return works.map((work, index) => {
    const before = saved[index] ?? null;
    const folding = foldings[index]!;
    if (before !== null && !anew.has(work)) {
      const add = folding.talliesOf(emitInto(differences, 1, work.attributes.group_ids));
      const takeBack = folding.talliesOf(emitInto(differences, -1, work.attributes.group_ids));
      const more = activityDays(historyOf({ known_since: null, received_on: 0 }, work.inserted));
      const folded = foldMore(folding.plan, before, more, add, takeBack);
      const years = { whole: false, figures: yearsOf(more) };
      return saveOf(work, folding, { folded, pending_refunds: work.stored!.pending_refunds, years });
    }
    const events = stored.get(work.customer_id) ?? noEvents();
    if (work.stored !== null) {
      const takeBack = folding.talliesOf(emitInto(differences, -1, work.stored.group_ids));
      foldWhole(folding.plan, activityDays(historyOf(work.stored, events)), takeBack);
    }
    // Of a new customer all events are in the batch.
    const known = work.stored === null ? work.inserted : overlay(events, work.replaced, work.inserted);
    const days = activityDays(historyOf(work.attributes, known));
    // Whoever is folded anew is folded into everything: nothing is left for a build to do.
    const folded = foldWhole(whole.plan, days, emitInto(differences, 1, work.attributes.group_ids));
    const pending_refunds = days.reduce((sum, day) => sum + day.pending_refunds, 0);
    const years = { whole: work.stored !== null, figures: yearsOf(days) };
    return saveOf(work, whole, { folded, pending_refunds, years });
  });
}

interface FoldedWork {
  readonly folded: Folded;
  readonly pending_refunds: number;
  readonly years: CustomerYears;
}

function saveOf(
  { customer_id, attributes, events, turnover }: CustomerWork,
  { layout, model_versions }: Folding,
  { folded: { saved, spells, facts }, pending_refunds, years }: FoldedWork,
): CustomerSave {
  return {
    customer_id,
    ...attributes,
    events,
    turnover,
    pending_refunds,
    fold: encodeFold(saved),
    layout,
    model_versions,
    spells,
    figures: figuresOf(facts),
    years,
  };
}
