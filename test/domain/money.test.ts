import t from 'tap';
import { AMOUNT_LIMIT, formatMoney, parseMoney, parseSignedMoney } from '../../src/domain/money.ts';

t.test('an amount is read as minor units of its currency', async (t) => {
  for (const [text, decimals, minor] of [
    ['1500', 0, 1_500],
    ['0', 0, 0],
    ['12', 2, 1_200],
    ['12.3', 2, 1_230],
    ['12.34', 2, 1_234],
    ['0.05', 2, 5],
    ['1.234', 3, 1_234],
    ['1.2', 3, 1_200],
    ['0.0001', 4, 1],
    ['7.1234', 4, 71_234],
  ] as const) {
    t.equal(parseMoney(text, decimals), minor, `${text} with ${decimals} decimals`);
  }
});

t.test('more decimals than the currency has are refused, zeros too', async (t) => {
  t.equal(parseMoney('12.5', 0), 'too_many_decimals');
  t.equal(parseMoney('12.345', 2), 'too_many_decimals');
  t.equal(parseMoney('12.340', 2), 'too_many_decimals');
  t.equal(parseMoney('1.2345', 3), 'too_many_decimals');
});

t.test('an amount may be 10¹³ minor units and not one more', async (t) => {
  t.equal(parseMoney('100000000000.00', 2), AMOUNT_LIMIT);
  t.equal(parseMoney('100000000000.01', 2), 'out_of_range');
  t.equal(parseMoney('10000000000000', 0), 10_000_000_000_000);
  t.equal(parseMoney('10000000000001', 0), 'out_of_range');
  t.equal(parseMoney('1000000000.0000', 4), AMOUNT_LIMIT);
  t.equal(parseMoney('1000000000.0001', 4), 'out_of_range');
});

t.test('what is not a plain decimal is malformed', async (t) => {
  for (const text of [
    '',
    '-1',
    '+1',
    '01',
    '00.5',
    '.5',
    '1.',
    '1,5',
    '1e3',
    ' 1',
    '1 ',
    '1_000',
    'NaN',
    '0x10',
    '１',
    '1.00000',
  ]) {
    t.equal(parseMoney(text, 2), 'malformed', JSON.stringify(text));
  }
});

t.test('thresholds may be negative', async (t) => {
  t.equal(parseSignedMoney('-12.30', 2), -1_230);
  t.equal(parseSignedMoney('12.30', 2), 1_230);
  t.ok(Object.is(parseSignedMoney('-0', 2), 0), 'zero has no sign');
  t.equal(parseSignedMoney('-1.234', 2), 'too_many_decimals');
  t.equal(parseSignedMoney('--1', 2), 'malformed');
  t.equal(parseSignedMoney('-100000000000.01', 2), 'out_of_range');
});

t.test('money is written with all decimals of its currency', async (t) => {
  for (const [minor, decimals, text] of [
    [1_500, 0, '1500'],
    [-1_500, 0, '-1500'],
    [0, 0, '0'],
    [0, 2, '0.00'],
    [-0, 2, '0.00'],
    [5, 2, '0.05'],
    [-5, 2, '-0.05'],
    [1_234, 2, '12.34'],
    [1, 3, '0.001'],
    [-71_234, 4, '-7.1234'],
  ] as const) {
    t.equal(formatMoney(minor, decimals), text, text);
  }
});

t.test('sums beyond 2⁵³ are written exactly', async (t) => {
  t.equal(formatMoney(9_007_199_254_740_993n, 2), '90071992547409.93');
  t.equal(formatMoney(-123_456_789_012_345_678_901n, 4), '-12345678901234567.8901');
  t.equal(formatMoney(123_456_789_012_345_678_901n, 0), '123456789012345678901');
  t.equal(formatMoney(-7n, 2), '-0.07');
});

t.test('what was read is written again as it was', async (t) => {
  for (const decimals of [0, 2, 3, 4]) {
    for (const minor of [0, 1, 9, 10, 99, 100, 12_345, 999_999_999, AMOUNT_LIMIT]) {
      t.equal(parseMoney(formatMoney(minor, decimals), decimals), minor, `${minor} with ${decimals} decimals`);
    }
  }
});
