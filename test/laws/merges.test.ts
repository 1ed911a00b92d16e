import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import t from 'tap';
import { verify } from '../../src/ingest/verify.ts';
import { PROJECTIONS } from '../../src/reports/registry.ts';
import { readRollup } from '../../src/store/rollups.ts';
import { formatDay } from '../oracle/calendar.ts';
import { GROUPS, Rng } from '../oracle/random.ts';
import type { CustomerItem } from '../oracle/store.ts';
import { dumpOf } from '../support/database-dump.ts';
import { type TestService, testService } from '../support/service.ts';
import { cut, randomEvents, type Sent } from './random-events.ts';
import { compareAll } from './reads.ts';
import { PLAIN_SHOP, type PostStep, SideBySide } from './side-by-side.ts';

// Law 6 for merges: people who come under several ids that are merged at any time give, in the end, exactly what they give under one id from the start.
// More of it, or a replay: node test/laws/merges.test.ts --rounds=50 --seed=123456
const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } }, strict: false });
const ROUNDS = Number(values.rounds ?? 6);
const SEED = Number(values.seed ?? randomInt(1_000_000_000));
const PEOPLE = 25;
const EVENTS = 500;
const DAYS = 700;
t.setTimeout(300_000 + ROUNDS * 60_000);

/** Whom every id stands for, kept by the test itself: the ids of a person, in parts that are one customer already. */
class People {
  readonly #rng: Rng;
  /** By person: the parts, each with the id that survived first. */
  readonly #parts = new Map<string, string[][]>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** The id under which an item of this person is sent. */
  idOf(person: string): string {
    const id = `${person} ${this.#rng.pick(['mail', 'guest', 'app', 'Zoé'])}`;
    const parts = this.#parts.get(person) ?? [];
    if (!parts.flat().includes(id)) parts.push([id]);
    this.#parts.set(person, parts);
    return id;
  }

  /** Two parts of one person become one: the id to merge, and any id of the part that survives. Null if there are none. */
  join(): { readonly from: string; readonly into: string } | null {
    const several = [...this.#parts.values()].filter((parts) => parts.length > 1);
    if (several.length === 0) return null;
    const parts = this.#rng.pick(several);
    const [old, survivor] = this.#rng.some(parts, 2, 2) as [string[], string[]];
    parts.splice(parts.indexOf(old), 1);
    const merge = { from: old[0]!, into: this.#rng.pick(survivor) };
    survivor.push(...old);
    return merge;
  }

  /** The one id that is left of a person. */
  survivor(person: string): string {
    return this.#parts.get(person)![0]![0]!;
  }
}

type Told = Sent & { readonly person: string };

/** Events of people, each under one of their ids, some of them sent again later under another. */
function tell(rng: Rng, people: People, today: number): Told[] {
  const events = randomEvents(rng, { count: EVENTS, customers: PEOPLE, today, days: DAYS });
  const again = events.filter(() => rng.chance(0.08));
  return [...rng.shuffled(events), ...again].map(
    (sent) =>
      ({
        ...sent,
        person: sent.item.customer_id,
        item: { ...sent.item, customer_id: people.idOf(sent.item.customer_id) },
      }) as Told,
  );
}

interface Recorded {
  readonly person: string;
  readonly item: CustomerItem;
}

/** A record for some of the ids. */
function recordSome(rng: Rng, people: People, today: number): Recorded[] {
  const records = Array.from({ length: PEOPLE }, (): Recorded => {
    const person = `c-${rng.between(1, PEOPLE)}`;
    const known_since = formatDay(today - rng.between(0, DAYS + 50));
    const item = {
      customer_id: people.idOf(person),
      ...(rng.chance(0.6) ? { known_since } : {}),
      groups: rng.some(GROUPS, 0, 3),
    };
    return { person, item };
  });
  return [...new Map(records.map((record) => [record.item.customer_id, record])).values()];
}

/** What is said of one person under all ids together: the earliest day given, and every group. */
function together(records: readonly Recorded[], customer_id: string): CustomerItem {
  const days = records.flatMap(({ item }) => item.known_since ?? []).sort();
  const groups = [...new Set(records.flatMap(({ item }) => item.groups ?? []))];
  return { customer_id, ...(days[0] === undefined ? {} : { known_since: days[0] }), groups };
}

async function requireOk(service: TestService, path: string, body: unknown): Promise<void> {
  const answer = await service.call('POST', `/v1/${path}`, body);
  if (answer.status !== 200) throw new Error(`POST /v1/${path}: ${answer.status} ${answer.text}`);
}

async function send(service: TestService, told: readonly Sent[]): Promise<void> {
  for (const route of new Set(told.map((sent) => sent.route))) {
    await requireOk(service, route, { items: told.filter((sent) => sent.route === route).map((sent) => sent.item) });
  }
}

/** Everything that reports and single answers are made of, as text: roll-ups, saved states, spells and events. */
async function contents(service: TestService): Promise<Record<string, unknown>> {
  const { customer_states, customer_stages, purchases, refunds, interactions } = await dumpOf(service.db);
  const rollups = await service.db.transaction().execute(async (trx) => {
    const rows: Record<string, string[]> = {};
    for (const projection of PROJECTIONS)
      rows[projection.name] = (await readRollup(trx, projection))
        .map(({ key, measures }) => `${key}: ${measures}`)
        .sort();
    return rows;
  });
  return { customer_states, customer_stages, purchases, refunds, interactions, ...rollups };
}

/** The bodies of all reports there are, in every model. */
async function reportBodies(service: TestService): Promise<Record<string, string>> {
  const { items } = (await service.call('GET', '/v1/definitions')).body;
  const bodies: Record<string, string> = {};
  for (const { report } of items as { report: string }[]) {
    for (const query of [
      '',
      '?model=lifecycle',
      '?model=loyalty_ladder',
      '?group=vip',
      '?from=2022-01-01&to=2025-01-01',
    ]) {
      const path = `/v1/reports/${report}${query}`;
      bodies[path] = (await service.call('GET', path)).text.replace(/urn:request:[^"]*|"request_id":"[^"]*"/g, '');
    }
  }
  return bodies;
}

for (let round = 0; round < ROUNDS; round += 1) {
  const seed = SEED + round;
  t.test(`people merged at any time are what they are under one id from the start (seed ${seed})`, async (t) => {
    const rng = new Rng(seed);
    const both = await SideBySide.start(t);
    const merged = await testService(t, { clock: () => Date.parse(`${PLAIN_SHOP.startDay}T12:00:00Z`) });
    const people = new People(rng);
    // Whoever is there first registers the groups, in one order for both.
    const first: PostStep = {
      kind: 'post',
      route: 'customers',
      items: [{ customer_id: 'first', groups: [...GROUPS] }],
    };
    await both.post([first]);
    await requireOk(merged, 'customers', { items: first.items });

    const records = recordSome(rng, people, both.today);
    await requireOk(merged, 'customers', { items: records.map(({ item }) => item) });
    const told = tell(rng, people, both.today);
    let merges = 0;
    const mergeSome = async (most: number): Promise<void> => {
      for (let pair = people.join(); pair !== null; pair = merges % most === 0 ? null : people.join()) {
        await requireOk(merged, `customers/${encodeURIComponent(pair.from)}/merge`, { into: pair.into });
        merges += 1;
      }
    };
    // Only who is known can be merged, so the first item of every id comes before the first merge, and its turn again later.
    const known = new Set<string>(records.map(({ item }) => item.customer_id));
    const early = told.filter(({ item }) => !known.has(item.customer_id) && known.add(item.customer_id));
    await send(merged, early);
    for (const piece of cut(told, () => rng.between(1, 60))) {
      await send(merged, piece);
      if (rng.chance(0.7)) await mergeSome(rng.between(2, 6));
    }
    await mergeSome(Number.POSITIVE_INFINITY);
    t.ok(merges > PEOPLE, `${merges} merges`);

    const recorded = [...new Set(records.map(({ person }) => person))].map((person) => {
      const own = records.filter((record) => record.person === person);
      return together(own, people.survivor(person));
    });
    await both.post([{ kind: 'post', route: 'customers', items: recorded }]);
    for (const sent of told) {
      const item = { ...sent.item, customer_id: people.survivor(sent.person) };
      await both.post([{ kind: 'post', route: sent.route, items: [item] } as PostStep]);
    }
    await compareAll(both, rng);
    t.strictSame(await contents(merged), await contents(both.service), 'the same rows');
    t.strictSame(await reportBodies(merged), await reportBodies(both.service), 'the same bytes');
    t.strictSame((await verify(merged.engine)).differences, [], 'and they add up');
  });
}
