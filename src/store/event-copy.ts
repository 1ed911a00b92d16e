import type pg from 'pg';
import { copyIn } from './copy.ts';
import { CopyWriter } from './copy-format.ts';
import type { EventKind, Events } from './histories.ts';
import { EVENT_COLUMNS, type EventColumn, type Owned } from './write-events.ts';

/** What an event takes, more or less. */
const EVENT_BYTES = 200;

const WRITERS: Readonly<Record<EventColumn<never>[1], (into: CopyWriter, value: never) => void>> = {
  text: (into, value) => into.text(value),
  'text[]': (into, value) => into.texts(value),
  int8: (into, value) => into.int8(value),
  int4: (into, value) => into.int4(value),
  int2: (into, value) => into.int2(value),
  bool: (into, value) => into.bool(value),
};

/** As `insertEvents`, for many. The transaction is the client's. */
export async function copyEvents<Kind extends EventKind>(
  client: pg.ClientBase,
  kind: Kind,
  rows: readonly Owned<Events[Kind]>[],
): Promise<void> {
  if (rows.length === 0) return;
  const columns = EVENT_COLUMNS[kind] as readonly EventColumn<Events[Kind]>[];
  const into = new CopyWriter(rows.length * EVENT_BYTES);
  for (const { customer_id, event } of rows) {
    into.row(1 + columns.length);
    into.text(customer_id);
    for (const [, type, value] of columns) WRITERS[type](into, value(event) as never);
  }
  const names = columns.map(([name]) => name).join(', ');
  await copyIn(client, `copy ${kind} (customer_id, ${names}) from stdin (format binary)`, into.end());
}
