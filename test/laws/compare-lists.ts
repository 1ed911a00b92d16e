import { readFileSync } from 'node:fs';
import type { Query } from '../oracle/answers.ts';
import { formatDay } from '../oracle/calendar.ts';
import { type CustomerFilter, type CustomerSort, customerList } from '../oracle/customer-list.ts';
import type { Rng } from '../oracle/random.ts';
import { requireAlike } from './alike.ts';
import { type Compare, carriedGroups } from './compare-reports.ts';
import { Mismatch, requireSame, type SideBySide } from './side-by-side.ts';

interface Operation {
  readonly parameters?: readonly { readonly name: string }[];
}
const document = JSON.parse(readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')) as {
  readonly paths: Readonly<Record<string, { readonly get?: Operation }>>;
};
/** The parameters of `GET /v1/customers` as the document names them; null while there is no such route. */
const OFFERED = document.paths['/v1/customers']?.get?.parameters?.map(({ name }) => name) ?? null;

type Row = Readonly<Record<string, unknown>>;

/** The filters of a list, each with its value drawn. Filters that only make sense together are drawn together. */
type Draw = (both: SideBySide, modelId: string, rng: Rng) => Query;
const FILTERS: readonly (readonly [weight: number, parameters: readonly string[], draw: Draw])[] = [
  [0.5, ['stage'], (both, modelId, rng) => ({ stage: rng.pick(both.oracle.stagesOf(modelId)) })],
  [0.5, ['activity'], (_both, _, rng) => ({ activity: rng.pick(['none', 'active', 'at_risk', 'lapsed']) })],
  [0.15, ['days_since_last_interaction'], (_both, _, rng) => since('last_interaction', rng)],
  [0.15, ['days_since_last_purchase'], (_both, _, rng) => since('last_purchase', rng)],
  [0.15, ['open_complaint_days_at_least'], (_both, _, rng) => ({ open_complaint_days_at_least: days(rng) })],
  [0.6, ['sort'], (_both, _, rng) => ({ sort: rng.pick(['revenue', 'profit', 'last_purchase_day', 'customer_id']) })],
];
/** At most one of these two: whether a segment is one of everybody or of a group is not told apart here. */
const GROUP: Draw = (both, _, rng) => {
  const carried = carriedGroups(both);
  return carried.length === 0 ? {} : { group: rng.pick(carried) };
};
const SEGMENT: Draw = (_both, _, rng) => ({
  segment: rng.pick(['top', 'middle', 'bottom']),
  value: rng.pick(['revenue', 'profit']),
});
const OTHERS = ['model', 'group', 'segment', 'value', 'entered_from', 'entered_to', 'limit', 'cursor'];

/** A comparison of one list of customers with filters, order and size of page drawn; none while the service has no such route. */
export function compareLists(both: SideBySide, rng: Rng): Compare[] {
  if (OFFERED === null) return [];
  const known = [...OTHERS, ...FILTERS.flatMap(([, parameters]) => parameters)];
  const unknown = OFFERED.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Mismatch('every filter of the customer list is known here', unknown, []);
  const modelId = rng.pick(both.modelIds);
  let query: Query = rng.chance(0.8) ? { model: modelId } : {};
  const model = query.model ?? 'lifecycle';
  for (const [weight, , draw] of FILTERS) if (rng.chance(weight)) query = { ...query, ...draw(both, model, rng) };
  if (rng.chance(0.25)) query = { ...query, ...GROUP(both, model, rng) };
  else if (rng.chance(0.3)) query = { ...query, ...SEGMENT(both, model, rng) };
  if ((query.stage ?? query.activity) !== undefined && rng.chance(0.35)) {
    const from = both.today + rng.between(-400, 200);
    query = { ...query, entered_from: formatDay(from), entered_to: formatDay(from + rng.pick([1, 30, 200, 800])) };
  }
  const offered = Object.fromEntries(Object.entries(query).filter(([name]) => OFFERED.includes(name)));
  const limit = rng.chance(0.3) ? null : rng.between(1, 7);
  return [() => compareList(both, offered, limit)];
}

function since(what: string, rng: Rng): Query {
  return { [`days_since_${what}_at_least`]: days(rng) };
}

function days(rng: Rng): string {
  return `${rng.pick([0, 1, 30, 90, 91, 180, 181, 365, rng.between(0, 800)])}`;
}

async function compareList(both: SideBySide, query: Query, limit: number | null): Promise<void> {
  const pages: Row[] = [];
  const path = `/v1/customers?${new URLSearchParams({ ...query, ...(limit === null ? {} : { limit: `${limit}` }) })}`;
  let cursor: string | null = null;
  do {
    const page: string = cursor === null ? path : `${path}&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await both.service.call('GET', page);
    requireSame(`GET ${page} is answered`, { status, errors: body?.errors }, { status: 200, errors: undefined });
    if (limit !== null && body.items.length > limit) throw new Mismatch(`GET ${page}: size`, body.items.length, limit);
    pages.push(...(body.items as Row[]));
    cursor = body.next_cursor;
  } while (cursor !== null);
  const expected: readonly Row[] = expectedList(both, query);
  const ids = (rows: readonly Row[]): unknown[] => rows.map((row) => row.customer_id);
  requireSame(`GET ${path}: who, in which order`, ids(pages), ids(expected));
  // Rows may say more than is known here, and less.
  const members = (row: Row, like: Row): Row =>
    Object.fromEntries(Object.entries(row).filter(([name]) => Object.hasOwn(like, name)));
  const said = pages.map((row, place) => members(row, expected[place] ?? {}));
  const wanted = expected.map((row, place) => members(row, pages[place] ?? {}));
  requireAlike(`GET ${path}`, said, wanted);
}

function expectedList(both: SideBySide, query: Query) {
  const number = (name: string): number | undefined => (query[name] === undefined ? undefined : Number(query[name]));
  const { entered_from: from, entered_to: to } = query;
  const day = (text: string): number => Date.parse(text) / 86_400_000;
  const filter: CustomerFilter = {
    stage: query.stage,
    activity: query.activity,
    group: query.group,
    segment: query.segment as CustomerFilter['segment'],
    value: query.value as CustomerFilter['value'],
    silentDays: number('days_since_last_interaction'),
    daysSincePurchase: number('days_since_last_purchase'),
    openComplaintDays: number('open_complaint_days_at_least'),
    entered: from === undefined || to === undefined ? undefined : { from: day(from), to: day(to) },
  };
  const { oracle, today } = both;
  const people = oracle.people(query.model ?? 'lifecycle');
  return customerList(people, filter, (query.sort ?? 'revenue') as CustomerSort, today, oracle.decimals);
}
