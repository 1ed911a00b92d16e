import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { Test } from 'tap';
import { formatDay, parseDay } from '../oracle/calendar.ts';
import type { ModelDocument } from '../oracle/model-document.ts';
import { Oracle } from '../oracle/oracle.ts';
import { ItemDrawer } from '../oracle/random-items.ts';
import type { Rng } from '../oracle/rng.ts';
import type { CustomerItem, InteractionItem, PurchaseBody, PurchaseItem, RefundItem } from '../oracle/store.ts';
import { peopled } from '../support/peopled.ts';
import { type Environment, runCommand, type ServiceProcess } from '../support/process.ts';

/** The models that a new database has. */
export const { models: MODELS } = JSON.parse(
  readFileSync(new URL('../oracle/models.json', import.meta.url), 'utf8'),
) as {
  models: ModelDocument[];
};

const FIRST_DAY = parseDay('2022-01-01');
/** Every event lies before, so that neither today nor the zone decides what is accepted. */
const LAST_DAY = parseDay('2025-03-31');
const GROUPS = ['vip', 'b2b', 'channel:search'];
const ID_FIELD = { purchases: 'purchase_id', refunds: 'refund_id', interactions: 'interaction_id' } as const;
/** The days on which populations are compared. */
const COMPARED_DAYS = ['2023-06-30', '2024-12-31', '2025-09-30'];

type EventRoute = keyof typeof ID_FIELD;
export type Route = 'customers' | EventRoute;

/** What one request sends. */
export interface Batch {
  readonly route: Route;
  readonly items: readonly object[];
  /** `route/customer/item` of every event, `customers/customer` of every record: what must be stored once it is acknowledged. */
  readonly keys: readonly string[];
}

/** A number to draw from, said aloud so that a failure can be replayed with SEED. */
export function announcedSeed(t: Test): number {
  const seed = Number(process.env.SEED ?? Math.trunc(Math.random() * 2 ** 31));
  t.comment(`SEED=${seed} replays this run`);
  return seed;
}

/** Random customers and their events with distinct ids, in batches of random size and in random order. */
export function randomBatches(rng: Rng, events: number, largest: number): Batch[] {
  const draw = new ItemDrawer(rng, 2, 12, 'UTC');
  const customers = Array.from({ length: Math.ceil(events / 15) }, (_, place) => `c-${place}`);
  const records = customers.map((customer_id): CustomerItem => {
    const known_since = formatDay(rng.between(FIRST_DAY, LAST_DAY));
    return { customer_id, known_since, ...(rng.chance(0.3) ? { groups: rng.some(GROUPS, 0, 2) } : {}) };
  });
  const items: Record<Route, object[]> = { customers: records, purchases: [], refunds: [], interactions: [] };
  const bought: { customer_id: string; purchase_id: string; body: PurchaseBody }[] = [];
  for (let place = 0; place < events; place += 1) {
    const customer_id = rng.pick(customers);
    const day = rng.between(FIRST_DAY, LAST_DAY);
    const chance = rng.next();
    if (chance < 0.08 && bought.length > 0) {
      const { customer_id: owner, purchase_id, body } = rng.pick(bought);
      const refund = draw.refund(day, LAST_DAY, purchase_id, body);
      items.refunds.push({ customer_id: owner, refund_id: `r-${place}`, ...refund });
    } else if (chance < 0.35) {
      items.interactions.push({ customer_id, interaction_id: `i-${place}`, ...draw.interaction(day, LAST_DAY) });
    } else {
      const body = draw.purchase(day, LAST_DAY);
      bought.push({ customer_id, purchase_id: `p-${place}`, body });
      items.purchases.push({ customer_id, purchase_id: `p-${place}`, ...body });
    }
  }
  return rng.shuffled((Object.keys(items) as Route[]).flatMap((route) => cut(rng, route, items[route], largest)));
}

function cut(rng: Rng, route: Route, items: readonly object[], largest: number): Batch[] {
  const batches: Batch[] = [];
  for (let start = 0; start < items.length; ) {
    const part = items.slice(start, start + rng.between(1, largest));
    batches.push({ route, items: part, keys: part.map((item) => keyOf(route, item as Record<string, string>)) });
    start += part.length;
  }
  return batches;
}

function keyOf(route: Route, item: Record<string, string>): string {
  return route === 'customers'
    ? `customers/${item.customer_id}`
    : `${route}/${item.customer_id}/${item[ID_FIELD[route]]}`;
}

/** What became of a batch: the answer, or undefined if there was none. */
export interface Reply {
  readonly status: number;
  readonly retry_after: string | null;
  readonly content_type: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
  readonly body: any;
}

/** Sends a batch over a connection that is kept alive. */
export async function sendBatch(url: string, { route, items }: Batch): Promise<Reply | undefined> {
  try {
    const answer = await fetch(`${url}/v1/${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ items }),
    });
    const body: unknown = await answer.json();
    const { headers, status } = answer;
    return { status, retry_after: headers.get('retry-after'), content_type: headers.get('content-type'), body };
  } catch {
    return undefined;
  }
}

/** What became of items, counted: statuses that a sending of distinct events cannot have, and what was not acknowledged. */
export type Surprises = Record<string, number>;

/** Counts the statuses of an acknowledged batch that are not expected. An event may have brought a customer before the record, which then updates. */
export function countSurprises(found: Surprises, { route }: Batch, reply: Reply, repeated: boolean): void {
  const expected = repeated ? ['duplicate'] : ['created', 'duplicate', ...(route === 'customers' ? ['updated'] : [])];
  for (const { status } of reply.body.items as { status: string }[]) {
    if (!expected.includes(status)) found[`${route} ${status}`] = (found[`${route} ${status}`] ?? 0) + 1;
  }
}

/** The keys of every stored row, read past the service. A key that is stored twice comes twice. */
export async function storedKeys(connection: Readonly<pg.ClientConfig>): Promise<string[]> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ key: string }>(`
      select 'customers/' || customer_id as key from customers union all
      select 'purchases/' || customer_id || '/' || purchase_id from purchases union all
      select 'refunds/' || customer_id || '/' || refund_id from refunds union all
      select 'interactions/' || customer_id || '/' || interaction_id from interactions`);
    return rows.map(({ key }) => key);
  } finally {
    await client.end();
  }
}

/** Sends every batch, a few at once, and counts what is not as expected; `repeated`: all of it must be known already. */
export async function sendAll(url: string, batches: readonly Batch[], repeated: boolean): Promise<Surprises> {
  const waiting = [...batches];
  const found: Surprises = {};
  const client = async (): Promise<void> => {
    for (let batch = waiting.pop(); batch !== undefined; batch = waiting.pop()) {
      const reply = await sendBatch(url, batch);
      if (reply?.status === 200) countSurprises(found, batch, reply, repeated);
      else found[`answer ${reply?.status}`] = (found[`answer ${reply?.status}`] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 4 }, client));
  return found;
}

interface Compared {
  readonly batches: readonly Batch[];
  readonly connection: Readonly<pg.ClientConfig>;
  readonly environment: Environment;
  readonly time_zone?: string;
  /** Those of a new database unless others were published. */
  readonly models?: readonly ModelDocument[];
}

/** Rows, populations and `npm run verify` say that what is stored is what was sent, each once. */
export async function isWhatWasSent(t: Test, service: ServiceProcess, compared: Compared): Promise<void> {
  const { batches, connection, environment } = compared;
  const sent = batches.flatMap(({ keys }) => keys).sort();
  t.ok(sameList((await storedKeys(connection)).sort(), sent), `the rows are the ${sent.length} sent, each once`);
  await populationsAreTrue(t, service.url, compared);
  const { code, stdout, stderr } = await runCommand(t, ['verify'], environment);
  t.equal(code, 0, `verify finds nothing: ${stdout.trim()}${stderr.trim()}`);
}

/** The populations of every model on a few days are those of the oracle. */
export async function populationsAreTrue(
  t: Test,
  url: string,
  { batches, time_zone = 'UTC', models = MODELS }: Pick<Compared, 'batches' | 'time_zone' | 'models'>,
): Promise<void> {
  const oracle = oracleOf(batches, time_zone, models);
  for (const { model_id } of models) {
    for (const day of COMPARED_DAYS) {
      const answer = await fetch(`${url}/v1/reports/stage-population?model=${model_id}&as_of=${day}`);
      const { items } = (await answer.json()) as { items: { customers: number; as_of: string }[] };
      const standing = (peopled(items) as { as_of: string }[]).map(({ as_of: _, ...row }) => row);
      t.strictSame(standing, oracle.stagePopulation(model_id, day), `${model_id} at the end of ${day}`);
    }
  }
}

/** The oracle after all batches; what is sent to it twice it takes as a duplicate, as the service must. */
function oracleOf(batches: readonly Batch[], timeZone: string, models: readonly ModelDocument[]): Oracle {
  const oracle = new Oracle({ timeZone, decimals: 2, models, today: () => '2025-04-01' });
  for (const { route, items } of batches) {
    if (route === 'customers') oracle.postCustomers(items as CustomerItem[]);
    else if (route === 'purchases') oracle.postPurchases(items as PurchaseItem[]);
    else if (route === 'refunds') oracle.postRefunds(items as RefundItem[]);
    else oracle.postInteractions(items as InteractionItem[]);
  }
  return oracle;
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, place) => text === other[place]);
}
