import t from 'tap';
import { compare, comparisonsOf, memoryOf, thresholdsOf } from '../../src/domain/condition.ts';
import type { Condition } from '../../src/domain/model.ts';
import { daysThere } from '../support/notation.ts';

t.test('the four operators differ on the bound itself', async (t) => {
  const at = (value: number): boolean[] =>
    (['at_least', 'at_most', 'more_than', 'less_than'] as const).map((operator) => compare(value, operator, 5));
  t.strictSame(at(4), [false, true, false, true]);
  t.strictSame(at(5), [true, true, false, false]);
  t.strictSame(at(6), [true, false, true, false]);
});

t.test('purchase days count days, not purchases', async (t) => {
  const twice = { feature: 'purchase_days', at_least: 2 } as const;
  t.equal(daysThere(twice, '2025-01-01 1', '2025-01-01 1', '2025-01-05 1'), '2025-01-05..');
  t.equal(
    daysThere(twice, '2025-01-01 1', '2025-01-05 1', '2025-01-09 refund 1 p2'),
    '',
    'a wholly refunded day does not count',
  );
});

t.test('purchase days within W look at (t − W, t]', async (t) => {
  const busy = { feature: 'purchase_days', at_least: 2, within_days: 10 } as const;
  t.equal(
    daysThere(busy, '2025-01-01 1', '2025-01-10 1'),
    '2025-01-10..2025-01-11',
    'nine days later is within, ten days later is not',
  );
  t.equal(daysThere(busy, '2025-01-01 1', '2025-01-11 1'), '');
  t.equal(
    daysThere(busy, '2025-01-01 1', '2025-01-05 1', '2025-01-12 1'),
    '2025-01-05..2025-01-11 2025-01-12..2025-01-15',
  );
  t.equal(
    daysThere({ feature: 'purchase_days', at_least: 1, within_days: 1 }, '2025-01-01 1'),
    '2025-01-01..2025-01-02',
    'one day is the day itself',
  );
});

t.test('a window that only has an upper bound holds again when days drop out of it', async (t) => {
  const quiet = { feature: 'purchase_days', at_most: 0, within_days: 30 } as const;
  t.equal(daysThere(quiet, 'known 2025-01-01', '2025-01-10 1'), '2025-01-01..2025-01-10 2025-02-09..');
});

t.test('windows reach over 29 February', async (t) => {
  const busy = { feature: 'purchase_days', at_least: 1, within_days: 365 } as const;
  t.equal(daysThere(busy, '2024-02-28 1'), '2024-02-28..2025-02-27');
  t.equal(daysThere(busy, '2023-02-28 1'), '2023-02-28..2024-02-28');
});

t.test('revenue is compared in the minor units of the currency', async (t) => {
  const rich = { feature: 'revenue', at_least: '100.00' } as const;
  t.equal(daysThere(rich, '2025-01-01 99.99', '2025-01-02 0.01'), '2025-01-02..');
  t.equal(
    daysThere(rich, '2025-01-01 150', '2025-01-09 refund 50.01 p1'),
    '',
    'a refund counts on the day of its purchase',
  );
  t.equal(daysThere({ feature: 'revenue', less_than: '0' }, '2025-01-01 1', '2025-01-01 refund 2 p1'), '2025-01-01..');
  t.strictSame(thresholdsOf(rich, 3), [['at_least', 100_000]]);
  t.strictSame(thresholdsOf({ feature: 'profit', more_than: '-7', at_most: '3' }, 0), [
    ['at_most', 3],
    ['more_than', -7],
  ]);
});

t.test('days on which only money moved are no purchase days of a window', async (t) => {
  const rule: Condition = {
    all: [
      { feature: 'purchase_days', at_least: 2, within_days: 30 },
      { feature: 'profit', more_than: '-100', within_days: 30 },
    ],
  };
  t.equal(daysThere(rule, '2025-01-01 1', '2025-01-05 contact cost=1', '2025-01-09 1'), '2025-01-09..2025-01-31');
});

t.test('revenue within W falls as days drop out, refunds included', async (t) => {
  const rich = { feature: 'revenue', at_least: '10', within_days: 7 } as const;
  t.equal(daysThere(rich, '2025-01-01 6', '2025-01-03 4'), '2025-01-03..2025-01-08');
  t.equal(
    daysThere(rich, '2025-01-01 10', '2025-01-03 5', '2025-01-03 refund 6 p2'),
    '2025-01-01..2025-01-03',
    'a day of −1 lowers the window',
  );
  t.equal(
    daysThere(rich, '2025-01-01 1', '2025-01-01 refund 2 p1', '2025-01-02 10.5'),
    '2025-01-08..2025-01-09',
    'and raises it again when it drops out',
  );
});

t.test('profit takes off the costs of purchases and of interactions', async (t) => {
  const gain = { feature: 'profit', more_than: '5' } as const;
  t.equal(daysThere(gain, '2025-01-01 10 cost=4', '2025-01-02 contact cost=1'), '2025-01-01..2025-01-02');
  t.equal(
    daysThere({ feature: 'profit', less_than: '0' }, '2025-01-01 contact cost=1', '2025-01-05 1'),
    '2025-01-01..2025-01-05',
  );
  t.equal(
    daysThere(
      { feature: 'profit', at_least: '0', within_days: 3 },
      '2025-01-01 10 cost=4',
      '2025-01-02 contact cost=7',
    ),
    '2025-01-01..2025-01-02 2025-01-05..',
  );
});

t.test('interactions count the kinds that are named, each kind once', async (t) => {
  const two = { feature: 'interactions', kinds: ['visit', 'inquiry', 'visit'], at_least: 2 } as const;
  t.equal(daysThere(two, '2025-01-01 visit', '2025-01-02 complaint', '2025-01-03 inquiry'), '2025-01-03..');
  t.equal(daysThere(two, '2025-01-01 visit', '2025-01-03 inquiry void'), '');
  const lately = { feature: 'interactions', kinds: ['referral'], at_least: 1, within_days: 5 } as const;
  t.equal(daysThere(lately, '2025-01-01 referral', '2025-01-04 visit'), '2025-01-01..2025-01-06');
});

t.test('distinct products are counted once each, for life or within W', async (t) => {
  const two = { feature: 'distinct_products', at_least: 2 } as const;
  t.equal(
    daysThere(two, '2025-01-01 1 products=a', '2025-01-02 1 products=a', '2025-01-03 1 products=b'),
    '2025-01-03..',
  );
  const lately = { ...two, within_days: 4 } as const;
  t.equal(
    daysThere(lately, '2025-01-01 1 products=a', '2025-01-03 1 products=b', '2025-01-04 1 products=a'),
    '2025-01-03..2025-01-07',
  );
});

t.test('an upper bound on distinct products is exact although only a few codes are remembered', async (t) => {
  const few = { feature: 'distinct_products', at_most: 2 } as const;
  t.equal(
    daysThere(few, '2025-01-01 1 products=a,b', '2025-01-02 1 products=c,d,e', '2025-01-03 1 products=a'),
    '2025-01-01..2025-01-02',
  );
  const more = { feature: 'distinct_products', more_than: 2 } as const;
  t.equal(daysThere(more, '2025-01-01 1 products=a,b', '2025-01-02 1 products=c,d,e,f,g'), '2025-01-02..');
});

t.test('tenure counts from the first purchase day and does not exist before it', async (t) => {
  t.equal(daysThere({ feature: 'tenure_days', at_least: 30 }, '2025-01-01 1', '2025-01-20 1'), '2025-01-31..');
  t.equal(
    daysThere({ feature: 'tenure_days', at_most: 30 }, 'known 2024-12-01', '2025-01-01 1'),
    '2025-01-01..2025-02-01',
  );
  t.equal(daysThere({ feature: 'tenure_days', more_than: 30 }, '2025-01-01 1'), '2025-02-01..');
  t.equal(daysThere({ feature: 'tenure_days', less_than: 30 }, '2025-01-01 1'), '2025-01-01..2025-01-31');
  t.equal(daysThere({ feature: 'tenure_days', at_least: 0 }, '2025-01-01 visit'), '');
});

t.test('the days since the last purchase start again with each one', async (t) => {
  const silent = { feature: 'days_since_last_purchase', at_least: 10 } as const;
  t.equal(daysThere(silent, '2025-01-01 1', '2025-01-15 1'), '2025-01-11..2025-01-15 2025-01-25..');
  t.equal(daysThere(silent, '2025-01-01 visit'), '');
});

t.test('the days since the last interaction start again with one of any kind', async (t) => {
  const silent = { feature: 'days_since_last_interaction', more_than: 3 } as const;
  t.equal(daysThere(silent, '2025-01-01 contact', '2025-01-03 own_kind', '2025-01-09 1'), '2025-01-07..');
});

t.test('the days since an open complaint count from the oldest one and end with a resolution', async (t) => {
  const waiting = { feature: 'days_since_open_complaint', at_least: 5 } as const;
  t.equal(
    daysThere(waiting, '2025-01-01 complaint', '2025-01-04 complaint', '2025-01-20 resolution'),
    '2025-01-06..2025-01-20',
  );
  t.equal(daysThere(waiting, '2025-01-01 visit'), '');
});

t.test('the latest score is the one that counts', async (t) => {
  const happy = { feature: 'latest_score', at_least: 9 } as const;
  t.equal(
    daysThere(happy, '2025-01-01 survey 10', '2025-01-05 survey 8', '2025-01-09 survey 9'),
    '2025-01-01..2025-01-05 2025-01-09..',
  );
});

t.test('a comparison with something that does not exist yet is false, and its negation true', async (t) => {
  const angry = { feature: 'latest_score', less_than: 7 } as const;
  t.equal(daysThere(angry, '2025-01-01 visit', '2025-01-05 survey 6'), '2025-01-05..');
  t.equal(daysThere({ not: angry }, '2025-01-01 visit', '2025-01-05 survey 6'), '2025-01-01..2025-01-05');
  for (const feature of ['tenure_days', 'days_since_last_purchase', 'days_since_open_complaint'] as const) {
    t.equal(daysThere({ feature, at_least: 0 }, '2025-01-01 visit'), '', feature);
    t.equal(daysThere({ not: { feature, at_least: 0 } }, '2025-01-01 visit'), '2025-01-01..', `not ${feature}`);
  }
  t.equal(daysThere({ not: { feature: 'days_since_last_interaction', at_least: 0 } }, '2025-01-01 1'), '2025-01-01..');
});

t.test('counts and sums always exist: they begin with zero', async (t) => {
  for (const [feature, zero] of [
    ['purchase_days', 0],
    ['revenue', '0'],
    ['profit', '0'],
    ['distinct_products', 0],
  ] as const) {
    t.equal(
      daysThere({ feature, at_most: zero }, '2025-01-01 visit', '2025-01-05 1 products=a'),
      '2025-01-01..2025-01-05',
      feature,
    );
  }
  t.equal(daysThere({ feature: 'interactions', kinds: ['referral'], at_most: 0 }, '2025-01-01 1'), '2025-01-01..');
});

t.test('several thresholds must all hold', async (t) => {
  t.equal(
    daysThere({ feature: 'purchase_days', at_least: 2, less_than: 3 }, '2025-01-01 1', '2025-01-02 1', '2025-01-03 1'),
    '2025-01-02..2025-01-03',
  );
  t.equal(daysThere({ feature: 'tenure_days', more_than: 2, at_most: 5 }, '2025-01-01 1'), '2025-01-04..2025-01-07');
});

t.test('all, any and not combine, and every part may turn by time alone', async (t) => {
  const early: Condition = { feature: 'tenure_days', at_most: 3 };
  const late: Condition = { feature: 'tenure_days', at_least: 2 };
  t.equal(daysThere({ all: [early, late] }, '2025-01-01 1'), '2025-01-03..2025-01-05');
  t.equal(daysThere({ any: [{ not: late }, { not: early }] }, '2025-01-01 1'), '2025-01-01..2025-01-03 2025-01-05..');
  t.equal(
    daysThere({ not: { any: [{ not: early }, { not: late }] } }, '2025-01-01 1'),
    '2025-01-03..2025-01-05',
    'De Morgan',
  );
});

t.test('activity is a condition like any other', async (t) => {
  t.equal(daysThere({ activity: ['at_risk', 'lapsed'] }, '2025-01-01 1'), '2025-04-02..');
  t.equal(daysThere({ activity: ['at_risk'] }, '2025-01-01 1'), '2025-04-02..2025-07-01');
  t.equal(daysThere({ activity: ['none'] }, '2025-01-01 visit', '2025-01-05 1'), '2025-01-01..2025-01-05');
});

t.test('every comparison is found, however deep', async (t) => {
  const first = { feature: 'tenure_days', at_least: 1 } as const;
  const second = { feature: 'revenue', at_least: '1' } as const;
  const third = { feature: 'latest_score', at_least: 1 } as const;
  t.strictSame(
    comparisonsOf([
      { any: [first, { not: { all: [second, { activity: ['none'] }] } }] },
      { stage_reached: 'x' },
      third,
    ]),
    [first, second, third],
  );
});

t.test('conditions without windows and products need no memory of days or codes', async (t) => {
  const nothing = { kinds: [], purchase_window_days: 0, money_window_days: 0, kind_window_days: 0, products: 0 };
  t.strictSame(memoryOf([{ feature: 'purchase_days', at_least: 4 }]), nothing);
  t.strictSame(
    memoryOf([
      { feature: 'profit', at_least: '7' },
      { feature: 'tenure_days', at_least: 9 },
    ]),
    nothing,
  );
  const visits: Condition = { feature: 'interactions', kinds: ['visit'], at_least: 5 };
  t.strictSame(memoryOf([visits]), { ...nothing, kinds: ['visit'] });
});

t.test('a window of one day is the day itself', async (t) => {
  const today = { at_least: 1, within_days: 1 } as const;
  const one = '2025-01-01..2025-01-02';
  t.equal(daysThere({ feature: 'revenue', at_least: '1', within_days: 1 }, '2025-01-01 1', '2025-01-05 visit'), one);
  t.equal(daysThere({ feature: 'interactions', kinds: ['visit'], ...today }, '2025-01-01 visit', '2025-01-05 1'), one);
  t.equal(daysThere({ feature: 'distinct_products', ...today }, '2025-01-01 1 products=a', '2025-01-05 1'), one);
});

t.test('the memory covers exactly what the conditions ask for', async (t) => {
  t.strictSame(memoryOf([]), {
    kinds: [],
    purchase_window_days: 0,
    money_window_days: 0,
    kind_window_days: 0,
    products: 0,
  });
  t.strictSame(
    memoryOf([
      {
        all: [
          { feature: 'purchase_days', at_least: 1, within_days: 30 },
          { feature: 'purchase_days', at_least: 1, within_days: 20 },
        ],
      },
      {
        any: [
          { feature: 'revenue', at_least: '1', within_days: 40 },
          { feature: 'profit', at_least: '1', within_days: 50 },
        ],
      },
      { not: { feature: 'interactions', kinds: ['visit', 'complaint'], at_least: 1, within_days: 60 } },
      { feature: 'interactions', kinds: ['visit'], at_most: 1 },
      { feature: 'distinct_products', at_least: 3, less_than: 7 },
      { feature: 'distinct_products', at_most: 5, within_days: 1_000 },
      { activity: ['lapsed'] },
      { stage_reached: 'known' },
    ]),
    {
      kinds: ['complaint', 'visit'],
      purchase_window_days: 30,
      money_window_days: 50,
      kind_window_days: 60,
      products: 8,
    },
  );
  t.equal(
    memoryOf([{ feature: 'distinct_products', at_most: 0 }]).products,
    1,
    'to see that there is more than none, one is enough',
  );
});
