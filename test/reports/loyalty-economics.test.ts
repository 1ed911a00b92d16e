import t from 'tap';
import { testService } from '../support/service.ts';

const { call } = await testService(t, { clock: () => Date.UTC(2025, 5, 15, 12) });

async function answer(query: string) {
  const { status, body, text } = await call('GET', `/v1/reports/loyalty-economics?${query}`);
  if (status !== 200) throw new Error(`${query}: ${status} ${text}`);
  return body;
}

/** The only row of a period. */
const row = async (query: string) => (await answer(query)).items[0];
const near = (found: number, wanted: number): boolean => Math.abs(found - wanted) < 1e-9;

t.test('without customers every figure is undefined', async (t) => {
  t.strictSame(await row('from=2024&to=2025'), {
    period: '2024',
    buyers: 0,
    buyers_before: 0,
    new_buyers: 0,
    returning_buyers: 0,
    reactivated_buyers: 0,
    revenue: '0.00',
    existing_revenue: '0.00',
    existing_share: null,
    acquisition_cost: '0.00',
    acquisition_cost_each: null,
    retention_cost: '0.00',
    retention_cost_each: null,
    cost_ratio: null,
    retention: null,
    profit: '0.00',
    margin: null,
    margin_now: null,
    profit_change_5_points: null,
    profit_change_5_points_after_acquisition: null,
    complete: true,
  });
});

t.test(
  'without parameters it is the twelve years that end with the running one, at a discount of a tenth',
  async (t) => {
    const { items, discount_rate, period_discount_rate, model } = await answer('');
    t.strictSame([items.length, items[0].period, items[11].period, items[11].complete], [12, '2014', '2025', false]);
    t.strictSame([discount_rate, near(period_discount_rate, 0.1), model], [0.1, true, null]);
  },
);

t.test('beside it stand the figures that everybody quotes', async (t) => {
  const { folk_figures } = await answer('');
  t.match(folk_figures, [
    { figure: 'existing_share', value: 0.65, low: null, high: null },
    { figure: 'cost_ratio', value: 5, low: null, high: null },
    { figure: 'profit_change_5_points', value: null, low: 0.25, high: 0.85 },
  ]);
  t.equal(folk_figures.length, 3);
});

t.test('with six customers stored', async (t) => {
  const buy = (customer_id: string, purchased_at: string, amount: string, cost = '0') => ({
    customer_id,
    purchase_id: purchased_at,
    purchased_at,
    amount,
    cost,
  });
  const talk = (customer_id: string, occurred_at: string, cost: string) => ({
    customer_id,
    interaction_id: occurred_at,
    occurred_at,
    kind: 'contact',
    cost,
  });
  const purchases = [
    ...['a', 'b', 'c', 'd', 'e'].map((id) => buy(id, '2023-05-05', '100')),
    ...['a', 'b', 'c', 'd'].map((id) => buy(id, '2024-05-05', '150', '40')),
    buy('new', '2024-07-01', '200', '50'),
    buy('a', '2025-01-05', '10'),
  ];
  const interactions = [
    // Before and on the day of the first purchase, and with somebody who never buys: 30 + 20 + 10 for one new buyer.
    talk('new', '2024-02-29', '30'),
    talk('new', '2024-07-01', '20'),
    talk('never', '2024-12-31', '10'),
    // After it: 2 + 6 for four who bought before; the one to a customer who bought no more counts too.
    talk('a', '2024-01-01', '2'),
    talk('e', '2024-11-11', '6'),
    talk('new', '2025-01-01', '1'),
  ];
  await call('POST', '/v1/customers', { items: [{ customer_id: 'new', groups: ['vip'] }] });
  t.equal((await call('POST', '/v1/purchases', { items: purchases })).body.summary.created, 11);
  t.equal((await call('POST', '/v1/interactions', { items: interactions })).body.summary.created, 6);

  await t.test('a year is what its buyers brought and cost', async (t) => {
    const { margin_now, profit_change_5_points, profit_change_5_points_after_acquisition, ...rest } =
      await row('from=2024&to=2025');
    t.strictSame(rest, {
      period: '2024',
      buyers: 5,
      buyers_before: 5,
      new_buyers: 1,
      returning_buyers: 4,
      reactivated_buyers: 0,
      revenue: '800.00',
      existing_revenue: '600.00',
      existing_share: 0.75,
      acquisition_cost: '60.00',
      acquisition_cost_each: 60,
      retention_cost: '8.00',
      retention_cost_each: 2,
      cost_ratio: 30,
      retention: 0.8,
      // 800 − 4 · 40 − 50 − 68
      profit: '522.00',
      margin: 104.4,
      complete: true,
    });
    // V = 104.4 · 1.1 / .3 = 382.8, and 104.4 · 1.1 / .25 = 459.36 with five points more.
    t.ok(near(margin_now, 382.8), String(margin_now));
    t.ok(near(profit_change_5_points, 0.2), String(profit_change_5_points));
    t.ok(near(profit_change_5_points_after_acquisition, (459.36 - 60) / (382.8 - 60) - 1));
  });

  await t.test('a running year has what is in it already, and nothing that rests on retention', async (t) => {
    t.match(await row('from=2025&to=2026'), {
      buyers: 1,
      buyers_before: 5,
      returning_buyers: 1,
      existing_share: 1,
      retention_cost: '1.00',
      retention_cost_each: 1,
      acquisition_cost_each: null,
      margin: 9,
      retention: null,
      margin_now: null,
      profit_change_5_points: null,
      profit_change_5_points_after_acquisition: null,
      complete: false,
    });
  });

  await t.test('costs that are given replace those that are stored', async (t) => {
    const given = await row('from=2024&to=2025&acquisition_cost=82.80&retention_cost=13.8');
    t.match(given, { acquisition_cost: '60.00', acquisition_cost_each: 82.8, retention_cost: '8.00' });
    t.match(given, { retention_cost_each: 13.8 });
    t.ok(near(given.cost_ratio, 6));
    t.ok(near(given.profit_change_5_points_after_acquisition, (459.36 - 82.8) / 300 - 1));
    t.match(await row('from=2024&to=2025&retention_cost=0'), { retention_cost_each: 0, cost_ratio: null });
    const dear = await row('from=2024&to=2025&acquisition_cost=382.81');
    t.match(dear, { profit_change_5_points_after_acquisition: null }, 'not worth winning');
    t.match(await row('from=2025&to=2026&acquisition_cost=7'), { acquisition_cost_each: 7, cost_ratio: 7 });
  });

  await t.test('without a discount a customer is worth what they bring until they leave', async (t) => {
    const free = await row('from=2024&to=2025&discount_rate=0');
    t.ok(near(free.margin_now, 522), String(free.margin_now));
    const { period_discount_rate, discount_rate } = await answer(
      'grain=month&from=2024-05&to=2024-06&discount_rate=10',
    );
    t.ok(near((1 + period_discount_rate) ** 12, 11));
    t.equal(discount_rate, 10);
  });

  await t.test('a month counts what is dated in it', async (t) => {
    t.match(await row('grain=month&from=2024-02&to=2024-03'), { acquisition_cost: '30.00', buyers: 0, margin: null });
    t.match(await row('grain=week&from=2024-W01&to=2024-W02'), { retention_cost: '2.00', profit: '-2.00' });
    const quarters = (await answer('grain=quarter&from=2024-Q1&to=2025-Q2')).items;
    const money = quarters.map((quarter: Record<string, string>) => `${quarter.acquisition_cost} ${quarter.profit}`);
    t.strictSame(money, ['30.00 -32.00', '0.00 440.00', '20.00 130.00', '10.00 -16.00', '0.00 9.00']);
  });

  await t.test('a group has its own economics', async (t) => {
    t.match(await row('from=2024&to=2025&group=vip'), {
      buyers: 1,
      revenue: '200.00',
      existing_share: 0,
      acquisition_cost: '50.00',
      retention_cost: '0.00',
      retention: null,
    });
  });

  await t.test('refunds above the price leave no share where revenue is not above zero', async (t) => {
    const refund = {
      customer_id: 'a',
      refund_id: 'r',
      purchase_id: '2025-01-05',
      refunded_at: '2025-02-01',
      amount: '25',
    };
    await call('POST', '/v1/refunds', { items: [refund] });
    t.match(await row('from=2025&to=2026'), {
      revenue: '-15.00',
      existing_revenue: '-15.00',
      existing_share: null,
      buyers: 0,
    });
  });
});

t.test('parameters out of bounds are refused by name', async (t) => {
  const refused = async (query: string): Promise<string> => {
    const { status, body } = await call('GET', `/v1/reports/loyalty-economics?${query}`);
    return `${status} ${body.errors[0].parameter} ${body.errors[0].code}`;
  };
  t.equal(await refused('acquisition_cost=-1'), '400 acquisition_cost wrong_format');
  t.equal(await refused('acquisition_cost=1.005'), '400 acquisition_cost invalid_value');
  t.equal(await refused('retention_cost=1e3'), '400 retention_cost wrong_format');
  t.equal(await refused('retention_cost=99999999999999'), '400 retention_cost invalid_value');
  t.equal(await refused('discount_rate=-0.1'), '400 discount_rate out_of_range');
  t.equal(await refused('discount_rate=10.1'), '400 discount_rate out_of_range');
  t.equal(await refused('from=2024-01'), '400 from not_a_period');
});

t.test('a currency without decimals has figures in its own unit', async (t) => {
  const yen = await testService(t, { clock: () => Date.UTC(2025, 5, 15, 12), currency: 'JPY', currency_decimals: 0 });
  const told = { customer_id: 'a', purchased_at: '2024-03-01', amount: '1000', cost: '100' };
  await yen.call('POST', '/v1/purchases', { items: [{ ...told, purchase_id: 'p' }] });
  const contact = { customer_id: 'a', interaction_id: 'i', occurred_at: '2024-02-01', kind: 'contact', cost: '30' };
  await yen.call('POST', '/v1/interactions', { items: [contact] });
  const path = '/v1/reports/loyalty-economics?from=2024&to=2025&retention_cost=15';
  const { body } = await yen.call('GET', path);
  t.match(body.items, [
    { profit: '870', margin: 870, acquisition_cost_each: 30, retention_cost_each: 15, cost_ratio: 2 },
  ]);
  const { body: refused } = await yen.call('GET', `${path}.5`);
  t.match(refused.errors, [{ parameter: 'retention_cost', code: 'invalid_value' }]);
});
