import { Differences } from '../domain/differences.ts';
import type { Moment } from '../domain/instant.ts';
import { type TimeZone, timeZone } from '../domain/time-zone.ts';
import { PROJECTIONS } from '../reports/registry.ts';
import type { Trx } from '../store/connect.ts';
import { saveCustomers } from '../store/customer-saves.ts';
import { EVENT_KINDS, type EventKind, type Events, type EventsById } from '../store/histories.ts';
import { clearRollup } from '../store/rollups.ts';
import { CODE_VERSIONS, type Deployment, holdVersions, readModels } from '../store/versions.ts';
import { replaceEvents } from '../store/write-events.ts';
import { createEngine, type EngineParts, savingOf } from './engine.ts';
import { eachPage, foldStored } from './fold-all.ts';
import { writeDifferences } from './ingest.ts';
import { StartRefusedError } from './start.ts';

/**
 * Folds everything anew from the stored events in one transaction: saved states, spells and roll-ups. Takes over the configured time zone (days of instants are
 * computed again, plain dates stay) and the configured currency if it has as many decimals. Ingest waits meanwhile; reads answer what was before.
 */
export async function rebuild(
  parts: EngineParts,
  deployment: Deployment,
): Promise<{ readonly customers: number; readonly rollup_rows: number }> {
  return await parts.db.transaction().execute(async (trx) => {
    const before = await holdVersions(trx);
    if (before.currency_decimals !== deployment.currency_decimals) {
      throw new StartRefusedError(
        `Amounts are stored with the ${before.currency_decimals} decimals of ${before.currency}; ${deployment.currency} has ${deployment.currency_decimals}. Load the data into a new database.`,
      );
    }
    await trx
      .updateTable('versions')
      .set({ ...deployment, code_versions: CODE_VERSIONS })
      .execute();
    const engine = createEngine(
      parts,
      { ...before, ...deployment, code_versions: CODE_VERSIONS },
      await readModels(trx),
    );
    const moved =
      before.reporting_time_zone === deployment.reporting_time_zone ? null : timeZone(deployment.reporting_time_zone);
    for (const projection of PROJECTIONS) await clearRollup(trx, projection);
    await trx.deleteFrom('customer_stages').execute();
    const differences = new Differences(engine.plan);
    const saving = savingOf(engine);
    let customers = 0;
    for await (const page of eachPage(trx)) {
      if (moved !== null)
        for (const { customer, events } of page) await moveDays(trx, customer.customer_id, events, moved);
      const saves = page.map(({ customer, events }) => foldStored(engine.plan, customer, events, differences));
      await saveCustomers(trx, saves, saving);
      customers += page.length;
    }
    return { customers, rollup_rows: await writeDifferences(trx, differences) };
  });
}

/** Puts every event of a customer on its day in another time zone, in the store and in the maps. */
async function moveDays(trx: Trx, customerId: string, events: EventsById, zone: TimeZone): Promise<void> {
  for (const kind of EVENT_KINDS) {
    const map = events[kind] as Map<string, Events[EventKind]>;
    for (const [id, event] of map) map.set(id, { ...event, moment: movedTo(zone, event.moment) });
    const rows = [...map.values()].map((event) => ({ customer_id: customerId, event: event as never }));
    await replaceEvents(trx, kind, rows);
  }
}

function movedTo(zone: TimeZone, { at, day, plain }: Moment): Moment {
  return plain ? { at: zone.startOf(day), day, plain } : { at, day: zone.dayOf(at), plain };
}
