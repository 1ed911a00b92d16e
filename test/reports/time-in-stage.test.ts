import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import t from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { Rng, randomModels } from '../oracle/random.ts';
import { date, day, modelOf } from '../support/notation.ts';
import { type TestService, testService } from '../support/service.ts';
import { monthEnd, trueExits, trueSpells } from './leaving-truth.ts';
import { randomLife, sendLives, walk } from './lives.ts';

const TODAY = '2026-06-15';

interface Exit {
  readonly weeks: number;
  readonly at_risk: number;
  readonly exit: string;
  readonly exits: number;
  readonly incidence: number;
  readonly survival: number;
  readonly lower: number | null;
  readonly upper: number | null;
}

interface Answer {
  readonly as_of: string;
  readonly projected?: boolean;
  readonly stage: string;
  readonly spells: number;
  readonly median: number | null;
  readonly items: Exit[];
  readonly exits: { readonly exit: string; readonly exits: number; readonly incidence: number }[];
}

async function get(service: TestService, query: string): Promise<Answer> {
  const answer = await service.call('GET', `/v1/reports/time-in-stage${query}`);
  if (answer.status !== 200) throw new Error(`${query}: ${answer.text}`);
  return answer.body as Answer;
}

/** Rows as texts: `2 of 5 core_customer 1: 0.2000, 0.8000 go on`, the numbers with four decimals. */
async function rows(service: TestService, query: string): Promise<string[]> {
  return (await get(service, query)).items.map(
    ({ weeks, at_risk, exit, exits, incidence, survival }) =>
      `${weeks}: ${exits} of ${at_risk} ${exit} ${incidence.toFixed(4)}, ${survival.toFixed(4)} go on`,
  );
}

/** Sends customers by the days they were known from and bought on: `2025-01-01 2025-01-08+2025-01-20`, or with `-` never known before. */
async function send(service: TestService, ...customers: readonly string[]): Promise<void> {
  const told = customers.map((text, index) => {
    const [known = '', bought = ''] = text.split(' ');
    return { customer_id: `c${index}`, known, bought: bought === '' ? [] : bought.split('+') };
  });
  const known = told.filter((one) => one.known !== '-');
  const items = told.flatMap(({ customer_id, bought }) =>
    bought.map((on) => ({ customer_id, purchase_id: on, purchased_at: on, amount: '1' })),
  );
  const records = known.map((one) => ({ customer_id: one.customer_id, known_since: one.known }));
  for (const [route, batch] of Object.entries({ customers: records, purchases: items })) {
    const answer = batch.length === 0 ? null : await service.call('POST', `/v1/${route}`, { items: batch });
    if (answer !== null && answer.body.summary?.created !== batch.length) throw new Error(answer.text);
  }
}

const PROSPECTS = '?stage=prospect';

t.test('without customers there are no spells', async (t) => {
  const service = await testService(t);
  const answer = await get(service, '');
  t.match(answer, { report: 'time-in-stage', as_of: TODAY, stage: 'first_time_buyer', spells: 0, median: null });
  t.strictSame([answer.items, answer.exits, answer.projected], [[], [], undefined]);
});

t.test('a Kaplan–Meier worked by hand: exits of two kinds, and months followed for different times', async (t) => {
  const service = await testService(t, { models: [BUILT_IN_MODELS.lifecycle, byScore()] });
  // January 2025 (followed from the 31st on), five spells: to `praised` after 1 week, to `buyer` after 1 and 3 weeks, two that go on.
  // February, four spells: to `buyer` after 0 and 2 weeks, two that go on.
  await send(
    service,
    '2025-01-01',
    '2025-01-02 2025-01-13',
    '2025-01-03 2025-01-24',
    '2025-01-04',
    '2025-01-05',
    '2025-02-01 2025-02-07',
    '2025-02-02 2025-02-16',
    '2025-02-03',
    '2025-02-04',
  );
  const praise = { customer_id: 'c0', interaction_id: 's', occurred_at: '2025-01-08', kind: 'survey', score: 9 };
  t.equal((await service.call('POST', '/v1/interactions', { items: [praise] })).status, 200);
  const known = (asOf: string): string => `?model=own&stage=known&as_of=${asOf}`;

  t.strictSame(await rows(service, known('2025-12-31')), [
    '0: 1 of 9 buyer 0.1111, 0.8889 go on',
    '1: 1 of 8 praised 0.1111, 0.6667 go on',
    '1: 1 of 8 buyer 0.2222, 0.6667 go on',
    '2: 1 of 6 buyer 0.3333, 0.5556 go on',
    '3: 1 of 5 buyer 0.4444, 0.4444 go on',
  ]);
  t.match(await get(service, known('2025-12-31')), {
    stage: 'known',
    spells: 9,
    median: 3,
    exits: [
      { exit: 'praised', exits: 1, incidence: 1 / 9 },
      { exit: 'buyer', exits: 4, incidence: 4 / 9 },
    ],
  });

  // On March 21 February has been followed for 3 weeks: its two last spells leave before the fourth week (after 3 completed ones).
  t.strictSame((await rows(service, known('2025-03-21'))).slice(3), [
    '2: 1 of 6 buyer 0.3333, 0.5556 go on',
    '3: 1 of 3 buyer 0.5185, 0.3704 go on',
  ]);
  // The day before, for 2 weeks: the exit after 2 completed weeks does not count yet.
  t.strictSame(await rows(service, known('2025-03-20')), [
    '0: 1 of 9 buyer 0.1111, 0.8889 go on',
    '1: 1 of 8 praised 0.1111, 0.6667 go on',
    '1: 1 of 8 buyer 0.2222, 0.6667 go on',
    '3: 1 of 3 buyer 0.4444, 0.4444 go on',
  ]);
  // On February 28 the month is over, but followed for no week; the day before it is not part of the answer.
  const january = ['1: 1 of 5 praised 0.2000, 0.6000 go on', '1: 1 of 5 buyer 0.2000, 0.6000 go on'].concat(
    '3: 1 of 3 buyer 0.4000, 0.4000 go on',
  );
  t.strictSame(await rows(service, known('2025-02-28')), january);
  t.equal((await get(service, known('2025-02-28'))).spells, 9);
  t.strictSame(await rows(service, known('2025-02-27')), january.slice(0, 2), 'January followed for 3 weeks');
  t.equal((await get(service, known('2025-02-27'))).spells, 5);
  t.match(await get(service, known('2025-02-27')), { median: null });
  t.match(await get(service, known('2025-01-31')), { spells: 5, items: [], median: null, exits: [] });
  t.match(await get(service, known('2025-01-30')), { spells: 0, items: [] });
});

/** Known, then praised, then a buyer, who moves on to nothing. */
function byScore(): Model {
  return modelOf({
    praised: { feature: 'latest_score', at_least: 9 },
    buyer: { feature: 'purchase_days', at_least: 1 },
  });
}

t.test('the bounds are those of Greenwood on the scale of log(−log S)', async (t) => {
  const service = await testService(t);
  await send(service, '2025-01-01 2025-01-08', '2025-01-01', '2025-01-01', '2025-01-01');
  // One of four: S = 3/4, Σ d/(r(r − d)) = 1/12; S to the power of exp(±1.959964 · √(1/12) / log(4/3)).
  const [row] = (await get(service, PROSPECTS)).items;
  t.match(row, { weeks: 1, at_risk: 4, exits: 1, incidence: 0.25, survival: 0.75 });
  t.ok(Math.abs(row!.lower! - 0.127947) < 1e-6, `${row!.lower}`);
  t.ok(Math.abs(row!.upper! - 0.960549) < 1e-6, `${row!.upper}`);
});

t.test('the median is the first week after which exactly half go on; all gone leaves no bounds', async (t) => {
  const service = await testService(t);
  await send(
    service,
    '2025-01-01 2025-01-08',
    '2025-01-01 2025-01-15',
    '2025-01-01 2025-01-22',
    '2025-01-01 2025-01-22',
  );
  const answer = await get(service, PROSPECTS);
  t.match(answer, { spells: 4, median: 2, exits: [{ exit: 'first_time_buyer', exits: 4, incidence: 1 }] });
  t.match(answer.items.at(-1), { weeks: 3, survival: 0, lower: null, upper: null });
});

t.test('six days are no completed week, seven are one', async (t) => {
  const service = await testService(t);
  await send(service, '2025-01-01 2025-01-07', '2025-01-01 2025-01-08');
  t.strictSame(await rows(service, PROSPECTS), [
    '0: 1 of 2 first_time_buyer 0.5000, 0.5000 go on',
    '1: 1 of 1 first_time_buyer 1.0000, 0.0000 go on',
  ]);
});

t.test('a month with a leap day is followed from the 29th on', async (t) => {
  const service = await testService(t);
  await send(service, '2024-02-20 2024-02-25', '2024-02-29');
  t.match(await get(service, `${PROSPECTS}&as_of=2024-02-28`), { spells: 0 });
  t.match(await get(service, `${PROSPECTS}&as_of=2024-02-29`), { spells: 2, items: [] });
  t.match(await get(service, `${PROSPECTS}&as_of=2024-03-06`), { spells: 2, items: [] });
  t.strictSame(await rows(service, `${PROSPECTS}&as_of=2024-03-07`), [
    '0: 1 of 2 first_time_buyer 0.5000, 0.5000 go on',
  ]);
});

t.test('lapsing ends a spell, is listed last, and is foreseen', async (t) => {
  const service = await testService(t, { clock: () => Date.UTC(2026, 6, 8, 12) });
  // First purchases of one day in January 2026: they lapse on July 14, after 25 weeks; one buys again in the same week.
  await send(service, '- 2026-01-14', '- 2026-01-14+2026-07-08', '- 2026-01-14');
  t.strictSame(await rows(service, ''), []);
  t.match(await get(service, ''), { stage: 'first_time_buyer', spells: 3, median: null });
  const ahead = await get(service, '?as_of=2026-12-31');
  t.match(ahead, { projected: true, as_of: '2026-12-31', median: 25 });
  t.strictSame(
    ahead.exits.map(({ exit, exits }) => `${exit} ${exits}`),
    ['early_repeat_buyer 1', 'lapsed 2'],
  );
  t.strictSame(await rows(service, '?as_of=2026-12-31'), [
    '25: 1 of 3 early_repeat_buyer 0.3333, 0.0000 go on',
    '25: 2 of 3 lapsed 0.6667, 0.0000 go on',
  ]);
});

t.test('without a stage it is the second of the model, or its only one', async (t) => {
  const alone = { ...modelOf({}), model_id: 'alone' };
  const service = await testService(t, { models: [...Object.values(BUILT_IN_MODELS), alone] });
  t.equal((await get(service, '?model=loyalty_ladder')).stage, 'prospect');
  t.equal((await get(service, '?model=alone')).stage, 'known');
});

t.test('a stage that the model lacks is refused, and its stages are named', async (t) => {
  const service = await testService(t);
  const { status, body } = await service.call('GET', '/v1/reports/time-in-stage?model=journey&stage=prospect');
  t.equal(status, 400);
  t.match(body, { code: 'unknown_stage', type: '/problems/unknown-stage' });
  t.strictSame(body.errors, [
    {
      parameter: 'stage',
      code: 'unknown_stage',
      detail: 'The model journey has no such stage; its stages are acquisition, activation, retention, loyalty.',
    },
  ]);
});

t.test('days that are none and groups are refused', async (t) => {
  const service = await testService(t);
  const refused = async (query: string): Promise<string> => {
    const { status, body } = await service.call('GET', `/v1/reports/time-in-stage${query}`);
    return `${status} ${body.code} ${body.errors?.[0]?.parameter} ${body.errors?.[0]?.code}`;
  };
  t.equal(await refused('?as_of=2025-02-29'), '400 invalid_request as_of not_a_day');
  t.match(await refused('?group=vip'), /^400 invalid_request/);
});

t.test('an answer has at most 10,000 rows', async (t) => {
  const service = await testService(t);
  const version = service.engine.plan.models[0]!.version;
  // Spells of 1900 that ended in each of 5,000 weeks, by two exits each; then one more.
  const add = async (exit: number, weeks: number): Promise<void> => {
    await sql`
      insert into rollup_time_in_stage
      select ${version}::int2, 0, 1, ${day('1900-01-31')}::int, ${exit}::int2, week, 1 from generate_series(${weeks}::int, 5000) as week
      where week > 0`.execute(service.db);
  };
  await sql`insert into rollup_time_in_stage values (${version}, 0, 1, ${day('1900-01-31')}, 0, 0, 20000)`.execute(
    service.db,
  );
  await add(1, 1);
  await add(4, 1);
  t.equal((await get(service, '')).items.length, 10_000);
  await add(3, 5_000);
  const { status, body } = await service.call('GET', '/v1/reports/time-in-stage');
  t.match([status, body.code, body.errors[0].parameter], [400, 'range_too_wide', 'as_of']);
});

const SEED = randomInt(1_000_000_000);
t.test(`random customers give what counting spell by spell gives (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  const models = randomModels(rng, 3);
  const service = await testService(t, {
    models: [BUILT_IN_MODELS.lifecycle, ...(models as readonly Model[])],
  });
  const lives = Array.from({ length: 80 }, () =>
    randomLife(rng, day('2023-01-01') + rng.between(0, 300), 12).filter(
      (event) => !event.voided && event.at.slice(0, 10) <= TODAY,
    ),
  ).filter((told) => told.length > 0);
  await sendLives(service, lives);
  let compared = 0;
  for (const model of models) {
    const stages = model.stages.map(({ stage }) => stage);
    const spells = lives.flatMap((told) => trueSpells(walk(told, model)));
    for (const stage of stages) {
      for (const asOf of ['2023-11-30', '2024-03-15', TODAY, '2030-01-01']) {
        const what = `${model.model_id} ${stage} ${asOf}`;
        const answer = await get(service, `?model=${model.model_id}&stage=${stage}&as_of=${asOf}`);
        const own = spells.filter((spell) => spell.stage === stage);
        const truth = trueExits(own, day(asOf), [...stages, '(lapsed)']);
        requireAlike(answer, truth, what);
        t.equal(answer.spells, own.filter(({ from }) => monthEnd(from) <= day(asOf)).length, what);
        const total = answer.exits.reduce((sum, { incidence }) => sum + incidence, answer.items.at(-1)?.survival ?? 1);
        t.ok(Math.abs(total - 1) < 1e-9, `${what}: survival and incidences make a whole`);
        t.equal(
          answer.exits.reduce((sum, { exits }) => sum + exits, 0),
          truth.reduce((sum, { exits }) => sum + exits, 0),
          what,
        );
        t.equal(answer.median, truth.find(({ survival }) => survival <= 0.5 + 1e-9)?.weeks ?? null, what);
        compared += truth.length;
      }
    }
  }
  t.ok(compared > 100, `${compared} rows alike up to ${date(day(TODAY))}`);
});

/** Throws unless all rows are alike, counts exactly and fractions up to rounding. */
function requireAlike({ items }: Answer, truth: ReturnType<typeof trueExits>, what: string): void {
  const differing = items.length !== truth.length || items.some((row, index) => !alike(row, truth[index]!));
  if (differing) throw new Error(`${what}: ${JSON.stringify(items)} instead of ${JSON.stringify(truth)}`);
}

function alike(row: Exit, truth: ReturnType<typeof trueExits>[number]): boolean {
  return (
    row.weeks === truth.weeks &&
    row.at_risk === truth.at_risk &&
    row.exit === truth.exit.replaceAll(/[()]/g, '') &&
    row.exits === truth.exits &&
    Math.abs(row.incidence - truth.incidence) < 1e-9 &&
    Math.abs(row.survival - truth.survival) < 1e-9
  );
}
