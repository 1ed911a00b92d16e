import { sql } from 'kysely';
import pg from 'pg';
import t, { type Test } from 'tap';
import { ripen, startRipening } from '../../src/ingest/ripen.ts';
import { verify } from '../../src/ingest/verify.ts';
import { batches, randomCustomers, randomEvents } from '../laws/random-events.ts';
import { SideBySide } from '../laws/side-by-side.ts';
import { deadlocks } from '../laws/writers.ts';
import { Rng } from '../oracle/random.ts';
import { type LogLine, type TestService, testService } from '../support/service.ts';

// Positions of today are stored, and days pass. What they should be is the oracle's business, which walks day by day.

t.setTimeout(180_000);

const NOON_MS = 43_200_000;
const noonOf = (day: string): number => Date.parse(day) + NOON_MS;

/** A shop of 60 customers whose clock stands on the first day, with an oracle beside it. */
async function filledShop(t: Test, seed: number): Promise<SideBySide> {
  const rng = new Rng(seed);
  const both = await SideBySide.start(t);
  const { today } = both;
  await both.post(
    batches(
      [
        ...randomCustomers(rng, 60, '2023-05-01'),
        ...randomEvents(rng, { count: 400, customers: 60, today, days: 500 }),
      ],
      () => 200,
    ),
  );
  return both;
}

/** Stage and activity as stored, by model and customer; null if not known yet. */
async function storedPositions(both: SideBySide): Promise<Record<string, string | null>> {
  const { rows } = await sql<{ customer_id: string; model_id: string; position: number }>`
    select customer_id, model_id, position from customer_stages join models using (model_version)`.execute(
    both.service.db,
  );
  const activities = ['none', 'active', 'at_risk', 'lapsed'];
  return Object.fromEntries(
    rows.map(({ customer_id, model_id, position }) => {
      const { stages } = both.models.find((model) => model.model_id === model_id)!;
      const stage = stages[Math.floor((position - 1) / 4)]?.stage;
      return [`${model_id} ${customer_id}`, position === 0 ? null : `${stage} ${activities[(position - 1) % 4]}`];
    }),
  );
}

function expectedPositions({ oracle, modelIds }: SideBySide, day: string): Record<string, string | null> {
  return Object.fromEntries(
    modelIds.flatMap((modelId) =>
      oracle.customerIds().map((customerId) => {
        const found = oracle.position(modelId, customerId, day);
        return [`${modelId} ${customerId}`, found && `${found.stage} ${found.activity}`];
      }),
    ),
  );
}

async function ripeCustomers({ db }: TestService, day: string): Promise<number> {
  const { rows } = await sql<{ ripe: number }>`
    select count(*)::int4 as ripe from customer_states where next_change <= ${Date.parse(day) / 86_400_000}`.execute(
    db,
  );
  return rows[0]!.ripe;
}

t.test(
  'positions are those of the day of writing, and those of today once they are advanced, though a year went by',
  async (t) => {
    const both = await filledShop(t, 11);
    t.strictSame(await storedPositions(both), expectedPositions(both, '2024-03-01'), 'as written');
    await both.apply({ kind: 'advance_clock', days: 9 });
    t.notSame(await storedPositions(both), expectedPositions(both, '2024-03-10'), 'nine days later some are over');
    await ripen(both.service.engine);
    t.strictSame(await storedPositions(both), expectedPositions(both, '2024-03-10'));
    await both.apply({ kind: 'advance_clock', days: 365 });
    const ripe = await ripeCustomers(both.service, '2025-03-10');
    t.ok(ripe > 20, `${ripe} are over after a year`);
    await both.verify();
    t.equal(await ripen(both.service.engine), ripe);
    t.strictSame(await storedPositions(both), expectedPositions(both, '2025-03-10'));
    t.equal(await ripeCustomers(both.service, '2025-03-10'), 0);
    t.equal(await ripen(both.service.engine), 0, 'nothing is left to do');
    await both.verify();
  },
);

t.test('a customer whose first event is dated tomorrow becomes known when tomorrow comes', async (t) => {
  const both = await SideBySide.start(t);
  await both.post([{ kind: 'post', route: 'customers', items: [{ customer_id: 'ana', known_since: '2024-03-02' }] }]);
  t.equal((await storedPositions(both))['lifecycle ana'], null);
  await both.apply({ kind: 'advance_clock', days: 1 });
  t.equal(await ripen(both.service.engine), 1);
  t.equal((await storedPositions(both))['lifecycle ana'], 'prospect none');
});

t.test('two processes at once advance every customer once', async (t) => {
  const clock = { day: '2026-06-15' };
  const one = await testService(t, { clock: () => noonOf(clock.day) });
  const other = await testService(t, { clock: () => noonOf(clock.day), connection: one.connection });
  const items = Array.from({ length: 1_000 }, (_, index) => ({
    customer_id: `c${index}`,
    purchase_id: 'p',
    purchased_at: '2026-06-01',
    amount: '1',
  }));
  for (const start of [0, 500]) await one.call('POST', '/v1/purchases', { items: items.slice(start, start + 500) });
  // More than one chunk each, and all on one day.
  clock.day = '2026-09-15';
  const advanced = await Promise.all([one, other, one].map(({ engine }) => ripen(engine)));
  t.equal(
    advanced.reduce((sum, each) => sum + each, 0),
    1_000,
    advanced.join(' + '),
  );
  t.equal(await ripeCustomers(one, clock.day), 0);
  t.strictSame((await verify(one.engine)).differences, []);
});

t.test('customers that somebody else is writing are left for the next time', async (t) => {
  const both = await filledShop(t, 12);
  const { engine } = both.service;
  await both.apply({ kind: 'advance_clock', days: 200 });
  const ripe = await ripeCustomers(both.service, '2024-09-17');
  const writer = new pg.Client(both.service.connection as pg.ClientConfig);
  await writer.connect();
  t.teardown(() => writer.end());
  await writer.query('begin; select from customers for update');
  t.equal(await ripen(engine), 0, 'and it does not wait for long');
  await writer.query('commit');
  t.equal(await ripen(engine), ripe);
});

t.test('a customer who is gone is not brought back', async (t) => {
  const both = await filledShop(t, 13);
  await both.apply({ kind: 'advance_clock', days: 200 });
  const { db, engine } = both.service;
  // As if erased between the finding and the locking: only the row that is locked is gone.
  await sql`delete from customers where customer_id = 'c-7'`.execute(db);
  await ripen(engine);
  const { rows } = await sql`
    select customer_id from customers where customer_id = 'c-7' union all select customer_id from customer_states where customer_id = 'c-7'`.execute(
    db,
  );
  t.strictSame(rows, []);
});

t.test('advancing beside ingest meets no deadlock, and both come out right', async (t) => {
  const both = await filledShop(t, 14);
  const { service } = both;
  const rng = new Rng(15);
  let writing = true;
  const advancing = (async () => {
    let runs = 0;
    for (; writing; runs += 1) await ripen(service.engine);
    return runs;
  })();
  for (let round = 0; round < 12; round += 1) {
    await both.apply({ kind: 'advance_clock', days: 31 });
    const events = randomEvents(rng, { count: 120, customers: 60, today: both.today, days: 31 });
    const renamed = events.map(({ route, item }) => {
      const own = Object.fromEntries(
        Object.entries(item).map(([name, value]) => [
          name,
          /^(purchase|refund|interaction)_id$/.test(name) ? `${round}-${value}` : value,
        ]),
      );
      return { route, item: own } as never;
    });
    await both.post(
      batches(renamed, () => 40),
      rng,
    );
  }
  writing = false;
  t.ok((await advancing) > 12, 'it ran all the time');
  await ripen(service.engine);
  await both.verify();
  const today = new Date(both.today * 86_400_000).toISOString().slice(0, 10);
  t.strictSame(await storedPositions(both), expectedPositions(both, today));
  t.equal(await deadlocks(service), 0);
});

/** Waits until a line of the log says so. */
async function logged(lines: readonly LogLine[], text: string): Promise<LogLine> {
  for (;;) {
    const found = lines.find((line) => line.msg === text);
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('the service advances positions as soon as it is ready, again and again, until it is stopped', async (t) => {
  const clock = { day: '2026-06-15' };
  const log_lines: LogLine[] = [];
  const service = await testService(t, { clock: () => noonOf(clock.day), log_lines });
  const buy = (customer_id: string) =>
    service.call('POST', '/v1/purchases', {
      items: [{ customer_id, purchase_id: 'p', purchased_at: '2026-06-15', amount: '1' }],
    });
  await buy('ana');
  clock.day = '2026-09-14';
  const ripening = startRipening(service.source, 5);
  t.match(await logged(log_lines, 'positions advanced'), { customers: 1 });
  log_lines.length = 0;
  clock.day = '2026-12-13';
  await logged(log_lines, 'positions advanced');
  await ripening.stop();
  clock.day = '2026-06-15';
  await buy('ben');
  clock.day = '2026-12-31';
  t.equal(await ripeCustomers(service, clock.day), 1, 'a stopped one does nothing more');
});

t.test('a failure to advance is logged and tried again; one that never got ready stops too', async (t) => {
  const log_lines: LogLine[] = [];
  const service = await testService(t, { clock: () => noonOf('2026-06-15'), log_lines });
  await service.call('POST', '/v1/purchases', {
    items: [{ customer_id: 'ana', purchase_id: 'p', purchased_at: '2025-06-15', amount: '1' }],
  });
  await sql`update customer_states set next_change = 0`.execute(service.db);
  const { code_versions } = service.engine.versions;
  await sql`update versions set code_versions = 'fold:999'`.execute(service.db);
  const ripening = startRipening(service.source, 5);
  const failed = await logged(log_lines, 'positions could not be advanced; lists are right all the same');
  t.match(failed, { reason: 'VersionMismatchError', level: 40 });
  await sql`update versions set code_versions = ${code_versions}`.execute(service.db);
  await logged(log_lines, 'positions advanced');
  await ripening.stop();
  const never = startRipening({ ...service.source, started: Promise.reject(new Error('never')) });
  await never.stop();
  t.pass('stopped');
});
