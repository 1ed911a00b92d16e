import { Differences } from '../domain/differences.ts';
import { activityDays } from '../domain/history.ts';
import { limitStatements } from '../store/connect.ts';
import { deleteCustomers, lockCustomers, readCustomers } from '../store/customers.ts';
import { readErasures, recordErasures } from '../store/erasures.ts';
import { historyOf, noEvents, readEvents } from '../store/histories.ts';
import { shareVersions } from '../store/versions.ts';
import { type Engine, todayOf } from './engine.ts';
import { retrying, writeDifferences } from './ingest.ts';
import { emitInto, foldWhole } from './refold.ts';

/**
 * Removes everything of a customer, for all days, and remembers a salted hash of the id with today's date, so that a re-send cannot bring the data
 * back. Returns false if the customer is neither known nor erased before; erasing again is no error and keeps the day.
 */
export async function eraseCustomer(engine: Engine, customerId: string): Promise<boolean> {
  return await retrying(() =>
    engine.db.transaction().execute(async (trx) => {
      await limitStatements(trx, engine.statement_timeout_ms);
      await shareVersions(trx, engine.versions);
      const today = todayOf(engine);
      await lockCustomers(trx, [customerId], today);
      const customer = (await readCustomers(trx, [customerId])).get(customerId);
      const differences = new Differences(engine.plan);
      if (customer !== undefined) {
        const events = (await readEvents(trx, [customerId])).get(customerId) ?? noEvents();
        foldWhole(
          engine.plan,
          activityDays(historyOf(customer, events)),
          emitInto(differences, -1, customer.group_ids),
        );
        await recordErasures(trx, engine.versions.erasure_salt, [customerId], today);
      }
      const erased = await readErasures(trx, engine.versions.erasure_salt, [customerId]);
      await deleteCustomers(trx, [customerId]);
      await writeDifferences(trx, differences);
      return erased.size > 0;
    }),
  );
}
