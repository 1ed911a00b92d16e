import { sql } from 'kysely';
import type { Moment } from '../domain/instant.ts';
import type { Statements } from './connect.ts';
import { type EventKind, type Events, ID_COLUMNS } from './histories.ts';

/** An event with the customer it belongs to. */
export interface Owned<Event> {
  readonly customer_id: string;
  readonly event: Event;
}

/** A column of an event table, its type, and what an event has in it. */
export type EventColumn<Event> = readonly [
  name: string,
  type: 'text' | 'text[]' | 'int8' | 'int4' | 'int2' | 'bool',
  value: (event: Event) => unknown,
];

const VOIDED = ['voided', 'bool', (event: { voided: boolean }) => event.voided] as const;

function momentColumns(): EventColumn<{ moment: Moment }>[] {
  return [
    ['at', 'int8', (event) => event.moment.at],
    ['day', 'int4', (event) => event.moment.day],
    ['plain', 'bool', (event) => event.moment.plain],
  ];
}

/** The columns of every kind after the customer. */
export const EVENT_COLUMNS: { readonly [Kind in EventKind]: readonly EventColumn<Events[Kind]>[] } = {
  purchases: [
    ['purchase_id', 'text', (purchase) => purchase.purchase_id],
    ...momentColumns(),
    ['amount', 'int8', (purchase) => purchase.amount],
    ['cost', 'int8', (purchase) => purchase.cost],
    ['discount', 'int8', (purchase) => purchase.discount],
    ['products', 'text[]', (purchase) => purchase.products],
    VOIDED,
  ],
  refunds: [
    ['refund_id', 'text', (refund) => refund.refund_id],
    ['purchase_id', 'text', (refund) => refund.purchase_id],
    ...momentColumns(),
    ['amount', 'int8', (refund) => refund.amount],
    VOIDED,
  ],
  interactions: [
    ['interaction_id', 'text', (interaction) => interaction.interaction_id],
    ...momentColumns(),
    ['kind', 'text', (interaction) => interaction.kind],
    ['score', 'int2', (interaction) => interaction.score],
    ['reason', 'text', (interaction) => interaction.reason],
    ['cost', 'int8', (interaction) => interaction.cost],
    VOIDED,
  ],
};

/** A PostgreSQL array literal: unnest cannot hand out one list a row, so a list travels as text. */
function textArray(codes: readonly string[]): string {
  return `{${codes.map((code) => `"${code.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** Stores events that are not stored yet. Each id at most once. */
export async function insertEvents<Kind extends EventKind>(
  trx: Statements,
  kind: Kind,
  rows: readonly Owned<Events[Kind]>[],
): Promise<void> {
  if (rows.length === 0) return;
  await sql`insert into ${sql.table(kind)} (${columnNames(kind)}) ${selectRows(kind, rows)}`.execute(trx);
}

/** Replaces the content of stored events, the mark of being voided included. */
export async function replaceEvents<Kind extends EventKind>(
  trx: Statements,
  kind: Kind,
  rows: readonly Owned<Events[Kind]>[],
): Promise<void> {
  if (rows.length === 0) return;
  const changed = EVENT_COLUMNS[kind].slice(1).map(([name]) => sql`${sql.ref(name)} = excluded.${sql.ref(name)}`);
  await sql`
    insert into ${sql.table(kind)} (${columnNames(kind)}) ${selectRows(kind, rows)}
    on conflict (customer_id, ${sql.ref(ID_COLUMNS[kind])}) do update set ${sql.join(changed)}`.execute(trx);
}

function columnNames(kind: EventKind) {
  return sql.join(['customer_id', ...EVENT_COLUMNS[kind].map(([name]) => name)].map((name) => sql.ref(name)));
}

function selectRows<Kind extends EventKind>(kind: Kind, rows: readonly Owned<Events[Kind]>[]) {
  const columns = EVENT_COLUMNS[kind] as readonly EventColumn<Events[Kind]>[];
  const arrays = columns.map(([, type, value]) => {
    if (type === 'text[]') return sql`${rows.map((row) => textArray(value(row.event) as string[]))}::text[]`;
    return sql`${rows.map((row) => value(row.event))}::${sql.raw(type)}[]`;
  });
  const names = columns.map(([name, type]) => (type === 'text[]' ? sql`${sql.ref(name)}::text[]` : sql.ref(name)));
  const aliases = sql.join(['customer_id', ...columns.map(([name]) => name)].map((name) => sql.ref(name)));
  return sql`
    select customer_id, ${sql.join(names)}
    from unnest(${rows.map((row) => row.customer_id)}::text[], ${sql.join(arrays)}) as given (${aliases})`;
}
