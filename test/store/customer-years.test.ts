import t from 'tap';
import { yearsOf } from '../../src/store/customer-years.ts';
import { days } from '../support/notation.ts';

t.test('activity days add up by calendar year, a refund on the day of its purchase', async (t) => {
  const found = yearsOf(
    days(
      '2023-12-31 10.00 cost=4.00 products=a,b',
      '2024-01-01 7.00 discount=1.00 products=a',
      '2024-12-31 contact cost=0.50',
      '2025-01-01 3.00',
      '2025-01-02 refund 2.00 p1',
    ),
  );
  const none = { revenue: 0, costs: 0, purchases: 0, product_lines: 0, discounted_purchases: 0 };
  t.strictSame(found, [
    { ...none, year: 2023, purchases: 1, revenue: 800, costs: 400, product_lines: 2 },
    { ...none, year: 2024, purchases: 1, revenue: 700, costs: 50, product_lines: 1, discounted_purchases: 1 },
    { ...none, year: 2025, purchases: 1, revenue: 300 },
  ]);
});

t.test('a year of nothing but visits, or of what cancels out, is left out', async (t) => {
  t.strictSame(
    yearsOf(days('known 2022-05-05', '2023-03-03 visit', '2024-01-01 5.00', '2024-02-01 refund 5.00 p1')),
    [],
  );
  t.strictSame(
    yearsOf(days('2024-01-01 5.00', '2024-01-09 refund 9.00 p1', '2025-01-01 0')).map(({ year, revenue }) => [
      year,
      revenue,
    ]),
    [
      [2024, -400],
      [2025, 0],
    ],
  );
});

t.test('the first and the last day of the calendar lie in their years', async (t) => {
  t.strictSame(
    yearsOf(days('1900-01-01 1.00', '1999-12-31 1.00', '2000-02-29 1.00', '2199-12-31 1.00')).map(({ year }) => year),
    [1900, 1999, 2000, 2199],
  );
});
