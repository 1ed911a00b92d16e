import t from 'tap';
import { LittleShop } from './little-shop.ts';

/** Ana lapses, Ben climbs, Cid becomes known in March; today is 2024-06-15. */
function threeCustomers(): LittleShop {
  const shop = new LittleShop('2024-06-15');
  shop.buy('ana', '2023-09-05', '10.00');
  shop.buy('ben', '2024-02-01', '20.00');
  shop.buy('ben', '2024-03-05', '30.00');
  shop.buy('ben', '2024-03-05', '1.00');
  shop.tell('ben', '2024-03-31', 'survey', { score: 7 });
  shop.buy('cid', '2024-03-10', '5.00');
  shop.tell('cid', '2024-03-11', 'survey', { score: 4 });
  shop.tell('cid', '2024-03-12', 'survey', { score: 9 });
  return shop;
}

t.test('customers are judged by where they stood on the eve of the period, and arrivals have no stage', async (t) => {
  const shop = threeCustomers();
  const [ana, ben, arrivals, ...more] = shop.ask('stage-retention', { from: '2024-03', to: '2024-04' }).items;
  t.strictSame(more, []);
  // 2023-09-05 plus 181 days is 2024-03-04: at risk on the eve, lapsed at the end.
  t.strictSame(ana, {
    period: '2024-03',
    complete: true,
    stage: 'first_time_buyer',
    activity: 'active',
    customers: 1,
    buyers: 1,
    retention: 1,
    lapsed: 0,
    lapse_rate: 0,
    purchases: 2,
    purchase_days: 1,
    revenue: '31.00',
    average_purchase: 15.5,
    purchases_per_buyer: 2,
    scores: 1,
    average_score: 7,
  });
  t.match(ben, { stage: 'first_time_buyer', activity: 'at_risk', customers: 1, buyers: 0, retention: 0, lapsed: 1 });
  t.match(ben, { lapse_rate: 1, average_purchase: null, purchases_per_buyer: null, average_score: null });
  t.match(arrivals, { stage: null, activity: null, customers: 1, buyers: 1, retention: 1, lapsed: 0, revenue: '5.00' });
  t.match(arrivals, { scores: 2, average_score: 6.5 });
});

t.test('a running period says nothing about silence, and a coming one knows who will stand where', async (t) => {
  const shop = threeCustomers();
  const rows = (from: string, to: string) =>
    shop.rows(
      'stage-retention',
      { from, to },
      'period',
      'stage',
      'activity',
      'customers',
      'retention',
      'lapsed',
      'lapse_rate',
    );
  t.strictSame(rows('2024-06', '2024-08'), [
    '2024-06 first_time_buyer active 1 null null null',
    '2024-06 first_time_buyer lapsed 1 null null null',
    '2024-06 early_repeat_buyer active 1 null null null',
    '2024-07 first_time_buyer at_risk 1 null null null',
    '2024-07 first_time_buyer lapsed 1 null null null',
    '2024-07 early_repeat_buyer at_risk 1 null null null',
  ]);
  t.strictSame(rows('2023-08', '2023-09'), []);
});

t.test('net moves look at both ends of a period, each customer once', async (t) => {
  const shop = new LittleShop('2024-06-15');
  shop.tell('ana', '2023-12-31', 'visit');
  shop.buy('ana', '2024-01-05');
  shop.buy('ana', '2024-01-06');
  shop.buy('ben', '2023-01-01');
  shop.buy('cid', '2024-01-31');
  const net = shop.ask('stage-moves', { basis: 'net', from: '2024-01-01', to: '2024-02-01' });
  t.strictSame(
    net.items.map((row) => Object.values(row).join(' ')),
    ['  first_time_buyer active 1', 'prospect none early_repeat_buyer active 1'],
  );
  t.strictSame(
    (net.balance as object[]).map((row) => Object.values(row).join(' ')),
    [
      'prospect 1 0 1 0',
      'first_time_buyer 1 1 0 2',
      'early_repeat_buyer 0 1 0 1',
      'core_customer 0 0 0 0',
      'core_defector 0 0 0 0',
    ],
  );
  const daily = shop.ask('stage-moves', { from: '2024-01-01', to: '2024-02-01' });
  t.equal(daily.items.length, 3, 'by day Ana moves twice');
});

t.test('cash is counted on its own day, by the stage on the eve', async (t) => {
  const shop = new LittleShop('2024-06-15');
  const first = shop.buy('ana', '2024-01-05', '10.00', { cost: '6.00' });
  shop.tell('ana', '2024-01-05', 'contact', { cost: '0.50' });
  shop.buy('ana', '2024-01-20', '4.00');
  shop.refund('ana', first, '2024-02-02', '10.00');
  shop.refund('ana', 'never bought', '2024-02-02', '99.00');
  shop.tell('ben', '2024-01-01', 'visit');
  shop.tell('ben', '2024-02-01', 'contact', { cost: '2.00' });
  const members = ['period', 'complete', 'stage', 'receipts', 'refunds', 'costs', 'net'];
  t.strictSame(shop.rows('cash-flow', { from: '2024-01', to: '2024-04' }, ...members), [
    '2024-01 true null 10.00 0.00 6.50 3.50',
    '2024-01 true prospect 4.00 0.00 0.00 4.00',
    '2024-02 true prospect 0.00 0.00 2.00 -2.00',
    '2024-02 true first_time_buyer 0.00 10.00 0.00 -10.00',
  ]);
});

t.test('two models cross at the end of today', async (t) => {
  const shop = threeCustomers();
  shop.tell('dan', '2024-06-16', 'visit');
  t.strictSame(shop.rows('model-crosswalk', { other: 'journey' }, 'stage', 'other_stage', 'customers'), [
    'first_time_buyer activation 2',
    'early_repeat_buyer retention 1',
  ]);
  shop.know('ben', '2024-02-01', 'vip');
  t.strictSame(shop.rows('model-crosswalk', { model: 'journey', other: 'lifecycle', group: 'vip' }, 'other_stage'), [
    'early_repeat_buyer',
  ]);
});

t.test('what happens on the day after a period is not in it', async (t) => {
  const shop = new LittleShop('2025-06-15');
  // 181 days after 2024-01-02 is 2024-07-01.
  shop.buy('ana', '2024-01-02');
  shop.buy('ben', '2024-01-01');
  const lapsed = shop.rows('stage-retention', { from: '2024-06', to: '2024-07' }, 'customers', 'lapsed', 'lapse_rate');
  t.strictSame(lapsed, ['2 1 0.5']);
  shop.buy('cid', '2024-07-01');
  const net = shop.ask('stage-moves', { basis: 'net', from: '2024-06-01', to: '2024-07-01' });
  t.strictSame(
    net.items.map((row) => Object.values(row).join(' ')),
    ['first_time_buyer at_risk first_time_buyer lapsed 1'],
  );
});
