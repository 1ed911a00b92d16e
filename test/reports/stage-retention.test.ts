import { sql } from 'kysely';
import t from 'tap';
import { stageRetention } from '../../src/reports/stage-retention.ts';
import { day } from '../support/notation.ts';
import { testService } from '../support/service.ts';

const { call, db, engine } = await testService(t);
const context = { trx: db, model: engine.plan.models[0]!, group_id: 0, today: day('2025-06-15'), decimals: 2 };
type Query = Parameters<typeof stageRetention.read>[1];

async function answerTo(query: Query, change: Partial<typeof context> = {}) {
  const answer = await stageRetention.read({ ...context, ...change }, query);
  if ('code' in answer) throw new Error(`${answer.parameter} ${answer.code}`);
  return { ...answer, rows: (answer.items as object[]).map((row) => Object.values(row).map(String).join(' ')) };
}

async function send(path: string, ...items: readonly object[]): Promise<void> {
  const { body, text } = await call('POST', `/v1/${path}`, { items });
  if (body.summary?.created !== items.length) throw new Error(text);
}
const buy = (customer_id: string, purchase_id: string, purchased_at: string, amount: string) =>
  send('purchases', { customer_id, purchase_id, purchased_at, amount });
const say = (customer_id: string, kind: string, occurred_at: string, more: object) =>
  send('interactions', { customer_id, interaction_id: `${kind} ${occurred_at}`, kind, occurred_at, ...more });

t.test('a period in which nobody is known has no row', async (t) => {
  const { items, as_of, projected } = await answerTo({});
  t.strictSame([items, as_of, projected], [[], day('2025-06-15'), false]);
});

t.test('with three customers stored', async (t) => {
  // Ana is known and buys twice in January and once in February; Ben buys in January and leaves in February; Cai buys and leaves on one day.
  await send('customers', { customer_id: 'ana', known_since: '2024-12-10', groups: ['vip'] });
  await buy('ana', 'a1', '2025-01-10', '10');
  await buy('ana', 'a2', '2025-01-10', '5');
  await buy('ben', 'b1', '2025-01-20', '7');
  await buy('ana', 'a3', '2025-02-03', '20');
  await say('ben', 'survey', '2025-02-10', { score: 9 });
  await say('ben', 'survey', '2025-02-11', { score: 6 });
  await say('ben', 'departure', '2025-02-15', { reason: 'price' });
  await buy('cai', 'c1', '2025-02-28', '4');
  await say('cai', 'departure', '2025-02-28', { reason: 'other' });

  await t.test('every customer counts where they stood on the eve, and without stage if nowhere', async (t) => {
    const { rows } = await answerTo({ from: '2025-01', to: '2025-04' });
    t.strictSame(rows, [
      '2025-01 prospect none 1 1 1 0 0 2 1 15.00 7.5 2 0 null true',
      '2025-01 null null 1 1 1 0 0 1 1 7.00 7 1 0 null true',
      '2025-02 first_time_buyer active 2 1 0.5 1 0.5 1 1 20.00 20 1 2 7.5 true',
      '2025-02 null null 1 1 1 1 1 1 1 4.00 4 1 0 null true',
      '2025-03 first_time_buyer lapsed 2 0 0 2 1 0 0 0.00 null null 0 null true',
      '2025-03 early_repeat_buyer active 1 0 0 0 0 0 0 0.00 null null 0 null true',
    ]);
  });

  await t.test('what silence could still change is null until the period is over', async (t) => {
    const running = { from: '2025-02', to: '2025-03' };
    t.strictSame((await answerTo(running, { today: day('2025-02-28') })).rows, [
      '2025-02 first_time_buyer active 2 1 null null null 1 1 20.00 20 1 2 7.5 false',
      '2025-02 null null 1 1 null null null 1 1 4.00 4 1 0 null false',
    ]);
    t.match((await answerTo(running, { today: day('2025-03-01') })).rows[0], / 2 1 0\.5 1 0\.5 .* true$/);
  });

  await t.test('the last twelve periods are answered, the running one included', async (t) => {
    const { rows, as_of } = await answerTo({});
    t.equal(as_of, day('2025-06-15'));
    t.equal(rows[0], '2024-12 null null 1 0 0 0 0 0 0 0.00 null null 0 null true');
    t.strictSame(rows.slice(-2), [
      '2025-06 first_time_buyer lapsed 2 0 null null null 0 0 0.00 null null 0 null false',
      '2025-06 early_repeat_buyer at_risk 1 0 null null null 0 0 0.00 null null 0 null false',
    ]);
  });

  await t.test('of a period to come the scheduled eve is shown, and the answer says so', async (t) => {
    const { rows, as_of, projected } = await answerTo({ from: '2025-09', to: '2025-10' });
    t.strictSame([as_of, projected], [day('2025-09-30'), true]);
    t.strictSame(rows, [
      '2025-09 first_time_buyer lapsed 2 0 null null null 0 0 0.00 null null 0 null false',
      '2025-09 early_repeat_buyer lapsed 1 0 null null null 0 0 0.00 null null 0 null false',
    ]);
    t.equal((await answerTo({ from: '2025-06', to: '2025-07' })).projected, false);
  });

  await t.test('each grain has its own eve', async (t) => {
    t.strictSame((await answerTo({ grain: 'week', from: '2025-W06', to: '2025-W07' })).rows, [
      '2025-W06 first_time_buyer active 2 1 0.5 0 0 1 1 20.00 20 1 0 null true',
    ]);
    t.strictSame((await answerTo({ grain: 'quarter', from: '2025-Q1', to: '2025-Q2' })).rows, [
      '2025-Q1 prospect none 1 1 1 0 0 3 2 35.00 11.666666666666666 3 0 null true',
      '2025-Q1 null null 2 2 1 2 1 2 2 11.00 5.5 1 2 7.5 true',
    ]);
    t.strictSame((await answerTo({ grain: 'year', from: '2024', to: '2025' })).rows, [
      '2024 null null 1 0 0 0 0 0 0 0.00 null null 0 null true',
    ]);
  });

  await t.test('a group holds only its own customers', async (t) => {
    t.strictSame((await answerTo({ from: '2025-02', to: '2025-03' }, { group_id: 1 })).rows, [
      '2025-02 first_time_buyer active 1 1 1 0 0 1 1 20.00 20 1 0 null true',
    ]);
  });

  await t.test('a later refund takes revenue and purchase from the day of the purchase', async (t) => {
    await send('refunds', {
      customer_id: 'ana',
      refund_id: 'r1',
      purchase_id: 'a3',
      refunded_at: '2025-03-20',
      amount: '25',
    });
    const { rows } = await answerTo({ from: '2025-02', to: '2025-04' });
    t.equal(rows[0], '2025-02 first_time_buyer active 2 0 0 1 0.5 0 0 -5.00 null null 2 7.5 true');
    t.match(rows[2], /^2025-03 first_time_buyer active 1 0 0 0 0 0 0 0\.00/);
    t.equal((await call('DELETE', '/v1/customers/ana/refunds/r1')).status, 204);
    t.match((await answerTo({ from: '2025-02', to: '2025-03' })).rows[0], / 2 1 0\.5 1 0\.5 1 1 20\.00 /);
  });

  await t.test('a customer whose only event is void stays known, and did nothing', async (t) => {
    t.equal((await call('DELETE', '/v1/customers/cai/purchases/c1')).status, 204);
    t.equal(
      (await answerTo({ from: '2025-02', to: '2025-03' })).rows[1],
      '2025-02 null null 1 0 0 0 0 0 0 0.00 null null 0 null true',
    );
  });
});

t.test('a wrong range is refused', async (t) => {
  t.match(await stageRetention.read(context, { from: '2025-02-30' }), { parameter: 'from', code: 'not_a_period' });
  const { status, body } = await call('GET', '/v1/reports/stage-retention?from=2025-03&to=2025-03');
  t.match([status, body.errors[0]], [400, { parameter: 'to', code: 'invalid_range' }]);
});

t.test('an answer has at most 10,000 rows, so a large model allows fewer periods', async (t) => {
  const stages = Array.from({ length: 31 }, (_, index) => ({ ...context.model.model.stages[0]!, stage: `s${index}` }));
  const model = { ...context.model, version: 99, model: { ...context.model.model, stages } };
  await sql`insert into rollup_stage_moves
    select 99, 0, 1, ${day('2000-01-01')}::int, 0, position, 1, 0 from generate_series(1, 124) as position`.execute(db);
  // 124 rows a period: 80 periods give 9,920.
  t.equal((await answerTo({ from: '2010-01', to: '2016-09' }, { model })).items.length, 9_920);
  const refused = await stageRetention.read({ ...context, model }, { from: '2010-01', to: '2016-10' });
  t.match(refused, { parameter: 'to', code: 'range_too_wide' });
});
