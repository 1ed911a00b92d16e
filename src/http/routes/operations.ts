import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { formatDay } from '../../domain/calendar.ts';
import { isBuilding } from '../../ingest/build.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem } from '../../problems.ts';
import { dailyTotalsRollup } from '../../reports/daily-totals-rollup.ts';
import { count, day, nullable } from '../../reports/fields.ts';
import { PROJECTIONS } from '../../reports/registry.ts';
import { readBuild } from '../../store/builds.ts';
import type { Trx } from '../../store/connect.ts';
import { readDataThrough, readStoredCounts } from '../../store/customer-reads.ts';
import { showProgress } from '../build-progress.ts';
import { requireEngine, snapshot } from '../context.ts';
import type { Metrics } from '../metrics.ts';
import { mount } from '../route.ts';
import { buildProgress } from '../schemas/models.ts';

/** What operations need besides the engine. */
export interface OperationParts {
  readonly source: EngineSource;
  readonly metrics: Metrics;
  readonly version: string;
  /** True once the service is told to stop. */
  readonly stopping: () => boolean;
}

/** For whoever runs the service: is it alive, is it ready, what does it hold, how does it do. */
export function operationRoutes(app: FastifyInstance, parts: OperationParts): void {
  mountProbes(app, parts);
  mountStatus(app, parts);
}

function mountProbes(app: FastifyInstance, { source, metrics, stopping }: OperationParts): void {
  const state = Type.Object({ status: Type.String() });
  mount(app, {
    method: 'GET',
    url: '/livez',
    operationId: 'getLiveness',
    tag: 'operations',
    summary: 'Is the process alive?',
    scope: 'none',
    success: [{ status: 200, description: 'It is.', schema: state, example: { status: 'alive' } }],
    handler: async () => ({ status: 'alive' }),
  });
  mount(app, {
    method: 'GET',
    url: '/readyz',
    operationId: 'getReadiness',
    tag: 'operations',
    summary: 'Would requests be answered now?',
    description:
      'Asks the database. 503 while starting, stopping, without a database, or after another version changed it.',
    scope: 'none',
    success: [{ status: 200, description: 'They would.', schema: state, example: { status: 'ready' } }],
    handler: async () => {
      if (stopping() || !(await source.ready())) throw new Problem('not_ready');
      return { status: 'ready' };
    },
  });
  mount(app, {
    method: 'GET',
    url: '/metrics',
    operationId: 'getMetrics',
    tag: 'operations',
    summary: 'Counters for Prometheus',
    scope: 'read',
    success: [
      {
        status: 200,
        description: 'Text exposition format.',
        schema: Type.String(),
        content_type: 'text/plain',
        example:
          '# HELP escalera_ingest_items_total Items sent, by kind and result.\n# TYPE escalera_ingest_items_total counter\nescalera_ingest_items_total{kind="purchases",result="created"} 10206\n',
      },
    ],
    handler: async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.content_type).send(text);
    },
  });
}

const status = Type.Object({
  version: Type.String({ description: 'Version of the code.' }),
  projections: Type.Array(
    Type.Object({
      name: Type.String(),
      version: Type.Integer(),
      ready: Type.Boolean({ description: 'false: it is being built, and the reports that read it are refused.' }),
    }),
    { description: 'Roll-ups and the versions of their meaning.' },
  ),
  schema: Type.String({ description: 'Versions of fold and roll-ups the database was written with.' }),
  models: Type.Array(Type.Object({ model: Type.String(), version: Type.Integer() })),
  building: nullable(Type.Object(buildProgress), {
    description: 'How far models and projections are that are being built; null if none is.',
  }),
  time_zone: Type.String({ description: 'Reporting time zone (IANA).' }),
  currency: Type.String({ description: 'ISO 4217.' }),
  today: day('Today in the reporting time zone.'),
  data_through: nullable(day('Latest stored activity day.')),
  stored: nullable(
    Type.Object({
      customers: count('Customers known.'),
      purchases: count('Rows, voided ones included.'),
      refunds: count('Rows, voided ones included.'),
      interactions: count('Rows, voided ones included.'),
      pending_refunds: count('Refunds that wait for their purchase.'),
    }),
    { description: 'null, as data_through is, while the roll-up that counts is being built.' },
  ),
});

function mountStatus(app: FastifyInstance, { source, version }: OperationParts): void {
  mount(app, {
    method: 'GET',
    url: '/v1/status',
    operationId: 'getStatus',
    tag: 'operations',
    summary: 'What runs here and what it holds',
    scope: 'read',
    success: [
      {
        status: 200,
        description: 'Versions, settings and counts.',
        schema: status,
        example: {
          version: '0.4.0',
          projections: PROJECTIONS.map(({ name, version }) => ({ name, version, ready: true })),
          schema: 'fold:6',
          models: [{ model: 'lifecycle', version: 1 }],
          building: null,
          time_zone: 'Europe/Madrid',
          currency: 'EUR',
          today: '2025-06-30',
          data_through: '2025-06-30',
          stored: { customers: 3000, purchases: 10206, refunds: 539, interactions: 10234, pending_refunds: 0 },
        },
      },
    ],
    handler: async () => {
      const engine = requireEngine(source);
      const counted = !engine.unready.has(dailyTotalsRollup.name);
      const read = async (trx: Trx) => ({
        build: await readBuild(trx),
        stored: counted ? await readStoredCounts(trx) : null,
        data_through: counted ? await readDataThrough(trx) : null,
      });
      const { build, stored, data_through } = await snapshot(engine, read, counted ? [dailyTotalsRollup] : []);
      return {
        version,
        projections: PROJECTIONS.map(({ name, version }) => ({ name, version, ready: !engine.unready.has(name) })),
        schema: engine.versions.code_versions,
        models: engine.models.map((one) => ({ model: one.model.model_id, version: one.version })),
        building: isBuilding(engine) ? showProgress(engine, build) : null,
        time_zone: engine.zone.name,
        currency: engine.versions.currency,
        today: formatDay(engine.zone.dayOf(engine.now())),
        data_through: data_through === null ? null : formatDay(data_through),
        stored,
      };
    },
  });
}
