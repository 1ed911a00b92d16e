import t from 'tap';
import { Rng } from '../oracle/rng.ts';
import { FAULTS, type Fault, faultyProxy } from '../support/faulty-proxy.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventually, startProcess, statusOf } from '../support/process.ts';
import { putUnderLoad } from './load.ts';
import { announcedSeed, isWhatWasSent, randomBatches, sendAll } from './stream.ts';

t.setTimeout(240_000);

const ROUNDS = 100;
const QUICK = FAULTS.filter((fault) => fault !== 'stall');

t.test(
  'connections to the database that break at any point, COMMIT included, lose nothing and double nothing',
  async (t) => {
    const rng = new Rng(announcedSeed(t));
    const database = await testDatabase(t);
    const proxy = await faultyProxy(t, database.url, rng);
    const service = await startProcess(t, { DATABASE_URL: proxy.url });
    await service.ready();
    const batches = randomBatches(rng, 8_000, 12);
    const waiting = [...batches];
    const load = putUnderLoad(t, rng, service.url, waiting);
    const struck = new Map<Fault, number>();
    // A COMMIT that is cut off may be that of a read: a few rounds more until one of a write was.
    const isShort = (round: number): boolean => round <= ROUNDS || (round <= 2 * ROUNDS && load.duplicates() === 0);
    for (let round = 1; isShort(round); round += 1) {
      const fault = round <= ROUNDS ? rng.pick(QUICK) : 'after_commit';
      proxy.arm(fault);
      await eventually(`${fault} strikes`, () => proxy.armed() === null);
      struck.set(fault, (struck.get(fault) ?? 0) + 1);
      const enough = load.acknowledged.length + rng.between(1, 6);
      await eventually('the load goes on', () => load.acknowledged.length >= enough);
    }
    await load.stop();
    t.strictSame(
      load.surprises(),
      {},
      'every request was answered, with what was asked for or 503 and when to come again',
    );
    t.strictSame([...struck.keys()].sort(), [...QUICK].sort(), JSON.stringify(Object.fromEntries(struck)));
    t.ok(
      waiting.length > 0,
      `faults until the end: ${load.acknowledged.length} batches were acknowledged, ${waiting.length} not`,
    );
    t.ok(
      load.duplicates() > 0,
      `${load.duplicates()} items of refused requests had been stored, and were known when they came again`,
    );
    t.equal(service.ending(), undefined);
    t.strictSame(
      service.log().filter(({ level }) => Number(level) >= 60),
      [],
    );
    t.strictSame(await sendAll(service.url, load.acknowledged, true), {}, 'what was acknowledged is there');
    t.strictSame(await sendAll(service.url, waiting, false), {});
    await isWhatWasSent(t, service, {
      batches,
      connection: database.connection,
      environment: { DATABASE_URL: database.url },
    });
    t.equal((await service.stop()).code, 0);
  },
);

t.test('a connection that stalls is given up, and what it had locked is free again', async (t) => {
  const rng = new Rng(announcedSeed(t));
  const database = await testDatabase(t);
  const proxy = await faultyProxy(t, database.url, rng);
  const service = await startProcess(t, { DATABASE_URL: proxy.url, STATEMENT_TIMEOUT_MS: '1000' });
  await service.ready();
  const batches = randomBatches(rng, 4_000, 12);
  const waiting = [...batches];
  const load = putUnderLoad(t, rng, service.url, waiting, ['database_unavailable', 'busy']);
  for (let round = 1; round <= 2; round += 1) {
    const enough = load.acknowledged.length + 20;
    await eventually('the load goes on', () => load.acknowledged.length >= enough);
    proxy.arm('stall');
    await eventually('a connection stalls', () => proxy.armed() === null);
    const before = load.answers.get('written') ?? 0;
    await eventually('writes go on', () => (load.answers.get('written') ?? 0) > before + 20, 15_000);
  }
  await load.stop();
  t.strictSame(load.surprises(), {});
  t.equal(await statusOf(`${service.url}/readyz`), 200);
  t.strictSame(await sendAll(service.url, load.acknowledged, true), {});
  t.strictSame(await sendAll(service.url, waiting, false), {});
  await isWhatWasSent(t, service, {
    batches,
    connection: database.connection,
    environment: { DATABASE_URL: database.url },
  });
  t.equal((await service.stop()).code, 0);
});
