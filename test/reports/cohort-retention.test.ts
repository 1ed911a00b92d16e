import t from 'tap';
import { cohortRetention } from '../../src/reports/cohort-retention.ts';
import { Rng } from '../oracle/rng.ts';
import { date, day } from '../support/notation.ts';
import { type TestService, testService } from '../support/service.ts';
import { type PlainDay, plainDays, randomLife, seedOf, send, tell } from './random-shop.ts';

type Row = Readonly<Record<'cohort' | 'revenue' | 'profit', string>> &
  Readonly<Record<'age' | 'customers' | 'retained' | 'purchases' | 'purchase_days', number>> & {
    readonly retention: number | null;
    readonly complete: boolean;
  };

/** The rows of an answer. */
async function rowsOf({ call }: TestService, query = ''): Promise<Row[]> {
  const { status, body, text } = await call('GET', `/v1/reports/cohort-retention?${query}`);
  if (status !== 200) throw new Error(text);
  return body.items;
}

/** A row as one line. */
const line = (row: Row): string => Object.values(row).join(' ');

const buy = (customer_id: string, purchased_at: string, amount = '5', rest: object = {}) => ({
  customer_id,
  purchase_id: `${purchased_at}-${amount}`,
  purchased_at,
  amount,
  ...rest,
});

t.test('without customers every cohort of the last twelve months is empty at every age', async (t) => {
  const service = await testService(t, { clock: () => Date.UTC(2025, 5, 15) });
  const { body } = await service.call('GET', '/v1/reports/cohort-retention');
  t.match(body, { report: 'cohort-retention', model: null, model_version: null, as_of: '2025-06-15' });
  t.notOk('projected' in body);
  const items = body.items as Row[];
  t.equal(items.length, (12 * 13) / 2);
  t.equal(line(items[0]!), '2024-07 0 0 0  0 0 0.00 0.00 true');
  t.equal(line(items[11]!), '2024-07 11 0 0  0 0 0.00 0.00 false');
  t.equal(line(items.at(-1)!), '2025-06 0 0 0  0 0 0.00 0.00 false');
  const context = {
    trx: service.db,
    model: service.engine.plan.models[0]!,
    group_id: 0,
    today: day('2025-06-15'),
    decimals: 2,
  };
  t.strictSame(
    await cohortRetention.read(context, {}),
    { as_of: day('2025-06-15'), projected: false, items },
    'as read',
  );
});

t.test('with four customers stored', async (t) => {
  let today = '2025-06-15';
  const service = await testService(t, { clock: () => Date.parse(`${today}T12:00:00Z`) });
  // Ana buys in January, twice in February, and in April; Ben in January alone; Cai for the first time in March; Dee never.
  await send(service.call, 'customers', [{ customer_id: 'ana', groups: ['vip'] }]);
  await send(service.call, 'purchases', [
    buy('ana', '2025-01-31', '10.00', { cost: '4.00' }),
    buy('ana', '2025-02-01', '2.50'),
    buy('ana', '2025-02-28', '2.50', { cost: '3.00' }),
    buy('ana', '2025-04-30', '1.00'),
    buy('ben', '2025-01-02', '7.00'),
    buy('ben', '2025-01-02', '8.00'),
    buy('cai', '2025-03-10', '3.00'),
  ]);
  await send(service.call, 'interactions', [
    { customer_id: 'cai', interaction_id: 'i1', occurred_at: '2024-11-01', kind: 'contact', cost: '1.25' },
    { customer_id: 'dee', interaction_id: 'i1', occurred_at: '2025-01-15', kind: 'contact', cost: '99.00' },
    { customer_id: 'ben', interaction_id: 'i1', occurred_at: '2025-05-01', kind: 'contact', cost: '0.75' },
  ]);
  await send(service.call, 'refunds', [
    { customer_id: 'ana', refund_id: 'r1', purchase_id: '2025-04-30-1.00', refunded_at: '2025-05-02', amount: '0.40' },
  ]);

  await t.test('a row says who came back at each age, and what they brought', async (t) => {
    t.strictSame((await rowsOf(service, 'from=2025-01&to=2025-04')).map(line), [
      '2025-01 0 2 2 1 3 2 25.00 21.00 true',
      '2025-01 1 2 1 0.5 2 2 5.00 2.00 true',
      '2025-01 2 2 0 0 0 0 0.00 0.00 true',
      '2025-01 3 2 1 0.5 1 1 0.60 0.60 true',
      '2025-01 4 2 0 0 0 0 0.00 -0.75 true',
      '2025-01 5 2 0  0 0 0.00 0.00 false',
      '2025-02 0 0 0  0 0 0.00 0.00 true',
      '2025-02 1 0 0  0 0 0.00 0.00 true',
      '2025-02 2 0 0  0 0 0.00 0.00 true',
      '2025-02 3 0 0  0 0 0.00 0.00 true',
      '2025-02 4 0 0  0 0 0.00 0.00 false',
      '2025-03 0 1 1 1 1 1 3.00 1.75 true',
      '2025-03 1 1 0 0 0 0 0.00 0.00 true',
      '2025-03 2 1 0 0 0 0 0.00 0.00 true',
      '2025-03 3 1 0  0 0 0.00 0.00 false',
    ]);
  });

  await t.test(
    'on or after: whoever buys later still is retained in the months between; money stays the month’s own',
    async (t) => {
      const rows = await rowsOf(service, 'from=2025-01&to=2025-02&basis=on_or_after');
      t.strictSame(
        rows.map(({ age, retained, retention, revenue }) => [age, retained, retention, revenue]),
        [
          [0, 2, 1, '25.00'],
          [1, 1, 0.5, '5.00'],
          [2, 1, 0.5, '0.00'],
          [3, 1, 0.5, '0.60'],
          [4, 0, 0, '0.00'],
          [5, 0, null, '0.00'],
        ],
      );
      t.strictSame(
        await rowsOf(service, 'from=2025-01&to=2025-02&basis=on'),
        await rowsOf(service, 'from=2025-01&to=2025-02'),
      );
    },
  );

  await t.test('a group has cohorts of its own members', async (t) => {
    const rows = await rowsOf(service, 'from=2025-01&to=2025-02&group=vip');
    t.strictSame(
      rows.map(({ customers, retained, revenue }) => [customers, retained, revenue]),
      [
        [1, 1, '10.00'],
        [1, 1, '5.00'],
        [1, 0, '0.00'],
        [1, 1, '0.60'],
        [1, 0, '0.00'],
        [1, 0, '0.00'],
      ],
    );
    const { status, body } = await service.call('GET', '/v1/reports/cohort-retention?group=nobody');
    t.equal(status, 400);
    t.equal(body.code, 'unknown_group');
  });

  await t.test('a period is over once its last day is past', async (t) => {
    const completeAt = async (on: string): Promise<boolean[]> => {
      today = on;
      const rows = await rowsOf(service, 'from=2025-01&to=2025-02');
      for (const { complete, retention } of rows) t.equal(retention !== null, complete);
      return rows.map(({ complete }) => complete);
    };
    t.strictSame(await completeAt('2025-03-31'), [true, true, false]);
    t.strictSame(await completeAt('2025-04-01'), [true, true, true, false]);
    t.strictSame(await completeAt('2025-01-31'), [false], 'later ages have not begun');
    t.strictSame(await completeAt('2024-12-31'), [], 'nor has the cohort');
    today = '2025-06-15';
  });

  await t.test('a purchase of tomorrow in the next period keeps its buyer on or after every age shown', async (t) => {
    today = '2025-06-30';
    await send(service.call, 'purchases', [
      buy('ben', '2025-06-30'),
      buy('eve', '2025-06-01'),
      buy('eve', '2025-07-01'),
    ]);
    const rows = await rowsOf(service, 'from=2025-06&to=2025-07&basis=on_or_after');
    t.strictSame(rows.map(line), ['2025-06 0 1 1  1 1 5.00 5.00 false']);
    t.strictSame(
      (await rowsOf(service, 'from=2025-01&to=2025-02&basis=on_or_after')).map(({ retained }) => retained),
      [2, 2, 2, 2, 1, 1],
      'ben bought on the last day',
    );
  });
});

t.test('weeks run over New Year, week 53 included, and years over leap days', async (t) => {
  const service = await testService(t, { clock: () => Date.UTC(2021, 0, 20) });
  await send(service.call, 'purchases', [
    buy('ana', '2020-12-31'),
    buy('ana', '2021-01-03', '6'),
    buy('ana', '2021-01-04'),
    buy('leo', '2020-02-29'),
    buy('leo', '2021-01-01'),
  ]);
  t.strictSame((await rowsOf(service, 'grain=week&from=2020-W53&to=2021-W02')).map(line), [
    '2020-W53 0 1 1 1 2 2 11.00 11.00 true',
    '2020-W53 1 1 1 1 1 1 5.00 5.00 true',
    '2020-W53 2 1 0 0 0 0 0.00 0.00 true',
    '2020-W53 3 1 0  0 0 0.00 0.00 false',
    '2021-W01 0 0 0  0 0 0.00 0.00 true',
    '2021-W01 1 0 0  0 0 0.00 0.00 true',
    '2021-W01 2 0 0  0 0 0.00 0.00 false',
  ]);
  t.strictSame((await rowsOf(service, 'grain=year&from=2020')).map(line), [
    '2020 0 2 2 1 2 2 10.00 10.00 true',
    '2020 1 2 2  3 3 16.00 16.00 false',
    '2021 0 0 0  0 0 0.00 0.00 false',
  ]);
  t.match(await rowsOf(service, 'grain=month&from=2020-02&to=2020-03'), [{ cohort: '2020-02', age: 0, customers: 1 }]);
  t.match(await rowsOf(service, 'grain=quarter&from=2020-Q1&to=2020-Q2'), {
    4: { age: 4, retained: 1, retention: null },
  });
});

t.test('what would be too long an answer is refused', async (t) => {
  const service = await testService(t);
  const context = {
    trx: service.db,
    model: service.engine.plan.models[0]!,
    group_id: 0,
    today: day('2026-06-15'),
    decimals: 2,
  };
  const read = async (query: Parameters<typeof cohortRetention.read>[1]) => {
    const answer = await cohortRetention.read(context, query);
    return 'code' in answer ? `${answer.parameter} ${answer.code}` : answer.items.length;
  };
  t.equal(await read({ grain: 'week', from: '2025-W01', to: '2026-W01' }), ((77 + 26) / 2) * 52, 'a year of weeks');
  t.equal(
    await read({ grain: 'week', from: '2020-W01', to: '2021-W01' }),
    'from range_too_wide',
    '53 cohorts, 16,536 rows',
  );
  t.equal(await read({ grain: 'week', from: '2025-06-16' }), (53 * 54) / 2, '53 weekly cohorts');
  t.equal(await read({ grain: 'week', from: '2025-06-09' }), 'from range_too_wide', '54');
  t.equal(await read({ from: '2014-11' }), (140 * 141) / 2, '140 monthly cohorts: 9,870 rows');
  t.equal(await read({ from: '2014-10' }), 'from range_too_wide', '141: 10,011');
  t.equal(await read({ from: '2030-01', to: '2040-01' }), 0, 'cohorts to come have no rows yet');
  t.equal(await read({ grain: 'year', from: '1900' }), (127 * 128) / 2);
  t.equal(await read({ from: '2025-W01' }), 'from not_a_period');
  const { status, body } = await service.call('GET', '/v1/reports/cohort-retention?grain=week&from=2024-W01');
  t.equal(status, 400);
  t.equal(body.code, 'range_too_wide');
  t.match(body.errors, [{ parameter: 'from', detail: /53 weekly cohorts/ }]);
});

/** What a day's period is called, written down a second time. */
function named(on: number, grain: string): string {
  const text = date(on);
  if (grain === 'year') return text.slice(0, 4);
  if (grain === 'month') return text.slice(0, 7);
  if (grain === 'quarter') return `${text.slice(0, 4)}-Q${Math.floor((Number(text.slice(5, 7)) + 2) / 3)}`;
  const thursday = on + 3 - ((new Date(on * 86_400_000).getUTCDay() + 6) % 7);
  const year = date(thursday).slice(0, 4);
  return `${year}-W${String(Math.floor((thursday - day(`${year}-01-01`)) / 7) + 1).padStart(2, '0')}`;
}

/** What one customer did, day by day. */
type Life = readonly (readonly [on: number, did: PlainDay])[];

/** One row of the report, every customer looked at by itself. */
function naiveRow(
  people: readonly Life[],
  grain: string,
  basis: string,
  periods: readonly string[],
  at: [number, number],
): Row {
  const [cohort, period] = [periods[at[0]]!, periods[at[0] + at[1]]!];
  const row = { customers: 0, retained: 0, purchases: 0, purchase_days: 0, revenue: 0, costs: 0 };
  for (const days of people) {
    const bought = days.filter(([, { purchases }]) => purchases > 0).map(([on]) => on);
    const [first] = bought;
    if (first === undefined || named(first, grain) !== cohort) continue;
    row.customers += 1;
    // Names of one length sort as the periods do.
    const stays = (on: number): boolean => named(on, grain) === period || (basis !== 'on' && named(on, grain) > period);
    if (bought.some(stays)) row.retained += 1;
    for (const [on, { purchases, revenue, costs }] of days) {
      if (named(Math.max(on, first), grain) !== period) continue;
      row.purchases += purchases;
      row.purchase_days += purchases > 0 ? 1 : 0;
      row.revenue += revenue;
      row.costs += costs;
    }
  }
  const { customers, retained, purchases, purchase_days, revenue, costs } = row;
  const complete = period !== periods.at(-1);
  return {
    cohort,
    age: at[1],
    customers,
    retained,
    retention: complete && customers > 0 ? retained / customers : null,
    purchases,
    purchase_days,
    revenue: (revenue / 100).toFixed(2),
    profit: ((revenue - costs) / 100).toFixed(2),
    complete,
  };
}

/** The sums of all buyers: purchases, purchase days, cents of revenue. */
function sumsOfBuyers(people: readonly Life[]): number[] {
  const buyers = people.filter((days) => days.some(([, { purchases }]) => purchases > 0));
  const days = buyers.flat().map(([, did]) => did);
  const sum = (of: (one: (typeof days)[number]) => number): number => days.reduce((total, one) => total + of(one), 0);
  return [sum((one) => one.purchases), sum((one) => Number(one.purchases > 0)), sum((one) => one.revenue)];
}

const SEED = seedOf();
t.test(`rows of random customers are those of the definition (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  const [first, today] = [day('2025-06-16'), day('2026-06-15')];
  const service = await testService(t);
  const lives = Array.from({ length: 50 }, () => randomLife(rng, date(first), today - first + 1));
  await tell(service, new Map(lives.map((life, index) => [`c${index}`, life])));
  const people = lives.map((life) => [...plainDays(life)]);
  for (const grain of ['week', 'month', 'quarter', 'year']) {
    const periods = [...new Set(Array.from({ length: today - first + 1 }, (_, index) => named(first + index, grain)))];
    const answers = [];
    for (const basis of ['on', 'on_or_after']) {
      const rows = await rowsOf(service, `grain=${grain}&from=${periods[0]}&basis=${basis}`);
      const wanted = periods.flatMap((_, cohort) =>
        periods.slice(cohort).map((_, age) => naiveRow(people, grain, basis, periods, [cohort, age])),
      );
      t.strictSame(rows, wanted, `${grain}, ${basis}`);
      answers.push(rows);
    }
    const [on = [], after = []] = answers;
    t.ok(
      on.every(({ retained }, index) => retained <= after[index]!.retained),
      'on is never more than on or after',
    );
    const sum = (of: (row: Row) => number): number => on.reduce((total, row) => total + of(row), 0);
    t.strictSame(
      [
        sum((row) => row.purchases),
        sum((row) => row.purchase_days),
        sum((row) => Math.round(Number(row.revenue) * 100)),
      ],
      sumsOfBuyers(people),
      `${grain}: cohorts add up to what all buyers bought and brought`,
    );
  }
});
