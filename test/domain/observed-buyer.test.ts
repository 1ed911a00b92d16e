import t from 'tap';
import { observeBuyer } from '../../src/domain/observed-buyer.ts';
import { day, days } from '../support/notation.ts';

const HORIZON = { at: day('1997-09-30'), until: day('1997-09-30') + 182 };
const observed = (...lines: readonly string[]) => observeBuyer(days(...lines), HORIZON, new Map());

t.test(
  'a buyer is described by the days until the end of the day, and by whether a purchase day follows',
  async (t) => {
    const gaps = new Map([[20, 1]]);
    const life = days('1997-01-05 12.00', '1997-01-25 1.00', '1997-09-28 1.00', '1998-01-01 5.00', '1998-05-01 5.00');
    t.strictSame(observeBuyer(life, HORIZON, gaps), {
      silence_days: 2,
      gaps: 2,
      gap_days: 20 + 246,
      departed: false,
      returned: true,
    });
    t.strictSame(
      [...gaps],
      [
        [20, 2],
        [246, 1],
      ],
      'the gap that ends later is not completed yet',
    );
  },
);

t.test('whoever has not bought on or before the day is no buyer', async (t) => {
  t.equal(observed('1997-01-05 visit', '1997-10-01 5.00'), null);
  t.equal(observed('1997-01-05 5.00 void'), null);
  t.match(observed('1997-09-30 5.00'), { silence_days: 0, gaps: 0, gap_days: 0 });
});

t.test('the window ends with its last day, and begins after the day', async (t) => {
  const bought = (on: string) => observed('1997-09-30 5.00', `${on} 5.00`)?.returned;
  t.strictSame(['1997-10-01', '1998-03-31', '1998-04-01'].map(bought), [true, true, false]);
  t.equal(observed('1997-09-30 5.00', '1997-10-05 visit')?.returned, false, 'a visit is no return');
  t.equal(
    observed('1997-09-30 5.00', '1997-10-05 5.00', '1997-10-06 refund 5.00 p2')?.returned,
    false,
    'nor is a purchase that was wholly refunded',
  );
});

t.test('a departure counts from its own day until a later purchase day, if it was stated by the day', async (t) => {
  const left = (...lines: readonly string[]) => observed('1997-09-01 5.00', ...lines)?.departed;
  t.equal(left('1997-09-10 departure price'), true);
  t.equal(left('1997-09-01 departure price'), true, 'on the day of the purchase');
  t.equal(left('1997-09-10 departure price', '1997-09-11 5.00'), false);
  t.equal(left('1997-08-10 departure price'), false);
  t.equal(left('1997-10-01 departure price'), false);
});
