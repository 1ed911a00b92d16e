import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { formatDay } from '../oracle/calendar.ts';
import { Oracle } from '../oracle/oracle.ts';
import { Rng } from '../oracle/random.ts';
import { peopled } from '../support/peopled.ts';
import type { TestService } from '../support/service.ts';
import { batches, randomEvents, type Sent } from './random-events.ts';
import { BUILT_IN, type PostStep, postToOracle } from './side-by-side.ts';
import {
  type Answered,
  deadlocks,
  request,
  requireAddsUp,
  TODAY,
  tally,
  twoInstances,
  WRITERS,
  work,
} from './writers.ts';

// Many writers at once, over real sockets, to two instances of the service on one database.
// More of it, or a replay: node test/laws/concurrency.test.ts --events=100000 --seed=123456
const { values } = parseArgs({ options: { events: { type: 'string' }, seed: { type: 'string' } }, strict: false });
const EVENTS = Number(values.events ?? 20_000);
const SEED = Number(values.seed ?? randomInt(1_000_000_000));
const CUSTOMERS = 600;
const DAYS = 700;
const TODAY_NUMBER = Date.parse(TODAY) / 86_400_000;
t.setTimeout(600_000 + EVENTS * 20);

/** Puts every tenth event somewhere later, so that it comes late. */
function withLateOnes(rng: Rng, events: readonly Sent[]): Sent[] {
  const keyed = events.map((sent, place) => ({
    sent,
    key: rng.chance(0.1) ? rng.between(place, events.length) : place,
  }));
  return keyed.sort((one, other) => one.key - other.key).map(({ sent }) => sent);
}

t.test(`sixteen writers who meet at the same customers lose and double nothing (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  const { service, urls } = await twoInstances(t);
  const events = randomEvents(rng, {
    count: EVENTS,
    customers: CUSTOMERS,
    today: TODAY_NUMBER,
    days: DAYS,
    favourite: 0.3,
  });
  const favourites = events.filter(({ item }) => item.customer_id === 'c-1').length;
  t.ok(favourites >= 0.29 * EVENTS, `${favourites} of ${EVENTS} events belong to one customer`);
  const posts = batches(withLateOnes(rng, events), () => rng.between(1, 400));
  // Every eighth batch is sent twice, as by a client that did not see the answer; the two may run side by side.
  const twice = posts.flatMap((post) => (rng.chance(0.125) ? [post, post] : [post]));

  const answers: number[] = [];
  const statuses = new Map<string, string[]>();
  await work(urls, twice, async (url, post: PostStep) => {
    const { status, body } = await request('POST', `${url}/v1/${post.route}`, { items: post.items });
    answers.push(status);
    for (const item of body.items ?? []) {
      const id = `${post.route} ${item.purchase_id ?? item.refund_id ?? item.interaction_id}`;
      statuses.set(id, [...(statuses.get(id) ?? []), item.status]);
    }
  });
  t.strictSame(tally(answers), { 200: twice.length }, 'every answer is 200');
  const outcomes = [...statuses.values()];
  t.equal(outcomes.length, EVENTS, 'every event was answered');
  const created = outcomes.filter((list) => list.filter((status) => status === 'created').length === 1);
  t.equal(created.length, EVENTS, 'each was created exactly once');
  const repeats = outcomes.flat().filter((status) => status !== 'created');
  t.strictSame(Object.keys(tally(repeats)), ['duplicate'], 'and every repetition was a duplicate');

  const oracle = new Oracle({ timeZone: 'UTC', decimals: 2, models: BUILT_IN, today: () => TODAY });
  for (const post of batches(events, () => 1_000)) postToOracle(oracle, post);
  await compareWithTruth(t, service, oracle);
  await requireAddsUp(t, service);
  t.equal(await deadlocks(service), 0, 'the database saw no deadlock');
});

t.test(`writers with customers of their own meet in the roll-ups without a deadlock (seed ${SEED})`, async (t) => {
  const { service, urls } = await twoInstances(t);
  const rng = new Rng(SEED + 3);
  // Each writer has eight customers, all of them on the same days, so that nobody waits for a customer and everybody for the same rows.
  const posts = Array.from({ length: WRITERS }, (_, writer) => {
    const options = { count: Math.ceil(EVENTS / 80), customers: 8, today: TODAY_NUMBER, days: 400 };
    const own = rng.shuffled(randomEvents(rng, options)).map(({ route, item }) => {
      return { route, item: { ...item, customer_id: `${writer}: ${item.customer_id}` } } as Sent;
    });
    return batches(own, () => rng.between(10, 60));
  });
  const answers: number[] = [];
  const write = async (own: readonly PostStep[], writer: number): Promise<void> => {
    for (const { route, items } of own) {
      answers.push((await request('POST', `${urls[writer % 2]}/v1/${route}`, { items })).status);
    }
  };
  await Promise.all(posts.map(write));
  t.strictSame(tally(answers), { 200: posts.flat().length }, 'every answer is 200');
  await requireAddsUp(t, service);
  t.equal(await deadlocks(service), 0, 'the database saw no deadlock');
});

t.test(
  `events that come one by one from many writers share transactions, and none is lost (seed ${SEED})`,
  async (t) => {
    const rng = new Rng(SEED + 4);
    const { service, urls } = await twoInstances(t);
    const options = {
      count: Math.max(1_000, EVENTS / 20),
      customers: 40,
      today: TODAY_NUMBER,
      days: DAYS,
      favourite: 0.3,
    };
    const events = randomEvents(rng, options);
    const posts = withLateOnes(rng, events).map(({ route, item }) => ({ route, items: [item] }));
    // Each comes twice, the two close to each other: of one transaction, of two, or of both instances.
    const twice = posts.flatMap((post) => [post, post]);
    const answers: string[] = [];
    await work(urls, twice, async (url, { route, items }) => {
      const { status, body } = await request('POST', `${url}/v1/${route}`, { items });
      answers.push(`${status} ${body.items?.[0].status}`);
    });
    t.strictSame(tally(answers), { '200 created': events.length, '200 duplicate': events.length });
    const oracle = new Oracle({ timeZone: 'UTC', decimals: 2, models: BUILT_IN, today: () => TODAY });
    for (const post of batches(events, () => 1_000)) postToOracle(oracle, post);
    await compareWithTruth(t, service, oracle);
    const { text } = await service.call('GET', '/metrics');
    const read = (name: string): number =>
      Number(new RegExp(`^escalera_write_group_${name} (\\d+)$`, 'm').exec(text)?.[1]);
    const [requests, transactions] = [read('requests_sum'), read('requests_count')];
    t.ok(transactions < requests, `one of the instances: ${requests} requests in ${transactions} transactions`);
    await requireAddsUp(t, service);
    t.equal(await deadlocks(service), 0, 'the database saw no deadlock');
  },
);

/** Stock, moves and status must be those of the oracle, and so must some customers, the favourite among them. */
async function compareWithTruth(t: Test, service: TestService, oracle: Oracle): Promise<void> {
  const { data_through, ...stored } = oracle.status();
  const status = (await service.call('GET', '/v1/status')).body;
  t.strictSame({ ...status.stored, data_through: status.data_through }, { ...stored, data_through });
  const days = [-650, -300, -31, 0, 60, 120, 400].map((offset) => formatDay(TODAY_NUMBER + offset));
  const [from, to] = [formatDay(TODAY_NUMBER - 720), formatDay(TODAY_NUMBER + 400)];
  for (const model of Object.keys(BUILT_IN_MODELS)) {
    for (const day of days) {
      const { body } = await service.call('GET', `/v1/reports/stage-population?model=${model}&as_of=${day}`);
      const expected = oracle.stagePopulation(model, day).map((row) => ({ as_of: day, ...row }));
      t.strictSame(peopled(body.items), expected, `${model} on ${day}`);
    }
    const { items, balance } = (
      await service.call('GET', `/v1/reports/stage-moves?model=${model}&from=${from}&to=${to}`)
    ).body;
    t.strictSame({ moves: items, balance }, oracle.stageMoves(model, from, to), `moves of ${model}`);
  }
  for (const customer_id of ['c-1', 'c-2', 'c-3', 'c-4', 'c-5']) {
    const { body } = await service.call('GET', `/v1/customers/${customer_id}`);
    t.strictSame(body, { customer_id, merged_ids: [], ...oracle.customer(customer_id) }, customer_id);
  }
}

t.test('groups that many writers create at the same moment are registered once', async (t) => {
  const { service, urls } = await twoInstances(t);
  const groups = ['alpha', 'beta', 'gamma'];
  // Forty rounds of sixteen customers each; every round brings three groups nobody has seen.
  const rounds = Array.from({ length: 40 }, (_, round) => groups.map((group) => `${group}-${round}`));
  for (const names of rounds) {
    const posts = Array.from({ length: WRITERS }, (_, writer) => {
      const customer_id = `${names[0]} ${writer}`;
      return { items: [{ customer_id, known_since: '2026-01-01', groups: names.slice(writer % 3) }] };
    });
    const answers: Answered[] = [];
    await work(urls, posts, async (url, body) => void answers.push(await request('POST', `${url}/v1/customers`, body)));
    const outcomes = answers.map(({ status, body }) => `${status} ${body.items?.[0].status}`);
    t.strictSame(tally(outcomes), { '200 created': WRITERS });
  }
  const { rows } = await sql<{ name: string }>`select name from groups order by name`.execute(service.db);
  t.strictSame(
    rows.map((row) => row.name),
    rounds.flat().sort(),
  );
  for (const names of rounds.slice(-3)) {
    const counts = await Promise.all(
      names.map(async (name) => {
        const { body } = await service.call('GET', `/v1/reports/stage-population?group=${name}`);
        return body.items.reduce((sum: number, row: { customers: number }) => sum + row.customers, 0);
      }),
    );
    // Of sixteen writers six give all three, five the last two, five the last one only.
    t.strictSame(counts, [6, 11, 16], names.join());
  }
  await requireAddsUp(t, service);
  t.equal(await deadlocks(service), 0, 'the database saw no deadlock');
});

t.test('a deployment gets no group beyond the limit, however many ask at once', async (t) => {
  const { service, urls } = await twoInstances(t);
  const posts = Array.from({ length: 60 }, (_, place) => {
    const groups = Array.from({ length: 7 }, (_, index) => `group ${place}.${index}`);
    return { items: [{ customer_id: `c-${place}`, groups }] };
  });
  const answers: Answered[] = [];
  await work(urls, posts, async (url, body) => void answers.push(await request('POST', `${url}/v1/customers`, body)));
  const outcomes = answers.map(
    ({ status, body }) => `${status} ${body.items?.[0].error?.code ?? body.items?.[0].status}`,
  );
  // 28 × 7 = 196 fit below 200, 29 × 7 do not.
  t.strictSame(tally(outcomes), { '200 created': 28, '200 too_many_groups': 32 });
  const { rows } = await sql<{ groups: number }>`select count(*)::int4 as groups from groups`.execute(service.db);
  t.equal(rows[0]?.groups, 196);
  await requireAddsUp(t, service);
});

t.test(`customers may be erased while they are written to (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED + 1);
  const { service, urls } = await twoInstances(t);
  const customers = ['ana', 'ben', 'eve', 'kim'];
  const purchase = (customer_id: string, purchased_at: string, place: number) => {
    return { customer_id, purchase_id: `p-${place}`, purchased_at, amount: '10.00' };
  };
  const days = ['2026-01-10', '2026-03-01', '2026-06-14', TODAY];
  const jobs = Array.from({ length: 400 }, (_, place) => {
    if (rng.chance(0.1)) return { method: 'DELETE', path: `customers/${rng.pick(['ana', 'ben'])}` };
    // Nobody erases eve and kim; some events are dated tomorrow, after any erasure.
    const tomorrow = rng.chance(0.3);
    const items = rng.shuffled(customers).map((id) => purchase(id, tomorrow ? '2026-06-16' : rng.pick(days), place));
    return { method: 'POST', path: 'purchases', body: { items } };
  });
  const answers: string[] = [];
  let kept = 0;
  await work(urls, jobs, async (url, { method, path, body }) => {
    const answer = await request(method, `${url}/v1/${path}`, body);
    answers.push(`${method} ${answer.status}`);
    for (const item of answer.body?.items ?? [])
      if (/eve|kim/.test(item.customer_id) && item.status === 'created') kept += 1;
  });
  const seen = Object.keys(tally(answers)).filter((answer) => answer !== 'DELETE 404');
  t.strictSame(seen.sort(), ['DELETE 204', 'POST 200'], 'nothing but stored, erased, and not known yet');
  const posted = jobs.filter((job) => job.method === 'POST').length;
  t.equal(kept, 2 * posted, 'customers beside the erased ones keep every event');
  await requireAddsUp(t, service);

  for (const id of ['ana', 'ben']) {
    const { body } = await service.call('GET', `/v1/customers/${id}/purchases?limit=1000`);
    const surviving = [...new Set((body.items ?? []).map((item: { day: string }) => item.day))];
    t.ok(
      surviving.every((day) => day === '2026-06-16'),
      `${id}: nothing of before the erasure came back`,
    );
  }
  for (const id of customers) await service.call('DELETE', `/v1/customers/${id}`);
  const { stored, data_through } = (await service.call('GET', '/v1/status')).body;
  t.strictSame(
    stored,
    { customers: 0, purchases: 0, refunds: 0, interactions: 0, pending_refunds: 0 },
    'everybody erased',
  );
  t.equal(data_through, null);
  await requireAddsUp(t, service);
  t.equal(await deadlocks(service), 0, 'the database saw no deadlock');
});

t.test('records of one customer from many writers leave one of them, and groups that add up', async (t) => {
  const { service, urls } = await twoInstances(t);
  const rng = new Rng(SEED + 2);
  const posts = Array.from({ length: 200 }, () => ({
    items: rng.shuffled(['ana', 'ben', 'eve']).map((customer_id) => ({
      customer_id,
      known_since: `2026-0${rng.between(1, 5)}-01`,
      groups: rng.some(['vip', 'b2b', 'north', 'south'], 0, 4),
    })),
  }));
  const answers: number[] = [];
  await work(
    urls,
    posts,
    async (url, body) => void answers.push((await request('POST', `${url}/v1/customers`, body)).status),
  );
  t.strictSame(tally(answers), { 200: posts.length });
  const customers = await Promise.all(
    ['ana', 'ben', 'eve'].map(async (id) => (await service.call('GET', `/v1/customers/${id}`)).body),
  );
  for (const group of ['vip', 'b2b', 'north', 'south']) {
    const { body } = await service.call('GET', `/v1/reports/stage-population?group=${group}`);
    const counted = body.items.reduce((sum: number, row: { customers: number }) => sum + row.customers, 0);
    const carrying = customers.filter((customer) => customer.groups.includes(group)).length;
    t.equal(counted, carrying, `the report of ${group} counts those who carry it`);
  }
  await requireAddsUp(t, service);
});
