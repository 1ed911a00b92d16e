import { sql } from 'kysely';
import t from 'tap';
import { cashFlow } from '../../src/reports/cash-flow.ts';
import { MAX_ROWS } from '../../src/reports/report.ts';
import { day } from '../support/notation.ts';
import { testService } from '../support/service.ts';

const { call, db, engine } = await testService(t, { time_zone: 'Europe/Madrid' });
const context = { trx: db, model: engine.plan.models[0]!, group_id: 0, today: day('2025-06-15'), decimals: 2 };
type Query = Parameters<typeof cashFlow.read>[1];

async function rowsOf(query: Query, change: Partial<typeof context> = {}): Promise<string[]> {
  const answer = await cashFlow.read({ ...context, ...change }, query);
  if ('code' in answer) throw new Error(`${answer.parameter} ${answer.code}`);
  return (answer.items as object[]).map((row) => Object.values(row).map(String).join(' '));
}

async function send(path: string, item: object): Promise<void> {
  const { body, text } = await call('POST', `/v1/${path}`, { items: [item] });
  if (body.summary?.created !== 1) throw new Error(text);
}
const buy = (purchase_id: string, purchased_at: string, amount: string, cost = '0') =>
  send('purchases', { customer_id: 'ana', purchase_id, purchased_at, amount, cost });
const refund = (refund_id: string, purchase_id: string, refunded_at: string, amount: string) =>
  send('refunds', { customer_id: 'ana', refund_id, purchase_id, refunded_at, amount });
const spend = (interaction_id: string, occurred_at: string, cost: string) =>
  send('interactions', { customer_id: 'ana', interaction_id, kind: 'contact', occurred_at, cost });

t.test('where no money moved there is no row', async (t) => {
  t.match(await cashFlow.read(context, {}), { items: [], as_of: day('2025-06-15'), projected: false });
});

t.test('money is dated its own day, and belongs to the stage of the eve', async (t) => {
  await spend('i1', '2025-01-05', '1.50');
  await buy('a1', '2025-01-20', '10', '4');
  await buy('a2', '2025-02-01', '30', '12');
  t.strictSame(await rowsOf({ from: '2025-01', to: '2025-03' }), [
    '2025-01 null 0.00 0.00 1.50 -1.50 true',
    '2025-01 prospect 10.00 0.00 4.00 6.00 true',
    '2025-02 first_time_buyer 30.00 0.00 12.00 18.00 true',
  ]);
  await refund('r1', 'a2', '2025-03-10', '30');
  t.strictSame(
    await rowsOf({ from: '2025-02', to: '2025-04' }),
    ['2025-02 first_time_buyer 30.00 0.00 12.00 18.00 true', '2025-03 first_time_buyer 0.00 30.00 0.00 -30.00 true'],
    'a wholly refunded purchase came in on its day, and went out on the day of the refund',
  );
  await refund('r2', 'unknown', '2025-03-11', '5');
  t.strictSame((await rowsOf({ from: '2025-03', to: '2025-04' })).length, 1, 'a refund that waits moved no money');
  await buy('unknown', '2025-03-12', '5');
  t.strictSame(
    await rowsOf({ from: '2025-03', to: '2025-04' }),
    ['2025-03 first_time_buyer 5.00 35.00 0.00 -30.00 true'],
    'its purchase makes it count, on the day of the refund',
  );
  t.equal((await call('DELETE', '/v1/customers/ana/purchases/unknown')).status, 204);
  t.equal((await call('DELETE', '/v1/customers/ana/refunds/r1')).status, 204);
  t.strictSame(await rowsOf({ from: '2025-03', to: '2025-04' }), [], 'what is voided moved none');
});

t.test('days are those of the reporting time zone, over the change to summer time', async (t) => {
  // In Madrid the first is 2025-03-30 at 00:30, the second 2025-03-31 at 23:59, the third 2025-04-01 at 00:00; the weeks part on the 31st.
  await spend('z1', '2025-03-29T23:30:00Z', '1');
  await spend('z2', '2025-03-31T21:59:59Z', '2');
  await spend('z3', '2025-03-31T22:00:00Z', '4');
  t.strictSame(await rowsOf({ from: '2025-03', to: '2025-05' }), [
    '2025-03 early_repeat_buyer 0.00 0.00 3.00 -3.00 true',
    '2025-04 early_repeat_buyer 0.00 0.00 4.00 -4.00 true',
  ]);
  t.strictSame(
    await rowsOf({ from: '2025-03', to: '2025-04' }),
    ['2025-03 early_repeat_buyer 0.00 0.00 3.00 -3.00 true'],
    'the first day after the range is not in it',
  );
  t.strictSame(await rowsOf({ grain: 'week', from: '2025-W13', to: '2025-W15' }), [
    '2025-W13 early_repeat_buyer 0.00 0.00 1.00 -1.00 true',
    '2025-W14 early_repeat_buyer 0.00 0.00 6.00 -6.00 true',
  ]);
  t.strictSame(await rowsOf({ grain: 'quarter', from: '2025-Q2', to: '2025-Q4' }), [
    '2025-Q2 early_repeat_buyer 0.00 0.00 4.00 -4.00 false',
  ]);
});

t.test('a leap day belongs to its month and year', async (t) => {
  await spend('l1', '2024-02-29', '7');
  t.strictSame(await rowsOf({ from: '2024-02', to: '2024-03' }), ['2024-02 null 0.00 0.00 7.00 -7.00 true']);
  t.equal((await rowsOf({ from: '2024-03', to: '2024-04' })).length, 0);
  t.strictSame(await rowsOf({ grain: 'year', from: '2024', to: '2025' }), ['2024 null 0.00 0.00 7.00 -7.00 true']);
});

t.test('the running period holds what is stored of it, tomorrow included', async (t) => {
  await spend('n1', '2025-06-16', '3');
  t.strictSame((await rowsOf({})).at(-1), '2025-06 early_repeat_buyer 0.00 0.00 3.00 -3.00 false');
  t.strictSame(
    (await rowsOf({}, { today: day('2025-07-01') })).at(-1),
    '2025-06 early_repeat_buyer 0.00 0.00 3.00 -3.00 true',
  );
});

t.test('a wrong range is refused, an unknown group too', async (t) => {
  t.match(await cashFlow.read(context, { to: '2025' }), { parameter: 'to', code: 'not_a_period' });
  t.match((await call('GET', '/v1/reports/cash-flow?group=nobody')).body, { code: 'unknown_group' });
});

t.test('an answer has at most 10,000 rows', async (t) => {
  const stages = Array.from({ length: 31 }, (_, index) => ({ ...context.model.model.stages[0]!, stage: `s${index}` }));
  const model = { ...context.model, version: 99, model: { ...context.model.model, stages } };
  await sql`insert into rollup_cash_flow
    select 99, 0, ${day('2018-01-01')}::int + 7 * week, stage, 1, 0, 0
    from generate_series(0, 399) as week, generate_series(0, 24) as stage`.execute(db);
  const query = { grain: 'week', from: '2018-W01', to: '2025-W36' } as const;
  t.equal((await rowsOf(query, { model })).length, MAX_ROWS);
  await sql`insert into rollup_cash_flow values (99, 0, ${day('2018-01-01')}, 25, 1, 0, 0)`.execute(db);
  t.match(await cashFlow.read({ ...context, model }, query), { parameter: 'to', code: 'range_too_wide' });
});
