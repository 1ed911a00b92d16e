import t from 'tap';
import { readDay, readRange } from '../../src/reports/parameters.ts';
import { day } from '../support/notation.ts';

t.test('a day parameter is its day, or the fallback if it is absent', async (t) => {
  t.equal(readDay('as_of', '2025-06-30', 7), day('2025-06-30'));
  t.equal(readDay('as_of', undefined, 7), 7);
});

t.test('what is no day of the calendar is refused by the name of its parameter', async (t) => {
  for (const text of ['2025-02-30', '1899-12-31', 'today', '']) {
    t.match(readDay('as_of', text, 7), { parameter: 'as_of', code: 'not_a_day' }, text);
  }
});

t.test('a range holds its first day and ends before its last', async (t) => {
  t.strictSame(readRange('2025-01-01', '2025-01-02'), { from: day('2025-01-01'), to: day('2025-01-02') });
});

t.test('a range that is empty, reversed, half given or no days is refused', async (t) => {
  t.match(readRange('2025-01-02', '2025-01-02'), { parameter: 'to', code: 'invalid_range' });
  t.match(readRange('2025-01-03', '2025-01-02'), { parameter: 'to', code: 'invalid_range' });
  t.match(readRange(undefined, '2025-01-02'), { parameter: 'from', code: 'invalid_range' });
  t.match(readRange('2025-01-02', undefined), { parameter: 'to', code: 'invalid_range' });
  t.match(readRange('2025-02-29', '2025-03-01'), { parameter: 'from', code: 'not_a_day' });
  t.match(readRange('2025-02-28', '2025-02-29'), { parameter: 'to', code: 'not_a_day' });
});
