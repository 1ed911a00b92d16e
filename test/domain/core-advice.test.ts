import t from 'tap';
import { adviseCore, repeatShares } from '../../src/domain/core-advice.ts';
import { wilson } from '../../src/domain/wilson.ts';

const shares = (...counts: readonly (readonly [customers: number, bought_again: number])[]) =>
  repeatShares(
    counts.map(([customers, bought_again], index) => ({ purchase_number: index + 1, customers, bought_again })),
  );

t.test('the share of those who go on has its interval', async (t) => {
  const { share, lower, upper } = wilson(486, 1_000);
  t.strictSame(shares([1_000, 486]), [
    { purchase_number: 1, customers: 1_000, bought_again: 486, share, lower, upper },
  ]);
});

t.test('core begins at the smallest number after which the wanted share goes on', async (t) => {
  const curve = shares([1_000, 486], [486, 316], [316, 224], [224, 200], [200, 199]);
  t.strictSame(adviseCore(curve, 0.7), {
    at_least: 3,
    reason:
      'Of 316 customers with at least 3 purchase days 224 went on, 0.709: the smallest number of purchase days with 0.7 or more.',
  });
  t.equal(adviseCore(curve, 316 / 486).at_least, 2, 'the share itself is enough');
});

t.test('what fewer than 100 customers have reached says nothing', async (t) => {
  t.equal(adviseCore(shares([1_000, 200], [100, 70]), 0.7).at_least, 2);
  t.strictSame(adviseCore(shares([1_000, 99], [99, 99]), 0.7), {
    at_least: null,
    reason: 'After none of the 1 purchase days reached by at least 100 customers 0.7 or more went on.',
  });
  t.strictSame(adviseCore([], 0.7), {
    at_least: null,
    reason: 'No purchase day was reached by at least 100 customers.',
  });
});
