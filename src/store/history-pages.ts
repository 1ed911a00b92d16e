import pg from 'pg';
import type { Day } from '../domain/calendar.ts';
import type { History, Interaction } from '../domain/history.ts';
import type { Moment } from '../domain/instant.ts';
import { copyOut, type OwnBytes } from './copy.ts';
import { CopyReader, type TextField } from './copy-format.ts';
import type { CustomerDates } from './customers.ts';
import { EVENT_KINDS, type EventKind } from './histories.ts';

/** Customers at most that are read at once, and events more or less. */
const PAGE_CUSTOMERS = 5_000;
const PAGE_EVENTS = 30_000;

/** Some customers in order of their ids, each with all events; as it goes to a thread. */
export interface HistoryPage {
  readonly customers: readonly CustomerDates[];
  /** What COPY gives of each kind (`COLUMNS`), in order of the customers. */
  readonly events: Readonly<Record<EventKind, OwnBytes>>;
}

/** What a page holds at most. */
export interface PageSize {
  readonly customers: number;
  /** A customer's events are always in one page, however many. */
  readonly events: number;
}

const MOMENT = 'at, day, plain';
/** What is read of each kind, in the order in which it is decoded. */
export const COLUMNS: Readonly<Record<EventKind, string>> = {
  purchases: `purchase_id, ${MOMENT}, amount, cost, discount, products, voided`,
  refunds: `refund_id, purchase_id, ${MOMENT}, amount, voided`,
  interactions: `interaction_id, ${MOMENT}, kind, score, reason, cost, voided`,
};

/** A customer with the number of events stored. */
export interface SizedCustomer extends CustomerDates {
  /** As the saved state says; it may be wrong, and only the size of pages depends on it. */
  readonly events: number;
}

/** Gives every customer with all events, page by page in order of the ids; ids that were merged are none. The transaction is the client's. */
export async function* readHistoryPages(
  client: pg.ClientBase,
  size: PageSize = { customers: PAGE_CUSTOMERS, events: PAGE_EVENTS },
): AsyncGenerator<HistoryPage> {
  let after = '';
  for (;;) {
    const { rows } = await client.query<SizedCustomer>(
      `select customers.customer_id, known_since, received_on, group_ids, coalesce(events, 0) as events
       from customers left join customer_states on customer_states.customer_id = customers.customer_id
       where customers.customer_id > $1 and merged_into is null order by customers.customer_id limit $2`,
      [after, size.customers],
    );
    if (rows.length === 0) return;
    for (let start = 0; start < rows.length; ) {
      const end = pageEnd(rows, start, size.events);
      const customers = rows.slice(start, end).map(({ events: _, ...dates }) => dates);
      const last = customers.at(-1)!.customer_id;
      yield { customers, events: await readPage(client, `> ${pg.escapeLiteral(after)}`, last) };
      after = last;
      start = end;
    }
  }
}

/** Where a page that begins at `start` ends, so that it holds so many events at most; a customer's are never divided. */
export function pageEnd(rows: readonly SizedCustomer[], start: number, events: number): number {
  let end = start;
  for (let sum = 0; end < rows.length && (end === start || sum + rows[end]!.events <= events); end += 1)
    sum += rows[end]!.events;
  return end;
}

/** Reads all events of some customers, given in order of their ids: of every id from `first` to `last`, those of others are passed over. */
export async function readHistories(
  client: pg.ClientBase,
  customers: readonly CustomerDates[],
  { first, last }: { readonly first: string; readonly last: string },
): Promise<HistoryPage> {
  return { customers, events: await readPage(client, `>= ${pg.escapeLiteral(first)}`, last) };
}

async function readPage(client: pg.ClientBase, from: string, last: string): Promise<HistoryPage['events']> {
  const range = `customer_id ${from} and customer_id <= ${pg.escapeLiteral(last)}`;
  const read = async (kind: EventKind): Promise<OwnBytes> =>
    await copyOut(
      client,
      `copy (select customer_id, ${COLUMNS[kind]} from ${kind} where ${range} order by customer_id) to stdout (format binary)`,
    );
  return {
    purchases: await read('purchases'),
    refunds: await read('refunds'),
    interactions: await read('interactions'),
  };
}

type OpenHistory = { [Kind in EventKind]: History[Kind][number][] } & Pick<History, 'known_since' | 'received_on'>;

/** The histories of a page, in the order of its customers. Events of ids that are no customers belong to nobody. */
export function decodeHistories({ customers, events }: HistoryPage): History[] {
  const histories = customers.map(({ known_since, received_on }): OpenHistory => {
    return { known_since, received_on, purchases: [], refunds: [], interactions: [] };
  });
  const byId = new Map(customers.map(({ customer_id }, index) => [customer_id, histories[index]!]));
  for (const kind of EVENT_KINDS) {
    const reader = new CopyReader(events[kind]);
    const decode = DECODERS[kind];
    let owner: TextField = { text: '', bytes: Buffer.alloc(0) };
    let history: OpenHistory | undefined;
    while (reader.next()) {
      const id = reader.textLike(owner);
      if (id !== owner) {
        owner = id;
        history = byId.get(id.text);
      }
      decode(reader, history ?? nobody());
    }
  }
  return histories;
}

function nobody(): OpenHistory {
  return { known_since: null, received_on: 0, purchases: [], refunds: [], interactions: [] };
}

const DECODERS: Readonly<Record<EventKind, (reader: CopyReader, into: OpenHistory) => void>> = {
  purchases(reader, into) {
    into.purchases.push({
      purchase_id: reader.text(),
      moment: decodeMoment(reader),
      amount: reader.int8(),
      cost: reader.int8(),
      discount: reader.int8(),
      products: reader.texts(),
      voided: reader.bool(),
    });
  },
  refunds(reader, into) {
    into.refunds.push({
      refund_id: reader.text(),
      purchase_id: reader.text(),
      moment: decodeMoment(reader),
      amount: reader.int8(),
      voided: reader.bool(),
    });
  },
  interactions(reader, into) {
    into.interactions.push({
      interaction_id: reader.text(),
      moment: decodeMoment(reader),
      kind: reader.text(),
      score: reader.intOrNull(),
      reason: reader.textOrNull() as Interaction['reason'],
      cost: reader.int8(),
      voided: reader.bool(),
    });
  },
};

function decodeMoment(reader: CopyReader): Moment {
  const at = reader.int8();
  const day: Day = reader.int();
  return { at, day, plain: reader.bool() };
}
