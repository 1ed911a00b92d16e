import t from 'tap';
import { boundsOf, bucketOf, LAST_BUCKET } from '../../src/domain/value-buckets.ts';

/** Every bucket, from the least. */
const BUCKETS = Array.from({ length: 2 * LAST_BUCKET + 1 }, (_, index) => index - LAST_BUCKET);

t.test('a magnitude below 512 has its bucket to itself, with the sign of the value', async (t) => {
  for (let value = -511; value < 512; value += 1) {
    if (bucketOf(value) !== value || boundsOf(value).least !== value || boundsOf(value).greatest !== value)
      t.fail(`value ${value}`);
  }
  t.equal(bucketOf(0), 0);
});

t.test('an octave has 256 steps of one width', async (t) => {
  t.same([512, 513, 514, 1_022, 1_023].map(bucketOf), [512, 512, 513, 767, 767]);
  t.same([1_024, 1_027, 1_028, 2_047].map(bucketOf), [768, 768, 769, 1_023]);
  t.same([-512, -513, -514, -1_023].map(bucketOf), [-512, -512, -513, -767]);
  t.same([2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32].map(bucketOf), [6_143, 6_144, 6_399, 6_400]);
  for (let exponent = 8; exponent < 53; exponent += 1) {
    const buckets = new Set(
      Array.from({ length: 1_024 }, (_, step) => bucketOf(Math.floor(2 ** exponent * (1 + step / 1_024)))),
    );
    t.equal(buckets.size, 256, `from 2^${exponent}`);
  }
});

t.test('both bounds of every bucket lie in it, and the next bucket begins right after', async (t) => {
  const wrong = BUCKETS.filter((bucket) => {
    const { least, greatest } = boundsOf(bucket);
    const follows = bucket === -LAST_BUCKET || boundsOf(bucket - 1).greatest + 1 === least;
    return bucketOf(least) !== bucket || bucketOf(greatest) !== bucket || !follows || least > greatest;
  });
  t.same(wrong, []);
});

t.test('a bucket is never wider than the 256th part of its values', async (t) => {
  const wide = BUCKETS.filter((bucket) => {
    const { least, greatest } = boundsOf(bucket);
    return (greatest - least) * 256 > Math.min(Math.abs(least), Math.abs(greatest));
  });
  t.same(wide, []);
});

t.test('the widest values have buckets: up to 2^53 on both sides', async (t) => {
  t.equal(bucketOf(2 ** 53), LAST_BUCKET);
  t.equal(bucketOf(-(2 ** 53)), -LAST_BUCKET);
  t.equal(bucketOf(Number.MAX_SAFE_INTEGER), LAST_BUCKET - 1);
  t.equal(bucketOf(Number.MIN_SAFE_INTEGER), 1 - LAST_BUCKET);
  t.same(boundsOf(LAST_BUCKET), { least: 2 ** 53, greatest: 2 ** 53 });
});

t.test('a greater value never has a lesser bucket', async (t) => {
  const magnitudes = Array.from({ length: 5_300 }, (_, index) => Math.floor(2 ** (index / 100)));
  const values = [...magnitudes.map((value) => -value).reverse(), 0, ...magnitudes];
  const falling = values.filter((value, index) => index > 0 && bucketOf(value) < bucketOf(values[index - 1]!));
  t.same(falling, []);
});
