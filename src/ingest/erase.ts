import { Differences } from '../domain/differences.ts';
import { activityDays } from '../domain/history.ts';
import { deleteCustomers } from '../store/customers.ts';
import { readErasures, recordErasures } from '../store/erasures.ts';
import { historyOf, noEvents, readEvents } from '../store/histories.ts';
import type { Engine } from './engine.ts';
import { holding } from './held-customers.ts';
import { emitInto, foldWhole } from './refold.ts';
import { writeDifferences } from './write-differences.ts';

/**
 * Removes everything of the customer an id stands for, for all days and under every id, and remembers a salted hash of each id with today's date, so that
 * a re-send cannot bring the data back. Returns false if the id is neither known nor erased before; erasing again is no error and keeps the day.
 */
export async function eraseCustomer(engine: Engine, customerId: string): Promise<boolean> {
  return await holding(engine, [customerId], 'every id', async (trx, held) => {
    const salt = engine.versions.erasure_salt;
    const customer = held.customers.get(held.survivorOf(customerId));
    const ids = customer === undefined ? [customerId] : [customer.customer_id, ...customer.merged_ids];
    const differences = new Differences(engine.plan);
    if (customer !== undefined) {
      const events = (await readEvents(trx, [customer.customer_id])).get(customer.customer_id) ?? noEvents();
      const { plan, talliesOf } = engine.foldings.of(customer.layout);
      const takeBack = talliesOf(emitInto(differences, -1, customer.group_ids));
      foldWhole(plan, activityDays(historyOf(customer, events)), takeBack);
      await recordErasures(trx, salt, ids, held.today);
    }
    const erased = await readErasures(trx, salt, [customerId]);
    await deleteCustomers(trx, ids);
    await writeDifferences(trx, differences);
    return erased.size > 0;
  });
}
