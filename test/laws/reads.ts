import { formatDay, parseDay } from '../oracle/calendar.ts';
import type { Rng } from '../oracle/random.ts';
import { compareLists } from './compare-lists.ts';
import { compareQuestions } from './compare-questions.ts';
import {
  type Compare,
  carriedGroups,
  compareEachReport,
  compareEveryReport,
  compareSomeReports,
} from './compare-reports.ts';
import { requireSame, type SideBySide } from './side-by-side.ts';

const INTERVALS = ['day', 'week', 'month', 'quarter', 'year'] as const;
type Interval = (typeof INTERVALS)[number];
/** Days around today that questions are about: the histories reach some 700 days back, the schedules some 1,100 ahead. */
const BACK_DAYS = 760;
const AHEAD_DAYS = 500;
/** Requests under way at once. */
const AT_ONCE = 7;
/** Reports asked about after a step, beside population and moves. */
const REPORTS_A_STEP = 2;
/** Lists of customers asked for at the end of a story. */
const LISTS_AT_THE_END = 12;

/**
 * Asks both for every kind of answer, and throws a `Mismatch` at the first difference: status; the stock of a day, the stock as a series,
 * and the moves of a range with their balance, each of another model; the same of a group; some of the other reports; a list of customers;
 * figures, stages and a timeline of one customer; a lookup of several. Which models, days, groups and customers is drawn. Returns the number of answers
 * compared.
 */
export async function compareSome(both: SideBySide, rng: Rng): Promise<number> {
  const known = rng.shuffled(both.oracle.customerIds());
  const kinds = rng.shuffled([comparePopulation, compareSeries, compareMoves]);
  const group = compareGroup(both, rng.pick(both.modelIds), rng, [rng.pick(kinds)]);
  return await all([
    () => compareStatus(both),
    () => compareLookup(both, rng, known.slice(0, 5)),
    ...rng.some(both.modelIds, 3, 3).map((modelId, place) => () => kinds[place]!(both, modelId, rng)),
    ...group,
    ...compareSomeReports(both, rng, REPORTS_A_STEP),
    ...compareLists(both, rng),
    ...known.slice(0, 1).flatMap((customerId) => compareOwn(both, customerId, rng, 1)),
  ]);
}

/** The same for every report, some lists and some customers, and a preview and a calibration. */
export async function compareMore(both: SideBySide, rng: Rng): Promise<number> {
  const known = rng.shuffled(both.oracle.customerIds());
  const some = await compareSome(both, rng);
  const more = await all([
    ...compareEachReport(both, rng),
    ...compareQuestions(both, rng),
    ...Array.from({ length: 3 }, () => compareLists(both, rng)).flat(),
    ...known.slice(0, 4).flatMap((customerId) => compareOwn(both, customerId, rng, 2)),
  ]);
  return some + more;
}

/** The same for every report, every model and every customer, with days and ranges drawn. */
export async function compareAll(both: SideBySide, rng: Rng): Promise<number> {
  const known = both.oracle.customerIds();
  const kinds = [comparePopulation, compareSeries, compareMoves];
  return await all([
    () => compareStatus(both),
    () => compareLookup(both, rng, rng.shuffled(known)),
    ...both.modelIds.flatMap((modelId) => kinds.map((compare) => () => compare(both, modelId, rng))),
    ...both.modelIds.flatMap((modelId) => compareGroup(both, modelId, rng, kinds)),
    ...compareEveryReport(both, rng),
    ...compareQuestions(both, rng),
    ...Array.from({ length: LISTS_AT_THE_END }, () => compareLists(both, rng)).flat(),
    ...known.flatMap((customerId) => compareOwn(both, customerId, rng, 2)),
  ]);
}

/**
 * Runs all comparisons, a few at a time, since each answer takes a connection of the database that all tests share. Waits for those that have
 * begun even after a difference, so that none is still read when the next step is sent. Draws stay in order: a seed replays.
 */
async function all(comparisons: readonly Compare[]): Promise<number> {
  for (let first = 0; first < comparisons.length; first += AT_ONCE) {
    const begun = comparisons.slice(first, first + AT_ONCE).map((compare) => compare());
    const failed = (await Promise.allSettled(begun)).find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
  return comparisons.length;
}

async function get(both: SideBySide, path: string) {
  const answer = await both.service.call('GET', path);
  requireSame(`GET ${path} is answered`, answer.status, 200);
  return answer.body;
}

function someDay({ today }: SideBySide, rng: Rng): number {
  return rng.weighted([
    [2, today],
    [3, today + rng.between(-BACK_DAYS, 0)],
    [3, today + rng.between(1, AHEAD_DAYS)],
    [1, today + rng.pick([-1, 1, 89, 90, 91, 180, 181])],
    [0.2, parseDay('1900-01-01')],
    [0.2, parseDay('2199-12-31')],
  ]);
}

async function compareStatus(both: SideBySide): Promise<void> {
  const body = await get(both, '/v1/status');
  const { data_through, ...stored } = both.oracle.status();
  requireSame('GET /v1/status', { stored: body.stored, data_through: body.data_through }, { stored, data_through });
  requireSame('GET /v1/status names today', body.today, formatDay(both.today));
}

interface Row {
  readonly as_of: string;
  readonly stage: string;
  readonly activity: string;
  readonly customers: number;
  readonly revenue: string;
  readonly customers_link?: string | null;
}

/** The rows of a population with somebody in them, as the oracle gives them. An empty row must have brought nothing. */
function peopled(both: SideBySide, path: string, rows: readonly Row[]): Row[] {
  const nothing = (0).toFixed(both.shop.decimals);
  const haunted = rows.filter((row) => row.customers === 0 && row.revenue !== nothing);
  requireSame(`${path}: where nobody stands there is no revenue`, haunted, []);
  return rows.filter((row) => row.customers !== 0).map(({ customers_link: _, ...row }) => row);
}

function expectedPopulation(both: SideBySide, modelId: string, days: readonly number[], group?: string): Row[] {
  return days.flatMap((day) => {
    const as_of = formatDay(day);
    return both.oracle.stagePopulation(modelId, as_of, group).map((row) => ({ as_of, ...row }));
  });
}

async function comparePopulation(both: SideBySide, modelId: string, rng: Rng, group?: string): Promise<void> {
  const day = someDay(both, rng);
  const asOf = day === both.today && rng.chance(0.5) ? '' : `&as_of=${formatDay(day)}`;
  const path = `/v1/reports/stage-population?model=${modelId}${asOf}${groupParameter(group)}`;
  const body = await get(both, path);
  requireSame(`GET ${path}`, peopled(both, path, body.items), expectedPopulation(both, modelId, [day], group));
  const stages = both.models.find((model) => model.model_id === modelId)!.stages.map(({ stage }) => stage);
  requireSame(`GET ${path} lists every stage`, [...new Set((body.items as Row[]).map((row) => row.stage))], stages);
  const { data_through } = both.oracle.status();
  const head = [body.as_of, body.projected ?? false, body.data_through];
  requireSame(`GET ${path} says what it is about`, head, [formatDay(day), day > both.today, data_through]);
}

async function compareSeries(both: SideBySide, modelId: string, rng: Rng, group?: string): Promise<void> {
  const interval = rng.pick(INTERVALS);
  const longest = { day: 40, week: 280, month: 900, quarter: 1200, year: 1500 }[interval];
  const from = both.today + rng.between(-BACK_DAYS, AHEAD_DAYS / 2);
  const to = from + rng.between(1, longest);
  const range = `from=${formatDay(from)}&to=${formatDay(to)}&interval=${interval}`;
  const path = `/v1/reports/stage-population?model=${modelId}&${range}${groupParameter(group)}`;
  const { items } = await get(both, path);
  const points = seriesDays(from, to, interval);
  requireSame(`GET ${path}: points`, [...new Set((items as Row[]).map((row) => row.as_of))], points.map(formatDay));
  requireSame(`GET ${path}`, peopled(both, path, items), expectedPopulation(both, modelId, points, group));
}

/** The days of a series on [from, to): every last day of a calendar period, and the last day of all. */
export function seriesDays(from: number, to: number, interval: Interval): number[] {
  const days = Array.from({ length: to - from }, (_, place) => from + place);
  return days.filter((day) => day === to - 1 || beginsPeriod(new Date((day + 1) * 86_400_000), interval));
}

function beginsPeriod(date: Date, interval: Interval): boolean {
  if (interval === 'day') return true;
  if (interval === 'week') return date.getUTCDay() === 1;
  const everyMonths = { month: 1, quarter: 3, year: 12 }[interval];
  return date.getUTCDate() === 1 && date.getUTCMonth() % everyMonths === 0;
}

async function compareMoves(both: SideBySide, modelId: string, rng: Rng, group?: string): Promise<void> {
  const from = someDay(both, rng);
  const to = Math.min(from + rng.pick([1, 2, rng.between(1, 40), rng.between(1, 1_500)]), parseDay('2199-12-31'));
  if (from >= to) return;
  const range = `from=${formatDay(from)}&to=${formatDay(to)}`;
  const path = `/v1/reports/stage-moves?model=${modelId}&${range}${groupParameter(group)}`;
  const { items, balance } = await get(both, path);
  const expected = both.oracle.stageMoves(modelId, formatDay(from), formatDay(to), group);
  requireSame(`GET ${path}`, items, expected.moves);
  requireSame(`GET ${path}: balance`, balance, expected.balance);
}

type CompareReport = (both: SideBySide, modelId: string, rng: Rng, group?: string) => Promise<void>;

/** Reports of one group that somebody carries, drawn; now and then of one that nobody has ever carried, which is refused. */
function compareGroup(both: SideBySide, modelId: string, rng: Rng, kinds: readonly CompareReport[]): Compare[] {
  if (rng.chance(0.05)) return [() => compareUnknownGroup(both, modelId)];
  const carried = carriedGroups(both);
  if (carried.length === 0) return [];
  const group = rng.pick(carried);
  return kinds.map((compare) => () => compare(both, modelId, rng, group));
}

async function compareUnknownGroup(both: SideBySide, modelId: string): Promise<void> {
  const path = `/v1/reports/stage-population?model=${modelId}${groupParameter('never sent')}`;
  const { status, body } = await both.service.call('GET', path);
  requireSame('a group never sent is refused', [status, body.code], [400, 'unknown_group']);
}

function groupParameter(group: string | undefined): string {
  return group === undefined ? '' : `&group=${encodeURIComponent(group)}`;
}

/** The answers about one customer: figures, stages in every model on a day, and timelines in as many models. */
function compareOwn(both: SideBySide, customerId: string, rng: Rng, timelines: number): Compare[] {
  const models = rng.some(both.modelIds, timelines, timelines);
  return [
    () => compareCustomer(both, customerId),
    () => compareStages(both, customerId, rng),
    ...models.map((modelId) => () => compareTimeline(both, customerId, modelId)),
  ];
}

async function compareCustomer(both: SideBySide, customerId: string): Promise<void> {
  const merged_ids = both.oracle.mergedIds(customerId);
  const expected = { customer_id: customerId, merged_ids, ...both.oracle.customer(customerId) };
  for (const id of [customerId, ...merged_ids]) {
    const path = `/v1/customers/${encodeURIComponent(id)}`;
    requireSame(`GET ${path}`, await get(both, path), expected);
  }
}

async function compareTimeline(both: SideBySide, customerId: string, modelId: string): Promise<void> {
  const path = `/v1/customers/${encodeURIComponent(customerId)}/timeline?model=${modelId}`;
  const spells = both.oracle.timeline(modelId, customerId) ?? [];
  const expected = spells.map((spell) => ({ ...spell, scheduled: spell.from > formatDay(both.today) }));
  requireSame(`GET ${path}`, (await get(both, path)).items, expected);
}

/** What a stage answer says of where a customer stands, without the reasons. */
function standing(answer: Readonly<Record<string, unknown>>) {
  const { customer_id, model, as_of, projected, stage, rung, rungs, activity, since, next_move } = answer;
  return { customer_id, model, as_of, projected, stage, rung, rungs, activity, since, next_move };
}

function expectedStanding(both: SideBySide, customerId: string, modelId: string, day: number) {
  const asOf = formatDay(day);
  const { stages } = both.models.find((model) => model.model_id === modelId)!;
  const place = both.oracle.position(modelId, customerId, asOf);
  const next = place === null ? null : both.oracle.nextMove(modelId, customerId, asOf);
  return {
    customer_id: customerId,
    model: modelId,
    as_of: asOf,
    projected: day > both.today,
    stage: place?.stage ?? null,
    rung: place === null ? null : stages.findIndex(({ stage }) => stage === place.stage) + 1,
    rungs: stages.length,
    activity: place?.activity ?? null,
    since: place?.since ?? null,
    next_move: next === null ? null : { on: next.on, stage: next.stage, activity: next.activity },
  };
}

async function compareStages(both: SideBySide, customerId: string, rng: Rng): Promise<void> {
  const day = someDay(both, rng);
  const path = `/v1/customers/${encodeURIComponent(customerId)}/stages?as_of=${formatDay(day)}`;
  const { items } = await get(both, path);
  const asked = items.filter(({ model }: { model: string }) => both.modelIds.includes(model));
  const expected = both.modelIds.map((modelId) => expectedStanding(both, customerId, modelId, day));
  requireSame(`GET ${path}`, asked.map(standing), expected);
}

/** Asks where customers stand, and after one who is not known. */
async function compareLookup(both: SideBySide, rng: Rng, known: readonly string[]): Promise<void> {
  const customerIds = [...known.slice(0, 3), 'never sent', ...known.slice(3)];
  const model = rng.pick(both.modelIds);
  const day = someDay(both, rng);
  const question = { customer_ids: customerIds, model, as_of: formatDay(day) };
  const { status, body } = await both.service.call('POST', '/v1/customers/lookup', question);
  const what = `POST /v1/customers/lookup ${JSON.stringify(question)}`;
  requireSame(`${what} is answered`, status, 200);
  const expected = known.map((id) => expectedStanding(both, id, model, day));
  requireSame(what, body.items.map(standing), expected);
  requireSame(`${what}: not found`, body.not_found, ['never sent']);
}
