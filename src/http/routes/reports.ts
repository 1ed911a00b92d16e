import { type TObject, type TSchema, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { formatDay } from '../../domain/calendar.ts';
import { type Engine, todayOf } from '../../ingest/engine.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem, parameterProblem } from '../../problems.ts';
import { dailyTotalsRollup } from '../../reports/daily-totals-rollup.ts';
import { day, nullable, oneOf } from '../../reports/fields.ts';
import { REPORTS } from '../../reports/registry.ts';
import type { ExactContext, ExactReads, Report, ReportFault } from '../../reports/report.ts';
import type { Pipeline } from '../../store/connect.ts';
import { readDataThrough } from '../../store/customer-reads.ts';
import { together } from '../../store/snapshot-at-once.ts';
import { requireEngine, requireGroup, requireModel, snapshotAtOnce } from '../context.ts';
import { rememberExactReads } from '../exact-reads.ts';
import { CSV_TYPE, csvOf, JSON_TYPE, negotiate } from '../representations.ts';
import { mount } from '../route.ts';

const head = {
  report: Type.String({ description: 'Name of the report; GET /v1/definitions/{report} says what its numbers mean.' }),
  definition_version: Type.Integer({ minimum: 1, description: 'Raised when a number would come out differently.' }),
  model: nullable(Type.String(), { description: 'The lifecycle model; null for a report that depends on none.' }),
  model_version: nullable(Type.Integer({ minimum: 1 })),
  group: nullable(Type.String(), { description: 'The group asked for; null for everybody.' }),
  as_of: day('The last day the answer is about.'),
  projected: Type.Optional(
    Type.Boolean({
      description: 'Present and true if as_of is after today: only what is scheduled is known of those days.',
    }),
  ),
  time_zone: Type.String({ description: 'Reporting time zone (IANA): what a day is.' }),
  currency: Type.String({ description: 'ISO 4217.' }),
  data_through: nullable(
    day(
      'Latest stored activity day; null if nothing is stored. A feed that stopped shows here, not as defecting customers.',
    ),
  ),
};

const EXAMPLE_HEAD = {
  definition_version: 1,
  model: 'lifecycle',
  model_version: 1,
  group: null,
  as_of: '2025-06-30',
  time_zone: 'Europe/Madrid',
  currency: 'EUR',
  data_through: '2025-06-30',
};

const NO_MODEL_HEAD = { model: null, model_version: null };

/** How long what was read from every customer may be given again, unless configured otherwise. */
export const EXACT_READ_MAX_AGE_SECONDS = 60;

type AnyReport = Report<Record<string, unknown>, ExactContext>;

/** One route for each report of the registry, and what their numbers mean. */
export function reportRoutes(
  app: FastifyInstance,
  source: EngineSource,
  max_age_seconds: number = EXACT_READ_MAX_AGE_SECONDS,
): void {
  // What was read from one database is never given for another.
  const memories = new WeakMap<Engine['db'], ExactReads>();
  const exactOf = (engine: Engine): ExactReads => {
    const known = memories.get(engine.db) ?? rememberExactReads({ now: engine.now, max_age_seconds });
    memories.set(engine.db, known);
    return known;
  };
  for (const report of REPORTS) mountReport(app, source, report, exactOf);
  mountDefinitions(app);
}

type Query = Readonly<Record<string, unknown>> & {
  readonly model?: string;
  readonly group?: string;
  readonly table?: string;
};

function mountReport(
  app: FastifyInstance,
  source: EngineSource,
  report: AnyReport,
  exactOf: (engine: Engine) => ExactReads,
): void {
  const { definition } = report;
  const tables = tablesOf(report);
  const arrays = Object.fromEntries(Object.entries(tables).map(([name, row]) => [name, Type.Array(row)]));
  mount(app, {
    method: 'GET',
    url: `/v1/reports/${definition.report}`,
    operationId: report.operation_id,
    tag: 'reports',
    summary: definition.question,
    description: `${definition.formula}\n\nRead aloud: ${definition.reading}`,
    scope: 'read',
    query: Type.Object({ ...report.query.properties, table: tableParameter(tables) }, { additionalProperties: false }),
    success: [
      {
        status: 200,
        description: 'The report, read from roll-ups in one snapshot.',
        schema: Type.Object({ ...head, ...report.summary, ...arrays }),
        example: {
          report: definition.report,
          ...EXAMPLE_HEAD,
          ...(report.per_model ? {} : NO_MODEL_HEAD),
          ...report.example,
        },
        also: {
          [CSV_TYPE]: {
            schema: Type.String({ description: 'One table of the answer, with a header line; null is an empty cell.' }),
            example: csvOf(columnsOf(report.row), report.example.items as object[]),
          },
        },
      },
    ],
    conditional: true,
    problems: [
      'unknown_model',
      'unknown_group',
      ...('stage' in report.query.properties ? (['unknown_stage'] as const) : []),
      'range_too_wide',
    ],
    handler: async (request, reply) => {
      const engine = requireEngine(source);
      const query = request.query as Query;
      const type = negotiate(request, [JSON_TYPE, CSV_TYPE]);
      if (query.table !== undefined && type === JSON_TYPE)
        throw parameterProblem('table', 'not_allowed', 'chooses the table of a CSV answer; send Accept: text/csv');
      const index = report.per_model ? requireModel(engine, query.model ?? 'lifecycle') : 0;
      const found = await snapshotAtOnce(engine, (trx) => answer(trx, engine, report, index, query, exactOf(engine)), [
        ...report.reads,
        dailyTotalsRollup,
      ]);
      if (type === JSON_TYPE) return found;
      const { table = 'items' } = query;
      reply.type(`${CSV_TYPE}; charset=utf-8`);
      return csvOf(columnsOf(tables[table]!), found[table as 'items'] as readonly unknown[]);
    },
  });
}

/** The row schemas of a report's tables by name, `items` first. */
function tablesOf(report: AnyReport): Readonly<Record<string, TSchema>> {
  return { items: report.row, ...report.tables };
}

function columnsOf(row: TSchema): string[] {
  return Object.keys((row as TObject).properties);
}

function tableParameter(tables: object) {
  return Type.Optional(
    oneOf(Object.keys(tables), { description: 'Which table a CSV answer holds; `items` if absent. Only for CSV.' }),
  );
}

async function answer(
  trx: Pipeline,
  engine: Engine,
  report: AnyReport,
  index: number,
  query: Query,
  exact: ExactReads,
) {
  const context = {
    trx,
    model: engine.plan.models[index]!,
    group_id: await requireGroup(trx, query.group),
    today: todayOf(engine),
    decimals: engine.decimals,
    exact,
    models: engine.models.map(({ version }, place) => ({ compiled: engine.plan.models[place]!, published: version })),
  };
  const [found, data_through] = await together(report.read(context, query), readDataThrough(trx));
  if ('code' in found) throw faultProblem(found);
  const { model, version } = engine.models[index]!;
  return {
    report: report.definition.report,
    definition_version: report.definition.definition_version,
    model: report.per_model ? model.model_id : null,
    model_version: report.per_model ? version : null,
    group: query.group ?? null,
    as_of: formatDay(found.as_of),
    ...(found.projected ? { projected: true } : {}),
    time_zone: engine.zone.name,
    currency: engine.versions.currency,
    data_through: data_through === null ? null : formatDay(data_through),
    ...found.summary,
    items: found.items,
    ...found.tables,
  };
}

function faultProblem({ parameter, code, detail }: ReportFault): Problem {
  if (code === 'range_too_wide' || code === 'unknown_stage')
    return new Problem(code, { errors: [{ parameter, code, detail: `${detail}.` }] });
  if (code === 'unknown_model')
    return new Problem(code, { errors: [{ parameter, code, detail: `\`${parameter}\` ${detail}.` }] });
  return parameterProblem(parameter, code, detail);
}

const params = Type.Object({
  report: Type.String({ pattern: '^[a-z][a-z-]{0,63}$', description: 'Name of a report.' }),
});
const definitionSchema = Type.Object({
  report: Type.String(),
  definition_version: Type.Integer({ minimum: 1 }),
  question: Type.String({ description: 'What the report answers.' }),
  formula: Type.String(),
  denominator: Type.String(),
  window: Type.String({ description: 'Which events count.' }),
  exclusions: Type.String({ description: 'What is left out.' }),
  reading: Type.String({ description: 'A row read aloud.' }),
});

function mountDefinitions(app: FastifyInstance): void {
  const definitions = REPORTS.map((report) => report.definition);
  mount(app, {
    method: 'GET',
    url: '/v1/definitions',
    operationId: 'listDefinitions',
    tag: 'reports',
    summary: 'What the numbers of all reports mean',
    scope: 'read',
    success: [
      {
        status: 200,
        description: 'One entry for each report.',
        schema: Type.Object({ items: Type.Array(definitionSchema) }),
        example: { items: definitions.slice(0, 1) },
      },
    ],
    conditional: true,
    handler: async () => ({ items: definitions }),
  });
  mount(app, {
    method: 'GET',
    url: '/v1/definitions/:report',
    operationId: 'getDefinition',
    tag: 'reports',
    summary: 'What the numbers of a report mean',
    scope: 'read',
    params,
    success: [
      {
        status: 200,
        description: 'Formula, denominator, window and exclusions, in words.',
        schema: definitionSchema,
        example: definitions[0],
      },
    ],
    conditional: true,
    problems: ['not_found'],
    handler: async (request) => {
      const { report } = request.params as { report: string };
      const found = definitions.find((definition) => definition.report === report);
      if (found === undefined)
        throw new Problem('not_found', {
          detail: `There is no such report; there are ${definitions.map((one) => one.report).join(', ')}.`,
        });
      return found;
    },
  });
}
