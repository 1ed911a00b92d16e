import t from 'tap';
import { compileModel, memoryOfModels } from '../../src/domain/compile-model.ts';
import type { Condition } from '../../src/domain/model.ts';
import { MAX_POINTS } from '../../src/reports/report.ts';
import { stagePopulation } from '../../src/reports/stage-population.ts';
import { date, day, modelOf } from '../support/notation.ts';
import { testService } from '../support/service.ts';

const { call, db, engine } = await testService(t);
const TODAY = day('2025-06-15');
const context = { trx: db, model: engine.plan.models[0]!, group_id: 0, today: TODAY, decimals: 2 };
type Query = Parameters<typeof stagePopulation.read>[1];

/** The rows of an answer. */
async function rowsOf(query: Query, change: Partial<typeof context> = {}): Promise<Record<string, unknown>[]> {
  const answer = await stagePopulation.read({ ...context, ...change }, query);
  if ('code' in answer) throw new Error(`${answer.parameter} ${answer.code}`);
  return answer.items as Record<string, unknown>[];
}

/** Rows with customers or revenue in them, as `as_of stage activity customers revenue`. */
async function stocks(query: Query, change: Partial<typeof context> = {}): Promise<string[]> {
  const rows = await rowsOf(query, change);
  const peopled = rows.filter((row) => row.customers !== 0 || row.revenue !== '0.00');
  return peopled.map(({ customers_link: _, ...row }) => Object.values(row).join(' '));
}
const refused = async (query: Query): Promise<string> => {
  const answer = await stagePopulation.read(context, query);
  return 'code' in answer ? `${answer.parameter} ${answer.code}` : 'answered';
};

t.test('before anything is stored every row is zero', async (t) => {
  const answer = await stagePopulation.read(context, {});
  t.match(answer, { as_of: TODAY, projected: false });
  const rows = await rowsOf({});
  t.strictSame(rows[4], {
    as_of: '2025-06-15',
    stage: 'first_time_buyer',
    activity: 'active',
    customers: 0,
    revenue: '0.00',
    customers_link: '/v1/customers?model=lifecycle&stage=first_time_buyer&activity=active',
  });
  t.strictSame(
    rows.map((row) => `${row.stage} ${row.activity}`),
    ['none', 'active', 'at_risk', 'lapsed']
      .map((activity) => `prospect ${activity}`)
      .concat(
        ['active', 'at_risk', 'lapsed'].map((activity) => `first_time_buyer ${activity}`),
        ['active', 'at_risk', 'lapsed'].map((activity) => `early_repeat_buyer ${activity}`),
        ['active', 'at_risk'].map((activity) => `core_customer ${activity}`),
        ['core_defector lapsed'],
      ),
    'every stage with the activities its rule allows',
  );
});

t.test('with three customers stored', async (t) => {
  // Ana buys in January and March, Ben in February; Cai is only known. Ana and Cai are in the group.
  const buy = (customer_id: string, purchase_id: string, purchased_at: string, amount: string) => ({
    customer_id,
    purchase_id,
    purchased_at,
    amount,
  });
  const items = [
    buy('ana', 'a1', '2025-01-10', '10.50'),
    buy('ben', 'b1', '2025-02-28', '7.00'),
    buy('ana', 'a2', '2025-03-01', '4.50'),
  ];
  t.equal((await call('POST', '/v1/purchases', { items })).status, 200);
  const known = [
    { customer_id: 'cai', known_since: '2025-02-01', groups: ['vip'] },
    { customer_id: 'ana', groups: ['vip'] },
  ];
  t.equal((await call('POST', '/v1/customers', { items: known })).status, 200);

  await t.test(
    'the stock of a day is who stands there at its end, with all they have brought until then',
    async (t) => {
      t.strictSame(await stocks({ as_of: '2025-01-09' }), []);
      t.strictSame(await stocks({ as_of: '2025-01-10' }), ['2025-01-10 first_time_buyer active 1 10.50']);
      t.strictSame(await stocks({ as_of: '2025-02-28' }), [
        '2025-02-28 prospect none 1 0.00',
        '2025-02-28 first_time_buyer active 2 17.50',
      ]);
      t.strictSame(await stocks({ as_of: '2025-03-01' }), [
        '2025-03-01 prospect none 1 0.00',
        '2025-03-01 first_time_buyer active 1 7.00',
        '2025-03-01 early_repeat_buyer active 1 15.00',
      ]);
    },
  );

  await t.test('silence moves customers without any event: today two are at risk', async (t) => {
    t.strictSame(await stocks({}), [
      '2025-06-15 prospect none 1 0.00',
      '2025-06-15 first_time_buyer at_risk 1 7.00',
      '2025-06-15 early_repeat_buyer at_risk 1 15.00',
    ]);
  });

  await t.test('a day to come is answered by what is scheduled, and says so', async (t) => {
    t.match(await stagePopulation.read(context, { as_of: '2025-06-16' }), { projected: true, as_of: TODAY + 1 });
    t.strictSame(await stocks({ as_of: '2199-12-31' }), [
      '2199-12-31 prospect none 1 0.00',
      '2199-12-31 first_time_buyer lapsed 1 7.00',
      '2199-12-31 early_repeat_buyer lapsed 1 15.00',
    ]);
  });

  await t.test('a series has the last day of each step, cut where the range ends', async (t) => {
    t.strictSame(await stocks({ from: '2025-01-20', to: '2025-03-16' }), [
      '2025-01-31 first_time_buyer active 1 10.50',
      '2025-02-28 prospect none 1 0.00',
      '2025-02-28 first_time_buyer active 2 17.50',
      '2025-03-15 prospect none 1 0.00',
      '2025-03-15 first_time_buyer active 1 7.00',
      '2025-03-15 early_repeat_buyer active 1 15.00',
    ]);
    t.match(await stagePopulation.read(context, { from: '2025-01-20', to: '2025-03-16' }), {
      as_of: day('2025-03-15'),
      projected: false,
    });
  });

  await t.test('every point of a series is what a question for that day alone answers', async (t) => {
    for (const interval of ['day', 'week', 'month', 'quarter', 'year'] as const) {
      const series = await stocks({ from: '2024-12-20', to: '2025-09-10', interval });
      const days = [...new Set(series.map((row) => row.slice(0, 10)))];
      const alone = [];
      for (const as_of of days) alone.push(...(await stocks({ as_of })));
      t.strictSame(series, alone, interval);
      t.equal(days.at(-1), '2025-09-09', interval);
    }
  });

  await t.test('a group holds only its own customers, for past days too', async (t) => {
    t.strictSame(await stocks({ as_of: '2025-02-28' }, { group_id: 1 }), [
      '2025-02-28 prospect none 1 0.00',
      '2025-02-28 first_time_buyer active 1 10.50',
    ]);
    t.strictSame(await stocks({ as_of: '2025-02-28' }, { group_id: 9 }), []);
  });

  await t.test('money has the decimals of the currency', async (t) => {
    const rows = await rowsOf({ as_of: '2025-01-10' }, { decimals: 0 });
    t.equal(rows.find((row) => row.customers === 1)?.revenue, '1050');
  });
});

t.test('weeks of a series are ISO weeks, over New Year too', async (t) => {
  const rows = await rowsOf({ from: '2020-12-24', to: '2021-01-13', interval: 'week' });
  const days = new Set(rows.map((row) => row.as_of));
  t.strictSame([...days], ['2020-12-27', '2021-01-03', '2021-01-10', '2021-01-12']);
});

t.test('a day and a series exclude each other', async (t) => {
  t.equal(await refused({ as_of: '2025-01-01', from: '2025-01-01', to: '2025-02-01' }), 'as_of invalid_range');
  t.equal(await refused({ interval: 'week' }), 'interval invalid_range');
  t.equal(await refused({ as_of: '2025-01-01', interval: 'week' }), 'interval invalid_range');
  t.equal(await refused({ from: '2025-01-01' }), 'to invalid_range');
  t.equal(await refused({ to: '2025-01-01' }), 'from invalid_range');
  t.equal(await refused({ from: '2025-01-02', to: '2025-01-02' }), 'to invalid_range');
  t.equal(await refused({ as_of: '2025-02-30' }), 'as_of not_a_day');
});

t.test('a series has at most 400 points', async (t) => {
  const to = (points: number): string => date(day('2024-01-01') + points);
  t.equal(await refused({ from: '2024-01-01', to: to(MAX_POINTS), interval: 'day' }), 'answered');
  t.equal(await refused({ from: '2024-01-01', to: to(MAX_POINTS + 1), interval: 'day' }), 'to range_too_wide');
});

t.test('an answer has at most 10,000 rows, so a large model allows fewer points', async (t) => {
  const rung: Condition = { feature: 'tenure_days', at_least: 1 };
  const large = modelOf(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`s${index}`, rung])));
  const model = compileModel(large, 99, memoryOfModels([large]), 2);
  const series = (points: number): Query => ({
    from: '2024-01-01',
    to: date(day('2024-01-01') + points),
    interval: 'day',
  });
  // 31 stages with 4 activities each: 80 points give 9,920 rows.
  t.equal((await rowsOf(series(80), { model })).length, 9_920);
  const refusal = await stagePopulation.read({ ...context, model }, series(81));
  t.match(refusal, { parameter: 'to', code: 'range_too_wide', detail: /at most 80 points/ });
});
