import t from 'tap';
import { type Position, positionOf } from '../../src/domain/compile-model.ts';
import { notePair, type PositionPairs, previewOf } from '../../src/domain/model-preview.ts';
import { positionOn } from '../../src/domain/position-on.ts';
import { wilsonBounds } from '../oracle/wilson.ts';
import { classifierOf, day, days, modelOf } from '../support/notation.ts';

const BUYER = { feature: 'purchase_days', at_least: 1 } as const;
const CURRENT = modelOf({ buyer: BUYER });
const DRAFT = modelOf({ buyer: BUYER, regular: { feature: 'purchase_days', at_least: 3 } });
const [NONE, ACTIVE, LAPSED] = [0, 1, 3];

function pairsOf(...all: readonly (readonly [from: Position, to: Position, customers: number])[]): PositionPairs {
  const pairs: PositionPairs = new Map();
  for (const [from, to, customers] of all) for (let one = 0; one < customers; one += 1) notePair(pairs, from, to);
  return pairs;
}

// In no order, so that the rows must be put into one.
const PAIRS = pairsOf(
  [positionOf(1, LAPSED), positionOf(2, LAPSED), 1],
  [positionOf(1, ACTIVE), positionOf(2, ACTIVE), 3],
  [positionOf(0, NONE), positionOf(0, NONE), 2],
  [positionOf(1, ACTIVE), positionOf(1, ACTIVE), 4],
);

t.test('everybody counted: counts of every stage, moves in the order of the models, who would change', async (t) => {
  const { counts, moves, changed } = previewOf(CURRENT, DRAFT, PAIRS, { seen: 10, population: 10 });
  t.strictSame(
    counts.map((row) => `${row.stage} ${row.activity} ${row.customers} ${row.share} ${row.lower} ${row.upper}`),
    [
      'known none 2 0.2 null null',
      'known active 0 0 null null',
      'known at_risk 0 0 null null',
      'known lapsed 0 0 null null',
      'buyer active 4 0.4 null null',
      'buyer at_risk 0 0 null null',
      'buyer lapsed 0 0 null null',
      'regular active 3 0.3 null null',
      'regular at_risk 0 0 null null',
      'regular lapsed 1 0.1 null null',
    ],
  );
  t.strictSame(
    moves.map((row) => `${row.from_stage} ${row.from_activity} > ${row.to_stage} ${row.to_activity} ${row.customers}`),
    [
      'known none > known none 2',
      'buyer active > buyer active 4',
      'buyer active > regular active 3',
      'buyer lapsed > regular lapsed 1',
    ],
  );
  t.strictSame(changed, { customers: 4, share: 0.4, lower: null, upper: null });
});

t.test('a change of activity alone is a change', async (t) => {
  const pairs = pairsOf([positionOf(1, ACTIVE), positionOf(1, LAPSED), 1]);
  t.equal(previewOf(CURRENT, DRAFT, pairs, { seen: 1, population: 1 }).changed.customers, 1);
});

t.test('from a sample, numbers are scaled and bounds rounded outwards', async (t) => {
  const { counts, changed, moves } = previewOf(CURRENT, DRAFT, PAIRS, { seen: 10, population: 1_000 });
  const known = wilsonBounds(4, 10, 1_000);
  const bounds = { lower: Math.floor(1_000 * known.lower!), upper: Math.ceil(1_000 * known.upper!) };
  t.strictSame(changed, { customers: 400, share: 0.4, ...bounds });
  t.match(moves[1], { customers: 400, ...bounds });
  t.match(
    counts.find((row) => row.stage === 'known' && row.activity === 'active'),
    { customers: 0, share: 0, lower: 0, upper: Math.ceil(1_000 * wilsonBounds(0, 10, 1_000).upper!) },
  );
});

t.test('bounds never contradict what was seen', async (t) => {
  const pairs = pairsOf(
    [positionOf(0, NONE), positionOf(0, NONE), 9],
    [positionOf(1, ACTIVE), positionOf(2, ACTIVE), 1],
  );
  const { changed } = previewOf(CURRENT, DRAFT, pairs, { seen: 10, population: 11 });
  t.strictSame([changed.lower, changed.upper], [1, 2]);
});

t.test('of a sample in which nobody was known yet, nothing is known', async (t) => {
  const { changed } = previewOf(CURRENT, DRAFT, new Map(), { seen: 0, population: 3 });
  t.strictSame(changed, { customers: 0, share: null, lower: 0, upper: 3 });
});

t.test('a position is that of the end of the day, silence included and later events not', async (t) => {
  const life = days('1997-01-05 12.00', '1997-03-01 5.00', '1997-04-01 5.00');
  const classifier = classifierOf(DRAFT);
  const on = (text: string): Position => positionOn(classifier, life, day(text));
  t.equal(on('1997-01-04'), 0, 'not known yet');
  t.equal(on('1997-01-05'), positionOf(1, ACTIVE));
  t.equal(on('1997-04-01'), positionOf(2, ACTIVE));
  t.equal(on('1997-12-31'), positionOf(2, LAPSED));
});
