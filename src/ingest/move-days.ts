import type { Moment } from '../domain/instant.ts';
import type { TimeZone } from '../domain/time-zone.ts';
import type { Trx } from '../store/connect.ts';
import { EVENT_KINDS, type EventKind, type Events, type EventsById } from '../store/histories.ts';
import { replaceEvents } from '../store/write-events.ts';
import { eachPage } from './fold-all.ts';

/** Puts every stored event on its day in another time zone. A plain date stays on its day, which begins at another instant. */
export async function moveDays(trx: Trx, zone: TimeZone): Promise<void> {
  for await (const page of eachPage(trx)) {
    for (const kind of EVENT_KINDS) {
      const rows = page.flatMap(({ customer, events }) =>
        moved(zone, kind, events).map((event) => ({ customer_id: customer.customer_id, event: event as never })),
      );
      await replaceEvents(trx, kind, rows);
    }
  }
}

/** The events of one kind whose moment is another one. */
function moved(zone: TimeZone, kind: EventKind, events: EventsById): Events[EventKind][] {
  return [...events[kind].values()].flatMap((event) => {
    const { at, day, plain } = event.moment;
    const moment: Moment = plain ? { at: zone.startOf(day), day, plain } : { at, day: zone.dayOf(at), plain };
    return moment.at === at && moment.day === day ? [] : [{ ...event, moment }];
  });
}
