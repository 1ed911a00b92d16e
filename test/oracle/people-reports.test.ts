import t from 'tap';
import { parseDay } from './calendar.ts';
import { type CustomerFilter, type CustomerSort, customerList } from './customer-list.ts';
import { LittleShop } from './little-shop.ts';
import { parsePeriod, periodOf } from './periods.ts';
import { gini } from './value-report.ts';

t.test('periods have their names, and are found by name or first day', async (t) => {
  const named = (day: string) =>
    (['week', 'month', 'quarter', 'year'] as const).map((grain) => periodOf(parseDay(day), grain).name).join(' ');
  t.equal(named('2024-12-30'), '2025-W01 2024-12 2024-Q4 2024');
  t.equal(named('2021-01-03'), '2020-W53 2021-01 2021-Q1 2021');
  t.equal(named('2026-06-15'), '2026-W25 2026-06 2026-Q2 2026');
  t.equal(parsePeriod('2020-W53', 'week').from, parseDay('2020-12-28'));
  t.equal(parsePeriod('2025-Q4', 'quarter').to, parseDay('2026-01-01'));
  t.strictSame(parsePeriod('2024-02-01', 'month'), parsePeriod('2024-02', 'month'));
  for (const text of ['2021-W53', '2024-13', '2024-02-02']) t.throws(() => parsePeriod(text, 'month'), RangeError);
});

t.test('who went on from the n-th purchase day, and how soon', async (t) => {
  const shop = new LittleShop('2024-03-30');
  shop.buy('ana', '2024-01-01');
  shop.buy('ana', '2024-01-01');
  shop.buy('ana', '2024-01-31');
  shop.buy('ana', '2024-02-01');
  shop.buy('ben', '2024-02-29');
  shop.buy('ben', '2024-03-31');
  shop.buy('cid', '2024-01-31');
  shop.tell('dan', '2024-01-31', 'visit');
  const members = ['purchase_number', 'customers', 'bought_again', 'share', 'within_days', 'matured'];
  const rows = shop.rows('repeat-purchases', {}, ...members, 'bought_again_within', 'matured_share');
  // February ended 30 days ago, January 59.
  t.strictSame(rows.slice(0, 2), [`1 3 2 ${2 / 3} 30 3 1 ${1 / 3}`, `1 3 2 ${2 / 3} 90 0 0 null`]);
  t.strictSame(rows.slice(4, 5), ['2 2 1 0.5 30 1 1 1'], 'the second day of Ben is still to come, and counts');
  t.strictSame([rows.length, rows[8]], [12, '3 1 0 0 30 1 0 0']);
  t.strictSame(shop.rows('repeat-purchases', { purchase_number: '7' }, ...members)[0], '7 0 0 null 30 0');
  const { survival, gaps } = shop.ask('repeat-purchases');
  t.match(survival, [
    { days: 30, at_risk: 3, events: 1, survival: 1 - 1 / 3 },
    { days: 31, at_risk: 2, events: 1, survival: (1 - 1 / 3) / 2 },
  ]);
  t.same(gaps, [
    { percentile: 10, days: 30, gaps: 2 },
    { percentile: 25, days: 30, gaps: 2 },
    { percentile: 50, days: 30, gaps: 2 },
    { percentile: 75, days: 31, gaps: 2 },
    { percentile: 90, days: 31, gaps: 2 },
  ]);
  const beyond = shop.ask('repeat-purchases', { purchase_number: '21' });
  t.match(beyond, { survival: [], gaps: [] });
});

t.test('the first fifth is rounded up, the last fifth down, and ties go by id', async (t) => {
  const shop = new LittleShop('2024-06-15');
  for (const [id, amount] of Object.entries({ f: '10', e: '10', d: '0', c: '3', b: '2', a: '50' }))
    shop.buy(id, '2024-01-01', amount);
  shop.tell('g', '2024-01-01', 'contact', { cost: '7.50' });
  shop.refund('h', shop.buy('h', '2024-01-01', '1.00', { cost: '0.25' }), '2024-01-01', '1.00');
  const own = shop.ask('value-segments');
  t.strictSame(own.items, [
    { segment: 'top', customers: 2, value: '60.00', share: 0.8, threshold: '10.00', tied_at_threshold: 2 },
    { segment: 'middle', customers: 3, value: '15.00', share: 0.2, threshold: '2.00', tied_at_threshold: 1 },
    { segment: 'bottom', customers: 1, value: '0.00', share: 0, threshold: '0.00', tied_at_threshold: 1 },
  ]);
  t.match(own, {
    customers_for_80_percent: 2,
    negative: { customers: 0, value: '0.00' },
    cost_without_purchase: { customers: 2, costs: '7.75' },
  });
  t.equal(listed(shop, { segment: 'top' }), 'a e', 'e before f');
  shop.tell('a', '2023-12-31', 'contact', { cost: '80.00' });
  const profit = shop.ask('value-segments', { value: 'profit' });
  t.match(profit, { negative: { customers: 1, value: '-30.00' }, customers_for_80_percent: null });
  // 0, 0, 2, 3, 10 and 10: 2 · 128 / (6 · 25) − 7/6.
  t.ok(Math.abs(Number(profit.gini) - 0.54) < 1e-12);
  t.ok(
    profit.items.every(({ share }) => share === null),
    'there is no share of a loss',
  );
  const year = shop.ask('value-segments', { value: 'profit', period: '2024' });
  t.match(year.items[0], { value: '60.00' }, 'the cost was of the year before');
  t.match(shop.ask('value-segments', { period: '2023' }), {
    items: [{ segment: 'top', customers: 0, value: '0.00', share: null, threshold: null }, {}, {}],
    customers_for_80_percent: null,
    gini: null,
    cost_without_purchase: { customers: 1, costs: '80.00' },
  });
});

t.test('Gini as it is defined', async (t) => {
  t.ok(Math.abs((gini([1, 3, 2, 1, 1, 1, 4]) ?? 0) - 0.3076923) < 1e-7);
  t.equal(gini([5, 5]), 0);
  t.equal(gini([0, 0]), null);
});

function listed(shop: LittleShop, filter: CustomerFilter, sort: CustomerSort = 'customer_id'): string {
  const { oracle } = shop;
  const rows = customerList(oracle.people('lifecycle'), filter, sort, oracle.today, oracle.decimals);
  return rows.map((row) => row.customer_id).join(' ');
}

t.test('a list of customers is filtered by where they stand and sorted by what they brought', async (t) => {
  const shop = new LittleShop('2024-06-15');
  shop.buy('ana', '2024-06-01', '5.00');
  shop.buy('Ben', '2024-01-01', '5.00', { cost: '1.00' });
  shop.buy('cid', '2023-01-01', '9.00');
  shop.know('dan', '2024-01-01', 'vip');
  shop.tell('dan', '2024-06-10', 'visit');
  shop.tell('ana', '2024-03-01', 'complaint');
  t.equal(listed(shop, {}), 'Ben ana cid dan', 'by bytes: capitals first');
  t.equal(listed(shop, {}, 'revenue'), 'cid Ben ana dan');
  t.equal(listed(shop, {}, 'profit'), 'cid ana Ben dan');
  t.equal(listed(shop, {}, 'last_purchase_day'), 'ana Ben cid dan');
  t.equal(listed(shop, { stage: 'first_time_buyer', activity: 'at_risk' }), 'Ben');
  t.equal(listed(shop, { activity: 'none' }), 'dan');
  t.equal(listed(shop, { group: 'vip' }), 'dan');
  t.equal(listed(shop, { segment: 'top' }), 'cid');
  t.equal(listed(shop, { segment: 'bottom', value: 'profit' }), '', 'of three the last fifth is nobody');
  t.equal(listed(shop, { silentDays: 5 }), 'ana dan');
  t.equal(listed(shop, { silentDays: 6 }), 'ana');
  t.equal(listed(shop, { daysSincePurchase: 166 }), 'Ben cid');
  t.equal(listed(shop, { openComplaintDays: 106 }), 'ana');
  t.equal(listed(shop, { openComplaintDays: 107 }), '');
});

t.test('a list asks when a time in a place began, or will begin', async (t) => {
  const shop = new LittleShop('2024-06-15');
  shop.buy('ana', '2024-06-01');
  shop.buy('ben', '2024-03-01');
  shop.buy('ben', '2024-03-10');
  const entered = (from: string, to: string, filter: CustomerFilter) =>
    listed(shop, { ...filter, entered: { from: parseDay(from), to: parseDay(to) } });
  t.equal(entered('2024-08-31', '2024-09-01', { activity: 'at_risk' }), 'ana', 'scheduled');
  t.equal(entered('2024-06-09', '2024-06-10', { activity: 'at_risk' }), 'ben', 'since last week');
  t.equal(entered('2024-06-01', '2024-06-09', { activity: 'at_risk' }), '', 'the range ends before its end');
  t.equal(entered('2024-01-01', '2024-06-15', { activity: 'active' }), 'ana', 'the active time of Ben is over');
  t.equal(entered('2024-03-10', '2024-03-11', { stage: 'early_repeat_buyer' }), 'ben', 'activity does not matter');
  t.equal(entered('2024-03-10', '2024-06-01', { stage: 'early_repeat_buyer', activity: 'at_risk' }), '');
  t.equal(entered('2024-03-01', '2024-03-10', { stage: 'first_time_buyer' }), '', 'it was over on the 10th');
});
