import { test } from 'tap';
import { quotient } from '../../src/reports/quotient.ts';

test('a quotient is the numerator over the denominator', async (t) => {
  t.equal(quotient(3, 4), 0.75);
  t.equal(quotient(0, 4), 0);
  t.equal(quotient(-3, 4), -0.75);
});

test('a quotient without anything to divide by is not defined', async (t) => {
  t.equal(quotient(0, 0), null);
  t.equal(quotient(3, 0), null);
  t.equal(quotient(3, -4), null);
});
