import t from 'tap';
import {
  classesToRead,
  eightyPercent,
  giniOf,
  lastRanks,
  levelIfSure,
  lorenzOf,
  rankIn,
  refine,
  totalOf,
  type ValueClass,
} from '../../src/reports/value-ranking.ts';

/** A level of so many customers. */
const level = (value: number, customers = 1): ValueClass => ({
  least: value,
  greatest: value,
  customers,
  value: BigInt(value) * BigInt(customers),
});
/** A bucket whose customers' values are not known one by one. */
const bucket = (least: number, greatest: number, customers: number, value: number): ValueClass => ({
  least,
  greatest,
  customers,
  value: BigInt(value),
});

t.test('the Gini coefficient of 1, 3, 2, 1, 1, 1, 4 is the published .3076923', async (t) => {
  const gini = giniOf([level(4), level(3), level(2), level(1, 4)])!;
  t.ok(Math.abs(gini - 0.3076923) < 5e-8, `${gini}`);
});

t.test('equal values have a coefficient of 0, and one who has everything among n has 1 − 1/n', async (t) => {
  t.ok(Math.abs(giniOf([level(700, 9)])!) < 1e-15);
  t.ok(Math.abs(giniOf([level(50), level(0, 3)])! - 0.75) < 1e-15);
  t.ok(Math.abs(giniOf([level(50), level(-10, 3)])! - 0.75) < 1e-15, 'below zero counts as zero');
  t.equal(giniOf([level(0, 3), level(-5)]), null);
  t.equal(giniOf([]), null);
});

t.test('the Lorenz curve is straight between customers, the poorest first', async (t) => {
  const shares = lorenzOf([level(6), level(4), level(0), level(-3)]).map(({ share_of_value }) => share_of_value);
  t.equal(shares.length, 21);
  t.strictSame([shares[0], shares[10], shares[20]], [0, 0, 1]);
  t.ok(Math.abs(shares[15]! - 0.4) < 1e-15);
  t.ok(Math.abs(shares[18]! - (0.4 + 0.6 * 0.6)) < 1e-15);
  t.strictSame(lorenzOf([level(0, 4)]), []);
  t.strictSame(lorenzOf([]), []);
});

t.test('the top is rounded up, and so is the end of the middle', async (t) => {
  t.strictSame(
    [1, 2, 4, 5, 6, 10, 2_357].map((customers) => lastRanks(customers).join()),
    ['1,1,1', '1,2,2', '1,4,4', '1,4,5', '2,5,6', '2,8,10', '472,1886,2357'],
  );
});

t.test('a rank is found with what all up to it are worth', async (t) => {
  const classes = [level(10, 2), level(3), level(-4, 2)];
  t.strictSame(
    [1, 2, 3, 4, 5].map((rank) => rankIn(classes, rank)),
    [
      { index: 0, place: 1, value: 10n },
      { index: 0, place: 2, value: 20n },
      { index: 1, place: 1, value: 23n },
      { index: 2, place: 1, value: 19n },
      { index: 2, place: 2, value: 15n },
    ],
  );
  t.equal(totalOf(classes), 15n);
  t.equal(totalOf(classes, true), 23n);
});

t.test('80 % are brought by the fewest customers possible, one who just reaches it included', async (t) => {
  t.strictSame(eightyPercent([level(40, 2), level(10, 2)]), { customers: 2, index: 0 });
  t.strictSame(eightyPercent([level(40, 2), level(11, 2)]), { customers: 3, index: 1 });
  t.strictSame(eightyPercent([level(10, 10)]), { customers: 8, index: 0 });
  t.strictSame(eightyPercent([level(10, 10), level(-90)]), { customers: 1, index: 0 }, 'a total made small by losses');
  t.equal(eightyPercent([level(10), level(-10)]), null);
  t.equal(eightyPercent([]), null);
});

t.test(
  'within a class the curve lies halfway between a straight line and the most that its bounds allow',
  async (t) => {
    // Two customers with 2,003 between 1,000 and 1,003: alike, the coefficient is 0; with 1,000 and 1,003 each it is 1.5 / 2003.
    const classes = [bucket(1_000, 1_003, 2, 2_003)];
    const most = giniOf([level(1_003), level(1_000)])!;
    t.ok(Math.abs(most - 1.5 / 2_003) < 1e-15, `${most}`);
    t.ok(Math.abs(giniOf(classes)! - most / 2) < 1e-15, `${giniOf(classes)}`);
    const shares = lorenzOf(classes).map(({ share_of_value }) => share_of_value);
    t.ok(Math.abs(shares[10]! - (0.5 - 1.5 / 2_003 / 2)) < 1e-15, `${shares[10]}`);
    t.ok(Math.abs(shares[5]! - (0.25 - 0.75 / 2_003 / 2)) < 1e-15, `${shares[5]}`);
    t.strictSame([shares[0], shares[20]], [0, 1]);
    t.ok(Math.abs(lorenzOf([...classes, level(-7)])[20]!.share_of_value - 1) < 1e-15);
  },
);

t.test('a class whose sum leaves one value only is a level', async (t) => {
  t.strictSame(levelIfSure(bucket(1_000, 1_003, 1, 1_002)), level(1_002));
  t.strictSame(levelIfSure(bucket(1_000, 1_003, 3, 3_000)), level(1_000, 3));
  t.strictSame(levelIfSure(bucket(1_000, 1_003, 3, 3_009)), level(1_003, 3));
  t.strictSame(levelIfSure(bucket(1_000, 1_003, 3, 3_003)), bucket(1_000, 1_003, 3, 3_003));
  t.strictSame(levelIfSure(level(7, 3)), level(7, 3));
});

t.test('only classes in which something ends are read, if the others hold few', async (t) => {
  t.strictSame(classesToRead([]), []);
  t.strictSame(classesToRead([level(9, 2), level(4, 3)]), []);
  // Of 500,000: the top ends with rank 100,000, the middle with 400,000, 80 % of the value within the two hundredth class.
  const many = Array.from({ length: 1_000 }, (_, index) => {
    const least = 1_048_576 + (1_000 - index) * 4_096;
    return bucket(least, least + 4_095, 500, 500 * (least + 2_000));
  });
  const total = many.reduce((sum, { value }) => sum + Number(value), 0);
  let [reached, eighty] = [0, 0];
  while (5 * (reached + Number(many[eighty]!.value)) < 4 * total) reached += Number(many[eighty++]!.value);
  t.strictSame(
    classesToRead(many),
    [...new Set([199, 799, 999, eighty])].sort((a, b) => a - b),
  );
});

t.test('a crowded class is read: its customers could bend the curve too much', async (t) => {
  const classes = [level(90_000, 10), bucket(10_240, 10_303, 5_000, 5_000 * 10_270), level(12, 5_000)];
  t.strictSame(classesToRead(classes), [1]);
  const read = [level(10_300, 2_500), level(10_240, 2_500)];
  t.strictSame(refine(classes, new Map([[1, read]])), [classes[0], ...read, classes[2]]);
});
