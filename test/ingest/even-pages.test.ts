import t from 'tap';
import { evenRows } from '../../src/ingest/even-pages.ts';

t.test('as many pages come to every lane, all of one size', async (t) => {
  t.equal(evenRows(298_452, 2, 100_000), 74_613, 'four pages instead of two and one');
  t.equal(evenRows(74_614, 2, 100_000), 37_307);
  t.equal(evenRows(200_000, 2, 100_000), 100_000);
  t.equal(evenRows(200_001, 2, 100_000), 50_001);
  t.equal(evenRows(90_000, 3, 100_000), 30_000);
  t.equal(evenRows(90_000, 1, 100_000), 90_000);
});

t.test('pages are never larger than allowed, and small only if they must be', async (t) => {
  t.equal(evenRows(0, 2, 100_000), 20_000);
  t.equal(evenRows(30_000, 2, 100_000), 20_000);
  t.equal(evenRows(1_000_000, 2, 50), 50);
});
