import t from 'tap';
import { formatInstant, parseMoment } from '../../src/domain/instant.ts';
import { timeZone } from '../../src/domain/time-zone.ts';
import { day, instant } from '../support/notation.ts';

const UTC = timeZone('UTC');
const MADRID = timeZone('Europe/Madrid');

t.test('an instant is read to the microsecond, whatever its offset', async (t) => {
  const at = instant('2025-03-01T09:30:00Z');
  for (const [text, micros] of [
    ['2025-03-01T09:30:00Z', at],
    ['2025-03-01T10:30:00+01:00', at],
    ['2025-03-01T04:00:00-05:30', at],
    ['2025-03-01T09:30:00-00:00', at],
    ['2025-03-02T09:29:00+23:59', at],
    ['2025-03-01T09:30:00.5Z', at + 500_000],
    ['2025-03-01T09:30:00.000001Z', at + 1],
    ['2025-03-01T09:30:00.123456+00:00', at + 123_456],
    ['2025-03-01T09:30:00.120Z', at + 120_000],
  ] as const) {
    t.strictSame(parseMoment(text, UTC, null), { at: micros, day: day('2025-03-01'), plain: false }, text);
  }
});

t.test('the reporting time zone decides the day of an instant', async (t) => {
  const late = '2025-06-30T23:30:00Z';
  t.match(parseMoment(late, UTC, null), { day: day('2025-06-30'), plain: false });
  t.match(parseMoment(late, MADRID, null), { day: day('2025-07-01'), plain: false });
});

t.test('a plain date means that day in every zone, from its first instant on', async (t) => {
  t.strictSame(parseMoment('2025-07-01', UTC, null), {
    at: instant('2025-07-01T00:00:00Z'),
    day: day('2025-07-01'),
    plain: true,
  });
  t.strictSame(parseMoment('2025-07-01', MADRID, null), {
    at: instant('2025-06-30T22:00:00Z'),
    day: day('2025-07-01'),
    plain: true,
  });
});

t.test('29 February is a moment in leap years only', async (t) => {
  t.match(parseMoment('2024-02-29T12:00:00Z', UTC, null), { day: day('2024-02-29') });
  t.match(parseMoment('2024-02-29', UTC, null), { day: day('2024-02-29') });
  t.equal(parseMoment('2023-02-29T12:00:00Z', UTC, null), 'malformed');
  t.equal(parseMoment('2023-02-29', UTC, null), 'malformed');
});

t.test('what is not written as RFC 3339 with offset is malformed', async (t) => {
  for (const text of [
    '',
    'yesterday',
    '2025-03-01T09:30:00',
    '2025-03-01 09:30:00Z',
    '2025-03-01T09:30Z',
    '2025-03-01T09:30:00+05',
    '2025-03-01T09:30:00+0500',
    '2025-03-01T09:30:00.Z',
    '2025-03-01T09:30:00.1234567Z',
    '2025-03-01T24:00:00Z',
    '2025-03-01T09:60:00Z',
    '2025-03-01T23:59:60Z',
    '2025-03-01T09:30:00+24:00',
    '2025-03-01T09:30:00+05:60',
    '2025-13-01T09:30:00Z',
    '2025-13-01',
    '-2025-03-01',
    '+002025-03-01T09:30:00Z',
  ]) {
    t.equal(parseMoment(text, UTC, null), 'malformed', JSON.stringify(text));
  }
});

t.test('days before 1900 and after 2199 are out of range, by the zone of the deployment', async (t) => {
  for (const text of [
    '1899-12-31',
    '2200-01-01',
    '0000-01-01',
    '9999-12-31',
    '1899-12-31T23:59:59Z',
    '2200-01-01T00:00:00Z',
  ]) {
    t.equal(parseMoment(text, UTC, null), 'out_of_range', text);
  }
  t.match(parseMoment('1900-01-01T00:00:00Z', UTC, null), { day: day('1900-01-01') });
  t.match(parseMoment('2199-12-31T23:59:59.999999Z', UTC, null), { day: day('2199-12-31') });
  t.equal(parseMoment('1900-01-01T00:00:00+14:00', UTC, null), 'out_of_range', 'in UTC that is still 1899');
  t.equal(parseMoment('2199-12-31T23:30:00Z', MADRID, null), 'out_of_range', 'in Madrid that is already 2200');
});

t.test('an instant may lie 24 hours ahead and not a microsecond more', async (t) => {
  const now = instant('2025-06-15T12:00:00Z');
  t.match(parseMoment('2025-06-16T12:00:00Z', UTC, now), { plain: false });
  t.equal(parseMoment('2025-06-16T12:00:00.000001Z', UTC, now), 'in_the_future');
  t.match(
    parseMoment('2025-06-16T12:00:00.000001Z', UTC, null),
    { plain: false },
    'without a clock any day is allowed',
  );
});

t.test('a plain date may be tomorrow in the reporting time zone', async (t) => {
  const now = instant('2025-06-15T23:00:00Z');
  t.match(parseMoment('2025-06-16', UTC, now), { plain: true });
  t.equal(parseMoment('2025-06-17', UTC, now), 'in_the_future');
  t.match(parseMoment('2025-06-17', MADRID, now), { plain: true }, 'in Madrid it is already the 16th');
  t.match(parseMoment('2199-01-01', UTC, null), { plain: true });
});

t.test('an instant is written in UTC with as many decimals as it has', async (t) => {
  const at = instant('2025-03-01T09:30:00Z');
  t.equal(formatInstant(at), '2025-03-01T09:30:00Z');
  t.equal(formatInstant(at + 1), '2025-03-01T09:30:00.000001Z');
  t.equal(formatInstant(at + 120_000), '2025-03-01T09:30:00.12Z');
  t.equal(formatInstant(instant('1969-12-31T23:59:59Z') + 999_999), '1969-12-31T23:59:59.999999Z');
  t.equal(formatInstant(instant('1900-01-01T00:00:00Z')), '1900-01-01T00:00:00Z');
});
