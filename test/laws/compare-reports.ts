import { REPORTS } from '../../src/reports/registry.ts';
import { ANSWERS, type Query } from '../oracle/answers.ts';
import { formatDay } from '../oracle/calendar.ts';
import { GROUPS, type Rng } from '../oracle/random.ts';
import { type Likeness, requireAlike } from './alike.ts';
import { QUESTIONS } from './report-questions.ts';
import { Mismatch, requireSame, type SideBySide } from './side-by-side.ts';

/** What stands at the head of every report beside its rows, tables and figures. */
const HEAD = [
  'report',
  'definition_version',
  'model',
  'model_version',
  'group',
  'as_of',
  'projected',
  'time_zone',
  'currency',
  'data_through',
];

/** How the answers of a report are compared, where not strictly. */
const LIKENESS: Readonly<Record<string, Likeness>> = {
  'cohort-retention': { optional: ['complete'] },
  'loyalty-economics': {
    optional: ['new_buyers', 'reactivated_buyers', 'existing_revenue', 'revenue', 'profit'],
    uncompared: ['folk_figures', 'discount_rate', 'period_discount_rate'],
  },
  'model-crosswalk': { uncompared: ['computed_at', 'other', 'other_version'] },
  'time-in-stage': { optional: ['stage'] },
  // Gini may be off by so much, as the report's definition says.
  'value-segments': { uncompared: ['profile', 'lorenz', 'computed_at', 'customers_link'], tolerances: { gini: 1e-6 } },
};

/** A comparison that is ready to be made. */
export type Compare = () => Promise<void>;
type Row = Readonly<Record<string, unknown>>;
type Body = Readonly<Record<string, unknown>> & { readonly items: readonly Row[] };

/** Comparisons of some of the reports in the registry, each with parameters, model and group drawn. */
export function compareSomeReports(both: SideBySide, rng: Rng, count: number): Compare[] {
  const reports = rng.some(comparable(), count, count);
  return reports.map((report) => ask(both, report, rng.pick(both.modelIds), rng, rng.chance(0.3)));
}

/** A comparison of every report in the registry, each with parameters, model and group drawn. */
export function compareEachReport(both: SideBySide, rng: Rng): Compare[] {
  return comparable().map((report) => ask(both, report, rng.pick(both.modelIds), rng, rng.chance(0.3)));
}

/** Comparisons of every report in the registry: of every model if it depends on one, and of everybody as well as a group. */
export function compareEveryReport(both: SideBySide, rng: Rng): Compare[] {
  return comparable().flatMap((report) => {
    const models = report.per_model ? both.modelIds : [rng.pick(both.modelIds)];
    return models.flatMap((modelId) => [false, true].map((grouped) => ask(both, report, modelId, rng, grouped)));
  });
}

type Registered = (typeof REPORTS)[number];

/** The reports of the registry that are compared here. One that the oracle cannot answer, or that nobody asks about, is a fault of the test. */
function comparable(): Registered[] {
  const names = REPORTS.map(({ definition }) => definition.report);
  const unknown = names.filter((name) => !Object.hasOwn(ANSWERS, name) || !Object.hasOwn(QUESTIONS, name));
  // Population and daily moves have comparisons of their own.
  const missing = unknown.filter((name) => name !== 'stage-population');
  if (missing.length > 0) throw new Mismatch('the oracle answers every report of the service', missing, []);
  const asked = REPORTS.filter(({ definition }) => definition.report !== 'stage-population');
  return asked.filter(({ definition, query }) => definition.report !== 'stage-moves' || 'basis' in query.properties);
}

function ask(both: SideBySide, report: Registered, modelId: string, rng: Rng, grouped: boolean): Compare {
  const name = report.definition.report;
  const { properties } = report.query;
  const carried = 'group' in properties && grouped ? carriedGroups(both) : [];
  const query: Query = {
    ...('model' in properties ? { model: modelId } : {}),
    ...(carried.length > 0 ? { group: rng.pick(carried) } : {}),
    ...QUESTIONS[name]!(both, modelId, rng),
  };
  return () => compareReport(both, report, query);
}

async function compareReport(both: SideBySide, report: Registered, query: Query): Promise<void> {
  const name = report.definition.report;
  const path = `/v1/reports/${name}?${new URLSearchParams(query)}`;
  const { status, body } = await both.service.call('GET', path);
  requireSame(`GET ${path} is answered`, { status, errors: body?.errors }, { status: 200, errors: undefined });
  const head = [body.report, body.model, body.group, body.data_through, body.projected ?? false];
  const model = report.per_model ? (query.model ?? 'lifecycle') : null;
  const { data_through } = both.oracle.status();
  const isAhead = body.as_of > formatDay(both.today);
  requireSame(`GET ${path} says what it is about`, head, [name, model, query.group ?? null, data_through, isAhead]);
  const own = Object.fromEntries(Object.entries(body as Body).filter(([member]) => !HEAD.includes(member))) as Body;
  const [actual, expected] = [own, ANSWERS[name]!(both.oracle, query)].map((answer) => evened(name, answer as Body));
  requireAlike(`GET ${path}`, actual, expected, LIKENESS[name]);
}

/** An answer without what the contract leaves open: order among reasons, empty rows, figures at the edge of being undefined. */
function evened(name: string, answer: Body): Body {
  const { items } = answer;
  switch (name) {
    case 'defections':
      return { ...answer, items: items.toSorted(byTexts('period', 'stage_left', 'reason')) };
    case 'repeat-purchases':
      return { ...answer, gaps: rowsOf(answer.gaps).filter((row) => row.gaps !== 0) };
    case 'time-in-stage':
      return { ...answer, exits: rowsOf(answer.exits).filter((row) => row.exits !== 0) };
    case 'value-segments':
      return {
        ...without(answer, ['value', 'period', 'customers', 'total', 'share_for_80_percent', 'stages']),
        items: items.map((row) => (row.threshold === null ? { ...row, tied_at_threshold: null } : row)),
      };
    case 'loyalty-economics':
      return { ...answer, items: items.map(withoutShakyChange) };
    default:
      return answer;
  }
}

/** Without figures that repeat the question, or follow from others. */
function without(answer: Body, names: readonly string[]): Body {
  return Object.fromEntries(Object.entries(answer).filter(([name]) => !names.includes(name))) as Body;
}

/** Where what a customer is worth all but equals what it cost to win them, the change after that cost is noise. */
function withoutShakyChange(row: Row): Row {
  const [worth, cost] = [Number(row.margin_now ?? 0), Number(row.acquisition_cost_each ?? 0)];
  if (Math.abs(worth - cost) > 1e-6 * Math.max(1, Math.abs(worth))) return row;
  return { ...row, profit_change_5_points_after_acquisition: null };
}

function rowsOf(table: unknown): readonly Row[] {
  return Array.isArray(table) ? (table as readonly Row[]) : [];
}

function byTexts(...members: readonly string[]) {
  const key = (row: Row): string => members.map((member) => String(row[member] ?? '')).join(' ');
  return (one: Row, other: Row): number => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0);
}

/** The groups that somebody carries. */
export function carriedGroups(both: SideBySide): string[] {
  const ids = both.oracle.customerIds();
  return GROUPS.filter((group) => ids.some((id) => both.oracle.customer(id)?.groups.includes(group)));
}
