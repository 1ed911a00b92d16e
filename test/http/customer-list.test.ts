import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { ripen } from '../../src/ingest/ripen.ts';
import { batches, randomCustomers, randomEvents } from '../laws/random-events.ts';
import { SideBySide } from '../laws/side-by-side.ts';
import { formatDay } from '../oracle/calendar.ts';
import { Rng } from '../oracle/random.ts';
import { type Asked, NaiveList, type NaiveRow } from './naive-list.ts';

// Lists of a random shop against a filter that looks at everybody: positions that are over, being over and advanced, must make no difference.

t.setTimeout(300_000);

const CUSTOMERS = 70;
const SORTS = ['revenue', 'profit', 'last_purchase_day', 'customer_id'];
const ACTIVITIES = ['none', 'active', 'at_risk', 'lapsed'];

async function filledShop(t: Test, seed: number): Promise<{ both: SideBySide; naive: NaiveList; rng: Rng }> {
  const rng = new Rng(seed);
  const both = await SideBySide.start(t);
  const { today } = both;
  const told = [
    ...randomCustomers(rng, CUSTOMERS, '2023-05-01'),
    ...randomEvents(rng, { count: 450, customers: CUSTOMERS, today, days: 600 }),
  ];
  await both.post(batches(told, () => 200));
  // Known, but nothing else: all of one value, and without any purchase day. And one who is not known before tomorrow.
  const silent = Array.from({ length: 12 }, (_, index) => ({
    customer_id: `silent ${index % 2}${index}`,
    known_since: '2023-11-11',
  }));
  await both.post([
    { kind: 'post', route: 'customers', items: [...silent, { customer_id: 'tomorrow', known_since: '2024-03-02' }] },
  ]);
  return { both, naive: new NaiveList(both), rng };
}

function pathOf(asked: Asked): string {
  const search = new URLSearchParams(
    Object.entries(asked).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return `/v1/customers?${search}`;
}

/** Walks all pages of a list. */
async function walk({ service }: SideBySide, asked: Asked, limit: number): Promise<NaiveRow[]> {
  const rows: NaiveRow[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { status, body } = await service.call(
      'GET',
      pathOf({ ...asked, limit, ...(cursor === '' ? {} : { cursor }) }),
    );
    if (status !== 200) throw new Error(`${pathOf(asked)} answers ${status}: ${JSON.stringify(body)}`);
    rows.push(...(body.items as NaiveRow[]));
    if (body.items.length !== limit && body.next_cursor !== null) throw new Error('a short page is not the last');
    cursor = body.next_cursor;
  }
  return rows;
}

/** A question with some of all filters. */
function ask(rng: Rng, both: SideBySide): Asked {
  const model = rng.pick(both.models);
  const stage = rng.chance(0.45) ? { stage: rng.pick(model.stages).stage } : {};
  const activity = rng.chance(0.45) ? { activity: rng.pick(ACTIVITIES) } : {};
  const from = both.today + rng.pick([-500, -200, -60, -7, -1, 0, 1, 2, 30, 90]);
  const entered = { entered_from: formatDay(from), entered_to: formatDay(from + rng.pick([1, 14, 100, 400])) };
  const placed = 'stage' in stage || 'activity' in activity;
  return {
    model: model.model_id,
    ...stage,
    ...activity,
    ...(placed && rng.chance(0.5) ? entered : {}),
    ...(rng.chance(0.15) ? { group: rng.pick(['vip', 'new']) } : {}),
    ...(rng.chance(0.1) ? { days_since_last_purchase: rng.between(0, 300) } : {}),
    ...(rng.chance(0.1) ? { days_since_last_interaction: rng.between(0, 300) } : {}),
    ...(rng.chance(0.1) ? { open_complaint_days_at_least: rng.between(0, 100) } : {}),
    ...(rng.chance(0.8) ? { sort: rng.pick(SORTS) } : {}),
  };
}

async function groupsOf({ service }: SideBySide): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from groups order by name`.execute(service.db);
  return rows.map(({ name }) => name);
}

t.test(
  'every list is what a filter over everybody gives, in order, whatever the pages, and however late positions are advanced',
  async (t) => {
    const { both, naive, rng } = await filledShop(t, 2_024);
    const [first, second] = await groupsOf(both);
    const named = (asked: Asked): Asked =>
      'group' in asked ? { ...asked, group: asked.group === 'vip' ? first! : second! } : asked;
    let found = 0;
    let entered = 0;
    const compareLists = async (count: number, when: string): Promise<void> => {
      for (let number = 0; number < count; number += 1) {
        const asked = named(ask(rng, both));
        const expected = await naive.rows(asked);
        const rows = await walk(both, asked, rng.pick([3, 7, 19, 50, 1_000]));
        t.strictSame(rows, expected, `${when}: ${pathOf(asked)}`);
        found += rows.length;
        entered += 'entered_from' in asked ? rows.length : 0;
      }
    };
    await compareLists(90, 'as written');
    for (const days of [1, 30, 61, 200]) {
      await both.apply({ kind: 'advance_clock', days });
      await compareLists(40, `${days} days on, nothing advanced`);
    }
    await ripen(both.service.engine);
    await compareLists(60, 'advanced');
    t.ok(found > 1_000 && entered > 200, `${found} rows were compared, ${entered} of them by when they came`);
  },
);

t.test('a walk meets everybody once, while values tie and while there are none', async (t) => {
  const { both } = await filledShop(t, 7);
  const everybody = both.oracle.customerIds();
  for (const sort of SORTS) {
    for (const limit of [1, 11]) {
      const ids = (await walk(both, { sort }, limit)).map((row) => row.customer_id);
      t.equal(new Set(ids).size, ids.length, `${sort} by ${limit}: nobody twice`);
      t.strictSame([...ids].sort(), [...everybody].sort(), `${sort} by ${limit}: everybody`);
    }
  }
});

t.test('a page says which list it is, and starts with the most valuable', async (t) => {
  const { both, naive } = await filledShop(t, 8);
  const { status, body, headers } = await both.service.call('GET', '/v1/customers');
  t.equal(status, 200);
  t.strictSame(Object.keys(body), ['model', 'model_version', 'as_of', 'items', 'next_cursor']);
  t.match(body, { model: 'lifecycle', model_version: 1, as_of: '2024-03-01' });
  t.equal(headers['cache-control'], 'private, no-cache');
  t.strictSame(body.items, (await naive.rows({})).slice(0, 50), '50 of them, by revenue');
  t.strictSame(Object.keys(body.items[0]), Object.keys((await naive.rows({}))[0]!), 'members in order');
  const whole = await both.service.call('GET', '/v1/customers?limit=1000&sort=revenue');
  t.equal(whole.body.next_cursor, null);
  t.ok(
    whole.body.items.some((row: NaiveRow) => row.stage === null),
    'one who is not known before tomorrow, too',
  );
});

t.test('a cursor holds for its filters and its order only, and for any size of page', async (t) => {
  const { both } = await filledShop(t, 9);
  const get = async (search: string) => await both.service.call('GET', `/v1/customers?${search}`);
  const cursorOf = async (search: string): Promise<string> => (await get(`${search}&limit=1`)).body.next_cursor;
  const cursor = await cursorOf('activity=active');
  for (const same of ['activity=active', 'activity=active&model=lifecycle&sort=revenue', 'limit=7&activity=active']) {
    t.equal((await get(`${same}&cursor=${cursor}`)).status, 200, same);
  }
  const others = [
    'sort=revenue',
    'activity=at_risk',
    'activity=active&model=journey',
    'activity=active&sort=profit',
    'activity=active&sort=customer_id',
    'activity=active&stage=core_customer',
    'activity=active&days_since_last_purchase=0',
    'activity=active&entered_from=2024-01-01&entered_to=2024-02-01',
  ];
  for (const other of others) {
    const { status, body } = await get(`${other}&cursor=${cursor}`);
    t.match({ status, code: body.code }, { status: 400, code: 'invalid_cursor' }, other);
  }
});
