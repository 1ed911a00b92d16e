import t from 'tap';
import { closeDays, FOLD_VERSION, settleTail } from '../../src/domain/fold.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { decodeFold, encodeFold } from '../../src/domain/saved-fold.ts';
import { days, modelOf, planOf } from '../support/notation.ts';

/** A projection whose state is more than a number. */
const STATEFUL: Projection<{ readonly seen: readonly number[] }> = {
  name: 'stateful',
  version: 1,
  per_model: false,
  key: [],
  measures: [],
  start: { seen: [] },
  advance: (state, { day }) => ({ seen: [...state.seen.slice(-2), day.day] }),
  settle: () => undefined,
};

const PLAN = planOf(
  [
    BUILT_IN_MODELS.loyalty_ladder,
    modelOf({
      busy: { feature: 'purchase_days', at_least: 2, within_days: 365 },
      broad: {
        all: [
          { feature: 'distinct_products', at_least: 3 },
          { feature: 'profit', at_least: '1', within_days: 300 },
        ],
      },
    }),
  ],
  [STATEFUL as never],
);
const save = (...lines: readonly string[]) => closeDays(PLAN, null, days(...lines), []);

const STORIES: readonly (readonly string[])[] = [
  ['known 2025-01-01'],
  ['2025-01-01 1.23 cost=0.45 products=b,a'],
  ['2025-01-01 1', '2025-01-02 visit'],
  [
    'known 1950-05-05',
    '2025-01-01 1000 cost=2 products=a,"b"',
    '2025-01-01 complaint',
    '2025-01-05 refund 5 nothing',
    '2025-01-09 survey 7',
    '2025-02-01T10:00 departure price',
    '2025-02-01T11:00 survey 3 id=ü',
    '2025-02-01 testimonial',
    '2025-02-01 4 products=ñ,ñandú',
    '2025-02-01 4 void',
    '2025-02-01 refund 9 nothing',
  ],
];

t.test('a saved fold comes back as it was', async (t) => {
  for (const lines of STORIES) {
    const saved = save(...lines);
    const back = decodeFold(encodeFold(saved));
    t.strictSame(back, saved, lines.join(', '));
    t.strictSame(settleTail(PLAN, back, []), settleTail(PLAN, saved, []), 'and goes on alike');
    t.equal(encodeFold(back), encodeFold(saved));
  }
});

t.test('equal folds give equal texts, whatever the order of the events', async (t) => {
  const lines = [
    '2025-01-01 1',
    '2025-02-01 1 products=b,c id=x',
    '2025-02-01 2 products=a id=y',
    '2025-02-01 visit id=v',
    '2025-02-01 complaint id=w',
  ];
  t.equal(encodeFold(save(...lines)), encodeFold(save(...[...lines].reverse())));
});

t.test('sets and kinds of a day are written in one order', async (t) => {
  const open = save('2025-02-01 1 products=a,b,ü', '2025-02-01 visit', '2025-02-01 complaint').open;
  const turned = {
    ...open,
    products: [...open.products].reverse().map((codes) => [...codes].reverse()),
    kinds: new Map([...open.kinds].reverse()),
  };
  t.not([...turned.products].join(), [...open.products].join());
  t.not([...turned.kinds].join(), [...open.kinds].join());
  t.equal(encodeFold({ closed: null, open: turned }), encodeFold({ closed: null, open }));
});

t.test('different folds give different texts', async (t) => {
  const base = ['2025-01-01 1 products=a', '2025-02-01 visit', '2025-02-01 survey 7', '2025-02-01 departure price'];
  const variants = [
    base,
    ['2025-01-01 2 products=a', ...base.slice(1)],
    ['2025-01-01 1 products=b', ...base.slice(1)],
    ['2025-01-02 1 products=a', ...base.slice(1)],
    [...base, '2025-01-01 complaint'],
    [...base, '2025-01-15 contact'],
    [...base, '2025-02-01 1'],
    [...base, '2025-02-01 1 void'],
    [...base, '2025-02-01 contact'],
    [...base, '2025-02-01 contact void'],
    [...base, '2025-02-01 refund 1 nothing'],
    [...base, '2025-02-01 refund 1 nothing void'],
    [...base, '2025-02-01T10:00 survey 7'],
    [...base, '2025-02-01T10:00 departure boredom'],
    [...base, '2025-02-01 contact cost=1'],
    [...base, '2025-02-02 contact'],
    base.slice(0, 1),
  ];
  t.equal(new Set(variants.map((lines) => encodeFold(save(...lines)))).size, variants.length);
});

t.test('a fold saved by another version is refused', async (t) => {
  const text = encodeFold(save('2025-01-01 1'));
  t.ok(text.startsWith(`[${FOLD_VERSION},`));
  t.throws(() => decodeFold(text.replace(`[${FOLD_VERSION},`, `[${FOLD_VERSION + 1},`)), {
    message: new RegExp(`version ${FOLD_VERSION + 1}, this code reads ${FOLD_VERSION}`),
  });
});
