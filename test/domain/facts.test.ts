import t from 'tap';
import type { ActivityDay } from '../../src/domain/activity-day.ts';
import { boundDay, type Facts, type Memory, takeDay } from '../../src/domain/facts.ts';
import { date, day, days } from '../support/notation.ts';

const NOTHING: Memory = { kinds: [], purchase_window_days: 0, money_window_days: 0, kind_window_days: 0, products: 0 };
const facts = (memory: Partial<Memory>, ...lines: readonly string[]): Facts =>
  days(...lines).reduce<Facts | null>((before, on) => takeDay({ ...NOTHING, ...memory }, before, on), null)!;
const dateOf = (number: number | null): string | null => (number === null ? null : date(number));

t.test('totals and first and last days of a history', async (t) => {
  const found = facts(
    {},
    'known 1996-12-24',
    '1997-01-05 12.00 cost=2',
    '1997-01-05 3.00',
    '1997-02-01 visit cost=0.50',
    '1997-03-01 5.00',
    '1997-03-09 survey 0',
    '1997-03-10 departure price',
  );
  t.match(found, {
    purchases: 3,
    purchase_days: 2,
    revenue: 2_000,
    costs: 250,
    latest_score: 0,
    recent: [],
    products: [],
  });
  t.strictSame(
    [
      found.known_on,
      found.first_purchase_day,
      found.last_purchase_day,
      found.last_interaction_day,
      found.departure_day,
      found.day,
    ].map(dateOf),
    ['1996-12-24', '1997-01-05', '1997-03-01', '1997-03-10', '1997-03-10', '1997-03-10'],
  );
});

t.test('what has not happened yet is null, not zero', async (t) => {
  const found = facts({}, 'known 1996-12-24');
  for (const field of [
    'first_purchase_day',
    'last_purchase_day',
    'last_interaction_day',
    'open_complaint_day',
    'departure_day',
    'latest_score',
  ] as const) {
    t.equal(found[field], null, field);
  }
  t.match(found, { purchases: 0, purchase_days: 0, revenue: 0, costs: 0 });
});

t.test('the oldest complaint stays open until a resolution on or after its day', async (t) => {
  const open = (...lines: readonly string[]): string | null => dateOf(facts({}, ...lines).open_complaint_day);
  t.equal(open('1997-01-01 complaint', '1997-01-09 complaint'), '1997-01-01');
  t.equal(open('1997-01-01 complaint', '1997-01-09 complaint', '1997-01-10 resolution'), null);
  t.equal(
    open('1997-01-01 complaint', '1997-01-01 resolution'),
    null,
    'a resolution closes the complaints of its own day',
  );
  t.equal(open('1997-01-01 resolution', '1997-01-09 complaint'), '1997-01-09');
  t.equal(open('1997-01-01 complaint', '1997-01-02 resolution', '1997-01-09 complaint'), '1997-01-09');
  t.equal(open('1997-01-01 complaint', '1997-01-02 visit'), '1997-01-01');
});

t.test('the latest score of the latest day with one stays', async (t) => {
  t.equal(facts({}, '1997-01-01 survey 9', '1997-01-02 survey 3', '1997-01-03 visit').latest_score, 3);
});

t.test('kinds are counted in the order of the memory, others are forgotten', async (t) => {
  const found = facts(
    { kinds: ['signup', 'visit'] },
    '1997-01-01 visit',
    '1997-01-02 visit',
    '1997-01-02 inquiry',
    '1997-01-03 signup',
  );
  t.strictSame(found.kinds, [1, 2]);
});

t.test('days are remembered as long as the longest window can see them', async (t) => {
  const seen = (...lines: readonly string[]): string[] =>
    facts({ purchase_window_days: 10, money_window_days: 3 }, ...lines).recent.map((on) => date(on.day));
  t.strictSame(seen('1997-01-01 1.00', '1997-01-10 1.00'), ['1997-01-01', '1997-01-10']);
  t.strictSame(
    seen('1997-01-01 1.00', '1997-01-11 1.00'),
    ['1997-01-11'],
    '(t − 10, t] ends before the tenth day back',
  );
  t.strictSame(seen('1997-01-01 1.00', '1997-01-11 visit'), [], 'any activity day forgets');
});

t.test('only what a window asks for is remembered', async (t) => {
  const seen = (memory: Partial<Memory>): string[] =>
    facts(
      memory,
      '1997-01-01 0',
      '1997-01-02 visit',
      '1997-01-03 visit cost=1',
      '1997-01-04 inquiry',
      '1997-01-05 5.00',
    ).recent.map((on) => date(on.day));
  t.strictSame(seen({}), []);
  t.strictSame(seen({ purchase_window_days: 30 }), ['1997-01-01', '1997-01-05']);
  t.strictSame(seen({ money_window_days: 30 }), ['1997-01-03', '1997-01-05'], 'a purchase of zero moves no money');
  t.strictSame(seen({ kind_window_days: 30, kinds: ['inquiry'] }), ['1997-01-04']);
  t.strictSame(seen({ purchase_window_days: 30, kinds: ['inquiry'] }), ['1997-01-01', '1997-01-05']);
  t.strictSame(seen({ kinds: ['inquiry'] }), [], 'without a window nothing recent is asked for');
  t.strictSame(facts({ money_window_days: 9, kinds: ['visit'] }, '1997-01-03 2.00 cost=1', '1997-01-03 visit').recent, [
    { day: day('1997-01-03'), purchases: 1, revenue: 200, costs: 100, kinds: [1] },
  ]);
});

t.test('the most recent product codes are kept, as many as the memory says', async (t) => {
  const kept = (products: number, ...lines: readonly string[]): string[] =>
    facts({ products }, ...lines).products.map(([code, on]) => `${code} ${date(on)}`);
  const lines = ['1997-01-01 1 products=a,b,c', '1997-01-02 1 products=d', '1997-01-03 1 products=b'];
  t.strictSame(kept(9, ...lines), ['b 1997-01-03', 'd 1997-01-02', 'a 1997-01-01', 'c 1997-01-01']);
  t.strictSame(kept(2, ...lines), ['b 1997-01-03', 'd 1997-01-02']);
  t.strictSame(kept(0, ...lines), []);
  t.strictSame(kept(2, '1997-01-01 1 products=c,b,a'), ['a 1997-01-01', 'b 1997-01-01'], 'within a day by code');
});

t.test('a bounded day keeps what the fold asks for, and complaints and resolutions', async (t) => {
  const [on] = days(
    '1997-01-01 1 products=d,c,b,a',
    '1997-01-01 visit',
    '1997-01-01 visit',
    '1997-01-01 inquiry',
    '1997-01-01 complaint',
    '1997-01-01 resolution',
  );
  const bounded = boundDay({ ...NOTHING, kinds: ['visit'], products: 2 }, on!);
  t.strictSame([...bounded.kinds].sort(), [
    ['complaint', 1],
    ['resolution', 1],
    ['visit', 2],
  ]);
  t.strictSame(bounded.products, [['a', 'b']]);
  t.equal(bounded.interactions, 5, 'the number of all interactions stays');
  t.strictSame(
    boundDay({ ...NOTHING, kinds: ['visit'], products: 2 }, bounded),
    bounded,
    'bounding again changes nothing',
  );
});

t.test('a fold of bounded days gives the same facts as one of whole days', async (t) => {
  const memory: Memory = {
    kinds: ['visit'],
    purchase_window_days: 5,
    money_window_days: 7,
    kind_window_days: 3,
    products: 3,
  };
  const whole = days(
    '1997-01-01 1 products=f,e,d,c,b,a',
    '1997-01-02 1 products=f,a',
    '1997-01-02 complaint',
    '1997-01-04 1 products=e,g,h,i,j',
    '1997-01-04 inquiry',
    '1997-01-09 visit',
  );
  const fold = (list: readonly ActivityDay[]): Facts | null =>
    list.reduce<Facts | null>((before, on) => takeDay(memory, before, on), null);
  t.strictSame(fold(whole.map((on) => boundDay(memory, on))), fold(whole));
});
