import { type IncomingMessage, request } from 'node:http';
import { sql } from 'kysely';
import t from 'tap';
import { listStreams } from '../../src/http/customer-stream.ts';
import type { CustomerFilter } from '../../src/store/customer-filter.ts';
import { SideBySide } from '../laws/side-by-side.ts';
import { type TestService, testService } from '../support/service.ts';
import { NaiveList, type NaiveRow } from './naive-list.ts';

// Whole lists as streams: they equal the pages, hold one snapshot, wait for their reader, and end with it.

t.setTimeout(120_000);

const NDJSON = { accept: 'application/x-ndjson' };
const CSV = { accept: 'text/csv' };

/** So many customers with one purchase each. */
async function shopOf(service: TestService, customers: number): Promise<void> {
  for (let first = 0; first < customers; first += 1_000) {
    const items = Array.from({ length: Math.min(1_000, customers - first) }, (_, index) => ({
      customer_id: `c${String(first + index).padStart(6, '0')}`,
      purchase_id: 'p',
      purchased_at: '2026-06-01',
      amount: `${(first + index) % 50}.00`,
    }));
    const { status } = await service.call('POST', '/v1/purchases', { items });
    if (status !== 200) throw new Error(`the shop answers ${status}`);
  }
}

/** One customer, and so many copies that differ by their ids only; with their 16 groups they are far more than sockets and buffers hold. */
async function crowd({ call, db }: TestService, copies: number): Promise<void> {
  const groups = Array.from({ length: 16 }, (_, index) => `${index}`.padEnd(64, 'x'));
  await call('POST', '/v1/customers', { items: [{ customer_id: 'original', known_since: '2026-06-01', groups }] });
  for (const name of ['customers', 'customer_states', 'customer_stages']) {
    const table = sql.table(name);
    await sql`
      insert into ${table} select copy.* from ${table} as original, generate_series(1, ${copies}::int) as number,
        jsonb_populate_record(original, jsonb_build_object('customer_id', 'c' || number)) as copy`.execute(db);
  }
}

function rowsIn(text: string): NaiveRow[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  return lines.map((line) => JSON.parse(line) as NaiveRow);
}

/** Reads RFC 4180 text of which no field holds a line break: fields in quotes, quotes in them doubled. */
function fieldsIn(text: string): string[][] {
  const lines = text.split('\r\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  return lines.map((line) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
    ),
  );
}

t.test('a stream is what the pages are together, over many pages of its own', async (t) => {
  const service = await testService(t);
  await shopOf(service, 2_300);
  for (const sort of ['revenue', 'profit', 'last_purchase_day', 'customer_id']) {
    const pages: NaiveRow[] = [];
    for (let cursor = ''; cursor !== 'end'; ) {
      const { body } = await service.call(
        'GET',
        `/v1/customers?stage=first_time_buyer&limit=1000&sort=${sort}${cursor}`,
      );
      pages.push(...body.items);
      cursor = body.next_cursor === null ? 'end' : `&cursor=${body.next_cursor}`;
    }
    t.equal(pages.length, 2_300);
    const { status, headers, text } = await service.call(
      'GET',
      `/v1/customers?stage=first_time_buyer&sort=${sort}`,
      undefined,
      NDJSON,
    );
    t.equal(status, 200);
    t.match(headers['content-type'], 'application/x-ndjson; charset=utf-8');
    t.strictSame(rowsIn(text), pages, sort);
  }
});

t.test('CSV has a column for every member of a row, in the same order', async (t) => {
  const both = await SideBySide.start(t);
  const { service } = both;
  await both.post([
    {
      kind: 'post',
      route: 'customers',
      items: [
        { customer_id: 'plain', groups: ['b', 'a'] },
        { customer_id: 'says "so", they', known_since: '2024-01-01', groups: ['channel:search'] },
        { customer_id: 'ünï', known_since: '2024-03-02' },
      ],
    },
    {
      kind: 'post',
      route: 'purchases',
      items: [
        {
          customer_id: 'says "so", they',
          purchase_id: 'p',
          purchased_at: '2024-02-02',
          amount: '1234.5',
          cost: '2000',
        },
      ],
    },
  ]);
  const { headers, text } = await service.call('GET', '/v1/customers?sort=customer_id', undefined, CSV);
  t.equal(headers['content-type'], 'text/csv; charset=utf-8');
  t.equal(headers.vary, 'accept');
  const [columns, ...lines] = fieldsIn(text);
  const expected = (await new NaiveList(both).rows({ sort: 'customer_id' })).map(({ groups, next_move, ...row }) => {
    const move = (next_move ?? {}) as Record<string, string>;
    const flat = { ...row, next_move_on: move.on, next_move_stage: move.stage, next_move_activity: move.activity };
    const entries = Object.entries(flat).map(([name, value]) => [name, String(value ?? '')]);
    entries.splice(4, 0, ['groups', (groups as string[]).join(';')]);
    return entries;
  });
  t.strictSame(
    columns,
    expected[0]!.map(([name]) => name),
  );
  t.strictSame(
    lines,
    expected.map((entries) => entries.map(([, value]) => value)),
  );
  t.ok(text.includes('-765.50'), 'a loss keeps its sign');
});

t.test('a list of nobody is an empty stream, with a header where there is one', async (t) => {
  const service = await testService(t);
  t.equal((await service.call('GET', '/v1/customers', undefined, NDJSON)).text, '');
  const { status, text } = await service.call('GET', '/v1/customers', undefined, CSV);
  t.equal(status, 200);
  t.equal(fieldsIn(text).length, 1);
});

t.test('Accept chooses between pages and streams; what we do not have is refused', async (t) => {
  const service = await testService(t);
  const type = async (accept: string): Promise<string> => {
    const { headers } = await service.call('GET', '/v1/customers', undefined, { accept });
    return String(headers['content-type']).split(';')[0]!;
  };
  t.equal(await type('*/*'), 'application/json');
  t.equal(await type('text/html'), 'application/problem+json');
  t.equal(await type('text/csv;q=0.5, application/json'), 'application/json');
  t.equal(await type('text/csv, application/json;q=0.5'), 'text/csv');
  t.equal(await type('text/*'), 'text/csv');
  t.equal(await type('application/x-ndjson, */*;q=0.1'), 'application/x-ndjson');
});

t.test(
  'what is refused of a page is refused of a stream, before anything is sent, and a stream has no pages',
  async (t) => {
    const service = await testService(t);
    for (const search of ['limit=50', 'cursor=abc', 'stage=nowhere', 'group=nobody', 'model=nothing']) {
      const { status, headers, body } = await service.call('GET', `/v1/customers?${search}`, undefined, NDJSON);
      t.equal(status, 400, search);
      t.match(headers['content-type'], /^application\/problem\+json/);
      t.equal(body.errors[0].parameter, search.split('=')[0]!);
    }
    t.equal(await openTransactions(service), 0, 'and no transaction is left');
  },
);

async function openTransactions({ db }: TestService): Promise<number> {
  const { rows } = await sql<{ open: number }>`
    select count(*)::int4 as open from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null and backend_type = 'client backend'`.execute(
    db,
  );
  return rows[0]!.open;
}

/** Waits until so many transactions are open. */
async function untilOpen(service: TestService, count: number): Promise<void> {
  while ((await openTransactions(service)) !== count) await new Promise((resolve) => setImmediate(resolve));
}

/** Begins to read a stream over a socket and stops after the first bytes. */
async function stalledReader(url: string, path = '/v1/customers') {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request(`${url}${path}`, { headers: NDJSON, agent: false }, resolve);
  sent.on('error', reject);
  sent.end();
  const answer = await promise;
  answer.on('error', () => undefined);
  await new Promise((readable) => answer.once('readable', readable));
  return answer;
}

t.test('a reader who leaves ends the transaction, and a whole stream holds everybody once', async (t) => {
  const service = await testService(t);
  await crowd(service, 6_000);
  const url = await service.listen();
  const answer = await stalledReader(url);
  await untilOpen(service, 1);
  answer.destroy();
  await untilOpen(service, 0);
  const whole = await fetch(`${url}/v1/customers?sort=customer_id`, { headers: NDJSON });
  const rows = rowsIn(await whole.text());
  t.equal(rows.length, 6_001);
  t.equal(new Set(rows.map((row) => row.customer_id)).size, 6_001);
  await untilOpen(service, 0);
});

t.test('a service that stops cuts off who still reads, and they see it', async (t) => {
  const reading: IncomingMessage[] = [];
  await t.test('while it runs', async (t) => {
    const service = await testService(t);
    await crowd(service, 6_000);
    reading.push(await stalledReader(await service.listen()));
  });
  const [answer] = reading;
  const ended = new Promise<string>((resolve) => {
    answer!.once('end', () => resolve('complete')).once('error', () => resolve('cut off'));
  });
  answer!.resume();
  t.equal(await ended, 'cut off');
});

/** Everybody, written as one letter a page; `pages` counts them. */
function counted(pages: { count: number }) {
  const filter: CustomerFilter = {
    model_version: 1,
    today: Date.parse('2026-06-15') / 86_400_000,
    positions: null,
    entered: null,
    group_id: null,
    last_interaction_by: null,
    last_purchase_by: null,
    open_complaint_by: null,
    ranked: null,
  };
  const write = (rows: readonly unknown[]): string => {
    pages.count += 1;
    return rows.length > 0 ? 'x'.repeat(100_000) : '';
  };
  return async () => ({ list: { filter, sort: 'customer_id' as const }, head: '', write });
}

t.test('a stream reads on only as fast as it is read, and at most so many run at once', async (t) => {
  const service = await testService(t);
  await crowd(service, 5_999);
  const streams = listStreams(1);
  const pages = { count: 0 };
  const stream = await streams.open(service.engine, counted(pages));
  await new Promise((readable) => stream.once('readable', readable));
  stream.read();
  // Whatever it would read ahead is read by the time that other requests have been answered.
  for (let round = 0; round < 20; round += 1) await service.call('GET', '/v1/customers?limit=1000');
  t.ok(pages.count <= 3, `${pages.count} of 7 pages were read`);
  await t.rejects(streams.open(service.engine, counted({ count: 0 })), { code: 'busy' });
  const chunks: unknown[] = await stream.toArray();
  t.equal(pages.count, 7, 'the last page is empty: everybody was on the six before');
  t.ok(chunks.length >= 5);
  const next = await streams.open(service.engine, counted({ count: 0 }));
  streams.end();
  await untilOpen(service, 0);
  t.ok(next.destroyed, 'another one runs when that has ended');
});

t.test('a reader who takes nothing for too long is let go', async (t) => {
  const service = await testService(t);
  await crowd(service, 3_000);
  const streams = listStreams(1);
  const stream = await streams.open({ ...service.engine, statement_timeout_ms: 300 }, counted({ count: 0 }));
  await untilOpen(service, 0);
  await t.rejects(stream.toArray(), 'and sees that the list is not whole');
  await t.rejects(
    streams.open(service.engine, async () => {
      throw new Error('no list');
    }),
    { message: 'no list' },
  );
  await untilOpen(service, 0);
  const again = await streams.open(service.engine, counted({ count: 0 }));
  again.destroy();
  await untilOpen(service, 0);
});
