import t from 'tap';
import type { Asked } from '../laws/adding-up.ts';
import { IDENTITIES } from '../laws/identities.ts';
import { batches, randomCustomers, randomEvents } from '../laws/random-events.ts';
import { ANSWERS } from './answers.ts';
import { formatDay, parseDay } from './calendar.ts';
import { MODELS } from './little-shop.ts';
import { Oracle } from './oracle.ts';
import { Rng } from './random.ts';

// What must add up in the answers of the service must add up in those of the oracle, and a wrong number must be noticed.

const TODAY = '2024-03-20';

/** Random data told to an oracle, and what is asked of it. */
function asked(seed: number, spoil?: (report: string, row: Record<string, unknown>) => void): Asked {
  const rng = new Rng(seed);
  const today = parseDay(TODAY);
  const oracle = new Oracle({ timeZone: 'UTC', decimals: 2, models: MODELS, today: () => TODAY });
  const told = [
    ...randomCustomers(rng, 30, '2022-01-01'),
    ...randomEvents(rng, { count: 300, customers: 30, today, days: 750 }),
  ];
  for (const { route, items } of batches(told, () => 100)) {
    if (route === 'customers') oracle.postCustomers(items);
    else if (route === 'purchases') oracle.postPurchases(items);
    else if (route === 'refunds') oracle.postRefunds(items);
    else oracle.postInteractions(items);
  }
  return {
    read: async (report, query) => {
      const answer = structuredClone(ANSWERS[report]!(oracle, query));
      for (const row of answer.items) spoil?.(report, row);
      return answer;
    },
    customers: oracle.customerIds().map((id) => oracle.customer(id)!),
    models: MODELS.slice(0, 2).map((model) => ({ model: model.model_id, stages: oracle.stagesOf(model.model_id) })),
    since: parseDay('2022-01-01'),
    today: parseDay(formatDay(today)),
    decimals: 2,
  };
}

t.test('the answers of the oracle to random data add up', async (t) => {
  for (const seed of [1, 2]) {
    for (const { says, broken } of IDENTITIES) t.strictSame(await broken(asked(seed)), [], `${says} (seed ${seed})`);
  }
});

t.test('every identity notices a number that is wrong by one', async (t) => {
  for (const { says, reports, broken } of IDENTITIES) {
    const [first] = reports;
    // The first whole number or amount of each row that is neither a name nor a parameter.
    const spoil = (report: string, row: Record<string, unknown>): void => {
      if (report !== first?.split(' ')[0]) return;
      const [name, value] =
        Object.entries(row).find(
          ([member, own]) =>
            !['age', 'purchase_number', 'weeks', 'at_risk', 'complete', 'period'].includes(member) &&
            (typeof own === 'number' || /^-?\d+\.\d\d$/.test(String(own))),
        ) ?? [];
      if (name !== undefined) row[name] = typeof value === 'number' ? value + 1 : `1${String(value).replace('-', '')}`;
    };
    t.not((await broken(asked(3, spoil))).length, 0, says);
  }
});
