import { type HostileCase, inBatch, inPut, VALID, withRaw } from './case.ts';

/** Moments that are none, or lie where nothing may. */
const MOMENTS: readonly (readonly [value: unknown, code: string])[] = [
  ['0000-01-01', 'out_of_range'],
  ['0000-01-01T00:00:00Z', 'out_of_range'],
  ['0001-01-01T00:00:00Z', 'out_of_range'],
  ['1899-12-31', 'out_of_range'],
  ['1899-12-31T23:59:59Z', 'out_of_range'],
  ['1900-01-01T00:00:00+14:00', 'out_of_range'],
  ['2200-01-01', 'out_of_range'],
  ['2200-01-01T00:00:00Z', 'out_of_range'],
  ['2199-12-31T23:59:59-01:00', 'out_of_range'],
  ['9999-12-31T23:59:59Z', 'out_of_range'],
  ['2026-06-17', 'in_the_future'],
  ['2026-06-16T12:00:00.000001Z', 'in_the_future'],
  ['2199-12-31', 'in_the_future'],
  ['2026-02-30', 'not_a_moment'],
  ['2025-02-29T10:00:00Z', 'not_a_moment'],
  ['2000-02-30', 'not_a_moment'],
  ['2026-13-01', 'not_a_moment'],
  ['2026-00-10', 'not_a_moment'],
  ['2026-01-00', 'not_a_moment'],
  ['2026-04-31T00:00:00Z', 'not_a_moment'],
  ['2026-01-01T00:00:60Z', 'not_a_moment'],
  ['2016-12-31T23:59:60Z', 'not_a_moment'],
  ['2026-01-01T00:60:00Z', 'not_a_moment'],
  ['2026-01-01T24:00:00Z', 'not_a_moment'],
  ['2026-01-01T00:00:00+05', 'not_a_moment'],
  ['2026-01-01T00:00:00+0500', 'not_a_moment'],
  ['2026-01-01T00:00:00+25:00', 'not_a_moment'],
  ['2026-01-01T00:00:00+05:60', 'not_a_moment'],
  ['2026-01-01T00:00:00', 'not_a_moment'],
  ['2026-01-01T00:00Z', 'not_a_moment'],
  ['2026-01-01T00:00:00.1234567Z', 'not_a_moment'],
  ['2026-01-01T00:00:00.Z', 'not_a_moment'],
  ['2026-01-01t00:00:00Z', 'not_a_moment'],
  ['2026-01-01T00:00:00z', 'not_a_moment'],
  ['2026-01-01 00:00:00Z', 'not_a_moment'],
  [' 2026-01-01', 'not_a_moment'],
  ['2026-01-01\n', 'not_a_moment'],
  ['20260101T000000Z', 'not_a_moment'],
  ['+002026-01-01T00:00:00Z', 'not_a_moment'],
  ['٢٠٢٦-٠١-٠١', 'not_a_moment'],
  ['1767225600000', 'not_a_moment'],
  ['2026-1-1', 'wrong_length'],
  ['2026-01-01T00:00:00.000000000000000000Z', 'wrong_length'],
  ['', 'wrong_length'],
  [1_767_225_600, 'wrong_type'],
  [null, 'wrong_type'],
  [true, 'wrong_type'],
  [['2026-01-01'], 'wrong_type'],
  [{}, 'wrong_type'],
];

/** Amounts that are none. */
const AMOUNTS: readonly (readonly [value: unknown, code: string])[] = [
  ['1e3', 'wrong_format'],
  ['+1', 'wrong_format'],
  [' 1', 'wrong_format'],
  ['1 ', 'wrong_format'],
  ['1\n', 'wrong_format'],
  ['01', 'wrong_format'],
  ['.5', 'wrong_format'],
  ['5.', 'wrong_format'],
  ['-1', 'wrong_format'],
  ['-0', 'wrong_format'],
  ['1,50', 'wrong_format'],
  ['1_000', 'wrong_format'],
  ['0x10', 'wrong_format'],
  ['NaN', 'wrong_format'],
  ['Infinity', 'wrong_format'],
  ['１０', 'wrong_format'],
  ['€10', 'wrong_format'],
  ['', 'wrong_format'],
  ['9'.repeat(40), 'wrong_format'],
  ['1.23456', 'wrong_format'],
  ['1.234', 'too_many_decimals'],
  ['0.0000', 'too_many_decimals'],
  ['100000000000.01', 'out_of_range'],
  ['99999999999999', 'out_of_range'],
  [10, 'wrong_type'],
  [null, 'wrong_type'],
  [true, 'wrong_type'],
  [['1'], 'wrong_type'],
  [{ amount: '1' }, 'wrong_type'],
];

/** Numbers that JSON can write and the service cannot mean. */
const NUMBERS = ['1e400', '-1e400', '9007199254740993', '-0', '1.0000000000000000000000001', '1E5', '0.1'];

/** Fields of items whose form or value is wrong. */
export function fieldCases(): HostileCase[] {
  const cases: HostileCase[] = [];
  for (const [value, code] of MOMENTS) {
    cases.push(inBatch('purchases', 'purchased_at', value, code), inPut('purchases', 'purchased_at', value, code));
  }
  for (const [value, code] of MOMENTS.filter((_, index) => index % 5 === 0)) {
    cases.push(inBatch('refunds', 'refunded_at', value, code), inPut('interactions', 'occurred_at', value, code));
  }
  for (const [value, code] of AMOUNTS)
    cases.push(inBatch('purchases', 'amount', value, code), inPut('refunds', 'amount', value, code));
  for (const [value, code] of AMOUNTS.filter((_, index) => index % 4 === 0)) {
    cases.push(
      inBatch('purchases', 'cost', value, code),
      inPut('purchases', 'discount', value, code),
      inBatch('interactions', 'cost', value, code),
    );
  }
  for (const raw of NUMBERS) {
    const place =
      raw === '-0' || raw === '1.0000000000000000000000001' ? [] : [rawNumber('interactions', 'score', raw)];
    cases.push(rawNumber('purchases', 'amount', raw), ...place);
  }
  return cases;
}

function rawNumber(kind: 'purchases' | 'interactions', field: string, raw: string): HostileCase {
  const item = { ...VALID[kind], ...(kind === 'interactions' ? { kind: 'survey' } : {}), [field]: '@raw' };
  // 1e400 becomes infinite; what is compared first is the range.
  const whole = raw !== '0.1' && raw !== '-0' && !raw.startsWith('1.');
  const code = field === 'score' && whole ? 'out_of_range' : 'wrong_type';
  return {
    what: `${field} ${raw} as a number in a batch of ${kind}`,
    method: 'POST',
    path: `/v1/${kind}`,
    body: withRaw({ items: [item] }, raw),
    status: 200,
    code,
    at: `/items/0/${field}`,
  };
}
