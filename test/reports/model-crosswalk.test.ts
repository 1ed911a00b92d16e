import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import t from 'tap';
import { Rng } from '../oracle/rng.ts';
import { testService } from '../support/service.ts';
import { itemsOf, journeyOf, lifecycleOf, randomShop } from './naive-values.ts';

// A replay: node test/reports/model-crosswalk.test.ts --seed=123456
const { values } = parseArgs({ options: { seed: { type: 'string' } }, strict: false });
const SEED = Number(values.seed ?? randomInt(1_000_000_000));
const LIFECYCLE = ['prospect', 'first_time_buyer', 'early_repeat_buyer', 'core_customer', 'core_defector'];
const JOURNEY = ['acquisition', 'activation', 'retention', 'loyalty'];

const clock = { day: '2025-06-15' };
const { call } = await testService(t, { clock: () => Date.parse(`${clock.day}T12:00:00Z`) });
const crosswalk = async (query = '') => (await call('GET', `/v1/reports/model-crosswalk${query}`)).body;

t.test('without customers there are no pairs', async (t) => {
  t.match(await crosswalk('?other=journey'), {
    model: 'lifecycle',
    other: 'journey',
    other_version: 1,
    as_of: '2025-06-15',
  });
  t.strictSame((await crosswalk()).items, []);
});

t.test(`pairs of stages are counted as walking through every customer counts them (seed ${SEED})`, async (t) => {
  const shop = randomShop(new Rng(SEED), 150, 'far');
  const late = { id: 'tomorrow', groups: [], purchases: [], contacts: [{ day: '2025-06-16', cost: 1 }] };
  for (const [route, items] of Object.entries(itemsOf(shop)))
    for (let at = 0; at < items.length; at += 1_000)
      t.equal((await call('POST', `/v1/${route}`, { items: items.slice(at, at + 1_000) })).status, 200);
  const { interactions } = itemsOf([late]);
  t.equal((await call('POST', '/v1/interactions', { items: interactions })).status, 200);
  const naive = (group: string | null, reversed: boolean) => {
    const own = shop.filter(({ groups }) => group === null || groups.includes(group));
    const pairs = LIFECYCLE.flatMap((stage) =>
      JOURNEY.map((other_stage) => {
        const here = own.filter(
          (one) => lifecycleOf(one, clock.day).stage === stage && journeyOf(one, clock.day) === other_stage,
        );
        return { stage, other_stage, customers: here.length };
      }),
    ).filter(({ customers }) => customers > 0);
    if (!reversed) return pairs;
    const turned = pairs.map(({ stage, other_stage, customers }) => ({
      stage: other_stage,
      other_stage: stage,
      customers,
    }));
    return turned.sort((a, b) => JOURNEY.indexOf(a.stage) - JOURNEY.indexOf(b.stage));
  };
  // On the later days nothing was written since, and the stored positions are over.
  for (const day of ['2025-06-15', '2025-10-01', '2026-06-01']) {
    clock.day = day;
    if (day !== '2025-06-15') shop.splice(0, shop.length, ...shop.filter(({ id }) => id !== late.id), late);
    for (const group of [null, 'a']) {
      const of = group === null ? '' : `&group=${group}`;
      t.strictSame((await crosswalk(`?other=journey${of}`)).items, naive(group, false), `${day} ${group}`);
      t.strictSame(
        (await crosswalk(`?model=journey&other=lifecycle${of}`)).items,
        naive(group, true),
        `${day} ${group}`,
      );
    }
  }
});

t.test('the same model on both sides has everybody on its diagonal', async (t) => {
  const { items } = await crosswalk('?other=lifecycle');
  t.ok(items.length > 0);
  t.ok(items.every((row: { stage: string; other_stage: string }) => row.stage === row.other_stage));
});

t.test('a model that is not there is refused by the name of its parameter', async (t) => {
  t.match(await crosswalk('?other=none'), { status: 400, code: 'unknown_model', errors: [{ parameter: 'other' }] });
  t.match(await crosswalk('?model=none'), { status: 400, code: 'unknown_model', errors: [{ parameter: 'model' }] });
});
