import { sql } from 'kysely';
import t from 'tap';
import type { History } from '../../src/domain/history.ts';
import { MAX_ROWS } from '../../src/reports/report.ts';
import { Rng } from '../oracle/rng.ts';
import { date, day } from '../support/notation.ts';
import { type TestService, testService } from '../support/service.ts';
import { naiveGaps, naiveNumbers, naiveSurvival, type PurchaseDays } from './naive-repeat-purchases.ts';
import { purchaseDays, randomLife, seedOf, send, tell } from './random-shop.ts';

/** The answer to a query. */
async function answerTo({ call }: TestService, query = '') {
  const { status, body, text } = await call('GET', `/v1/reports/repeat-purchases?${query}`);
  if (status !== 200) throw new Error(text);
  return body as { items: object[]; survival: object[]; gaps: object[]; as_of: string };
}

/** Rows as lines. */
const lines = (rows: readonly object[]): string[] => rows.map((row) => Object.values(row).join(' '));

/** One purchase on each of the days. */
const buy = (customer_id: string, ...days: readonly string[]) =>
  days.map((purchased_at) => ({ customer_id, purchase_id: purchased_at, purchased_at, amount: '5' }));

t.test('without customers there is the first purchase day, which nobody has reached', async (t) => {
  const service = await testService(t);
  const answer = await answerTo(service);
  t.match(answer, { report: 'repeat-purchases', model: null, as_of: '2026-06-15' });
  t.strictSame(lines(answer.items), ['1 0 0  30 0 0 ', '1 0 0  90 0 0 ', '1 0 0  180 0 0 ', '1 0 0  365 0 0 ']);
  t.strictSame([answer.survival, answer.gaps], [[], []]);
  t.strictSame(lines((await answerTo(service, 'purchase_number=50')).items)[0], '50 0 0  30 0 0 ');
});

t.test('one customer who bought once is at risk, and nothing has happened', async (t) => {
  const service = await testService(t);
  await send(service.call, 'purchases', buy('ana', '2026-03-31'));
  const { items, survival, gaps } = await answerTo(service);
  t.strictSame(lines(items), ['1 1 0 0 30 1 0 0', '1 1 0 0 90 0 0 ', '1 1 0 0 180 0 0 ', '1 1 0 0 365 0 0 ']);
  t.strictSame([survival, gaps], [[], []]);
});

t.test('one customer who came back: the estimate falls to zero, without bounds', async (t) => {
  const service = await testService(t);
  await send(service.call, 'purchases', buy('ana', '2024-02-29', '2024-03-30'));
  const first = await answerTo(service);
  t.strictSame(lines(first.items), [
    ...['1 1 1 1 30 1 1 1', '1 1 1 1 90 1 1 1', '1 1 1 1 180 1 1 1', '1 1 1 1 365 1 1 1'],
    ...['2 1 0 0 30 1 0 0', '2 1 0 0 90 1 0 0', '2 1 0 0 180 1 0 0', '2 1 0 0 365 1 0 0'],
  ]);
  t.strictSame(first.survival, [{ days: 30, at_risk: 1, events: 1, survival: 0, lower: null, upper: null }]);
  t.strictSame(lines(first.gaps), ['10 30 1', '25 30 1', '50 30 1', '75 30 1', '90 30 1']);
  const second = await answerTo(service, 'purchase_number=2');
  t.strictSame(second.items, first.items.slice(4), 'one number alone');
  t.strictSame([second.survival, second.gaps], [[], []]);
  t.strictSame(lines((await answerTo(service, 'purchase_number=3')).items)[3], '3 0 0  365 0 0 ');
  t.equal((await service.call('DELETE', '/v1/customers/ana/purchases/2024-03-30')).status, 204);
  const voided = await answerTo(service);
  t.strictSame(lines(voided.items)[0], '1 1 0 0 30 1 0 0');
  t.equal(voided.items.length, 4, 'nobody has a second purchase day any more');
  t.strictSame([voided.survival, voided.gaps], [[], []]);
});

t.test('a month has matured when its last day is so many days ago', async (t) => {
  let today = '2025-03-01';
  const service = await testService(t, { clock: () => Date.parse(`${today}T12:00:00Z`) });
  await send(service.call, 'purchases', [...buy('ana', '2024-01-01', '2024-01-31'), ...buy('ben', '2024-01-31')]);
  // January 2024 ended on the 31st: 30 days ago on 1 March 2024, 90 on 30 April, 180 on 29 July, 365 on 30 January 2025.
  for (const [index, on] of ['2024-03-01', '2024-04-30', '2024-07-29', '2025-01-30'].entries()) {
    for (const [late, matured] of [
      [0, '0 0 '],
      [1, '2 1 0.5'],
    ] as const) {
      today = date(day(on) - 1 + late);
      const row = lines((await answerTo(service, 'purchase_number=1')).items)[index]!;
      t.equal(row, `1 2 1 0.5 ${[30, 90, 180, 365][index]} ${matured}`, today);
    }
  }
});

t.test('buyers who all bought on the same days are one step of the estimate', async (t) => {
  const service = await testService(t);
  const people = Array.from({ length: 8 }, (_, index) => `c${index}`);
  await send(
    service.call,
    'purchases',
    people.flatMap((name, index) => buy(name, '2026-01-10', ...(index < 6 ? ['2026-01-20'] : []))),
  );
  const { survival, gaps } = await answerTo(service);
  t.match(survival, [{ days: 10, at_risk: 8, events: 6, survival: 0.25 }]);
  t.equal(survival.length, 1);
  t.strictSame(lines(gaps), ['10 10 6', '25 10 6', '50 10 6', '75 10 6', '90 10 6']);
});

t.test('a group buys again by itself, and an unknown one or a wrong number is refused', async (t) => {
  const service = await testService(t);
  await send(service.call, 'customers', [{ customer_id: 'ana', groups: ['vip'] }]);
  await send(service.call, 'purchases', [...buy('ana', '2026-01-10', '2026-01-12'), ...buy('ben', '2026-01-10')]);
  t.match(await answerTo(service, 'group=vip'), {
    items: [{ customers: 1, bought_again: 1 }],
    survival: [{ days: 2, at_risk: 1, events: 1 }],
    gaps: [{ gaps: 1 }],
  });
  t.match(await answerTo(service), { items: [{ customers: 2 }], survival: [{ at_risk: 2 }] });
  for (const query of ['group=nobody', 'purchase_number=0', 'purchase_number=51', 'purchase_number=1.5', 'number=1']) {
    t.equal((await service.call('GET', `/v1/reports/repeat-purchases?${query}`)).status, 400, query);
  }
});

t.test('the estimate is answered for 10,000 days at most', async (t) => {
  const service = await testService(t);
  await sql`
    insert into rollup_purchase_gaps select 0, 0, 1, 0, days, 1 from generate_series(1, ${MAX_ROWS + 5}) as days`.execute(
    service.db,
  );
  const { survival } = await answerTo(service);
  t.equal(survival.length, MAX_ROWS);
  t.match(survival.at(-1), { days: MAX_ROWS, at_risk: 6, events: 1 });
});

const SEED = seedOf();
t.test(`rows of random customers are those of the definitions (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  const today = day('2026-06-15');
  const service = await testService(t);
  const people = Array.from({ length: 80 }, (): History => randomLife(rng, date(today - 700), 702));
  await tell(service, new Map(people.map((life, index) => [`c${index}`, life])));
  const days: readonly PurchaseDays[] = people.map(purchaseDays);
  t.strictSame((await answerTo(service)).items, naiveNumbers(days, today));
  for (const number of [1, 2, 5, 19, 20, 21, 22, 49, 50]) {
    const { items, survival, gaps } = await answerTo(service, `purchase_number=${number}`);
    t.strictSame(items, naiveNumbers(days, today, number), `n = ${number}`);
    const known = number <= 20;
    const wanted = known ? naiveSurvival(days, today, number) : [];
    t.strictSame(
      survival.map((row) => Object.keys(row)),
      wanted.map((row) => Object.keys(row)),
    );
    const far = lines(survival).filter((_, index) => !alike(survival[index]!, wanted[index]!));
    t.strictSame(far, [], `survival after purchase day ${number}`);
    t.strictSame(gaps, known ? naiveGaps(days, number) : [], `gaps after purchase day ${number}`);
  }
});

/** True if all figures agree to 10⁻⁹. */
function alike(found: object, wanted: object): boolean {
  const [one, other] = [Object.values(found), Object.values(wanted)] as [(number | null)[], (number | null)[]];
  return one.every((value, index) => {
    const known = other[index] ?? null;
    return value === null || known === null ? value === known : Math.abs(value - known) < 1e-9;
  });
}
