import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import t from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { formatMoney } from '../oracle/money.ts';
import { Rng, randomModels } from '../oracle/random.ts';
import { date, day } from '../support/notation.ts';
import { type TestService, testService } from '../support/service.ts';
import { trueDefections } from './leaving-truth.ts';
import { randomLife, sendLives, type Walked, walk } from './lives.ts';

const clock = { day: day('2026-06-15') };
const noon = (): number => (clock.day * 24 + 12) * 3_600_000;
function at(today: string): void {
  clock.day = day(today);
}

type Row = Readonly<Record<string, string | number | boolean | null>>;

async function get(service: TestService, query: string) {
  const answer = await service.call('GET', `/v1/reports/defections${query}`);
  if (answer.status !== 200) throw new Error(`${query}: ${answer.text}`);
  return answer.body as { as_of: string; projected?: boolean; items: Row[] };
}

/** Rows as texts, without the words: `2025-07 true first_time_buyer unknown 1 12.00 181 0 0 0 0`. */
async function rows(service: TestService, query: string): Promise<string[]> {
  return (await get(service, query)).items.map((row) => Object.values(row).join(' '));
}

/** Sends one customer's events in short: `2025-01-15 12`, `2025-02-01 departure price`, `2025-01-20 refund 5 of 2025-01-15`. */
async function tell(service: TestService, customer_id: string, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const [when = '', what = '', said] = line.split(' ');
    const id = `${when} ${what}`;
    const reason = said === undefined ? {} : { reason: said };
    const [route, item] = /^\d/.test(what)
      ? ['purchases', { purchase_id: when, purchased_at: when, amount: what }]
      : what === 'refund'
        ? ['refunds', { refund_id: id, refunded_at: when, amount: said, purchase_id: line.split(' of ')[1] }]
        : ['interactions', { interaction_id: id, occurred_at: when, kind: what, ...reason }];
    const answer = await service.call('POST', `/v1/${route}`, { items: [{ customer_id, ...(item as object) }] });
    if (answer.body?.items?.[0]?.status !== 'created') throw new Error(`${line}: ${answer.text}`);
  }
}

t.test('without customers nobody is lost', async (t) => {
  at('2026-06-15');
  const service = await testService(t, { clock: noon });
  t.match(await get(service, ''), { report: 'defections', as_of: '2026-06-30', projected: true, items: [] });
  t.match(await get(service, '?from=2020&to=2021&grain=year'), {
    as_of: '2026-06-15',
    projected: undefined,
    items: [],
  });
});

t.test('one customer, told day by day', async (t) => {
  const service = await testService(t, { clock: noon });
  const july = '?from=2025-07&to=2025-08';
  at('2025-01-15');
  await tell(service, 'ana', '2025-01-15 12');
  const answer = await get(service, july);
  t.match(answer, { as_of: '2025-07-31', projected: true });
  t.strictSame(answer.items, [
    {
      period: '2025-07',
      complete: false,
      stage_left: 'first_time_buyer',
      reason: 'unknown',
      defections: 1,
      value_at_stake: '12.00',
      average_tenure_days: 181,
      with_open_complaint: 0,
      won_back_90: null,
      won_back_180: null,
      won_back_365: null,
    },
  ]);

  await tell(service, 'ana', '2025-01-16 complaint');
  t.match(await rows(service, july), ['2025-07 false first_time_buyer open_complaint 1 12.00 181 1   ']);

  at('2025-08-02');
  await tell(service, 'ana', '2025-08-01 departure unresolved_defect', '2025-08-01 resolution');
  t.strictSame(
    await rows(service, july),
    ['2025-07 true first_time_buyer unresolved_defect 1 12.00 181 1   '],
    'stated after the lapse; the resolution came too late for the day',
  );
  await tell(service, 'ana', '2025-07-15 resolution');
  t.strictSame(await rows(service, july), ['2025-07 true first_time_buyer unresolved_defect 1 12.00 181 0   ']);

  at('2025-10-29');
  await tell(service, 'ana', '2025-10-13 1', '2025-10-13 departure price');
  t.strictSame(
    await rows(service, july),
    ['2025-07 true first_time_buyer unresolved_defect 1 12.00 181 0 1  '],
    'bought again 90 days later; said on that day is no reason of before',
  );
  t.strictSame((await rows(service, '?from=2025-10&to=2025-11&grain=month')).length, 0, 'who was lapsed already');
  const won = async (today: string): Promise<string> => {
    at(today);
    return (await rows(service, july))[0]!.slice(
      '2025-07 true first_time_buyer unresolved_defect 1 12.00 181 0 '.length,
    );
  };
  at('2025-07-31');
  t.match(await rows(service, july), [/^2025-07 false/], 'the last day of a period belongs to it');
  at('2025-08-01');
  t.match(await rows(service, july), [/^2025-07 true/]);
  t.equal(await won('2025-10-28'), '  ', '89 days after July');
  t.equal(await won('2025-10-29'), '1  ', '90 days after July');
  t.equal(await won('2026-01-26'), '1  ');
  t.equal(await won('2026-01-27'), '1 1 ');
  t.equal(await won('2026-07-30'), '1 1 ');
  t.equal(await won('2026-07-31'), '1 1 1');

  const put = { purchased_at: '2025-10-14', amount: '1' };
  t.equal((await service.call('PUT', '/v1/customers/ana/purchases/2025-10-13', put)).status, 200);
  t.strictSame(
    await rows(service, july),
    ['2025-07 true first_time_buyer price 1 12.00 181 0 0 1 1'],
    'a day later is not within 90 days, and what was said on the eve is the reason',
  );
  t.strictSame(
    await rows(service, '?from=2026-04&to=2026-05'),
    ['2026-04 true early_repeat_buyer unknown 1 13.00 453 0 0  '],
    'but not of the next defection',
  );
});

t.test('two defections of one customer, and what each put at stake', async (t) => {
  at('2026-06-15');
  const service = await testService(t, { clock: noon });
  await tell(
    service,
    'ben',
    '2024-01-31 1',
    '2024-02-01 2',
    '2024-12-31 4',
    '2025-01-02 departure price',
    '2025-01-31 8',
    '2025-02-01 refund 0.50 of 2025-01-31',
    '2026-03-01 64',
  );
  // Silence makes him lapse twice, from February 2024 and from January 2025 on; the departure in between makes it three.
  t.strictSame(await rows(service, '?grain=year&from=2024&to=2027'), [
    '2024 true early_repeat_buyer unknown 1 3.00 182 0 0 1 1',
    '2025 true early_repeat_buyer price 1 7.00 337 0 1  ',
    '2025 true core_customer unknown 1 13.50 547 0 0  ',
    '2026 false core_customer unknown 1 64.00 941 0   ',
  ]);
  await tell(service, 'ben', '2025-02-10 refund 9 of 2025-01-31');
  t.strictSame(
    await rows(service, '?grain=year&from=2025&to=2026'),
    ['2025 true early_repeat_buyer price 1 7.00 337 0 0  '],
    'refunded in excess, the purchase wins nobody back',
  );
  t.strictSame(await rows(service, '?grain=quarter&from=2026-Q3&to=2026-Q4'), [
    '2026-Q3 false core_customer unknown 1 64.00 941 0   ',
  ]);
});

t.test('losses of a group, of a model, and rows in the order of periods, stages and reasons', async (t) => {
  at('2026-06-15');
  const service = await testService(t, { clock: noon });
  await service.call('POST', '/v1/customers', { items: [{ customer_id: 'cai', groups: ['vip'] }] });
  await tell(service, 'cai', '2025-01-06 1', '2025-01-07 departure other');
  await tell(service, 'dee', '2025-01-06 2', '2025-01-07 2', '2025-01-08 departure boredom');
  await tell(service, 'eve', '2025-01-08 4', '2025-01-08 departure boredom');
  await tell(service, 'fay', '2025-01-06 8', '2025-01-12 departure boredom');
  await tell(service, 'gil', '2025-01-06 16', '2025-01-10 departure boredom');
  await tell(service, 'hal', '2025-01-06 32', '2025-01-13 departure boredom');
  const weeks = '?grain=week&from=2025-W02&to=2025-W04';
  t.strictSame(await rows(service, weeks), [
    '2025-W02 true  boredom 1 4.00 0 0 0 0 0',
    '2025-W02 true first_time_buyer boredom 2 24.00 5 0 0 0 0',
    '2025-W02 true first_time_buyer other 1 1.00 1 0 0 0 0',
    '2025-W02 true early_repeat_buyer boredom 1 4.00 2 0 0 0 0',
    '2025-W03 true first_time_buyer boredom 1 32.00 7 0 0 0 0',
  ]);
  t.equal((await get(service, weeks)).items[0]!.stage_left, null, 'first known on the day');
  t.strictSame(await rows(service, `${weeks}&group=vip`), ['2025-W02 true first_time_buyer other 1 1.00 1 0 0 0 0']);
  t.strictSame(
    (await rows(service, `${weeks}&model=journey`))[1],
    '2025-W02 true activation boredom 2 24.00 5 0 0 0 0',
  );
  t.strictSame(
    await rows(service, '?grain=week&from=2025-01-06&to=2025-01-13'),
    (await rows(service, weeks)).slice(0, 4),
  );
});

t.test('what cannot be asked is refused by the name of its parameter', async (t) => {
  at('2026-06-15');
  const service = await testService(t, { clock: noon });
  const refused = async (query: string): Promise<string> => {
    const { status, body } = await service.call('GET', `/v1/reports/defections${query}`);
    return `${status} ${body.code} ${body.errors?.[0]?.parameter} ${body.errors?.[0]?.code}`;
  };
  t.equal(await refused('?from=2025-13'), '400 invalid_request from not_a_period');
  t.equal(await refused('?from=2025-02&to=2025-01'), '400 invalid_request to invalid_range');
  t.equal(await refused('?grain=week&from=2010-W01&to=2025-W01'), '400 range_too_wide to range_too_wide');
  t.match(await refused('?as_of=2025-01-01'), /^400/);
  // 31 stages and everybody first known that day, by 8 reasons, in 40 months: more rows than an answer may have.
  await sql`
    insert into rollup_defections
    select ${service.engine.plan.models[0]!.version}::int2, 0, 1, day, stage, reason, 1, 0, 0, 0, 0, 0, 0
    from unnest(${Array.from({ length: 40 }, (_, month) => Date.UTC(2020, month, 1) / 86_400_000)}::int[]) as day,
      generate_series(0, 31) as stage, generate_series(0, 7) as reason`.execute(service.db);
  t.equal(await refused('?from=2020-01&to=2023-05'), '400 range_too_wide to range_too_wide');
});

const SEED = randomInt(1_000_000_000);
t.test(`random customers give what going through each of them gives (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  const models = randomModels(rng, 2);
  at('2026-06-15');
  const service = await testService(t, {
    clock: noon,
    models: [BUILT_IN_MODELS.lifecycle, ...(models as readonly Model[])],
  });
  const lives = Array.from({ length: 60 }, () =>
    randomLife(rng, day('2022-01-01') + rng.between(0, 300), 14).filter(
      (event) => !event.voided && day(event.at.slice(0, 10)) <= clock.day,
    ),
  ).filter((told) => told.length > 0);
  await sendLives(service, lives);
  for (const model of models) {
    const walked = lives.map((told) => walk(told, model));
    for (const grain of ['week', 'month', 'quarter', 'year'] as const) {
      const first = day({ week: '2022-01-03', month: '2022-01-01', quarter: '2022-01-01', year: '2022-01-01' }[grain]);
      const last = day({ week: '2029-01-01', month: '2029-01-01', quarter: '2029-01-01', year: '2029-01-01' }[grain]);
      const path = `?model=${model.model_id}&grain=${grain}&from=${date(first)}&to=${date(last)}`;
      const { items } = await get(service, path);
      const stages = [null, ...model.stages.map(({ stage }) => stage)];
      t.strictSame(items, trueRows(walked, grain, first, last, stages), `${model.model_id} by ${grain}`);
      t.ok(items.length > 0 || walked.every((life) => life.purchase_days.length === 0), 'somebody was lost');
    }
  }
});

type Grain = 'week' | 'month' | 'quarter' | 'year';
const REASONS = ['competitor', 'unattended_service', 'unresolved_defect', 'boredom', 'price', 'other'].concat(
  'open_complaint',
  'unknown',
);

/** The name of a day's period. */
function periodOf(on: number, grain: Grain): string {
  if (grain === 'week') {
    const thursday = on - ((new Date(on * 86_400_000).getUTCDay() + 6) % 7) + 3;
    const year = date(thursday).slice(0, 4);
    return `${year}-W${String(Math.floor((thursday - day(`${year}-01-01`)) / 7) + 1).padStart(2, '0')}`;
  }
  if (grain === 'quarter') return `${date(on).slice(0, 4)}-Q${Math.floor((Number(date(on).slice(5, 7)) + 2) / 3)}`;
  return date(on).slice(0, grain === 'year' ? 4 : 7);
}

/** The whole answer, period by period, stage by stage, reason by reason. */
function trueRows(
  walked: readonly Walked[],
  grain: Grain,
  first: number,
  last: number,
  stages: readonly (string | null)[],
): Row[] {
  const all = walked.flatMap(trueDefections).map((lost) => ({ ...lost, period: periodOf(lost.day, grain) }));
  const days = Array.from({ length: last - first }, (_, index) => first + index);
  return [...new Set(days.map((on) => periodOf(on, grain)))].flatMap((period) => {
    const end = days.findLast((on) => periodOf(on, grain) === period)!;
    return stages.flatMap((stage_left) =>
      REASONS.flatMap((reason): Row[] => {
        const here = all.filter(
          (lost) => lost.period === period && lost.stage_left === stage_left && lost.reason === reason,
        );
        const won = (within: number): number | null =>
          clock.day - end >= within ? here.filter(({ silence }) => silence <= within).length : null;
        const sum = (of: (lost: (typeof here)[number]) => number): number =>
          here.reduce((total, lost) => total + of(lost), 0);
        if (here.length === 0) return [];
        return [
          {
            period,
            complete: end < clock.day,
            stage_left,
            reason,
            defections: here.length,
            value_at_stake: formatMoney(
              sum(({ cents }) => cents),
              2,
            ),
            average_tenure_days: sum(({ tenure_days }) => tenure_days) / here.length,
            with_open_complaint: here.filter(({ open_complaint }) => open_complaint).length,
            won_back_90: won(90),
            won_back_180: won(180),
            won_back_365: won(365),
          },
        ];
      }),
    );
  });
}
