import { sql } from 'kysely';
import t from 'tap';
import { REPORTS } from '../../src/reports/registry.ts';
import { parseDay } from '../oracle/calendar.ts';
import { Rng } from '../oracle/random.ts';
import { type TestService, testService } from '../support/service.ts';
import { batches, randomCustomers, randomEvents } from './random-events.ts';

// Law 1: nothing that is stored knows what day it is. Silence is written ahead as moves, so a day is only a filter of the read.

t.setTimeout(120_000);
const noonOf = (day: string): number => Date.parse(`${day}T12:00:00Z`);

async function buy(service: TestService, customer_id: string, ...days: readonly string[]): Promise<void> {
  const items = days.map((day) => ({ customer_id, purchase_id: `on ${day}`, purchased_at: day, amount: '10.00' }));
  const { body } = await service.call('POST', '/v1/purchases', { items });
  const refused = body.items.filter((item: { status: string }) => item.status !== 'created');
  if (refused.length > 0) throw new Error(`not stored: ${JSON.stringify(refused)}`);
}

/** Who stands where at the end of a day: `{ 'first_time_buyer/active': 1 }`. Without a day: today. */
async function standing(service: TestService, asOf?: string): Promise<Record<string, number>> {
  const { body } = await service.call(
    'GET',
    `/v1/reports/stage-population${asOf === undefined ? '' : `?as_of=${asOf}`}`,
  );
  const rows = body.items as { stage: string; activity: string; customers: number }[];
  return Object.fromEntries(
    rows.filter((row) => row.customers > 0).map((row) => [`${row.stage}/${row.activity}`, row.customers]),
  );
}

/** The moves of [from, to) as sentences. */
async function moves(service: TestService, from: string, to: string): Promise<string[]> {
  const { body } = await service.call('GET', `/v1/reports/stage-moves?from=${from}&to=${to}`);
  return body.items.map(
    (row: Record<string, unknown>) =>
      `${row.customers}: ${row.from_stage}/${row.from_activity} -> ${row.to_stage}/${row.to_activity}`,
  );
}

/** Every row of every table, as text. */
async function everythingStored(service: TestService): Promise<Record<string, string[]>> {
  const tables = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = current_schema() order by 1`.execute(service.db);
  const stored: Record<string, string[]> = {};
  for (const { name } of tables.rows) {
    const { rows } = await sql<{
      text: string;
    }>`select ${sql.ref(name)}::text as text from ${sql.table(name)} order by 1`.execute(service.db);
    stored[name] = rows.map((row) => row.text);
  }
  return stored;
}

t.test('a purchase today schedules its moves 91 and 181 days ahead', async (t) => {
  const service = await testService(t, { clock: () => noonOf('2026-06-15') });
  await buy(service, 'ana', '2026-06-15');
  t.strictSame(await moves(service, '2026-06-16', '2026-09-14'), [], '90 days of silence change nothing');
  const riskOn91 = await moves(service, '2026-09-14', '2026-09-15');
  t.strictSame(riskOn91, ['1: first_time_buyer/active -> first_time_buyer/at_risk'], 'day 91 of silence');
  t.strictSame(await moves(service, '2026-09-15', '2026-12-13'), [], 'until day 180 nothing more');
  const lapseOn181 = await moves(service, '2026-12-13', '2026-12-14');
  t.strictSame(lapseOn181, ['1: first_time_buyer/at_risk -> first_time_buyer/lapsed'], 'day 181 of silence');
  t.strictSame(await moves(service, '2026-12-14', '2199-12-31'), [], 'and then never again');
  t.strictSame(await standing(service, '2026-09-13'), { 'first_time_buyer/active': 1 });
  t.strictSame(await standing(service, '2026-09-14'), { 'first_time_buyer/at_risk': 1 });
  t.strictSame(await standing(service, '2026-12-12'), { 'first_time_buyer/at_risk': 1 });
  t.strictSame(await standing(service, '2026-12-13'), { 'first_time_buyer/lapsed': 1 });
});

t.test('a later purchase retracts the lapse that silence had scheduled', async (t) => {
  const service = await testService(t, { clock: () => noonOf('2026-06-15') });
  await buy(service, 'ana', '2026-06-01');
  t.strictSame(await standing(service, '2026-12-01'), { 'first_time_buyer/lapsed': 1 });
  t.strictSame(await moves(service, '2026-08-31', '2026-09-01'), [
    '1: first_time_buyer/active -> first_time_buyer/at_risk',
  ]);
  t.strictSame(await moves(service, '2026-11-29', '2026-11-30'), [
    '1: first_time_buyer/at_risk -> first_time_buyer/lapsed',
  ]);

  await buy(service, 'ana', '2026-06-10');
  t.strictSame(await standing(service, '2026-12-01'), { 'early_repeat_buyer/at_risk': 1 }, 'silent for 174 days only');
  t.strictSame(await moves(service, '2026-06-11', '2027-06-11'), [
    '1: early_repeat_buyer/active -> early_repeat_buyer/at_risk',
    '1: early_repeat_buyer/at_risk -> early_repeat_buyer/lapsed',
  ]);
  t.strictSame(await standing(service, '2026-09-08'), { 'early_repeat_buyer/active': 1 });
  t.strictSame(await standing(service, '2026-09-09'), { 'early_repeat_buyer/at_risk': 1 });
  t.strictSame(await standing(service, '2026-12-07'), { 'early_repeat_buyer/at_risk': 1 });
  t.strictSame(await standing(service, '2026-12-08'), { 'early_repeat_buyer/lapsed': 1 });
});

t.test('days pass and everybody moves, while nothing that is stored changes', async (t) => {
  const clock = { day: '2026-06-15' };
  const service = await testService(t, { clock: () => noonOf(clock.day) });
  await buy(service, 'ana', '2026-06-15');
  await buy(service, 'ben', '2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01');
  const stored = await everythingStored(service);
  t.ok(stored.rollup_stage_moves?.length, 'there are moves to look at');
  const days = {
    '2026-06-15': { 'core_customer/active': 1, 'first_time_buyer/active': 1 },
    '2026-07-01': { 'core_customer/at_risk': 1, 'first_time_buyer/active': 1 },
    '2026-09-14': { 'core_customer/at_risk': 1, 'first_time_buyer/at_risk': 1 },
    '2026-09-29': { 'core_defector/lapsed': 1, 'first_time_buyer/at_risk': 1 },
    '2026-12-13': { 'core_defector/lapsed': 1, 'first_time_buyer/lapsed': 1 },
  };
  for (const [day, expected] of Object.entries(days)) {
    clock.day = day;
    const today = await standing(service);
    t.same(today, expected, `on ${day}`);
  }
  t.strictSame(await everythingStored(service), stored);
});

t.test('under any clock the same question about a day has the same answer', async (t) => {
  const today = '2026-06-15';
  const early = await testService(t, { clock: () => noonOf(today) });
  const rng = new Rng(20_260_615);
  const told = [
    ...randomCustomers(rng, 60, '2024-01-01'),
    ...randomEvents(rng, { count: 500, customers: 60, today: parseDay(today), days: 800 }),
  ];
  for (const { route, items } of batches(told, () => 500)) {
    t.equal((await early.call('POST', `/v1/${route}`, { items })).status, 200);
  }
  const late = await testService(t, { clock: () => noonOf('2031-02-03'), connection: early.connection });
  const before = await testService(t, { clock: () => noonOf('2025-01-01'), connection: early.connection });
  const questions = ['lifecycle', 'relationship', 'journey', 'loyalty_ladder'].flatMap((model) => [
    ...['2024-06-30', '2025-07-01', '2026-06-15', '2026-10-01', '2030-01-01'].flatMap((day) => [
      `/v1/reports/stage-population?model=${model}&as_of=${day}`,
      `/v1/reports/stage-population?model=${model}&as_of=${day}&group=vip`,
    ]),
    `/v1/reports/stage-population?model=${model}&from=2024-01-15&to=2027-03-10&interval=month`,
    `/v1/reports/stage-moves?model=${model}&from=2024-05-05&to=2027-01-01`,
    ...(isOffered('time-in-stage') ? [`/v1/reports/time-in-stage?model=${model}&as_of=2026-12-31`] : []),
    `/v1/customers/c-7/timeline?model=${model}`,
    `/v1/customers/c-7/stages?model=${model}&as_of=2025-12-31`,
    `/v1/customers/c-7/stages?model=${model}&as_of=2026-12-31`,
  ]);
  for (const question of questions) {
    const answers = await Promise.all([early, late, before].map((service) => service.call('GET', question)));
    t.strictSame(
      answers.map((answer) => answer.status),
      [200, 200, 200],
    );
    const [expected, ...others] = answers.map((answer) => withoutTense(answer.body));
    t.ok(expected?.items.length, question);
    for (const other of others) t.strictSame(other, expected, question);
  }
});

/** Reports whose rows of a period that is over hold nothing that silence can still change. */
const PERIOD_REPORTS = ['customer-flow', 'revenue-movements', 'stage-retention', 'cash-flow', 'loyalty-economics'];

t.test('under any clock a period that is over has the same rows', async (t) => {
  const early = await testService(t, { clock: () => noonOf('2026-06-15') });
  const rng = new Rng(20_260_616);
  const told = randomEvents(rng, { count: 500, customers: 60, today: parseDay('2026-06-15'), days: 800 });
  for (const { route, items } of batches(told, () => 500)) {
    t.equal((await early.call('POST', `/v1/${route}`, { items })).status, 200);
  }
  const late = await testService(t, { clock: () => noonOf('2031-02-03'), connection: early.connection });
  const before = await testService(t, { clock: () => noonOf('2025-01-01'), connection: early.connection });
  const questions = PERIOD_REPORTS.filter((report) => isOffered(report)).map(
    (report) => `${report}?grain=month&from=2024-04&to=2025-01`,
  );
  if (isOffered('stage-moves', 'basis')) questions.push('stage-moves?basis=net&from=2024-07-01&to=2024-10-01');
  for (const question of questions) {
    const [expected, ...others] = await Promise.all(
      [early, late, before].map(async (service) => (await service.call('GET', `/v1/reports/${question}`)).body.items),
    );
    t.ok(expected?.length, question);
    for (const other of others) t.strictSame(other, expected, question);
  }
});

/** Whether the service has a report, with a parameter if one is named. */
function isOffered(report: string, parameter?: string): boolean {
  const found = REPORTS.find(({ definition }) => definition.report === report);
  return found !== undefined && (parameter === undefined || parameter in found.query.properties);
}

/** An answer without the marks that say which days are still to come, and without links: lists are of today. */
function withoutTense(body: { readonly items: readonly Readonly<Record<string, unknown>>[] }) {
  const { projected: _, ...rest } = body as Record<string, unknown> & typeof body;
  return { ...rest, items: body.items.map(({ projected: _, scheduled: __, customers_link: ___, ...row }) => row) };
}
