import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { formatDay } from '../oracle/calendar.ts';
import { Oracle } from '../oracle/oracle.ts';
import { Rng } from '../oracle/random.ts';
import { peopled } from '../support/peopled.ts';
import type { TestService } from '../support/service.ts';
import { batches, randomEvents, type Sent } from './random-events.ts';
import { BUILT_IN, type PostStep, postToOracle } from './side-by-side.ts';
import { deadlocks, request, requireAddsUp, TODAY, tally, twoInstances, work } from './writers.ts';

// Sixteen writers send for several ids of the same people while these are merged, in both directions and in chains, on two instances.
// More of it, or a replay: node test/laws/merge-concurrency.test.ts --events=50000 --seed=123456
const { values } = parseArgs({ options: { events: { type: 'string' }, seed: { type: 'string' } }, strict: false });
const EVENTS = Number(values.events ?? 4_000);
const SEED = Number(values.seed ?? randomInt(1_000_000_000));
const PEOPLE = 40;
const DAYS = 700;
const TODAY_NUMBER = Date.parse(TODAY) / 86_400_000;
t.setTimeout(600_000 + EVENTS * 20);

const NAMES = ['a', 'm', 'x', 'z'];
const idsOf = (person: string): string[] => NAMES.map((name) => `${name} ${person}`);

interface Job {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

/** The events of people, each under one of their ids, every tenth of them again under another. */
function tell(rng: Rng): Sent[] {
  const events = randomEvents(rng, {
    count: EVENTS,
    customers: PEOPLE,
    today: TODAY_NUMBER,
    days: DAYS,
    favourite: 0.2,
  });
  const again = events.filter(() => rng.chance(0.1));
  return rng.shuffled([...events, ...again]).map((sent) => {
    return { ...sent, item: { ...sent.item, customer_id: rng.pick(idsOf(sent.item.customer_id)) } } as Sent;
  });
}

/** Merges of any id of a person into any other: most of them meet ids that are merged already, or merge the same ones the other way round. */
function mergeJobs(rng: Rng, count: number): Job[] {
  return Array.from({ length: count }, () => {
    const [from, into] = rng.some(idsOf(`c-${rng.between(1, PEOPLE)}`), 2, 2) as [string, string];
    return { method: 'POST', path: `customers/${encodeURIComponent(from)}/merge`, body: { into } };
  });
}

/** Whom every id stands for, as the service says; ids that are not known are absent. */
async function readSurvivors(service: TestService): Promise<Map<string, string>> {
  const survivors = new Map<string, string>();
  for (let person = 1; person <= PEOPLE; person += 1) {
    for (const id of idsOf(`c-${person}`)) {
      const { status, body } = await service.call('GET', `/v1/customers/${encodeURIComponent(id)}`);
      if (status === 200) survivors.set(id, body.customer_id);
    }
  }
  return survivors;
}

t.test(`nothing that is acknowledged gets lost or doubled while people are merged (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  const { service, urls } = await twoInstances(t);
  const told = tell(rng);
  const posts = batches(told, () => rng.between(1, 120)).map(
    ({ route, items }): Job => ({ method: 'POST', path: route, body: { items } }),
  );
  const merges = mergeJobs(rng, posts.length);
  const answers: string[] = [];
  const statuses: string[] = [];
  await work(urls, rng.shuffled([...posts, ...merges]), async (url, { method, path, body }) => {
    const answer = await request(method, `${url}/v1/${path}`, body);
    answers.push(`${path.startsWith('customers/') ? 'merge' : 'post'} ${answer.status} ${answer.body.code ?? ''}`);
    for (const item of answer.body.items ?? []) statuses.push(item.status);
  });
  const seen = tally(answers);
  const expected = ['merge 200 ', 'merge 404 customer_not_found', 'merge 409 customer_merged', 'post 200 '];
  t.strictSame(
    Object.keys(seen).filter((answer) => !expected.includes(answer)),
    [],
    JSON.stringify(seen),
  );
  t.equal(seen['post 200 '], posts.length, 'every batch was stored');
  t.ok((seen['merge 200 '] ?? 0) > PEOPLE && (seen['merge 409 customer_merged'] ?? 0) > 0, 'the merges met each other');
  t.strictSame(Object.keys(tally(statuses)).sort(), ['created', 'duplicate']);
  t.equal(statuses.length, told.length);

  const survivors = await readSurvivors(service);
  t.ok(
    new Set(survivors.values()).size < survivors.size / 2,
    `${survivors.size} ids of ${new Set(survivors.values()).size} customers`,
  );
  const oracle = new Oracle({ timeZone: 'UTC', decimals: 2, models: BUILT_IN, today: () => TODAY });
  for (const post of batches(told, () => 1_000)) {
    const items = (post.items as { customer_id: string }[]).map((item) => ({
      ...item,
      customer_id: survivors.get(item.customer_id)!,
    }));
    postToOracle(oracle, { ...post, items } as unknown as PostStep);
  }
  await compareWithTruth(t, service, oracle, survivors);
  await requireAddsUp(t, service);
  t.equal(await deadlocks(service), 0, 'the database saw no deadlock');
});

/** Status, stock and moves must be those of the oracle, and so must every customer under every id. */
async function compareWithTruth(t: Test, service: TestService, oracle: Oracle, survivors: ReadonlyMap<string, string>) {
  const { data_through, ...stored } = oracle.status();
  const status = (await service.call('GET', '/v1/status')).body;
  t.strictSame({ ...status.stored, data_through: status.data_through }, { ...stored, data_through });
  const [from, to] = [formatDay(TODAY_NUMBER - 720), formatDay(TODAY_NUMBER + 400)];
  for (const model of ['lifecycle', 'relationship', 'journey', 'loyalty_ladder']) {
    for (const day of [-600, -300, -31, 0, 200].map((offset) => formatDay(TODAY_NUMBER + offset))) {
      const { body } = await service.call('GET', `/v1/reports/stage-population?model=${model}&as_of=${day}`);
      const truth = oracle.stagePopulation(model, day).map((row) => ({ as_of: day, ...row }));
      t.strictSame(peopled(body.items), truth, `${model} on ${day}`);
    }
    const moves = (await service.call('GET', `/v1/reports/stage-moves?model=${model}&from=${from}&to=${to}`)).body;
    t.strictSame(
      { moves: moves.items, balance: moves.balance },
      oracle.stageMoves(model, from, to),
      `moves of ${model}`,
    );
  }
  for (const [id, customer_id] of survivors) {
    const { body } = await service.call('GET', `/v1/customers/${encodeURIComponent(id)}`);
    const merged_ids = [...survivors]
      .flatMap(([other, to]) => (to === customer_id && other !== to ? [other] : []))
      .sort();
    t.strictSame(body, { customer_id, merged_ids, ...oracle.customer(customer_id) }, id);
  }
}

t.test(`people may be erased while they are merged and written to (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED + 1);
  const { service, urls } = await twoInstances(t);
  const ids = ['ana', 'ben', 'eve', 'kim', 'zoe'];
  const days = ['2026-01-10', '2026-03-01', TODAY, '2026-06-16'];
  const jobs = Array.from({ length: 600 }, (_, place): Job => {
    const [id, into] = rng.some(ids, 2, 2) as [string, string];
    if (rng.chance(0.12)) return { method: 'DELETE', path: `customers/${id}` };
    if (rng.chance(0.4)) return { method: 'POST', path: `customers/${id}/merge`, body: { into } };
    const items = rng.shuffled(ids).map((customer_id) => {
      return { customer_id, purchase_id: `p-${place}-${customer_id}`, purchased_at: rng.pick(days), amount: '10.00' };
    });
    return { method: 'POST', path: 'purchases', body: { items } };
  });
  const answers: string[] = [];
  await work(urls, jobs, async (url, { method, path, body }) => {
    const answer = await request(method, `${url}/v1/${path}`, body);
    const what = path === 'purchases' ? 'post' : method === 'DELETE' ? 'erase' : 'merge';
    answers.push(`${what} ${answer.status}`);
  });
  const usual = ['post 200', 'erase 204', 'erase 404', 'merge 200', 'merge 404', 'merge 409'];
  const seen = tally(answers);
  t.strictSame(
    Object.keys(seen).filter((answer) => !usual.includes(answer)),
    [],
    JSON.stringify(seen),
  );
  await requireAddsUp(t, service);
  t.equal(await deadlocks(service), 0, 'the database saw no deadlock');

  for (const id of ids) await service.call('DELETE', `/v1/customers/${id}`);
  const { stored } = (await service.call('GET', '/v1/status')).body;
  t.strictSame(stored, { customers: 0, purchases: 0, refunds: 0, interactions: 0, pending_refunds: 0 });
  const { rows } = await sql<{ left: number }>`select count(*)::int4 as left from customers`.execute(service.db);
  t.equal(rows[0]?.left, 0, 'no row of any id is left');
  await requireAddsUp(t, service);
});
