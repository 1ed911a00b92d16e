import t from 'tap';
import { complement, meanOfShares, wilson } from '../../src/domain/wilson.ts';
import { wilsonBounds } from '../oracle/wilson.ts';

t.test('the interval is that of Newcombe 1998, table I, method 3', async (t) => {
  const published = [
    [81, 263, '0.2553', '0.3662'],
    [15, 148, '0.0624', '0.1605'],
    [0, 20, '0.0000', '0.1611'],
    [1, 29, '0.0061', '0.1718'],
  ] as const;
  for (const [numerator, denominator, lower, upper] of published) {
    const found = wilson(numerator, denominator);
    t.strictSame([found.lower?.toFixed(4), found.upper?.toFixed(4)], [lower, upper], `${numerator}/${denominator}`);
    t.strictSame([found.numerator, found.denominator, found.share], [numerator, denominator, numerator / denominator]);
  }
});

t.test('it holds the shares that a score test does not reject, of a population too', async (t) => {
  const near = (one: number | null, other: number | null): boolean => Math.abs(one! - other!) < 1e-9;
  for (const [numerator, denominator] of [
    [0, 7],
    [7, 7],
    [1, 2],
    [3, 400],
    [399, 400],
    [120, 250],
  ] as const) {
    for (const population of [undefined, denominator + 1, 2 * denominator, 1_000_000]) {
      const [found, known] = [
        wilson(numerator, denominator, population),
        wilsonBounds(numerator, denominator, population),
      ];
      t.ok(
        near(found.lower, known.lower) && near(found.upper, known.upper),
        `${numerator}/${denominator} of ${population}`,
      );
    }
  }
});

t.test('whoever has looked at everybody knows the share, and nobody knows it of nobody', async (t) => {
  t.match(wilson(2, 5, 5), { share: 0.4, lower: 0.4, upper: 0.4 });
  t.strictSame(wilson(0, 0, 7), { numerator: 0, denominator: 0, share: null, lower: null, upper: null });
});

t.test('the interval of a mean is that of Newcombe 1998, table II, method 10, for a difference', async (t) => {
  // 56/70 − 48/80 is twice the mean of 56/70 and 1 − 48/80, less one.
  const published = [
    [wilson(56, 70), wilson(48, 80), '0.2000', '0.0524', '0.3339'],
    [wilson(9, 10), wilson(3, 10), '0.6000', '0.1705', '0.8090'],
    [wilson(5, 56), wilson(0, 29), '0.0893', '-0.0381', '0.1926'],
    [wilson(10, 10), wilson(0, 10), '1.0000', '0.6075', '1.0000'],
  ] as const;
  for (const [one, two, ...wanted] of published) {
    const { share, lower, upper } = meanOfShares(one, complement(two));
    t.strictSame(
      [share, lower, upper].map((bound) => (2 * bound! - 1).toFixed(4)),
      wanted,
    );
  }
});

t.test('a mean or a complement of what is not known is not known', async (t) => {
  const unknown = { share: null, lower: null, upper: null };
  t.strictSame(meanOfShares(wilson(0, 0), wilson(1, 2)), unknown);
  t.strictSame(meanOfShares(wilson(1, 2), wilson(0, 0)), unknown);
  t.match(complement(wilson(0, 0)), unknown);
  t.match(complement(wilson(1, 4, 4)), { numerator: 3, denominator: 4, share: 0.75, lower: 0.75, upper: 0.75 });
});
