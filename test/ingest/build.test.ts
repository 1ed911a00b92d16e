import { sql } from 'kysely';
import t, { type Test } from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { build } from '../../src/ingest/build.ts';
import { type Engine, loadEngine } from '../../src/ingest/engine.ts';
import { publishModel, retireModel } from '../../src/ingest/publish.ts';
import { ripen } from '../../src/ingest/ripen.ts';
import { withEngine } from '../../src/ingest/start.ts';
import { finishBuild, removeRetired } from '../../src/ingest/switch-models.ts';
import { verify } from '../../src/ingest/verify.ts';
import { PROJECTIONS } from '../../src/reports/registry.ts';
import { beginBuild, claimCustomers, readBuild } from '../../src/store/builds.ts';
import { rollupTable } from '../../src/store/rollups.ts';
import { ModelsChangedError } from '../../src/store/versions.ts';
import { compareLists } from '../laws/compare-lists.ts';
import { compareSomeReports } from '../laws/compare-reports.ts';
import { batches, randomCustomers, randomEvents } from '../laws/random-events.ts';
import { compareAll, compareSome } from '../laws/reads.ts';
import { PLAIN_SHOP, type Shop, SideBySide } from '../laws/side-by-side.ts';
import { deadlocks } from '../laws/writers.ts';
import { Rng, randomModels, randomSteps, type Step } from '../oracle/random.ts';
import { seedOf } from '../reports/random-shop.ts';
import { modelOf } from '../support/notation.ts';
import { reachableModels } from '../support/reachable-model.ts';
import { type TestService, testService } from '../support/service.ts';

// Models are published while the shop goes on. What they should say in the end is the oracle's business, which knew them from the start.

t.setTimeout(300_000);
const SEED = seedOf();
const CHUNK = 7;
const UNSAID = { type: 'unsaid' } as const;
const ANY = { type: 'anything' } as const;

/** Lets so many chunks be built. */
function chunks(count: number): { readonly aborted: boolean } {
  let left = count;
  return {
    get aborted() {
      left -= 1;
      return left < 0;
    },
  };
}

/** One chunk by an engine of its own, as by a process that was started for it; true once all is built. */
async function buildChunk({ engine }: TestService, chunk = CHUNK): Promise<boolean> {
  return await build(await loadEngine(engine), { chunk, lanes: 1, signal: chunks(1) });
}

async function publish({ source }: TestService, ...models: readonly Model[]): Promise<void> {
  for (const model of models) {
    await publishModel(source.current()!, model, ANY).catch(
      async () => await publishModel(source.current()!, model, UNSAID),
    );
  }
}

/** A shop in which two models are to be published, of which one replaces another version. */
function laterShop(rng: Rng): Shop {
  const { decimals } = PLAIN_SHOP;
  const models_at_start = reachableModels(randomModels(rng, 1), decimals);
  return { ...PLAIN_SHOP, models: reachableModels(randomModels(rng, 2), decimals), models_at_start };
}

/**
 * A life of the shop: what happens before the publishing, during the build, and after it. Of forty customers the days go on one after the other, so that they are
 * folded on; the steps of others correct, merge, erase, and come late.
 */
function threeParts(rng: Rng, { shop, models, today }: SideBySide): readonly [Step[], Step[], Step[]] {
  const { startDay, timeZone, decimals } = shop;
  const events = randomEvents(rng, { count: 320, customers: 40, today, days: 500 });
  const steps = randomSteps(rng, { startDay, timeZone, decimals, models, steps: 60, customers: 12 });
  const later = batches(events.slice(220), () => 4);
  return [
    [
      ...batches([...randomCustomers(rng, 40, '2022-05-01'), ...events.slice(0, 220)], () => 200),
      ...steps.slice(0, 20),
    ],
    steps.slice(20, 45).flatMap((step, index) => [step, ...later.slice(index, index + 1)]),
    [...steps.slice(45), ...later.slice(25)],
  ];
}

/** Customers by whether their saved folds contain everything. */
async function countBuilt({ engine, db }: TestService): Promise<{ built: number; lacking: number }> {
  const { complete } = (await loadEngine(engine)).foldings;
  const { rows } = await sql<{ built: number; lacking: number }>`
    select count(*) filter (where layout = any(${complete}::int2[]))::int4 as built,
      count(*) filter (where layout <> all(${complete}::int2[]))::int4 as lacking from customer_states`.execute(db);
  return { ...rows[0]! };
}

/** Rows of a model version in each table that has any. */
async function rowsOf({ db }: TestService, model_version: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of ['customer_stages', ...PROJECTIONS.map(rollupTable)]) {
    const { rows } = await sql<{ rows: number }>`
      select count(*)::int4 as rows from ${sql.table(table)} where model_version = ${model_version}`.execute(db);
    if (rows[0]!.rows > 0) found[table] = rows[0]!.rows;
  }
  return found;
}

async function versionsOf({ db }: TestService, modelId: string): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`
    select version || ' ' || state as text from models where model_id = ${modelId} order by version`.execute(db);
  return rows.map(({ text }) => text);
}

t.test(
  `whatever happens between two chunks, nothing stored is ever wrong, and all is right in the end (seed ${SEED})`,
  async (t) => {
    const rng = new Rng(SEED);
    const both = await SideBySide.start(t, laterShop(rng));
    const { service } = both;
    const [before, during, after] = threeParts(rng, both);
    for (const step of before) await both.apply(step);
    await publish(service, ...(both.shop.models as readonly Model[]));
    await both.verify();
    let [done, chunk, mixed] = [false, 0, 0];
    while (!done) {
      for (const step of during.splice(0, 5)) await both.apply(step);
      if (rng.chance(0.3)) await ripen(await loadEngine(service.engine));
      await both.verify();
      done = await buildChunk(service, rng.between(3, 8));
      const { built, lacking } = await countBuilt(service);
      if (built > 0 && lacking > 0) mixed += 1;
      await both.verify();
      for (const compare of [...compareSomeReports(both, rng, 2), ...compareLists(both, rng)]) await compare();
      chunk += 1;
    }
    for (const step of during) await both.apply(step);
    await both.verify();
    t.ok(mixed >= 2, `${mixed} of ${chunk} chunks left some customers built and others not`);
    await service.source.renew(service.engine);
    await removeRetired(service.engine);
    both.asked = both.models;
    t.ok((await compareAll(both, rng)) > 100, 'all answers are those of models that were there from the start');
    for (const step of after) await both.apply(step);
    await compareSome(both, rng);
    await both.verify();
    t.strictSame(await versionsOf(service, 'random_1'), ['1 retired', '2 active']);
    t.strictSame(await versionsOf(service, 'random_2'), ['1 active']);
    t.strictSame(await rowsOf(service, 5), {}, 'nothing is left of the version before');
  },
);

t.test(
  `beside running ingest, corrections, merges and erasures nothing is lost or doubled (seed ${SEED})`,
  async (t) => {
    const rng = new Rng(SEED + 2);
    const both = await SideBySide.start(t, laterShop(rng));
    const { service } = both;
    const [before, during, after] = threeParts(rng, both);
    for (const step of before) await both.apply(step);
    await publish(service, ...(both.shop.models as readonly Model[]));
    let applying = true;
    const apply = async (): Promise<void> => {
      for (const step of during) await both.apply(step);
      applying = false;
    };
    const keepBuilding = async (): Promise<void> => {
      // Two builders at once, over and over.
      for (let done = false; !done; ) {
        const engine = await loadEngine(service.engine);
        const options = { chunk: 3, lanes: 1, signal: chunks(applying ? 1 : 1_000) };
        const all = await Promise.all([build(engine, options), build(engine, options)].map(stopped));
        done = all.includes(true) || all.includes('switched');
      }
    };
    const keepVerifying = async (): Promise<void> => {
      while (applying) t.strictSame((await verify(await loadEngine(service.engine))).differences, []);
    };
    await Promise.all([apply(), keepBuilding(), keepVerifying()]);
    await both.verify();
    await service.source.renew(service.engine);
    both.asked = both.models;
    for (const step of after) await both.apply(step);
    await compareAll(both, rng);
    await both.verify();
    t.equal(await deadlocks(service), 0);
  },
);

/** Of a build that the other one finished. */
async function stopped(building: Promise<boolean>): Promise<boolean | 'switched'> {
  return await building.catch((error: unknown) => {
    if (error instanceof ModelsChangedError) return 'switched' as const;
    throw error;
  });
}

const named = (model_id: string, model: Model): Model => ({ ...model, model_id });
const frequent = named('own', modelOf({ frequent: { feature: 'purchase_days', at_least: 2, within_days: 30 } }));
const rich = named('own', modelOf({ rich: { feature: 'revenue', at_least: '20' } }));

/** A shop of 30 customers with two purchases each. */
async function smallShop(t: Test): Promise<TestService> {
  const service = await testService(t);
  const items = Array.from({ length: 60 }, (_, index) => ({
    customer_id: `c${String(index % 30).padStart(2, '0')}`,
    purchase_id: `p${index}`,
    purchased_at: index < 30 ? '2026-01-05' : '2026-02-01',
    amount: '12.50',
  }));
  await post(service, 'purchases', ...items);
  return service;
}

async function post({ call }: TestService, route: string, ...items: readonly object[]): Promise<void> {
  const { status, text, body } = await call('POST', `/v1/${route}`, { items });
  const failed = status !== 200 || body.items.some((item: { status: string }) => item.status !== 'created');
  if (failed) throw new Error(text);
}

async function isClean(t: Test, { engine }: TestService, what: string): Promise<void> {
  t.strictSame((await verify(engine)).differences, [], what);
}

/** How many models the layout names in which a customer is saved. */
async function modelsOf({ db }: TestService, customer_id: string): Promise<number[]> {
  const { rows } = await sql<{ model_versions: number[] }>`
    select model_versions from customer_states join fold_layouts using (layout) where customer_id = ${customer_id}`.execute(
    db,
  );
  return rows[0]!.model_versions;
}

t.test(
  'during a build new customers contain everything, others what they had until they are built or folded anew',
  async (t) => {
    const service = await smallShop(t);
    await publish(service, frequent);
    const late = { purchase_id: 'more', purchased_at: '2026-03-01', amount: '1' };
    await post(service, 'purchases', { customer_id: 'new', ...late }, { customer_id: 'c28', ...late });
    await post(service, 'purchases', { customer_id: 'c29', ...late, purchased_at: '2025-03-01' });
    t.strictSame(await modelsOf(service, 'new'), [1, 2, 3, 4, 5]);
    t.strictSame(await modelsOf(service, 'c28'), [1, 2, 3, 4], 'one purchase more is folded on');
    t.strictSame(await modelsOf(service, 'c29'), [1, 2, 3, 4, 5], 'a late one folds everything anew');
    t.equal(await buildChunk(service), false);
    t.strictSame(await modelsOf(service, 'c06'), [1, 2, 3, 4, 5], 'the seventh customer is built');
    t.strictSame(await modelsOf(service, 'c07'), [1, 2, 3, 4]);
    t.strictSame(await countBuilt(service), { built: 9, lacking: 22 });
    await post(service, 'purchases', { customer_id: 'c01', ...late }, { customer_id: 'c08', ...late });
    await isClean(t, service, 'some are built');
    while (!(await buildChunk(service)));
    t.strictSame(await countBuilt(service), { built: 31, lacking: 0 });
    await isClean(t, service, 'all are built');
  },
);

t.test('how far a build is can be read, and it ends at all', async (t) => {
  const service = await smallShop(t);
  t.equal(await readBuild(service.db), undefined);
  await publish(service, frequent);
  await buildChunk(service);
  const found = await readBuild(service.db);
  t.match(found, { customers_done: 7, customers_total: 30, after_id: 'c06' });
  await buildChunk(service);
  const engine = await loadEngine(service.engine);
  await beginBuild(service.db, { ...found!, complete: engine.foldings.complete });
  t.match(
    await readBuild(service.db),
    { customers_done: 14, customers_total: 30 },
    'who begins it again goes on with it',
  );
  while (!(await buildChunk(service)));
  t.equal(await readBuild(service.db), undefined);
});

t.test('a chunk has no more events than fit, but for a customer who alone has more', async (t) => {
  const service = await smallShop(t);
  const many = Array.from({ length: 9 }, (_, n) => ({
    customer_id: 'c02',
    purchase_id: `m${n}`,
    purchased_at: '2026-03-01',
    amount: '1',
  }));
  await post(service, 'purchases', ...many);
  await publish(service, frequent);
  const done: unknown[] = [];
  for (let chunk = 0; chunk < 3; chunk += 1) {
    await build(await loadEngine(service.engine), { events: 5, lanes: 1, signal: chunks(1) });
    done.push((await readBuild(service.db))!.after_id);
  }
  t.strictSame(done, ['c01', 'c02', 'c04'], 'two customers of two events, one of eleven, two again');
  t.equal(await build(await loadEngine(service.engine), { events: 5 }), true);
  await isClean(t, service, 'all are built');
});

t.test('however often models come and go, every number of a layout is used', async (t) => {
  const service = await smallShop(t);
  for (const [index, model] of [frequent, rich, frequent, rich].entries()) {
    await publish(service, named(`own_${index}`, model), named('own', model));
    if (index % 2 === 0) while (!(await buildChunk(service)));
    await retireModel(await loadEngine(service.engine), `own_${index}`, UNSAID);
  }
  const { rows } = await sql<{ last: number; layouts: number }>`
    select max(layout)::int4 as last, count(*)::int4 as layouts from fold_layouts`.execute(service.db);
  t.equal(rows[0]!.last, rows[0]!.layouts);
  while (!(await buildChunk(service)));
  await isClean(t, service, 'with many layouts');
});

t.test('a build that was stopped goes on where it was, by another engine, and folds nobody twice', async (t) => {
  const service = await smallShop(t);
  await publish(service, frequent);
  t.equal(await build(await loadEngine(service.engine), { chunk: 10, lanes: 1, signal: chunks(2) }), false);
  t.match(await readBuild(service.db), { customers_done: 20, after_id: 'c19' });
  const other = await testService(t, { connection: service.connection });
  t.equal(await build(other.engine, { chunk: 100 }), true);
  await isClean(t, other, 'by two engines');
  t.strictSame(await versionsOf(service, 'own'), ['1 active']);
});

t.test('several build at once, each other customers, and one of them switches', async (t) => {
  const service = await smallShop(t);
  await publish(service, frequent);
  const engine = await loadEngine(service.engine);
  const ends = await Promise.all([1, 2, 3].map(async () => await stopped(build(engine, { chunk: 4 }))));
  t.equal(ends.filter((end) => end === true).length, 1);
  t.equal(ends.filter((end) => end === 'switched').length, 2);
  await isClean(t, service, 'nobody was folded twice');
});

t.test('customers that were taken by a builder who died are found in the end', async (t) => {
  const service = await smallShop(t);
  await publish(service, frequent);
  const engine = await loadEngine(service.engine);
  const { complete } = engine.foldings;
  const { models_revision } = engine.versions;
  await beginBuild(service.db, { models_revision, started_at: 0, complete });
  const taken = await claimCustomers(service.db, { models_revision, complete, page: { customers: 9, events: 100 } });
  t.equal(taken?.length, 9);
  t.equal(await build(engine, { chunk: CHUNK }), true);
  t.strictSame(await countBuilt(service), { built: 30, lacking: 0 });
  await isClean(t, service, 'nobody was left out');
  const gone = { models_revision, complete, page: { customers: 9, events: 100 } };
  t.equal(await claimCustomers(service.db, gone), null, 'there is nothing more to take');
});

t.test('the switch is refused while anybody lacks what is built, and the build looks through all again', async (t) => {
  const service = await smallShop(t);
  await publish(service, frequent);
  await buildChunk(service);
  const engine = await loadEngine(service.engine);
  t.equal(await finishBuild(engine), false);
  t.match(await readBuild(service.db), { after_id: '' });
  t.strictSame(await versionsOf(service, 'own'), ['1 building']);
  // As if somebody had been passed over.
  await sql`update builds set after_id = 'zzz'`.execute(service.db);
  t.equal(await build(engine, { chunk: CHUNK }), true);
  t.strictSame(await countBuilt(service), { built: 30, lacking: 0 });
  await isClean(t, service, 'nobody was left out');
});

t.test('a version that is given up for a newer one leaves nothing behind', async (t) => {
  const service = await smallShop(t);
  await publish(service, frequent);
  await buildChunk(service);
  const first = await loadEngine(service.engine);
  await post(service, 'purchases', { customer_id: 'new', purchase_id: 'p', purchased_at: '2026-03-01', amount: '1' });
  await publish(service, rich);
  t.strictSame(await versionsOf(service, 'own'), ['1 retiring', '2 building']);
  await t.rejects(build(first, { chunk: CHUNK }), { name: 'ModelsChangedError' });
  await t.rejects(finishBuild(first), { name: 'ModelsChangedError' });
  t.ok((await rowsOf(service, 5)).customer_stages === 8, 'seven built customers and a new one');
  await isClean(t, service, 'with the rows of a version that is given up');
  await post(service, 'purchases', { customer_id: 'c00', purchase_id: 'x', purchased_at: '2026-03-02', amount: '1' });
  await service.call('DELETE', '/v1/customers/c01');
  await isClean(t, service, 'and after more events');
  while (!(await buildChunk(service)));
  await removeRetired(await loadEngine(service.engine));
  t.strictSame(await rowsOf(service, 5), {});
  t.strictSame(await versionsOf(service, 'own'), ['1 retired', '2 active']);
  await isClean(t, service, 'without them');
  const { body } = await service.call('GET', '/v1/reports/stage-population?model=own');
  const standing = body.items.filter(({ customers }: { customers: number }) => customers > 0);
  t.strictSame(
    standing.map(({ stage, customers }: Record<string, unknown>) => [stage, customers]),
    [
      ['known', 1],
      ['rich', 29],
    ],
  );
});

t.test('a retired model is removed, and what is folded leaves it out', async (t) => {
  const service = await smallShop(t);
  await retireModel(service.engine, 'journey', UNSAID);
  await t.rejects(retireModel(service.engine, 'journey', UNSAID), { code: 'not_found' });
  t.equal((await service.call('GET', '/v1/reports/stage-population?model=journey')).status, 400);
  const version = (await loadEngine(service.engine)).published.find(({ state }) => state === 'retiring')!.model_version;
  await isClean(t, service, 'before it is removed');
  await post(service, 'purchases', { customer_id: 'c00', purchase_id: 'x', purchased_at: '2026-03-02', amount: '1' });
  await removeRetired(await loadEngine(service.engine), { aborted: true });
  t.ok((await rowsOf(service, version)).customer_stages! > 0, 'stopped before the customers');
  const engine = await loadEngine(service.engine);
  await Promise.all([removeRetired(engine), removeRetired(engine)]);
  t.strictSame(await rowsOf(service, version), {});
  t.strictSame(await versionsOf(service, 'journey'), ['1 retired']);
  await post(service, 'purchases', { customer_id: 'c01', purchase_id: 'x', purchased_at: '2026-03-02', amount: '1' });
  await isClean(t, service, 'afterwards');
  t.strictSame(
    await modelsOf(service, 'c00'),
    [1, 2, 3, 4].filter((one) => one !== version),
  );
  t.strictSame(await modelsOf(service, 'c02'), [1, 2, 3, 4], 'untouched folds keep it');
  t.strictSame(await countBuilt(service), { built: 30, lacking: 0 }, 'nobody lacks anything');
});

t.test('whoever has an engine of other models is given a newer one, and what was begun is done once', async (t) => {
  const service = await smallShop(t);
  const outdated = service.engine;
  await publish(service, frequent);
  const used: Engine[] = [];
  const result = await withEngine(service.source, async (engine) => {
    used.push(engine);
    return await ripen(engine).then(async () => await finishBuild(engine));
  });
  t.equal(result, false);
  t.strictSame(
    used.map((engine) => engine === outdated),
    [true, false],
  );
  t.equal(service.engine, used[1]);
  await t.rejects(
    withEngine(service.source, async () => {
      throw new TypeError('something else');
    }),
    { message: 'something else' },
  );
});

t.test('an empty database switches at once', async (t) => {
  const service = await testService(t);
  await publish(service, frequent);
  t.equal(await buildChunk(service), true);
  t.strictSame(await versionsOf(service, 'own'), ['1 active']);
  t.equal((await service.call('GET', '/v1/reports/stage-population?model=own')).status, 200);
});
