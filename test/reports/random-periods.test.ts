import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import t, { type Test } from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { BUILT_IN } from '../laws/side-by-side.ts';
import { formatDay } from '../oracle/calendar.ts';
import { settledPurchases } from '../oracle/facts.ts';
import type { ModelDocument } from '../oracle/model-document.ts';
import { GROUPS, Rng, randomModels, randomSteps, type Step } from '../oracle/random.ts';
import { type TestService, testService } from '../support/service.ts';
import {
  cashRows,
  GRAINS,
  type Life,
  livesOf,
  netMoves,
  type Period,
  periodsOf,
  retentionRows,
} from './period-truth.ts';
import { RandomStore } from './random-store.ts';

// Random lives of small shops over HTTP: stage-retention, the net moves and cash-flow of every model against what looking at every event gives.
//   node test/reports/random-periods.test.ts --stories=100 --seed=123456
const { values } = parseArgs({ options: { stories: { type: 'string' }, seed: { type: 'string' } }, strict: false });
const STORIES = Number(values.stories ?? 4);
const SEED = Number(values.seed ?? randomInt(1_000_000_000));
const START = '2024-03-01';
const ZONES = ['Europe/Madrid', 'America/New_York', 'UTC', 'America/Sao_Paulo'];
const CURRENCIES = [
  ['EUR', 2],
  ['JPY', 0],
  ['KWD', 3],
] as const;
t.setTimeout(300_000 + STORIES * 20_000);

/** A shop told to the service and to the oracle's store. */
interface Told {
  readonly service: TestService;
  readonly store: RandomStore;
  readonly models: readonly ModelDocument[];
  readonly decimals: number;
  readonly rng: Rng;
}

async function tell({ service, store }: Told, step: Step): Promise<void> {
  store.apply(step);
  if (step.kind === 'advance_clock') return;
  const path = (...parts: string[]): string => `/v1/customers/${parts.map(encodeURIComponent).join('/')}`;
  if (step.kind === 'post') await service.call('POST', `/v1/${step.route}`, { items: step.items });
  else if (step.kind === 'put') await service.call('PUT', path(step.customer_id, step.route, step.item_id), step.body);
  else if (step.kind === 'delete') await service.call('DELETE', path(step.customer_id, step.route, step.item_id));
  else if (step.kind === 'merge') await service.call('POST', `${path(step.customer_id)}/merge`, { into: step.into });
  else await service.call('DELETE', path(step.customer_id));
}

type Row = Record<string, unknown>;

async function get({ service }: Told, report: string, parameters: Record<string, string>) {
  const { status, body } = await service.call('GET', `/v1/reports/${report}?${new URLSearchParams(parameters)}`);
  if (status !== 200) throw new Error(`${report} ${JSON.stringify(parameters)}: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** Quotients to twelve digits: which way to divide is the service's own affair. */
function rounded(rows: readonly Row[]): Row[] {
  const round = (value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(12)) : value);
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, round(value)])));
}

/** The sum of money in a column, in minor units. */
const summed = (rows: readonly Row[], column: string): number =>
  rows.reduce((sum, row) => sum + Number(String(row[column]).replace('.', '')), 0);

/** One model asked about, for everybody or a group. */
interface Question {
  readonly model: ModelDocument;
  readonly lives: readonly Life[];
  readonly parameters: Record<string, string>;
}

/** Compares the two reports by period for a drawn range, and checks what must add up. */
async function compareSeries(t: Test, told: Told, { model, lives, parameters }: Question): Promise<void> {
  const { store, rng, decimals } = told;
  const grain = rng.pick(GRAINS);
  const longest = { week: 200, month: 700, quarter: 1_000, year: 1_500 }[grain];
  const first = store.today + rng.between(-900, 200);
  const periods = periodsOf(first, first + rng.between(1, longest), grain);
  const [from, to] = [formatDay(periods[0]!.first), formatDay(periods.at(-1)!.last + 1)];
  const asked = { stages: model.stages.map(({ stage }) => stage), today: store.today, decimals };
  const query = { ...parameters, grain, from, to };
  const retention = (await get(told, 'stage-retention', query)).items as Row[];
  const label = JSON.stringify(query);
  t.strictSame(rounded(retention), rounded(periods.flatMap((period) => retentionRows(lives, period, asked))), label);
  const cash = (await get(told, 'cash-flow', query)).items as Row[];
  t.strictSame(
    cash,
    periods.flatMap((period) => cashRows(lives, period, asked)),
    `cash ${label}`,
  );

  const purchases = lives.flatMap(({ customer }) => settledPurchases(customer));
  const inside = purchases.filter(({ at }) => at.day >= periods[0]!.first && at.day <= periods.at(-1)!.last);
  const amounts = inside.reduce((sum, { amount }) => sum + amount, 0);
  const refunded = inside.reduce((sum, purchase) => sum + purchase.refunded, 0);
  t.equal(summed(cash, 'receipts'), amounts, 'receipts add up to the amounts');
  t.equal(summed(retention, 'revenue'), amounts - refunded, 'revenue adds up to all revenue dated in the periods');
}

const known = (rows: readonly Row[]): number => rows.reduce((sum, row) => sum + Number(row.customers), 0);

/** Compares the net moves of a drawn period that is over, and checks them against the stock before and after. */
async function compareNet(t: Test, told: Told, question: Question): Promise<void> {
  const { store, rng } = told;
  const { model, lives, parameters } = question;
  const grain = rng.pick(GRAINS);
  const somePeriod = (): Period => periodsOf(...sameDay(store.today - rng.between(0, 800)), grain)[0]!;
  let period = somePeriod();
  while (period.last >= store.today) period = periodsOf(...sameDay(period.first - 1), grain)[0]!;
  const query = { ...parameters, basis: 'net', from: formatDay(period.first), to: formatDay(period.last + 1) };
  const { items, balance, as_of } = await get(told, 'stage-moves', query);
  const named = (items as Row[]).map(({ from_stage, from_activity, to_stage, to_activity, customers }) => ({
    from: from_stage === null ? '' : `${from_stage} ${from_activity}`,
    to: `${to_stage} ${to_activity}`,
    customers,
  }));
  const label = JSON.stringify(query);
  const stages = model.stages.map(({ stage }) => stage);
  t.strictSame(named, netMoves(lives, period, stages), label);
  t.equal(as_of, formatDay(period.last));

  const stock = async (day: number): Promise<Row[]> =>
    (await get(told, 'stage-population', { ...parameters, as_of: formatDay(day) })).items;
  const [before, after] = [await stock(period.first - 1), await stock(period.last)];
  const at = (rows: readonly Row[], stage: unknown): number => known(rows.filter((row) => row.stage === stage));
  const off = (balance as Row[]).filter(({ stage, opening, entered, left, closing }) => {
    const sum = Number(opening) + Number(entered) - Number(left);
    return opening !== at(before, stage) || closing !== at(after, stage) || closing !== sum;
  });
  t.strictSame(off, [], `${label}: opening, entered, left and closing agree with the stock`);

  const retention = await get(told, 'stage-retention', { ...parameters, grain, from: query.from, to: query.to });
  t.equal(known(retention.items), known(after), 'the stock on the eve and who became known are all there are');
}

const sameDay = (day: number): [number, number] => [day, day];

async function compareAll(t: Test, told: Told): Promise<void> {
  const { models, store, decimals, rng } = told;
  const carried = GROUPS.filter((group) => store.customers(group).length > 0);
  for (const model of models) {
    for (const group of [undefined, ...(carried.length > 0 ? [rng.pick(carried)] : [])]) {
      const parameters = { model: model.model_id, ...(group === undefined ? {} : { group }) };
      const question = { model, lives: livesOf(store.customers(group), model, decimals), parameters };
      await compareSeries(t, told, question);
      await compareNet(t, told, question);
    }
  }
}

for (let story = 0; story < STORIES; story += 1) {
  const seed = SEED + story;
  t.test(`what customers do in periods, in a random shop (replay with --stories=1 --seed=${seed})`, async (t) => {
    const rng = new Rng(seed);
    const timeZone = ZONES[story % ZONES.length]!;
    const [currency, decimals] = rng.pick(CURRENCIES);
    const own = randomModels(rng, 2, { decimals });
    const store = new RandomStore(START, timeZone, decimals);
    const service = await testService(t, {
      clock: () => (store.today * 24 + 12) * 3_600_000,
      time_zone: timeZone,
      currency,
      currency_decimals: decimals,
      models: [...Object.values(BUILT_IN_MODELS), ...(own as readonly Model[])],
    });
    const told = { service, store, models: [...BUILT_IN, ...own], decimals, rng };
    const steps = randomSteps(rng, { startDay: START, timeZone, decimals, models: told.models });
    await compareAll(t, told);
    for (const [index, step] of steps.entries()) {
      await tell(told, step);
      if (index % 20 === 19) await compareAll(t, told);
    }
  });
}
