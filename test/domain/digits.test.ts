import t from 'tap';
import { digits, POWERS_OF_TEN } from '../../src/domain/digits.ts';

t.test('a part of a text is read as the number it writes', async (t) => {
  t.equal(digits('2025-03-01', 0, 4), 2025);
  t.equal(digits('2025-03-01', 5, 7), 3);
  t.equal(digits('99999999999999', 0, 14), 99_999_999_999_999);
  t.equal(digits('2025', 2, 2), 0, 'nothing is nought');
});

t.test('anything but decimal digits, and the end of the text, is no number', async (t) => {
  for (const text of ['20x5', '2 25', '-025', '20.5', '２０２５', '202/', '202:', '202', ''])
    t.equal(digits(text, 0, 4), -1, text);
});

t.test('powers of ten are listed by their exponent', async (t) => {
  t.strictSame(
    POWERS_OF_TEN.map((power) => String(power)),
    POWERS_OF_TEN.map((_, exponent) => `1${'0'.repeat(exponent)}`),
  );
});
