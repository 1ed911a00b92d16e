import t from 'tap';
import { Calendar, formatDay, parseDay } from './calendar.ts';
import { dailyFacts } from './facts.ts';
import { longestReachDays, type ModelDocument } from './model-document.ts';
import { naiveDays } from './naive.ts';
import { Oracle } from './oracle.ts';
import { Rng, randomDocuments, randomModels, randomSteps, type Step } from './random.ts';
import { EventStore } from './store.ts';
import { prepareWalk } from './walk.ts';

const START = '2024-03-01';
const SEEDS = [1, 2, 3, 4, 5, 6];

interface Drawn {
  readonly models: ModelDocument[];
  readonly steps: Step[];
}

function drawn(seed: number, timeZone = 'UTC'): Drawn {
  const rng = new Rng(seed);
  const models = [...randomModels(rng, 3), ...randomDocuments(rng, 3)];
  return { models, steps: randomSteps(rng, { startDay: START, models, timeZone }) };
}

/** Every day a step sends, in the zone, with the clock's day: instants are at most 24 hours ahead of noon UTC. */
function timesOf(steps: readonly Step[], calendar: Calendar): { text: string; day: number; ahead: number }[] {
  const times: { text: string; day: number; ahead: number }[] = [];
  let clock = parseDay(START);
  for (const step of steps) {
    if (step.kind === 'advance_clock') clock += step.days;
    const bodies = step.kind === 'post' ? step.items : step.kind === 'put' ? [step.body] : [];
    for (const text of bodies
      .flatMap((body) => Object.values(body))
      .filter((value) => /^\d{4}-\d\d-\d\d/.test(value))) {
      const { micros, day } = calendar.read(text);
      const now = (clock * 24 + 12) * 3_600_000_000;
      times.push({ text, day, ahead: text.length === 10 ? day - clock - 1 : micros - now - 86_400_000_000 });
    }
  }
  return times;
}

t.test('the same seed draws the same models and steps, another seed others', async (t) => {
  t.strictSame(drawn(7), drawn(7));
  t.not(JSON.stringify(drawn(7)), JSON.stringify(drawn(8)));
});

t.test('random models use the whole language of conditions', async (t) => {
  const text = SEEDS.map((seed) => JSON.stringify(drawn(seed).models)).join('\n');
  const names = ['fixed', 'cadence'].map((policy) => `"policy":"${policy}"`);
  for (const name of names) t.ok(text.includes(name), name);
  const fields = ['all', 'any', 'not', 'stage_reached', 'activity', 'within_days', 'kinds', 'off_ladder'];
  const operators = ['at_least', 'at_most', 'more_than', 'less_than'];
  for (const name of [...fields, ...operators]) t.ok(text.includes(`"${name}":`), name);
  const counts = ['purchase_days', 'revenue', 'profit', 'distinct_products', 'interactions', 'latest_score'];
  const spans = ['tenure_days', 'days_since_last_purchase', 'days_since_last_interaction', 'days_since_open_complaint'];
  for (const feature of [...counts, ...spans]) t.ok(text.includes(`"feature":"${feature}"`), feature);
});

t.test('random events are never dated further ahead than the contract allows', async (t) => {
  for (const timeZone of ['UTC', 'America/New_York']) {
    const times = SEEDS.flatMap((seed) => timesOf(drawn(seed, timeZone).steps, new Calendar(timeZone)));
    t.ok(times.length > 1000, `${times.length} times`);
    t.strictSame(
      times.filter(({ ahead }) => ahead > 0).map(({ text }) => text),
      [],
    );
  }
});

t.test('the running totals of the oracle say what sifting all events anew for every day says', async (t) => {
  for (const seed of SEEDS) {
    const { models, steps } = drawn(seed);
    const clock = { day: parseDay(START) };
    const store = new EventStore(
      new Calendar('UTC'),
      2,
      () => clock.day,
      () => {},
    );
    for (const step of steps) {
      if (step.kind === 'advance_clock') clock.day += step.days;
      else apply(store, step);
    }
    let compared = 0;
    for (const [id, customer] of store.customers) {
      for (const model of models) {
        const naive = naiveDays(model, customer, 2);
        // Walked far past where the oracle stops: nothing may move there.
        const facts = dailyFacts(customer, longestReachDays(model) + 800);
        const spells = prepareWalk(model, 2)(facts);
        t.ok(spells.every(({ from }) => from < facts.start + naive.length - 1));
        const walked = naive.map((_, place) => {
          const spell = spells.findLast(({ from }) => from <= facts.start + place);
          return `${spell?.stage}/${spell?.activity}`;
        });
        compared += naive.length;
        if (walked.join() !== naive.join()) t.strictSame(walked, naive, `seed ${seed}, ${model.model_id}, ${id}`);
      }
    }
    t.ok(compared > 5000, `seed ${seed}: ${compared} days alike`);
  }
});

t.test('stock and flow balance, and nothing moves past the last spell', async (t) => {
  for (const seed of SEEDS) {
    const { models, steps } = drawn(seed);
    const clock = { day: parseDay(START) };
    const oracle = new Oracle({ timeZone: 'UTC', decimals: 2, models, today: () => formatDay(clock.day) });
    for (const step of steps) {
      if (step.kind === 'advance_clock') clock.day += step.days;
      else apply(oracle, step);
    }
    for (const { model_id } of models) {
      const { moves, balance } = oracle.stageMoves(model_id, '1990-01-01', '2100-01-01');
      const off = balance.filter((row) => row.opening + row.entered - row.left !== row.closing);
      t.strictSame(off, [], `seed ${seed}, ${model_id}`);
      const arrived = moves.filter((move) => move.from_stage === null).reduce((sum, move) => sum + move.customers, 0);
      const standing = oracle.stagePopulation(model_id, '2100-01-01').reduce((sum, row) => sum + row.customers, 0);
      t.strictSame([arrived, standing], [oracle.customerIds().length, oracle.customerIds().length]);
    }
  }
});

/** Sends one step to an oracle, or to the bare store. */
function apply(target: Oracle | EventStore, step: Exclude<Step, { kind: 'advance_clock' }>): void {
  if (step.kind === 'put') target.putItem(step.route, step.customer_id, step.item_id, step.body);
  else if (step.kind === 'delete') target.deleteItem(step.route, step.customer_id, step.item_id);
  else if (step.kind === 'erase') {
    if (target instanceof Oracle) target.eraseCustomer(step.customer_id);
    else target.erase(step.customer_id);
  } else if (step.kind === 'merge') {
    if (target instanceof Oracle) target.mergeCustomers(step.customer_id, step.into);
    else target.merge(step.customer_id, step.into);
  } else if (target instanceof Oracle) postToOracle(target, step);
  else postToStore(target, step);
}

function postToOracle(oracle: Oracle, step: Extract<Step, { kind: 'post' }>): void {
  if (step.route === 'customers') oracle.postCustomers(step.items);
  else if (step.route === 'purchases') oracle.postPurchases(step.items);
  else if (step.route === 'refunds') oracle.postRefunds(step.items);
  else oracle.postInteractions(step.items);
}

function postToStore(store: EventStore, step: Extract<Step, { kind: 'post' }>): void {
  if (step.route === 'customers') for (const item of step.items) store.postCustomer(item);
  else if (step.route === 'purchases')
    for (const item of step.items) store.postItem('purchases', item.customer_id, item.purchase_id, item);
  else if (step.route === 'refunds')
    for (const item of step.items) store.postItem('refunds', item.customer_id, item.refund_id, item);
  else for (const item of step.items) store.postItem('interactions', item.customer_id, item.interaction_id, item);
}
