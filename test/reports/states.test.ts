import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { compileModel, memoryOfModels } from '../../src/domain/compile-model.ts';
import { closeDays, forgetfulTallies, planFold } from '../../src/domain/fold.ts';
import { activityDays, type History } from '../../src/domain/history.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { decodeFold, encodeFold } from '../../src/domain/saved-fold.ts';
import { PROJECTIONS } from '../../src/reports/registry.ts';
import { Rng } from '../oracle/rng.ts';
import { modelOf } from '../support/notation.ts';
import { randomLife, seedOf } from './random-shop.ts';

const SEED = seedOf();
const LIVES = 150;

/** The built-in models, and one that needs everything that can be remembered: products, and windows on purchases, money and kinds. */
const MODELS = [
  ...Object.values(BUILT_IN_MODELS),
  modelOf({
    broad: { feature: 'distinct_products', at_least: 3 },
    busy: { feature: 'purchase_days', at_least: 2, within_days: 365 },
    rich: { feature: 'revenue', at_least: '10', within_days: 90 },
    heard: { feature: 'interactions', kinds: ['contact', 'ñandú'], at_least: 1, within_days: 400 },
  }),
];
const memory = memoryOfModels(MODELS);
const PLAN = planFold(
  MODELS.map((model, index) => compileModel(model, index + 1, memory, 2)),
  memory,
  PROJECTIONS,
);

/** Null, safe integers, and lists of such, a few deep. */
function isState(value: unknown, nested = 0): boolean {
  if (Array.isArray(value)) return nested < 8 && value.every((one) => isState(one, nested + 1));
  return value === null || Number.isSafeInteger(value);
}

/** A random life with all that is remembered in other ways than as a number: products, scores, departures, other kinds. */
function fullLife(rng: Rng): History {
  const life = randomLife(rng, '2022-11-15', rng.pick([3, 40, 900]));
  const codes = ['a', 'b', 'ü', 'c🙂', '"'];
  const [first] = life.purchases;
  const moment = first?.moment ?? { at: 1_672_531_200_000_000, day: 19_358, plain: true };
  const told = rng.some(['survey', 'departure', 'complaint', 'resolution', 'testimonial', 'ñandú'], 0, 4);
  return {
    ...life,
    purchases: life.purchases.map((purchase) => ({
      ...purchase,
      amount: rng.chance(0.02) ? 10 ** 13 : purchase.amount,
      products: rng.some(codes, 0, 3),
    })),
    interactions: [
      ...life.interactions,
      ...told.map((kind, index) => ({
        interaction_id: `told ${index}`,
        moment: { ...moment, day: moment.day + rng.pick([0, index, 500]) },
        kind,
        score: kind === 'survey' ? rng.between(0, 10) : null,
        reason: kind === 'departure' ? rng.pick(['price', 'boredom', null] as const) : null,
        cost: 0,
        voided: false,
      })),
    ],
  };
}

t.test(`every state of every projection can be saved, and comes back as it was (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  const tallies = forgetfulTallies(PLAN);
  const wrong: unknown[] = [];
  let [folds, bytes] = [0, 0];
  for (let life = 0; life < LIVES; life += 1) {
    const days = activityDays(fullLife(rng));
    for (let end = 1; end <= days.length; end += rng.between(1, 5)) {
      const saved = closeDays(PLAN, null, days.slice(0, end), tallies);
      saved.closed?.states.forEach((state, fold) => {
        if (!isState(state)) wrong.push([PLAN.folds[fold]!.projection.name, state]);
      });
      const packed = encodeFold(saved);
      const back = decodeFold(packed);
      if (!isDeepStrictEqual(back, saved)) wrong.push(saved);
      if (!isDeepStrictEqual(encodeFold(back), packed)) wrong.push(packed);
      if (packed.length >= JSON.stringify(saved).length / 4) wrong.push(packed.length);
      folds += 1;
      bytes += packed.length;
    }
  }
  t.strictSame(wrong.slice(0, 3), []);
  t.ok(folds > 2 * LIVES);
  t.comment(`${folds} folds of ${Math.round(bytes / folds)} bytes on average`);
});

t.test('the state before the first day can be saved', async (t) => {
  for (const { name, start } of PROJECTIONS) t.ok(isState(start), name);
});
