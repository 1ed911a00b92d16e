import t from 'tap';
import { closeDays, FOLD_VERSION, settleTail } from '../../src/domain/fold.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { decodeFold, encodeFold } from '../../src/domain/saved-fold.ts';
import { withChecksum } from '../support/checksum.ts';
import { days, modelOf, planOf } from '../support/notation.ts';

/** A projection whose state is more than a number. */
const STATEFUL: Projection<readonly [last: number | null, seen: readonly number[]]> = {
  name: 'stateful',
  version: 1,
  per_model: false,
  key: [],
  measures: [],
  start: [null, []],
  advance: ([, seen], { day }) => [day.revenue, [...seen.slice(-2), day.day]],
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
    t.strictSame(encodeFold(back), encodeFold(saved));
  }
});

t.test('equal folds give equal bytes, whatever the order of the events', async (t) => {
  const lines = [
    '2025-01-01 1',
    '2025-02-01 1 products=b,c id=x',
    '2025-02-01 2 products=a id=y',
    '2025-02-01 visit id=v',
    '2025-02-01 complaint id=w',
  ];
  t.strictSame(encodeFold(save(...lines)), encodeFold(save(...[...lines].reverse())));
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
  t.strictSame(encodeFold({ closed: null, open: turned }), encodeFold({ closed: null, open }));
});

t.test('different folds give different bytes', async (t) => {
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
  t.equal(new Set(variants.map((lines) => encodeFold(save(...lines)).join())).size, variants.length);
});

t.test('a fold saved by another version is refused', async (t) => {
  const bytes = encodeFold(save('2025-01-01 1'));
  t.equal(bytes[0], FOLD_VERSION);
  t.throws(() => decodeFold(bytes.with(0, FOLD_VERSION + 1)), {
    message: `saved state has version ${FOLD_VERSION + 1}, this code reads ${FOLD_VERSION}`,
  });
  t.throws(() => decodeFold(new TextEncoder().encode('[4,null,[[20000]]]')), {
    message: /has version 91, this code/,
  });
  t.throws(() => decodeFold(new Uint8Array()), { message: /too short/ }, 'as the migration leaves them');
});

t.test('a saved fold is written in these bytes: others need another version', async (t) => {
  const plan = planOf([BUILT_IN_MODELS.lifecycle]);
  const told = ['200 products=a', 'complaint', 'survey 7', 'departure price'].map((what) => `2025-03-01 ${what}`);
  const saved = closeDays(plan, null, days('2025-01-01 1.23 cost=0.45', ...told), []);
  const bytes = [
    // Day 20,148, and its totals; 20,000 cents are 148 below the day.
    '06 d0f504',
    '04 d104 00 00 04 d104 00 00 0c 04 1c 04 00 0c 00',
    // No product that is asked for, one complaint, the score and the departure with instant and id.
    '00 0424636f6d706c61696e7404 8080f8d5a69eaf0c 086932 1c 8080f8d5a69eaf0c 086933 14',
    // What is closed, 59 days before: the facts, the place in the one model, no state.
    'ed01 01 04 04 ec03 b401 00 00 01 01 03 03 03 03 00 00 00',
    '04 18 01 01 0c',
    '00',
    'fb270b79',
  ];
  t.equal(Buffer.from(encodeFold(saved)).toString('hex'), bytes.join('').replaceAll(' ', ''));
  t.strictSame(decodeFold(Buffer.from(bytes.join('').replaceAll(' ', ''), 'hex')), saved);
});

t.test('whatever is changed in a saved fold is found', async (t) => {
  for (const lines of STORIES) {
    const bytes = encodeFold(save(...lines));
    for (let at = 1; at < bytes.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = bytes.with(at, bytes[at]! ^ (1 << bit));
        t.throws(() => decodeFold(changed), { message: /is damaged/ }, `bit ${bit} of byte ${at}`);
      }
      t.throws(() => decodeFold(bytes.subarray(0, at)), { message: /is damaged/ }, `${at} bytes of it`);
    }
    t.throws(() => decodeFold(new Uint8Array([...bytes, 0])), { message: /is damaged/ }, 'one byte more');
  }
});

t.test('a departure for a reason that there is not is refused', async (t) => {
  const bytes = [...encodeFold(save('2025-01-01 departure other'))].slice(0, -4);
  // The reason, and that nothing is closed.
  t.strictSame(bytes.splice(-2), [4 * 6, 3]);
  t.throws(() => decodeFold(withChecksum([...bytes, 4 * 7, 3])), { message: /is damaged: a reason/ });
  t.equal(decodeFold(withChecksum([...bytes, 0, 3])).open.departure?.reason, null);
  t.throws(() => decodeFold(withChecksum([...bytes, 0, 3, 3])), { message: /does not end where/ }, 'or for two');
});

t.test('a customer of few purchases takes less than 100 bytes', async (t) => {
  const bytes = encodeFold(save('2025-01-01 12.34', '2025-03-01 20', '2025-08-03 199.99'));
  t.ok(bytes.length < 100, `${bytes.length} bytes`);
});
