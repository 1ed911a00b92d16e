import t from 'tap';
import { DAY_MICROS, timeZone } from '../../src/domain/time-zone.ts';
import { date, day, instant } from '../support/notation.ts';

/** Zone, day, and the first instant of the day, worked out by hand from the tz database. */
const STARTS: readonly (readonly [zone: string, day: string, start: string, why: string])[] = [
  ['UTC', '2025-03-09', '2025-03-09T00:00:00Z', 'no offset'],
  ['America/New_York', '2025-03-09', '2025-03-09T05:00:00Z', 'the clocks go forward later that day'],
  ['America/New_York', '2025-03-10', '2025-03-10T04:00:00Z', 'a day of 23 hours has gone by'],
  ['America/New_York', '2025-11-02', '2025-11-02T04:00:00Z', 'the clocks go back later that day'],
  ['America/New_York', '2025-11-03', '2025-11-03T05:00:00Z', 'a day of 25 hours has gone by'],
  ['Asia/Kolkata', '2025-01-01', '2024-12-31T18:30:00Z', 'half an hour of offset'],
  ['Pacific/Apia', '2011-12-29', '2011-12-29T10:00:00Z', 'still east of the date line'],
  ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00Z', 'the day the zone skipped: the first instant after it'],
  ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00Z', 'the day after the skipped one'],
  ['America/Santiago', '2025-09-07', '2025-09-07T04:00:00Z', 'midnight does not exist: the day begins at one'],
  ['America/Santiago', '2025-04-05', '2025-04-05T03:00:00Z', 'a day of 25 hours'],
  ['America/Santiago', '2025-04-06', '2025-04-06T04:00:00Z', 'at midnight the clocks went back to eleven'],
  ['Africa/Monrovia', '1972-01-06', '1972-01-06T00:44:30Z', 'an offset with seconds'],
  ['Africa/Monrovia', '1972-01-07', '1972-01-07T00:44:30Z', 'the day that lost 44 minutes and 30 seconds'],
  ['Africa/Monrovia', '1972-01-08', '1972-01-08T00:00:00Z', 'no offset any more'],
  ['America/Toronto', '1919-03-31', '1919-03-31T04:30:00Z', 'the clocks went from 23:30 to 00:30 of the next day'],
  [
    'America/St_Johns',
    '2000-10-29',
    '2000-10-29T02:30:00Z',
    'a minute past midnight the clocks went back: midnight came twice, the first counts',
  ],
];

t.test('a day begins with the first instant that falls on it', async (t) => {
  for (const [name, on, start, why] of STARTS) {
    const zone = timeZone(name);
    t.equal(
      new Date(zone.startOf(day(on)) / 1_000).toISOString(),
      new Date(start).toISOString(),
      `${name} ${on}: ${why}`,
    );
  }
});

t.test('the instant before the first one of a day falls on an earlier day', async (t) => {
  for (const [name, on, start] of STARTS) {
    const zone = timeZone(name);
    const at = instant(start);
    const skipped = name === 'Pacific/Apia' && on === '2011-12-30';
    t.equal(date(zone.dayOf(at)), skipped ? '2011-12-31' : on, `${name} ${on}: first instant`);
    t.ok(zone.dayOf(at - 1) < day(on), `${name} ${on}: a microsecond earlier`);
  }
});

t.test('one instant falls on different days in different zones', async (t) => {
  const at = instant('2025-01-01T03:30:00Z');
  t.equal(date(timeZone('UTC').dayOf(at)), '2025-01-01');
  t.equal(date(timeZone('America/New_York').dayOf(at)), '2024-12-31');
  t.equal(date(timeZone('Pacific/Kiritimati').dayOf(instant('2025-01-01T10:00:00Z'))), '2025-01-02');
  t.equal(timeZone('Asia/Kolkata').name, 'Asia/Kolkata');
});

t.test('the last microsecond of a day still belongs to it, before 1970 too', async (t) => {
  const zone = timeZone('UTC');
  t.equal(date(zone.dayOf(instant('1969-12-31T00:00:00Z') - 1)), '1969-12-30');
  t.equal(date(zone.dayOf(instant('1969-12-31T00:00:00Z'))), '1969-12-31');
  t.equal(date(zone.dayOf(instant('2025-06-30T00:00:00Z') + DAY_MICROS - 1)), '2025-06-30');
  t.equal(date(zone.dayOf(instant('2199-12-31T23:59:59.999Z'))), '2199-12-31');
});

t.test('both passes of a repeated hour fall on the same day', async (t) => {
  const zone = timeZone('Europe/Madrid');
  t.equal(date(zone.dayOf(instant('2025-10-26T00:30:00Z'))), '2025-10-26');
  t.equal(date(zone.dayOf(instant('2025-10-26T01:30:00Z'))), '2025-10-26');
  t.equal(date(zone.dayOf(instant('2025-10-25T22:00:00Z'))), '2025-10-26');
  t.equal(date(zone.dayOf(instant('2025-10-25T21:59:59.999Z'))), '2025-10-25');
});

t.test('every day of a decade begins after the day before it, and on itself', async (t) => {
  const wrong: string[] = [];
  for (const name of [
    'America/New_York',
    'Asia/Kolkata',
    'Pacific/Apia',
    'America/Santiago',
    'Africa/Monrovia',
    'Australia/Lord_Howe',
  ]) {
    const zone = timeZone(name);
    let before = zone.startOf(day('2009-12-31'));
    for (let on = day('2010-01-01'); on < day('2020-01-01'); on += 1) {
      const start = zone.startOf(on);
      const skipped = name === 'Pacific/Apia' && date(on) === '2011-12-30';
      const hours = (start - before) / (DAY_MICROS / 24);
      const after = name === 'Pacific/Apia' && date(on) === '2011-12-31';
      if (after ? hours !== 0 : hours < 23 || hours > 25) wrong.push(`${name}: ${date(on - 1)} lasts ${hours} h`);
      if (!skipped && (zone.dayOf(start) !== on || zone.dayOf(start - 1) >= on)) wrong.push(`${name}: ${date(on)}`);
      before = start;
    }
  }
  t.strictSame(wrong, []);
});

t.test('an unknown zone is refused', async (t) => {
  t.throws(() => timeZone('Middle/Earth'), { name: 'RangeError' });
});
