import t from 'tap';
import { LittleShop } from './little-shop.ts';

const FEB_TO_MAY = { from: '2024-02', to: '2024-05' };

/** Ana buys in January, February and April, Ben in February only, Cid in January and April; today is the middle of April. */
function threeBuyers(): LittleShop {
  const shop = new LittleShop('2024-04-15');
  for (const [day, amount] of [
    ['2024-01-31', '10.00'],
    ['2024-02-01', '4.00'],
    ['2024-02-29', '3.00'],
    ['2024-04-01', '8.00'],
  ] as const)
    shop.buy('ana', day, amount);
  shop.buy('ben', '2024-02-10', '20.00');
  shop.buy('cid', '2024-01-01', '5.00');
  shop.buy('cid', '2024-04-15', '6.00');
  return shop;
}

t.test('buyers of a month are new, returning or reactivated, and dormant when the month is over', async (t) => {
  const shop = threeBuyers();
  const members = [
    'period',
    'complete',
    'new_buyers',
    'returning_buyers',
    'reactivated_buyers',
    'dormant_buyers',
    'buyers',
  ];
  t.strictSame(shop.rows('customer-flow', { from: '2024-01', to: '2024-05' }, ...members), [
    '2024-01 true 2 0 0 0 2',
    '2024-02 true 1 1 0 1 2',
    '2024-03 true 0 0 0 2 0',
    '2024-04 false 0 0 2 null 2',
  ]);
  const own = shop.rows('customer-flow', {}, 'period');
  t.strictSame([own.length, own[0], own[11]], [12, '2023-05', '2024-04'], 'twelve months end with the running one');
  t.strictSame(shop.rows('customer-flow', { grain: 'year' }, 'period', 'buyers').at(-1), '2024 3');
  t.strictSame(shop.rows('customer-flow', { grain: 'week', from: '2024-W05', to: '2024-W06' }, ...members), [
    '2024-W05 true 1 0 0 0 1',
  ]);
});

t.test('a period is complete from the day after its last', async (t) => {
  const complete = (today: string) => new LittleShop(today).rows('customer-flow', FEB_TO_MAY, 'complete').join(' ');
  t.equal(complete('2024-02-29'), 'false false false');
  t.equal(complete('2024-03-01'), 'true false false');
});

t.test('a purchase wholly refunded makes no buyer', async (t) => {
  const shop = new LittleShop('2024-04-15');
  shop.refund('ana', shop.buy('ana', '2024-02-03', '10.00'), '2024-03-01', '10.00');
  t.strictSame(shop.rows('customer-flow', FEB_TO_MAY, 'buyers'), ['0', '0', '0']);
});

t.test('what revenue grew by and shrank by leads from one month to the next', async (t) => {
  const shop = threeBuyers();
  const { items } = shop.ask('revenue-movements', FEB_TO_MAY);
  t.strictSame(items, [
    {
      period: '2024-02',
      complete: true,
      opening_revenue: '15.00',
      new_revenue: '20.00',
      reactivated_revenue: '0.00',
      expansion_revenue: '0.00',
      contraction_revenue: '3.00',
      lost_revenue: '5.00',
      closing_revenue: '27.00',
      nrr: 7 / 15,
      grr: 7 / 15,
    },
    {
      period: '2024-03',
      complete: true,
      opening_revenue: '27.00',
      new_revenue: '0.00',
      reactivated_revenue: '0.00',
      expansion_revenue: '0.00',
      contraction_revenue: '0.00',
      lost_revenue: '27.00',
      closing_revenue: '0.00',
      nrr: 0,
      grr: 0,
    },
    {
      period: '2024-04',
      complete: false,
      opening_revenue: '0.00',
      new_revenue: '0.00',
      reactivated_revenue: '14.00',
      expansion_revenue: '0.00',
      contraction_revenue: null,
      lost_revenue: null,
      closing_revenue: '14.00',
      nrr: null,
      grr: null,
    },
  ]);
});

t.test('who spends more lifts NRR above 1 but not GRR, and a negative opening has neither', async (t) => {
  const shop = new LittleShop('2024-06-15');
  shop.buy('ana', '2024-01-05', '10.00');
  shop.buy('ana', '2024-02-05', '30.00');
  shop.buy('ben', '2024-01-05', '10.00');
  const [february] = shop.ask('revenue-movements', { from: '2024-02', to: '2024-03' }).items;
  t.match(february, { expansion_revenue: '20.00', lost_revenue: '10.00', nrr: 1.5, grr: 0.5 });
  // Ben keeps a purchase day, and is refunded more than he paid: his January is −15.
  shop.refund('ben', shop.buy('ben', '2024-01-06', '0.00'), '2024-01-07', '25.00');
  t.match(shop.ask('revenue-movements', { from: '2024-02', to: '2024-03' }).items, [
    { opening_revenue: '-5.00', lost_revenue: '-15.00', expansion_revenue: '20.00', nrr: null, grr: null },
  ]);
  shop.buy('cid', '2024-01-01', '45.00');
  const [filled] = shop.ask('revenue-movements', { from: '2024-02', to: '2024-03' }).items;
  t.match(filled, { nrr: 30 / 40, grr: (10 - 15) / 40 });
});

t.test('a cohort comes back in a period, or in it or later', async (t) => {
  const shop = threeBuyers();
  const members = ['cohort', 'age', 'customers', 'retained', 'retention', 'purchases', 'purchase_days', 'revenue'];
  t.strictSame(shop.rows('cohort-retention', { from: '2024-01', to: '2024-03' }, ...members), [
    '2024-01 0 2 2 1 2 2 15.00',
    '2024-01 1 2 1 0.5 2 2 7.00',
    '2024-01 2 2 0 0 0 0 0.00',
    '2024-01 3 2 2 null 2 2 14.00',
    '2024-02 0 1 1 1 1 1 20.00',
    '2024-02 1 1 0 0 0 0 0.00',
    '2024-02 2 1 0 null 0 0 0.00',
  ]);
  const later = { from: '2024-01', to: '2024-02', basis: 'on_or_after' };
  t.strictSame(shop.rows('cohort-retention', later, 'retained', 'revenue'), ['2 15.00', '2 7.00', '2 0.00', '2 14.00']);
  t.strictSame(shop.rows('cohort-retention', { from: '2024-04', to: '2024-07' }, 'cohort', 'age', 'retention'), [
    '2024-04 0 null',
  ]);
});

t.test('what is dated before the first purchase counts at age 0 of the cohort', async (t) => {
  const shop = new LittleShop('2024-04-15');
  shop.tell('ana', '2023-11-01', 'contact', { cost: '1.00' });
  shop.refund('ana', shop.buy('ana', '2023-12-01', '5.00'), '2023-12-02', '7.00');
  shop.buy('ana', '2024-02-01', '10.00', { cost: '4.00' });
  shop.tell('ana', '2024-02-20', 'contact', { cost: '0.50' });
  shop.tell('ana', '2024-03-01', 'contact', { cost: '0.25' });
  shop.tell('ben', '2024-02-01', 'contact', { cost: '9.00' });
  t.strictSame(shop.rows('cohort-retention', { from: '2024-02', to: '2024-03' }, 'customers', 'revenue', 'profit'), [
    '1 8.00 2.50',
    '1 0.00 -0.25',
    '1 0.00 0.00',
  ]);
  t.strictSame(
    shop.rows('cohort-retention', { from: '2023-12', to: '2024-01' }, 'customers', 'retention'),
    ['0 null', '0 null', '0 null', '0 null', '0 null'],
    'nobody first bought in December',
  );
});

t.test('what keeping a customer is worth comes from margin, retention and discount', async (t) => {
  const shop = new LittleShop('2025-02-01');
  for (const id of ['ana', 'ben', 'cid', 'dan', 'eva']) shop.buy(id, '2023-03-01', '50.00');
  for (const id of ['ana', 'ben', 'cid', 'dan']) shop.buy(id, '2024-03-01', '100.00');
  const [year] = shop.ask('loyalty-economics', { from: '2024', to: '2025' }).items;
  t.match(year, {
    period: '2024',
    complete: true,
    buyers: 4,
    buyers_before: 5,
    returning_buyers: 4,
    existing_share: 1,
    acquisition_cost: '0.00',
    acquisition_cost_each: null,
    retention_cost: '0.00',
    retention_cost_each: 0,
    cost_ratio: null,
    retention: 0.8,
    margin: 100,
    profit_change_5_points_after_acquisition: null,
  });
  const close = (value: unknown, wanted: number): boolean => Math.abs(Number(value) - wanted) < 1e-3;
  t.ok(close(year?.margin_now, 366.6667), 'm = 100, r = .8, d = .1: Fader & Hardie note 024');
  t.ok(close(year?.profit_change_5_points, 0.3 / 0.25 - 1));
  const told = { from: '2024', to: '2025', acquisition_cost: '66.67', retention_cost: '10' };
  const [given] = shop.ask('loyalty-economics', told).items;
  t.match(given, { acquisition_cost_each: 66.67, retention_cost_each: 10, cost_ratio: 6.667 });
  t.ok(close(given?.profit_change_5_points_after_acquisition, (440 - 66.67) / (366.6667 - 66.67) - 1));
  const [certain] = shop.ask('loyalty-economics', { from: '2023', to: '2024' }).items;
  t.match(certain, { retention: null, margin_now: null, existing_share: 0 });
  const [running] = shop.ask('loyalty-economics', { from: '2025', to: '2026' }).items;
  t.match(running, { complete: false, retention: null, margin: null, margin_now: null, existing_share: null });
});

t.test('everybody returning at no discount has no finite worth', async (t) => {
  const shop = new LittleShop('2025-02-01');
  shop.buy('ana', '2023-03-01');
  shop.buy('ana', '2024-03-01');
  const [year] = shop.ask('loyalty-economics', { from: '2024', to: '2025', discount_rate: '0' }).items;
  t.match(year, { retention: 1, margin: 10, margin_now: null, profit_change_5_points: null });
  const [discounted] = shop.ask('loyalty-economics', { from: '2024', to: '2025' }).items;
  t.match(discounted, { profit_change_5_points: 0 }, 'five points more than all is all');
});

t.test('costs are of winning until the first purchase day and of keeping after it', async (t) => {
  const shop = new LittleShop('2024-06-01');
  for (const day of ['2024-01-01', '2024-03-01']) shop.tell('ana', day, 'contact', { cost: '1.00' });
  shop.buy('ana', '2024-03-01', '10.00', { cost: '8.00' });
  shop.tell('ana', '2024-03-02', 'contact', { cost: '0.30' });
  shop.tell('ben', '2024-03-09', 'visit', { cost: '2.00' });
  shop.buy('cid', '2023-03-09', '5.00');
  shop.buy('cid', '2024-03-09', '5.00');
  const [march] = shop.ask('loyalty-economics', { grain: 'month', from: '2024-03', to: '2024-04' }).items;
  t.match(march, {
    acquisition_cost: '3.00',
    acquisition_cost_each: 3,
    retention_cost: '0.30',
    retention_cost_each: 0.3,
    existing_share: 1 / 3,
    profit: '3.70',
    margin: 1.85,
    retention: null,
  });
  t.ok(Math.abs(Number(march?.cost_ratio) - 10) < 1e-9);
});

t.test('of a buyer who only takes back afterwards, nothing is kept', async (t) => {
  const shop = new LittleShop('2024-06-15');
  shop.buy('ana', '2024-01-05', '10.00');
  shop.refund('ana', shop.buy('ana', '2024-02-05', '4.00'), '2024-02-06', '6.00');
  t.match(shop.ask('revenue-movements', { from: '2024-02', to: '2024-03' }).items, [
    { opening_revenue: '10.00', lost_revenue: '10.00', closing_revenue: '0.00', nrr: 0, grr: 0 },
  ]);
});

t.test(
  'who costs more to win than they are worth has no change after acquisition, and a month is discounted as one',
  async (t) => {
    const shop = new LittleShop('2025-02-01');
    for (const id of ['ana', 'ben']) shop.buy(id, '2024-02-01', '50.00');
    shop.buy('ana', '2024-03-01', '100.00');
    const range = { grain: 'month', from: '2024-03', to: '2024-04' };
    const [march] = shop.ask('loyalty-economics', { ...range, acquisition_cost: '199' }).items;
    const d = 1.1 ** (1 / 12) - 1;
    t.match(march, { retention: 0.5, margin: 100 });
    t.ok(Math.abs(Number(march?.margin_now) - (100 * (1 + d)) / (0.5 + d)) < 1e-9, 'a little less than 200');
    t.not(march?.profit_change_5_points, null);
    t.equal(march?.profit_change_5_points_after_acquisition, null, '199 is more than 198.43');
  },
);
