import t from 'tap';
import { LittleShop } from './little-shop.ts';

const MEMBERS = ['period', 'stage_left', 'reason', 'defections', 'value_at_stake', 'average_tenure_days'];

t.test('silence makes a defection on day 181, and the year that ends with the last purchase is at stake', async (t) => {
  const shop = new LittleShop('2025-06-15');
  shop.buy('ana', '2022-12-31', '100.00');
  shop.buy('ana', '2023-02-28', '1.00');
  shop.buy('ana', '2023-03-01', '2.00');
  shop.refund('ana', shop.buy('ana', '2024-02-20', '8.00'), '2024-07-01', '0.50');
  // Wholly refunded a few days later in the month of the last purchase, and one refunded beyond that after it.
  shop.refund('ana', shop.buy('ana', '2024-02-25', '4.00'), '2024-02-26', '5.00');
  shop.refund('ana', shop.buy('ana', '2024-03-01', '4.00'), '2024-03-02', '9.00');
  // 2022-12-31 lapses on 2023-06-30 only if nothing follows; the last gap, from 2023-03-01, lapses on 2023-08-29.
  t.strictSame(shop.rows('defections', { from: '2023-01', to: '2025-01' }, ...MEMBERS), [
    '2023-08 early_repeat_buyer unknown 1 103.00 241',
    '2024-08 core_customer unknown 1 8.50 597',
  ]);
});

t.test('a win-back counts within its days, once the whole period is that old', async (t) => {
  const back = (today: string) => {
    const shop = new LittleShop(today);
    for (const [id, day] of [
      ['ana', '2023-11-28'],
      ['ben', '2023-11-29'],
      ['cid', '2024-02-26'],
    ] as const) {
      shop.buy(id, '2023-03-03');
      shop.buy(id, day);
    }
    return shop.rows(
      'defections',
      { from: '2023-08', to: '2023-09' },
      'won_back_90',
      'won_back_180',
      'won_back_365',
    )[0];
  };
  // All three lapse on 2023-08-31; 2023-11-29 is 90 days later, 2024-02-26 is 179.
  t.equal(back('2024-12-31'), '2 3 3');
  t.equal(back('2024-08-29'), '2 3 null');
  t.equal(back('2024-08-30'), '2 3 3');
  const shop = new LittleShop('2023-11-28');
  shop.buy('ana', '2023-03-03');
  const early = shop.rows('defections', { from: '2023-08', to: '2023-09' }, 'complete', 'won_back_90', 'won_back_180');
  t.strictSame(early, ['true null null']);
});

t.test('the latest departure before the next purchase gives the reason, even told after the lapse', async (t) => {
  const shop = new LittleShop('2025-06-15');
  shop.buy('ana', '2023-01-01');
  shop.tell('ana', '2023-01-01', 'departure', { reason: 'price' });
  shop.tell('ana', '2023-05-01', 'departure', { reason: 'competitor' });
  shop.buy('ana', '2023-05-02');
  shop.tell('ana', '2024-06-01T10:00:00Z', 'departure', { reason: 'boredom' });
  shop.tell('ana', '2024-06-01T09:00:00Z', 'departure', { reason: 'other' });
  t.strictSame(shop.rows('defections', { from: '2023-01', to: '2024-12' }, ...MEMBERS), [
    '2023-01 null competitor 1 10.00 0',
    '2023-10 early_repeat_buyer boredom 1 20.00 302',
  ]);
});

t.test('an open complaint explains a lapse without a departure, and is counted beside one', async (t) => {
  const shop = new LittleShop('2025-06-15');
  for (const id of ['ana', 'ben', 'cid', 'dan']) shop.buy(id, '2023-01-01');
  for (const id of ['ana', 'ben', 'cid']) shop.tell(id, '2023-02-01', 'complaint');
  shop.tell('ben', '2023-07-01', 'resolution');
  shop.tell('cid', '2023-03-01', 'departure', { reason: 'unresolved_defect' });
  shop.tell('dan', '2023-07-02', 'complaint');
  const members = ['period', 'reason', 'defections', 'with_open_complaint'];
  t.strictSame(shop.rows('defections', { from: '2023-01', to: '2023-09' }, ...members), [
    '2023-03 unresolved_defect 1 1',
    '2023-07 open_complaint 1 1',
    '2023-07 unknown 2 0',
  ]);
});

t.test('defections to come are known from silence', async (t) => {
  const shop = new LittleShop('2025-06-15');
  shop.buy('ana', '2025-06-01');
  t.strictSame(shop.rows('defections', { from: '2025-06', to: '2026-01' }, 'period', 'complete', 'won_back_90'), [
    '2025-11 false null',
  ]);
});

t.test('the exits of a stage by completed weeks, with everybody of a month followed equally long', async (t) => {
  // All enter as first-time buyers in January; as of 2024-06-30 the month ended 151 days or 21 weeks ago.
  const shop = new LittleShop('2024-06-30');
  shop.buy('ana', '2024-01-31');
  shop.buy('ben', '2024-01-01');
  shop.buy('ben', '2024-01-15');
  shop.buy('cid', '2024-01-01');
  shop.buy('cid', '2024-01-14');
  shop.buy('dan', '2024-01-10');
  shop.tell('dan', '2024-01-24', 'departure', { reason: 'price' });
  const early = shop.ask('time-in-stage', { stage: 'first_time_buyer' });
  const close = (value: unknown, wanted: number): boolean => Math.abs(Number(value) - wanted) < 1e-12;
  t.strictSame(
    early.items.map(({ weeks, at_risk, exit, exits }) => [weeks, at_risk, exit, exits].join(' ')),
    ['1 4 early_repeat_buyer 1', '2 3 early_repeat_buyer 1', '2 3 lapsed 1'],
  );
  const [first, second, third] = early.items;
  t.ok(close(first?.survival, 0.75) && close(second?.survival, 0.25) && close(third?.survival, 0.25));
  t.ok(close(first?.incidence, 0.25) && close(second?.incidence, 0.5) && close(third?.incidence, 0.25));
  t.match(early, { median: 2, spells: 4, stage: 'first_time_buyer' });
  t.same(early.exits, [
    { exit: 'early_repeat_buyer', exits: 2, incidence: 0.5 },
    { exit: 'lapsed', exits: 1, incidence: 0.25 },
  ]);
  t.same(shop.ask('time-in-stage'), early, 'the second stage is the usual one');
});

t.test('an exit later than the common follow-up of its month is not seen', async (t) => {
  const shop = new LittleShop('2024-06-30');
  shop.buy('ana', '2024-01-01');
  shop.buy('ana', '2024-01-22');
  const rows = (as_of: string) => shop.rows('time-in-stage', { as_of }, 'weeks', 'at_risk', 'survival', 'lower');
  t.strictSame(rows('2024-02-27'), [], 'three full weeks after the end of January an exit of week 3 is still unseen');
  t.strictSame(rows('2024-02-28'), ['3 1 0 null']);
  t.equal(shop.ask('time-in-stage', { as_of: '2024-01-30' }).spells, 0);
  t.equal(shop.ask('time-in-stage', { as_of: '2024-01-31' }).spells, 1, 'the month is over');
});

t.test('who comes back from a lapse begins a new stay, and a change of activity does not end one', async (t) => {
  const shop = new LittleShop('2026-01-01');
  for (const day of ['2022-01-01', '2022-01-02', '2022-01-03', '2022-01-04', '2023-01-04']) shop.buy('ana', day);
  const rows = shop.rows('time-in-stage', { stage: 'core_customer' }, 'weeks', 'at_risk', 'exit', 'exits');
  t.strictSame(rows, ['25 2 lapsed 2'], 'silent for 181 days both times, at risk in between');
  const coming = shop.ask('time-in-stage', { stage: 'core_customer', as_of: '2022-12-31' });
  t.match(coming, { spells: 1, median: 25 });
});

t.test('the median is the week in which exactly half are gone, whatever rounding says', async (t) => {
  const shop = new LittleShop('2024-06-30');
  for (let place = 1; place <= 10; place += 1) shop.buy(`c${place}`, '2024-01-01');
  for (const id of ['c1', 'c2']) shop.buy(id, '2024-01-08');
  for (const id of ['c3', 'c4']) shop.buy(id, '2024-01-15');
  shop.buy('c5', '2024-01-22');
  const answer = shop.ask('time-in-stage');
  t.ok(Number(answer.items.at(-1)?.survival) > 0.5, '(1 − 2/10)(1 − 2/8)(1 − 1/6) comes out a little above a half');
  t.equal(answer.median, 3);
});

t.test('who is lapsed already does not defect again on another stage', async (t) => {
  const shop = new LittleShop('2025-06-15');
  shop.buy('ana', '2023-01-01');
  shop.buy('ana', '2023-12-01');
  shop.tell('ana', '2023-12-01', 'departure', { reason: 'price' });
  t.strictSame(shop.rows('defections', { from: '2023-01', to: '2025-01' }, ...MEMBERS), [
    '2023-07 first_time_buyer unknown 1 10.00 181',
  ]);
});

t.test('a departure on a purchase day belongs to that purchase, not to the one before', async (t) => {
  const shop = new LittleShop('2025-06-15');
  shop.tell('ana', '2023-01-31', 'departure', { reason: 'other' });
  shop.buy('ana', '2023-02-01');
  shop.buy('ana', '2023-12-01');
  shop.tell('ana', '2023-12-01', 'departure', { reason: 'price' });
  shop.buy('ben', '2023-03-01');
  shop.buy('ben', '2023-05-01');
  shop.tell('ben', '2023-05-01', 'departure', { reason: 'boredom' });
  t.strictSame(shop.rows('defections', { from: '2023-01', to: '2025-01' }, 'period', 'stage_left', 'reason'), [
    '2023-05 first_time_buyer boredom',
    '2023-08 first_time_buyer unknown',
  ]);
});

t.test('nothing dated after the defection is at stake', async (t) => {
  const shop = new LittleShop('2025-06-15');
  shop.buy('ana', '2023-01-05');
  shop.tell('ana', '2023-01-10', 'departure', { reason: 'price' });
  shop.refund('ana', shop.buy('ana', '2023-01-20', '1.00'), '2023-01-20', '3.00');
  t.strictSame(shop.rows('defections', { from: '2023-01', to: '2023-02' }, 'value_at_stake'), ['10.00']);
});

t.test('a complaint resolved on its own day is not open', async (t) => {
  const shop = new LittleShop('2025-06-15');
  shop.buy('ana', '2023-01-01');
  shop.tell('ana', '2023-07-01', 'complaint');
  shop.tell('ana', '2023-07-01', 'resolution');
  t.strictSame(shop.rows('defections', { from: '2023-07', to: '2023-08' }, 'reason'), ['unknown']);
});

t.test('a younger month leaves the risk set when its follow-up ends', async (t) => {
  // As of 2024-03-21: February ended 3 weeks before, January 7 weeks and a day.
  const shop = new LittleShop('2024-03-21');
  shop.buy('ana', '2024-01-10');
  shop.buy('ana', '2024-02-01');
  shop.buy('ben', '2024-02-10');
  shop.buy('cid', '2024-02-10');
  shop.buy('cid', '2024-02-24');
  t.strictSame(shop.rows('time-in-stage', {}, 'weeks', 'at_risk', 'exits', 'survival'), [
    `2 3 1 ${1 - 1 / 3}`,
    '3 1 1 0',
  ]);
});
