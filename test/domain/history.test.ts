import t from 'tap';
import { productsOn } from '../../src/domain/activity-day.ts';
import { activityDays, type History } from '../../src/domain/history.ts';
import { date, day, days, history } from '../support/notation.ts';

const dated = (...lines: readonly string[]): string[] => days(...lines).map((on) => date(on.day));
/** Counting purchases and revenue in cents by day. */
const money = (...lines: readonly string[]): string[] =>
  days(...lines).map((on) => `${date(on.day)} ${on.purchases} ${on.revenue} ${on.costs}`);

t.test('a history is one activity day for each calendar day with anything on it, in order', async (t) => {
  t.strictSame(
    money(
      '1997-03-01 5.00',
      '1997-01-05T23:59 12.00 cost=2',
      '1997-02-01 visit cost=0.25',
      '1997-01-05T00:00 3.00',
      '1996-12-31 2',
    ),
    ['1996-12-31 1 200 0', '1997-01-05 2 1500 200', '1997-02-01 0 0 25', '1997-03-01 1 500 0'],
  );
});

t.test('the order in which events are stored has no meaning', async (t) => {
  const lines = [
    '1997-01-05 12.00',
    '1997-01-05 refund 2.00 p1',
    '1997-01-04 survey 5',
    '1997-01-05 survey 6',
    '1997-01-04 1.00 id=q',
  ];
  const given = history(...lines);
  const turned: History = {
    ...given,
    purchases: [...given.purchases].reverse(),
    refunds: [...given.refunds].reverse(),
    interactions: [...given.interactions].reverse(),
  };
  t.strictSame(activityDays(turned), activityDays(given));
});

t.test('a long history in any order gives the days of the same history in order', async (t) => {
  const ordered = Array.from({ length: 60 }, (_, index) => `${date(day('1997-01-05') + 3 * index)} ${index + 1}.00`);
  const expected = ordered.map((line, index) => `${line.split(' ')[0]} 1 ${(index + 1) * 100} 0`);
  const turned = [...ordered].reverse();
  const mixed = Array.from({ length: 60 }, (_, index) => ordered[(index * 37) % 60]!);
  for (const lines of [ordered, turned, mixed]) t.strictSame(money(...lines), expected);
  const again = mixed.map((line) => line.replace(/ .*/, ' 0.01'));
  const twice = expected.map((line) => line.replace(/ 1 (\d+) 0$/, (_, cents) => ` 2 ${Number(cents) + 1} 0`));
  t.strictSame(money(...mixed, ...again), twice, 'a day that is there already is found');
  t.strictSame(money(...ordered, ...again), twice);
});

t.test('a customer is known from the earliest of known_since and all stored rows', async (t) => {
  t.strictSame(dated('known 1996-12-24', '1997-01-05 12.00'), ['1996-12-24', '1997-01-05']);
  t.strictSame(dated('known 1997-02-01', '1997-01-05 12.00'), ['1997-01-05', '1997-02-01']);
  t.strictSame(dated('known 1997-01-05', '1997-01-05 12.00'), ['1997-01-05']);
  t.strictSame(dated('1997-01-05 12.00 void'), ['1997-01-05'], 'a voided purchase still dates existence');
  t.strictSame(dated('1997-01-05 visit void'), ['1997-01-05'], 'so does a voided interaction');
  t.strictSame(dated('1997-01-05 refund 5 p1 void'), ['1997-01-05'], 'and a voided refund');
  t.strictSame(dated('1997-01-05 refund 5 nothing'), ['1997-01-05'], 'and a refund that waits');
});

t.test('the day of receipt dates only a customer of whom nothing else is known', async (t) => {
  t.strictSame(dated('received 2025-06-01'), ['2025-06-01']);
  t.strictSame(dated('received 2025-06-01', 'known 2025-06-09'), ['2025-06-09']);
  t.strictSame(dated('received 2025-06-01', '2025-06-09 visit'), ['2025-06-09']);
});

t.test('a refund counts on the day of its purchase', async (t) => {
  t.strictSame(money('1997-01-05 12.00', '1997-02-01 refund 5.00 p1'), ['1997-01-05 1 700 0', '1997-02-01 0 0 0']);
});

t.test(
  'a purchase whose refunds reach its amount no longer counts, its cost and its voided neighbour apart',
  async (t) => {
    t.strictSame(money('1997-01-05 12.00', '1997-02-01 refund 5 p1', '1997-02-01 refund 6.99 p1'), [
      '1997-01-05 1 1 0',
      '1997-02-01 0 0 0',
    ]);
    t.strictSame(money('1997-01-05 12.00 cost=4', '1997-02-01 refund 5 p1', '1997-02-01 refund 7 p1'), [
      '1997-01-05 0 0 400',
      '1997-02-01 0 0 0',
    ]);
    t.strictSame(money('1997-01-05 12.00', '1997-02-01 refund 5 p1', '1997-02-01 refund 7 p1 void'), [
      '1997-01-05 1 700 0',
      '1997-02-01 0 0 0',
    ]);
  },
);

t.test('a purchase of one cent is wholly refunded by one cent', async (t) => {
  t.strictSame(money('1997-01-05 0.01', '1997-01-05 refund 0.01 p1'), ['1997-01-05 0 0 0']);
});

t.test('an over-refunded purchase brings less than nothing', async (t) => {
  t.strictSame(money('1997-01-05 12.00', '1997-01-06 refund 20 p1'), ['1997-01-05 0 -800 0', '1997-01-06 0 0 0']);
});

t.test('a purchase of zero counts, whatever is refunded of it', async (t) => {
  t.strictSame(money('1997-01-05 0'), ['1997-01-05 1 0 0']);
  t.strictSame(money('1997-01-05 0', '1997-01-05 refund 3 p1'), ['1997-01-05 1 -300 0']);
});

t.test('a voided purchase neither counts nor costs, and its refunds wait without effect', async (t) => {
  t.strictSame(money('1997-01-05 12.00 cost=4 products=a void', '1997-01-07 refund 5 p1'), [
    '1997-01-05 0 0 0',
    '1997-01-07 0 0 0',
  ]);
  t.equal(days('1997-01-05 12.00 void', '1997-01-07 refund 5 p1')[1]!.pending_refunds, 1);
  t.equal(days('1997-01-05 12.00 products=a void')[0]!.products.length, 0);
});

t.test('a refund of an unknown purchase waits on its own day, unless it is voided', async (t) => {
  t.equal(days('1997-01-07 refund 5 later')[0]!.pending_refunds, 1);
  t.equal(days('1997-01-07 refund 5 later void')[0]!.pending_refunds, 0);
  t.equal(days('1997-01-07 refund 5 p1', '1997-01-07 12.00')[0]!.pending_refunds, 0);
});

t.test('products are those of the purchases that count, each once', async (t) => {
  const [first, second] = days(
    '1997-01-05 12.00 products=b,a',
    '1997-01-05 12.00 products=b,c',
    '1997-01-06 12.00 products=d',
    '1997-01-06 refund 12.00 p3',
  );
  t.strictSame(productsOn(first!), ['a', 'b', 'c']);
  t.equal(second!.products.length, 0);
});

t.test('interactions are counted by kind, those that are voided are not', async (t) => {
  const [on] = days(
    '1997-01-05 visit',
    '1997-01-05 visit cost=1.50',
    '1997-01-05 inquiry',
    '1997-01-05 visit cost=9 void',
    '1997-01-05 survey 4 void',
  );
  t.strictSame([...on!.kinds].sort(), [
    ['inquiry', 1],
    ['visit', 2],
  ]);
  t.match(on, { interactions: 3, stored_interactions: 5, costs: 150, score: null });
});

t.test('a survey brings its score, a departure its reason', async (t) => {
  const [on] = days('1997-01-05 survey 0', '1997-01-05 departure boredom', '1997-01-05 complaint');
  t.match(on, { score: { score: 0, id: 'i1' }, departure: { reason: 'boredom', id: 'i2' } });
});

t.test('every stored row is counted on its own day, voided or not', async (t) => {
  const [first, second] = days(
    '1997-01-05 12.00',
    '1997-01-05 12.00 void',
    '1997-01-06 refund 1 p1',
    '1997-01-06 refund 1 p1 void',
    '1997-01-06 visit void',
  );
  t.match(first, { stored_purchases: 2, stored_refunds: 0, stored_interactions: 0 });
  t.match(second, { stored_purchases: 0, stored_refunds: 2, stored_interactions: 1 });
});
