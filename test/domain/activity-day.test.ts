import t from 'tap';
import {
  type ActivityDay,
  compareText,
  DEPARTURE_REASONS,
  emptyDay,
  mergeDay,
  noteDeparture,
  noteScore,
  productsOn,
} from '../../src/domain/activity-day.ts';
import { day, days, instant } from '../support/notation.ts';

const MORNING = instant('2025-03-01T09:00:00Z');
const EVENING = instant('2025-03-01T19:00:00Z');
const scoreAfter = (...scores: readonly (readonly [at: number, id: string, score: number])[]): number | undefined => {
  const on = emptyDay(day('2025-03-01'));
  for (const [at, id, score] of scores) noteScore(on, { at, id, score });
  return on.score?.score;
};

t.test('of two scores on a day the later instant wins, whichever came in first', async (t) => {
  t.equal(scoreAfter([MORNING, 'b', 3], [EVENING, 'a', 9]), 9);
  t.equal(scoreAfter([EVENING, 'a', 9], [MORNING, 'b', 3]), 9);
});

t.test('of two scores at one instant the greater interaction id wins', async (t) => {
  t.equal(scoreAfter([MORNING, 'i1', 3], [MORNING, 'i2', 9]), 9);
  t.equal(scoreAfter([MORNING, 'i2', 9], [MORNING, 'i1', 3]), 9);
  t.equal(scoreAfter([MORNING, 'i9', 3], [MORNING, 'i10', 9]), 3, 'ids are texts, not numbers');
});

t.test('departures of a day are ordered as scores are', async (t) => {
  const on = emptyDay(day('2025-03-01'));
  noteDeparture(on, { at: EVENING, id: 'a', reason: 'price' });
  noteDeparture(on, { at: MORNING, id: 'b', reason: 'boredom' });
  t.equal(on.departure?.reason, 'price');
  noteDeparture(on, { at: EVENING, id: 'b', reason: 'competitor' });
  t.equal(on.departure?.reason, 'competitor');
  t.equal(DEPARTURE_REASONS.length, 6);
});

t.test('texts are ordered by code point, as PostgreSQL orders them with collate "C"', async (t) => {
  const texts = [
    '',
    'A',
    'Z',
    'a',
    'aa',
    'ab',
    'b',
    'é',
    '\u{ffff}',
    '\u{1f600}',
    '\u{1f600}a',
    '\u{1f601}',
    'a\u{ffff}',
    'a\u{1f600}',
  ];
  const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
  for (const a of texts) {
    for (const b of texts) t.equal(Math.sign(compareText(a, b)), byBytes(a, b), JSON.stringify([a, b]));
  }
  t.ok('\u{ffff}' > '\u{1f600}', 'JavaScript orders these two the other way round');
});

t.test('a day on which nothing happened holds nothing', async (t) => {
  const { day: on, products, kinds, score, departure, ...totals } = emptyDay(7);
  t.strictSame([on, products.length, kinds.size, score, departure], [7, 0, 0, null, null]);
  t.strictSame([...new Set(Object.values(totals))], [0]);
});

t.test('two halves of a day merge into the day that held all of it', async (t) => {
  const first = [
    '2025-03-01T09:00 12.00 cost=3 products=a,b',
    '2025-03-01T10:00 complaint cost=0.50',
    '2025-03-01T11:00 survey 4',
    '2025-03-01T12:00 departure price',
    '2025-03-01 refund 1.00 unknown',
  ];
  const second = [
    '2025-03-01T13:00 8.00 cost=1 products=b,c id=p2',
    '2025-03-01T14:00 complaint id=i4',
    '2025-03-01T15:00 survey 9 id=i5',
    '2025-03-01T16:00 departure other id=i6',
    '2025-03-01 5.00 void id=p3',
    '2025-03-01 refund 2.00 unknown id=r2',
  ];
  const only = (lines: readonly string[]): ActivityDay => days(...lines)[0]!;
  const whole = only([...first, ...second]);
  const forward = only(first);
  mergeDay(forward, only(second));
  t.strictSame(forward, whole);
  const backward = only(second);
  mergeDay(backward, only(first));
  t.strictSame(sorted(backward), sorted(whole), 'in either order');
  t.match(whole, { purchases: 2, revenue: 2_000, costs: 450, interactions: 6, stored_purchases: 3, stored_refunds: 2 });
  t.match(whole, { stored_interactions: 6, pending_refunds: 2, score: { score: 9 }, departure: { reason: 'other' } });
  t.strictSame(productsOn(whole), ['a', 'b', 'c']);
  t.equal(whole.kinds.get('complaint'), 2);
});

t.test('merging an empty day changes nothing', async (t) => {
  const whole = days('2025-03-01 12.00 products=a', '2025-03-01 survey 7', '2025-03-01 departure price')[0]!;
  const merged = days('2025-03-01 12.00 products=a', '2025-03-01 survey 7', '2025-03-01 departure price')[0]!;
  mergeDay(merged, emptyDay(whole.day));
  t.strictSame(merged, whole);
});

/** Sets and maps of a day in one order. */
function sorted(on: ActivityDay): object {
  return { ...on, products: productsOn(on), kinds: [...on.kinds].sort() };
}
