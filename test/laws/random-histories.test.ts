import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import t from 'tap';
import { Rng, randomDocuments, randomModels, randomSteps, type Step } from '../oracle/random.ts';
import { reachableModels } from '../support/reachable-model.ts';
import { compareAll, compareMore, compareSome } from './reads.ts';
import { Mismatch, type PostStep, type Shop, SideBySide } from './side-by-side.ts';

// Model-based: random lives of small shops are told to the service over HTTP and to the oracle, and after every step
// every kind of read must agree. A longer run, or the replay of a seed that was printed:
//   node test/laws/random-histories.test.ts --sequences=20000
//   node test/laws/random-histories.test.ts --sequences=4 --seed=123456

const SEQUENCES = 200;
/** Sequences that share a service and its models, one after the other. */
const PER_SERVICE = 4;
/** Steps of a story: more often few, since those told first matter in every one. */
const FEW_STEPS = 16;
const MOST_STEPS = 60;
/** None of them east of +12:00: noon UTC must be the same day there. */
const TIME_ZONES = [
  'UTC',
  'Europe/Madrid',
  'America/New_York',
  'Asia/Kolkata',
  'Pacific/Pago_Pago',
  'America/Sao_Paulo',
];
const CURRENCIES = [
  ['EUR', 2],
  ['EUR', 2],
  ['JPY', 0],
  ['KWD', 3],
] as const;

const { values } = parseArgs({
  options: { sequences: { type: 'string' }, seed: { type: 'string' } },
  strict: false,
});
const sequences = Number(values.sequences ?? SEQUENCES);
const firstSeed = Number(values.seed ?? randomInt(1_000_000_000));
const services = Math.ceil(sequences / PER_SERVICE);
t.jobs = 2;
t.setTimeout(600_000 + sequences * 10_000);

for (let index = 0; index < services; index += 1) {
  const seed = firstSeed + index;
  const replay = `replay with: node test/laws/random-histories.test.ts --sequences=${PER_SERVICE} --seed=${seed}`;
  t.test(
    `after every step of random histories every read equals the oracle (seed ${seed})`,
    { buffered: true },
    async (t) => {
      const rng = new Rng(seed);
      const shop = randomShop(rng);
      const both = await SideBySide.start(t, shop);
      const told = { sequence: 0, step: 0, reads: 0 };
      try {
        for (told.sequence = 1; told.sequence <= PER_SERVICE; told.sequence += 1) {
          if (told.sequence > 1) await both.startAnew();
          await tellStory(both, rng, told);
        }
      } catch (error) {
        const where = `sequence ${told.sequence}, step ${told.step}; ${replay}`;
        if (!(error instanceof Mismatch)) throw new Error(where, { cause: error });
        t.strictSame(error.actual, error.expected, `${error.message}: ${where}`);
        return;
      }
      t.pass(`${told.reads} answers alike in ${shop.timeZone} with ${shop.decimals} decimals`);
    },
  );
}

function randomShop(rng: Rng): Shop {
  const [currency, decimals] = rng.pick(CURRENCIES);
  const draw = () =>
    reachableModels([...randomModels(rng, 1, { decimals }), ...randomDocuments(rng, 1, { decimals })], decimals);
  const shop = { startDay: '2024-03-01', timeZone: rng.pick(TIME_ZONES), currency, decimals, models: draw() };
  // Half of them publish their models in the midst of the first story: new ones, or versions of those they have.
  return rng.chance(0.5) ? shop : { ...shop, models_at_start: draw().slice(rng.between(0, 2)) };
}

/** Tells one story from an empty database to `verify`, and counts the steps and the answers compared. */
async function tellStory(both: SideBySide, rng: Rng, told: { step: number; reads: number }): Promise<void> {
  const { startDay, timeZone, decimals } = both.shop;
  const options = {
    startDay,
    timeZone,
    decimals,
    models: both.models,
    steps: rng.between(8, rng.pick([FEW_STEPS, FEW_STEPS, FEW_STEPS, MOST_STEPS])),
  };
  const steps = randomSteps(rng, options);
  // In a third of the stories batches are split over concurrent requests.
  const split = rng.chance(0.33);
  const parts = split ? bursts(steps) : steps.map((step) => [step]);
  told.step = 0;
  const publishing = both.asked === both.models ? null : rng.between(0, parts.length - 1);
  for (const [index, part] of parts.entries()) {
    if (index === publishing) await both.publish();
    else if (publishing !== null && index > publishing && rng.chance(0.7)) await both.build(rng.between(1, 3));
    told.step += part.length;
    const [first] = part;
    if (split && first?.kind === 'post') await both.post(part as PostStep[], rng);
    else if (first !== undefined) await both.apply(first);
    told.reads += await compareSome(both, rng);
  }
  if (publishing !== null) await both.build();
  told.reads += await (rng.chance(0.1) ? compareAll : compareMore)(both, rng);
  await both.verify();
}

/** Puts up to four neighbouring batches of events together: whatever arrives first, all of them say the same in the end. */
function bursts(steps: readonly Step[]): Step[][] {
  const parts: Step[][] = [];
  for (const step of steps) {
    const last = parts.at(-1);
    if (last !== undefined && last.length < 4 && [...last, step].every(isEvents)) last.push(step);
    else parts.push([step]);
  }
  return parts;
}

function isEvents(step: Step): boolean {
  return step.kind === 'post' && step.route !== 'customers';
}
