import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { verify } from '../../src/ingest/verify.ts';
import { readSegmentRange, SEGMENTS, VALUES } from '../../src/reports/value-classes.ts';
import { Rng } from '../oracle/rng.ts';
import { type TestService, testService } from '../support/service.ts';
import { itemsOf, type NaiveCustomer, naiveSegments, type Question, randomShop } from './naive-values.ts';

// More of it, or a replay: node test/reports/value-segments.test.ts --shops=100 --seed=123456
const { values } = parseArgs({ options: { shops: { type: 'string' }, seed: { type: 'string' } }, strict: false });
const SHOPS = Number(values.shops ?? 9);
const SEED = Number(values.seed ?? randomInt(1_000_000_000));
const TODAY = '2025-06-15';
const TRUTH = new URL('../../../shared/data/cdnow_sample.truth.json', import.meta.url);
const SAMPLE = new URL('../../../shared/data/cdnow_sample.csv', import.meta.url);
t.setTimeout(120_000 + SHOPS * 20_000);

/** A service whose clock can be set, on a database of its own. */
async function serviceOn(t: { teardown(end: () => Promise<void>): void }, day = TODAY) {
  const clock = { day };
  const service = await testService(t, { clock: () => Date.parse(`${clock.day}T12:00:00Z`) });
  return { ...service, clock };
}

async function send(service: TestService, shop: readonly NaiveCustomer[]): Promise<void> {
  for (const [route, items] of Object.entries(itemsOf(shop))) {
    for (let at = 0; at < items.length; at += 1_000) {
      const { status, body } = await service.call('POST', `/v1/${route}`, { items: items.slice(at, at + 1_000) });
      const sent = Math.min(items.length - at, 1_000);
      if (status !== 200 || body.summary.created !== sent) throw new Error(`${route}: ${JSON.stringify(body.summary)}`);
    }
  }
}

async function ask(service: TestService, { value, period, group }: Question, more = '') {
  const of = group === null ? '' : `&group=${group}`;
  const { status, body, text } = await service.call(
    'GET',
    `/v1/reports/value-segments?value=${value}&period=${period}${of}${more}`,
  );
  if (status !== 200) throw new Error(text);
  // Links are followed in customer-links.test.ts.
  const unlinked = (rows: object[]) => rows.map(({ customers_link: _, ...row }: { customers_link?: unknown }) => row);
  return { ...body, items: unlinked(body.items), stages: unlinked(body.stages) };
}

/** The same with every fraction rounded to so many decimals. */
function rounded(answer: unknown, decimals: number): unknown {
  return JSON.parse(JSON.stringify(answer), (_, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(decimals)) : value,
  );
}

/** Holds an answer against the naive one: exactly, but for the last bits of fractions, and 1e-6 of Gini and Lorenz. */
async function compare(
  t: Test,
  service: TestService,
  shop: readonly NaiveCustomer[],
  question: Question,
  what: string,
) {
  const { gini, lorenz, ...exact } = await ask(service, question);
  const { gini: trueGini, lorenz: trueLorenz, ...expected } = naiveSegments(shop, question);
  t.match(rounded(exact, 9), rounded(expected, 9), what);
  t.strictSame(
    Object.keys(expected).filter(
      (name) => JSON.stringify(rounded(exact[name], 9)) !== JSON.stringify(rounded(expected[name as 'items'], 9)),
    ),
    [],
    what,
  );
  t.ok(
    trueGini === null ? gini === null : Math.abs(gini - trueGini) < 1e-6,
    `${what}: gini ${gini}, exactly ${trueGini}`,
  );
  t.equal(lorenz.length, trueLorenz.length, what);
  const off = trueLorenz.map(({ share_of_value }, index) => Math.abs(lorenz[index].share_of_value - share_of_value));
  t.ok(Math.max(0, ...off) < 1.01e-6, `${what}: Lorenz off by ${Math.max(0, ...off)}`);
}

const ASKED = ['lifetime', '2023', '2024', '2025', '2019'];

t.test(`random shops give what sorting all their customers gives (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  for (let shop = 0; shop < SHOPS; shop += 1) {
    const spread = (['tied', 'close', 'far'] as const)[shop % 3]!;
    const customers = randomShop(rng, shop < 3 ? 150 : rng.between(1, 120), spread);
    await t.test(`shop ${shop}: ${customers.length} customers, ${spread}`, async (t) => {
      const service = await serviceOn(t);
      await send(service, customers);
      for (const value of VALUES) {
        for (const period of ASKED) {
          for (const group of [null, 'a']) {
            if (group !== null && !customers.some(({ groups }) => groups.includes(group))) continue;
            const question = { value, period, group, today: TODAY };
            await compare(t, service, customers, question, `${value} ${period} ${group ?? 'everybody'}`);
          }
        }
      }
      // Nothing is written: the stored positions are over, and their arrays must be asked.
      service.clock.day = '2025-11-20';
      for (const group of [null, 'a'].filter(
        (one) => one === null || customers.some(({ groups }) => groups.includes(one)),
      ))
        await compare(
          t,
          service,
          customers,
          { value: 'profit', period: 'lifetime', group, today: '2025-11-20' },
          'later',
        );
      await compare(
        t,
        service,
        customers,
        { value: 'revenue', period: '2024', group: null, today: '2025-11-20' },
        'later',
      );
      t.strictSame((await verify(service.engine)).differences, []);
    });
  }
});

/** A customer with one purchase and, if it is not zero, a contact that costs something. */
function customer(id: string, amount: number, cost = 0, groups: readonly string[] = []): NaiveCustomer {
  const purchases = [{ day: '2025-01-10', amount, cost: 0, discounted: false, products: 1, refunds: [] }];
  return { id, groups, purchases, contacts: cost === 0 ? [] : [{ day: '2025-01-11', cost }] };
}

const EDGES: Readonly<Record<string, readonly NaiveCustomer[]>> = {
  'nobody at all': [],
  'one customer': [customer('a', 12_345)],
  'two customers': [customer('b', 70_000), customer('a', 70_000)],
  'everybody worth the same, beyond the exact buckets': Array.from({ length: 23 }, (_, index) =>
    customer(`c${index}`, 7_777),
  ),
  'everybody worth nothing': Array.from({ length: 7 }, (_, index) => customer(`c${index}`, 0)),
  'everybody costs more than they bring': Array.from({ length: 11 }, (_, index) =>
    customer(`c${index}`, 100, 5_000 + 7 * index),
  ),
  'a total of exactly zero': [customer('a', 900, 400), customer('b', 100, 600)],
  'one brings nearly all': [
    customer('rich', 900_000_000_000_000 / 100),
    ...Array.from({ length: 9 }, (_, index) => customer(`c${index}`, 1_000 + index)),
  ],
  'only customers who never bought': [
    { id: 'x', groups: [], purchases: [], contacts: [{ day: '2025-01-11', cost: 350 }] },
  ],
};

t.test('shops at the edge', async (t) => {
  for (const [what, shop] of Object.entries(EDGES)) {
    await t.test(what, async (t) => {
      const service = await serviceOn(t);
      await send(service, shop);
      for (const value of VALUES)
        for (const period of ['lifetime', '2025', '2024'])
          await compare(t, service, shop, { value, period, group: null, today: TODAY }, `${value} ${period}`);
    });
  }
});

t.test('segments add up to the total, and to the roll-up of all revenue', async (t) => {
  const rng = new Rng(SEED + 1);
  const service = await serviceOn(t);
  const shop = randomShop(rng, 200, 'far');
  await send(service, shop);
  for (const value of VALUES) {
    const { items, total, customers, stages } = await ask(service, {
      value,
      period: 'lifetime',
      group: null,
      today: TODAY,
    });
    const cents = (rows: readonly { value: string }[]) =>
      rows.reduce((sum, row) => sum + Math.round(Number(row.value) * 100), 0);
    t.equal(cents(items), Math.round(Number(total) * 100));
    t.equal(cents(stages), Math.round(Number(total) * 100));
    t.equal(
      items.reduce((sum: number, row: { customers: number }) => sum + row.customers, 0),
      customers,
    );
  }
});

t.test('without a profile nothing is read of every customer, and the segments stay the same', async (t) => {
  const service = await serviceOn(t);
  await send(service, randomShop(new Rng(SEED + 2), 60, 'tied'));
  for (const period of ['lifetime', '2024']) {
    const question: Question = { value: 'profit', period, group: null, today: TODAY };
    const whole = await ask(service, question);
    const bare = await ask(service, question, '&profile=false');
    const profileless = (items: object[]) => items.map((item) => ({ ...item, profile: null }));
    t.strictSame(bare, {
      ...whole,
      items: profileless(whole.items),
      stages: [],
      computed_at: period === 'lifetime' ? null : whole.computed_at,
    });
    t.ok(whole.items.every(({ profile }: { profile: unknown }) => profile !== null));
  }
});

t.test('the range of a segment holds its customers and no others', async (t) => {
  const service = await serviceOn(t);
  const shop = randomShop(new Rng(SEED + 3), 90, 'tied');
  await send(service, shop);
  const groups = await sql<{ group_id: number }>`select group_id from groups where name = 'a'`.execute(service.db);
  for (const value of VALUES) {
    for (const group_id of [0, groups.rows[0]!.group_id]) {
      const context = { trx: service.db, group_id };
      const { items } = await ask(service, {
        value,
        period: 'lifetime',
        group: group_id === 0 ? null : 'a',
        today: TODAY,
      });
      let seen = 0;
      for (const [index, segment] of SEGMENTS.entries()) {
        const range = (await readSegmentRange(context, value, segment))!;
        const column = sql.ref(`states.${value}`);
        const { rows } = await sql<{ customer_id: string; value: number }>`
          select states.customer_id, ${column}::float8 as value from customer_states as states
          join customers on customers.customer_id = states.customer_id
          where purchase_days > 0 and (${group_id} = 0 or ${group_id} = any(group_ids))
          order by ${column} desc, states.customer_id offset ${seen} limit ${items[index].customers}`.execute(
          service.db,
        );
        seen += rows.length;
        t.strictSame(range.last, segment === 'bottom' ? null : rows.at(-1), `${value} ${segment}`);
        t.strictSame(range.after === null, segment === 'top');
        if (segment === 'top') t.ok(rows.length > 0);
      }
    }
  }
  const empty = await serviceOn(t);
  for (const segment of SEGMENTS)
    t.equal(await readSegmentRange({ trx: empty.db, group_id: 0 }, 'revenue', segment), null);
  await send(empty, [customer('one', 500)]);
  const context = { trx: empty.db, group_id: 0 };
  t.strictSame(await readSegmentRange(context, 'revenue', 'top'), {
    after: null,
    last: { value: 500, customer_id: 'one' },
  });
  t.equal(await readSegmentRange(context, 'revenue', 'middle'), null);
  t.equal(await readSegmentRange(context, 'revenue', 'bottom'), null);
});

t.test('who is known only from tomorrow on has a value already, and no stage yet', async (t) => {
  const service = await serviceOn(t);
  const item = { customer_id: 'soon', purchase_id: 'p', purchased_at: '2025-06-16', amount: '12' };
  t.equal((await service.call('POST', '/v1/purchases', { items: [item] })).status, 200);
  for (const period of ['lifetime', '2025']) {
    const { items, stages } = await ask(service, { value: 'revenue', period, group: null, today: TODAY });
    t.match(stages[0], { segment: 'top', stage: null, customers: 1, value: '12.00' }, period);
    t.equal(stages.length, 16);
    t.match(
      items[0].profile,
      { average_tenure_days: 0, activity: [{ activity: 'none', customers: 1, share: 1 }] },
      period,
    );
  }
});

t.test('the groups of a profile come by their number of customers, then by name', async (t) => {
  const service = await serviceOn(t);
  const carry = (id: string, ...groups: string[]) => customer(id, 500, 0, groups);
  await send(service, [
    carry('a', 'y', 'b', 'z', 'a', 'x'),
    carry('b', 'z'),
    ...['c', 'd', 'e', 'f', 'g', 'h'].map((id) => carry(id)),
  ]);
  for (const period of ['lifetime', '2025']) {
    const { items } = await ask(service, { value: 'revenue', period, group: null, today: TODAY });
    t.strictSame(
      items[0].profile.groups.map(
        ({ group, customers }: { group: string; customers: number }) => `${group} ${customers}`,
      ),
      ['z 2', 'a 1', 'b 1', 'x 1', 'y 1'],
    );
  }
});

t.test('what is asked wrongly is refused by name', async (t) => {
  const service = await serviceOn(t);
  for (const query of [
    'period=1850',
    'period=2025-07',
    'period=ever',
    'value=money',
    'profile=maybe',
    'model=none',
    'group=none',
  ])
    t.equal((await service.call('GET', `/v1/reports/value-segments?${query}`)).status, 400, query);
  t.match((await service.call('GET', '/v1/reports/value-segments?period=2200')).body, {
    code: 'invalid_request',
    errors: [{ parameter: 'period', code: 'not_a_period' }],
  });
});

const missing = existsSync(SAMPLE) ? false : 'the CDNOW sample is not here';
t.test('the CDNOW sample gives its published concentration', { skip: missing }, async (t) => {
  const truth = JSON.parse(readFileSync(TRUTH, 'utf8')).value_concentration;
  const service = await serviceOn(t, '1998-07-15');
  const bought = new Map<string, NaiveCustomer & { purchases: NaiveCustomer['purchases'][number][] }>();
  for (const line of readFileSync(SAMPLE, 'utf8').trim().split('\n').slice(1)) {
    const [id = '', , day = '', amount = ''] = line.trim().split(',');
    const known = bought.get(id) ?? { id, groups: [], purchases: [], contacts: [] };
    known.purchases.push({
      day,
      amount: Math.round(Number(amount) * 100),
      cost: 0,
      discounted: false,
      products: 0,
      refunds: [],
    });
    bought.set(id, known);
  }
  const shop = [...bought.values()];
  const { purchases } = itemsOf(shop);
  for (let at = 0; at < purchases.length; at += 1_000)
    t.equal((await service.call('POST', '/v1/purchases', { items: purchases.slice(at, at + 1_000) })).status, 200);
  const question: Question = { value: 'revenue', period: 'lifetime', group: null, today: '1998-07-15' };
  const body = await ask(service, question);
  t.match(body, {
    customers: 2_357,
    total: '244091.94',
    customers_for_80_percent: truth.customers_for_80pct_revenue.k,
  });
  t.match(body.items[0], {
    segment: 'top',
    customers: 472,
    value: truth.top20pct_ceil.revenue,
    share: truth.top20pct_ceil.share,
  });
  t.equal(body.share_for_80_percent, truth.customers_for_80pct_revenue.fraction);
  t.equal(body.customers_for_80_percent, 777);
  t.ok(Math.abs(body.gini - 0.6309171170162412) < 1e-6, `gini ${body.gini}`);
  await compare(t, service, shop, question, 'lifetime');
  await compare(t, service, shop, { ...question, period: '1997' }, '1997');
  await compare(t, service, shop, { ...question, period: '1998', value: 'profit' }, '1998');
});
