import t from 'tap';
import { dataDirectory, runCommand } from '../support/process.ts';

t.setTimeout(60_000);

t.test('a day on which the demo cannot be told is refused before anything is stored', async (t) => {
  const DATA_DIR = await dataDirectory(t);
  for (const day of ['2999-01-01', '2026-02-30', 'today']) {
    const { code, stderr } = await runCommand(t, ['demo', '10', day], { PORT: '0', DATA_DIR });
    t.equal(code, 1, day);
    t.match(stderr, /The second argument must be a day as YYYY-MM-DD, \d{4}-\d\d-\d\d at the latest\.\n$/);
  }
});
