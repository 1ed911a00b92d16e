import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import t, { type Test } from 'tap';
import { checkModel, isModel } from '../../src/domain/check-model.ts';
import { classify, compileClassifier, timeline } from '../../src/domain/classify.ts';
import { activityDays } from '../../src/domain/history.ts';
import type { Model } from '../../src/domain/model.ts';
import { unreachableStages } from '../../src/domain/unreachable-stages.ts';
import { dailyFacts, frozenAfter } from '../oracle/facts.ts';
import { type Condition, type LapsePolicy, longestReachDays, type ModelDocument } from '../oracle/model-document.ts';
import { Rng, randomDocuments, randomModels, randomSteps } from '../oracle/random.ts';
import { spellOn } from '../oracle/reports.ts';
import type { StoredCustomer } from '../oracle/store.ts';
import { prepareWalk, type Spell } from '../oracle/walk.ts';
import { RandomStore } from '../reports/random-store.ts';
import { reachableModel } from '../support/reachable-model.ts';
import { historyOf } from '../support/stored-history.ts';

// Models drawn from the schema of the API's document, and models drawn by hand, over random histories: the classifier must say what the oracle says, and the
// check must take every one of them, and never call a stage unreachable on which somebody stands. A longer run, or the replay of a seed that was printed:
//   node test/laws/random-models.test.ts --stories=500 --seed=123456

const START = '2024-03-01';
const STORIES = 8;
const DECIMALS = 2;
/** Days of each history that are asked about. */
const ASKED_DAYS = 6;
/** Rules made of what is true of each history on some day. */
const RULES = 25;

const { values } = parseArgs({
  options: { stories: { type: 'string' }, seed: { type: 'string' } },
  strict: false,
});
const stories = Number(values.stories ?? STORIES);
const seed = Number(values.seed ?? randomInt(1_000_000_000));
t.setTimeout(60_000 + stories * 10_000);

/** Comparisons around small numbers, so that what is true on a day often leaves one number only. */
const NARROW: readonly Condition[] = (
  ['purchase_days', 'distinct_products', 'latest_score', 'tenure_days', 'days_since_last_purchase'] as const
).flatMap((feature) =>
  [0, 1, 2, 3, 4].flatMap((n) => [
    { feature, at_least: n },
    { feature, at_most: n },
  ]),
);

interface Story {
  readonly rng: Rng;
  readonly models: readonly ModelDocument[];
  readonly customers: readonly StoredCustomer[];
}

function story(seed: number): Story {
  const rng = new Rng(seed);
  const models = [...randomDocuments(rng, 4), ...randomModels(rng, 2)];
  const store = new RandomStore(START, 'UTC', DECIMALS);
  for (const step of randomSteps(rng, { startDay: START, models, timeZone: 'UTC' })) store.apply(step);
  return { rng, models, customers: store.customers() };
}

t.test(`random models classify random histories as the oracle does (seed ${seed})`, async (t) => {
  let asked = 0;
  for (let told = 0; told < stories; told += 1) {
    const { rng, models, customers } = story(seed + told);
    for (const model of models) {
      const walk = prepareWalk(model, DECIMALS);
      const reach = longestReachDays(model);
      const classifier = compileClassifier(model as Model, 1, DECIMALS);
      for (const customer of customers) {
        const facts = dailyFacts(customer, reach);
        const days = activityDays(historyOf(customer));
        const spells = walk(facts);
        const about = `seed ${seed + told}, ${model.model_id}`;
        same(t, timeline(classifier, days).map(shortSpell), spells.map(shortSpell), about);
        for (let times = 0; times < ASKED_DAYS; times += 1) {
          const place = rng.between(0, facts.length - 1);
          const asOf = facts.start + place;
          const known = walk(frozenAfter(facts, place, reach));
          const next = known.find(({ from }) => from > asOf);
          const found = classify(classifier, days, asOf);
          const actual = found && [
            shortSpell({ ...found, from: found.since }),
            found.next_move && shortSpell({ ...found.next_move, from: found.next_move.on }),
          ];
          same(
            t,
            actual,
            [shortSpell(spellOn(known, asOf)!), next === undefined ? null : shortSpell(next)],
            `${about}, ${asOf}`,
          );
          asked += 1;
        }
      }
    }
  }
  t.ok(asked > stories * 100, `${asked} answers alike`);
});

t.test(
  `every random model is sound in form, and nobody stands on a stage called unreachable (seed ${seed})`,
  async (t) => {
    let [reached, called] = [0, 0];
    for (let told = 0; told < stories; told += 1) {
      const { models, customers } = story(seed + told);
      for (const model of models) {
        const checked = checkModel(model, DECIMALS);
        const formal = isModel(checked) ? [] : checked.filter(({ code }) => code !== 'unreachable_stage');
        same(t, formal, [], `seed ${seed + told}, ${model.model_id}`);
        const walk = prepareWalk(model, DECIMALS);
        const reach = longestReachDays(model);
        const stages = new Set(
          customers.flatMap((customer) => walk(dailyFacts(customer, reach)).map(({ stage }) => stage)),
        );
        const unreachable = unreachableStages(model as Model, DECIMALS).map(({ pointer }) =>
          Number(pointer.split('/')[2]),
        );
        const wrong = unreachable.filter((index) => stages.has(model.stages[index]?.stage ?? ''));
        if (wrong.length > 0)
          t.fail(`seed ${seed + told}: somebody stands on ${wrong.join(' and ')} of ${JSON.stringify(model)}`);
        reached += stages.size;
        called += unreachable.length;
      }
    }
    t.ok(reached > stories && called > stories, `${reached} stages reached, ${called} others called unreachable`);
  },
);

t.test('a random model without its unreachable stages can be published', async (t) => {
  const rng = new Rng(seed);
  const drawn = [...randomDocuments(rng, 200), ...randomModels(rng, 200)];
  const left = drawn.map((document) => reachableModel(document, DECIMALS).stages.length);
  t.ok(left.filter((stages) => stages > 1).length > 300, 'most keep more than their first stage');
});

t.test(`a rule made of what is true on some day is never called unreachable (seed ${seed})`, async (t) => {
  let rules = 0;
  for (let told = 0; told < stories; told += 1) {
    const { rng, models, customers } = story(seed + told);
    const drawn = models.flatMap(({ stages }) =>
      stages.flatMap(({ when }) => (when === undefined ? [] : partsOf(when))),
    );
    const parts = [...drawn, ...NARROW];
    const [{ lapse }] = models as [ModelDocument];
    for (const customer of customers) {
      const walked = parts.map((part) => {
        const model = modelWith(lapse, [part]);
        return prepareWalk(model, DECIMALS)(dailyFacts(customer, 400));
      });
      for (let times = 0; times < RULES; times += 1) {
        const { start, length } = dailyFacts(customer, 400);
        const day = start + rng.between(0, length - 1);
        const holds = (_: Condition, index: number) => spellOn(walked[index]!, day)!.stage === 'stage_1';
        const right = parts.filter(holds);
        const wrong = parts.filter((part, index) => !holds(part, index));
        if (right.length === 0 || wrong.length === 0) continue;
        const truth = { all: [...rng.some(right, 1, 6), ...rng.some(wrong, 0, 6).map((not) => ({ not }))] };
        const untruth = rng.chance(0.5)
          ? { all: [...rng.some(right, 0, 2), rng.pick(wrong)] }
          : { any: rng.some(wrong, 1, 4) };
        const model = modelWith(lapse, [truth, untruth]);
        const called = unreachableStages(model as Model, DECIMALS).filter(({ pointer }) =>
          pointer.startsWith('/stages/1'),
        );
        if (called.length > 0) t.same(called, [], `seed ${seed + told}: ${JSON.stringify(model)}`);
        rules += 1;
      }
    }
  }
  t.ok(rules > stories * 100, `${rules} rules`);
});

/** A condition and everything it is made of, without what speaks of other stages. */
function partsOf(condition: Condition): Condition[] {
  if ('stage_reached' in condition) return [];
  const parts =
    'all' in condition ? condition.all : 'any' in condition ? condition.any : 'not' in condition ? [condition.not] : [];
  const spoken = parts.flatMap(partsOf);
  return JSON.stringify(condition).includes('stage_reached') ? spoken : [condition, ...spoken];
}

function modelWith(lapse: LapsePolicy, whens: readonly Condition[]): ModelDocument {
  const words = { en: 'x', es: 'x', de: 'x' };
  const stage = (place: number) => ({ stage: `stage_${place}`, title: words, description: words });
  const stages = [stage(0), ...whens.map((when, place) => ({ ...stage(place + 1), when }))];
  return { model_id: 'own', title: words, description: words, lapse, stages };
}

function shortSpell({ stage, activity, from }: Pick<Spell, 'stage' | 'activity' | 'from'>): string {
  return `${from} ${stage} ${activity}`;
}

/** A comparison that costs nothing while both are alike. */
function same(t: Test, actual: unknown, expected: unknown, about: string): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) t.strictSame(actual, expected, about);
}
