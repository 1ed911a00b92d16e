import t from 'tap';
import { testService } from '../support/service.ts';

let now = Date.UTC(2021, 0, 6, 12);
const { call } = await testService(t, { clock: () => now });

async function flow(query: string): Promise<string[]> {
  const { status, body, text } = await call('GET', `/v1/reports/customer-flow?${query}`);
  if (status !== 200) throw new Error(`${query}: ${status} ${text}`);
  return (body.items as object[]).map((row) => Object.values(row).map(String).join(' '));
}

const buy = (customer_id: string, ...days: readonly string[]) =>
  days.map((purchased_at) => ({ customer_id, purchase_id: purchased_at, purchased_at, amount: '5' }));

t.test('without customers every period is a row of zeros, and what is not over yet is unknown', async (t) => {
  t.strictSame(await flow('from=2020-11&to=2021-03'), [
    '2020-11 0 0 0 0 0 true',
    '2020-12 0 0 0 0 0 true',
    '2021-01 0 0 0 null 0 false',
    '2021-02 0 0 0 null 0 false',
  ]);
});

t.test('without parameters it is the twelve months that end with the running one, of no model', async (t) => {
  const { body } = await call('GET', '/v1/reports/customer-flow');
  t.match(body, { report: 'customer-flow', model: null, model_version: null, group: null, as_of: '2021-01-06' });
  const periods = (body.items as { period: string }[]).map((row) => row.period);
  t.strictSame([periods.length, periods[0], periods.at(-1)], [12, '2020-02', '2021-01']);
});

t.test('with four customers stored', async (t) => {
  const items = [
    ...buy('ana', '2020-02-28', '2020-02-29', '2020-03-01', '2020-06-30'),
    ...buy('ben', '2020-02-29', '2020-12-31', '2021-01-03', '2021-01-04'),
    ...buy('cai', '2020-12-28', '2021-01-07'),
  ];
  t.equal(
    (await call('POST', '/v1/customers', { items: [{ customer_id: 'ana', groups: ['vip'] }, { customer_id: 'dee' }] }))
      .status,
    200,
  );
  t.equal((await call('POST', '/v1/purchases', { items })).body.summary.invalid, 0);

  await t.test('a leap day belongs to February', async (t) => {
    t.strictSame(await flow('from=2020-02&to=2020-05'), [
      '2020-02 2 0 0 0 2 true',
      '2020-03 0 1 0 1 1 true',
      '2020-04 0 0 0 1 0 true',
    ]);
  });

  await t.test('a week is an ISO week: the 53rd of 2020 ends on 2021-01-03', async (t) => {
    t.strictSame(await flow('grain=week&from=2020-W52&to=2021-W02'), [
      '2020-W52 0 0 0 0 0 true',
      '2020-W53 1 0 1 0 2 true',
      '2021-W01 0 2 0 null 2 false',
    ]);
  });

  await t.test('a period is over on the day after its last one', async (t) => {
    t.strictSame(await flow('from=2020-12&to=2021-02'), ['2020-12 1 0 1 0 2 true', '2021-01 0 2 0 null 2 false']);
    t.strictSame(await flow('grain=quarter&from=2020-Q3&to=2021-Q2'), [
      '2020-Q3 0 0 0 1 0 true',
      '2020-Q4 1 0 1 0 2 true',
      '2021-Q1 0 2 0 null 2 false',
    ]);
    t.strictSame(await flow('grain=year&from=2020&to=2022'), ['2020 3 0 0 0 3 true', '2021 0 2 0 null 2 false']);
  });

  await t.test('a group counts its own customers', async (t) => {
    t.strictSame(await flow('grain=quarter&from=2020-Q1&to=2020-Q4&group=vip'), [
      '2020-Q1 1 0 0 0 1 true',
      '2020-Q2 0 1 0 0 1 true',
      '2020-Q3 0 0 0 1 0 true',
    ]);
  });

  await t.test('a refund in full takes a first purchase back, and a later one makes the customer new', async (t) => {
    const refund = {
      customer_id: 'cai',
      refund_id: 'r',
      purchase_id: '2020-12-28',
      refunded_at: '2021-01-05',
      amount: '5',
    };
    await call('POST', '/v1/refunds', { items: [refund] });
    t.strictSame(await flow('from=2020-12&to=2021-02'), ['2020-12 0 0 1 0 1 true', '2021-01 1 1 0 null 2 false']);
  });
});

t.test('a period is running on its last day, and complete on the next', async (t) => {
  now = Date.UTC(2021, 0, 31, 23, 59);
  t.match(await flow('from=2021-01&to=2021-02'), [/ null \d false$/]);
  now = Date.UTC(2021, 1, 1);
  t.match(await flow('from=2021-01&to=2021-02'), [/ 0 \d true$/]);
});

t.test('what is no period, no range or too many periods is refused', async (t) => {
  const refused = async (query: string): Promise<string> => {
    const { status, body } = await call('GET', `/v1/reports/customer-flow?${query}`);
    return `${status} ${body.errors[0].parameter} ${body.errors[0].code}`;
  };
  t.equal(await refused('from=2020-W02'), '400 from not_a_period');
  t.equal(await refused('grain=week&to=2019-W53'), '400 to not_a_period');
  t.equal(await refused('from=2020-02&to=2020-02'), '400 to invalid_range');
  t.equal(await refused('grain=week&from=2010-W01&to=2020-W01'), '400 to range_too_wide');
  t.equal(await refused('model=lifecycle'), '400 model unknown_field');
});
