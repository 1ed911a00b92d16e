import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import fastify, { type FastifyBaseLogger, type FastifyInstance, type HTTPMethods, LogController } from 'fastify';
import type pg from 'pg';
import { requireKeys } from './http/auth.ts';
import { acceptJson } from './http/body.ts';
import { trackConnections } from './http/connections.ts';
import { followModels } from './http/context.ts';
import { answerClientError, answerProblems, sendProblem, toProblem } from './http/errors.ts';
import type { KeyRing } from './http/keys.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import { describeApi } from './http/openapi.ts';
import type { Sampling } from './http/population-basis.ts';
import { POPULATION_READS, populationReads } from './http/population-reads.ts';
import { batchRoutes } from './http/routes/batches.ts';
import { classifyRoutes } from './http/routes/classify.ts';
import { customerEventRoutes } from './http/routes/customer-events.ts';
import { customerListRoutes } from './http/routes/customer-list.ts';
import { customerRoutes } from './http/routes/customers.ts';
import { importUploadRoute } from './http/routes/import-uploads.ts';
import { importRoutes } from './http/routes/imports.ts';
import { itemRoutes } from './http/routes/items.ts';
import { mergeRoutes } from './http/routes/merges.ts';
import { modelCalibrationRoute } from './http/routes/model-calibration.ts';
import { modelPreviewRoute } from './http/routes/model-preview.ts';
import { modelRoutes } from './http/routes/models.ts';
import { operationRoutes } from './http/routes/operations.ts';
import { reportRoutes } from './http/routes/reports.ts';
import { SHARED_SCHEMAS } from './http/schemas.ts';
import { validatorCompiler } from './http/validation.ts';
import { createGroupCommit, type GroupOptions } from './ingest/group-commit.ts';
import type { EngineSource } from './ingest/start.ts';
import { Problem } from './problems.ts';
import { version } from './version.ts';

/** What the HTTP side is made of. It opens no connection, so the document needs no database. */
export interface AppParts {
  readonly source: EngineSource;
  readonly keys: KeyRing;
  /** A pino logger. */
  readonly log: FastifyBaseLogger;
  /** For the pool's gauges; null without a database. */
  readonly pool: pg.Pool | null;
  readonly limits: AppLimits;
  /** How writes share transactions, if not as measured. */
  readonly grouping?: Pick<GroupOptions, 'group_limit' | 'transactions'>;
}

/** Limits of sizes and times. */
export interface AppLimits {
  /** Largest body, in bytes. */
  readonly body_bytes: number;
  /** A request must have arrived within this time. */
  readonly request_timeout_ms: number;
  /** How long what was read from every customer may be given again; 0 reads it anew every time, absent `EXACT_READ_MAX_AGE_SECONDS`. */
  readonly exact_read_max_age_seconds?: number;
  /** When previews and calibrations of models are answered from a sample; absent, `SAMPLING`. */
  readonly sampling?: Sampling | undefined;
  /** Items that may wait to be stored; absent, `QUEUE_LIMIT`. */
  readonly queue_limit?: number;
}

/** An app, and the end of it while it listens. */
export interface App {
  readonly server: FastifyInstance;
  /** Lets its clients go without dropping a request, then closes. */
  leave(): Promise<void>;
  /** Counts items that were stored other than by a request, for /metrics. */
  readonly ingested: Metrics['ingested'];
}

/** Builds the whole HTTP side. */
export async function buildApp({ source, keys, log, pool, limits, grouping }: AppParts): Promise<App> {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => requestId(request.headers['x-request-id']),
    bodyLimit: limits.body_bytes,
    // That of Node would end every upload that takes longer, whatever arrives: the connections are watched for it instead.
    requestTimeout: 0,
    // By itself Node gives the headers 60 s and looks every 30 s: a limit of 1 s would be one of up to 90 s.
    http: {
      requestTimeout: 0,
      headersTimeout: limits.request_timeout_ms,
      connectionsCheckingInterval: Math.ceil(limits.request_timeout_ms / 10),
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    // An id of 128 characters, percent-encoded: up to 12 bytes each.
    routerOptions: { maxParamLength: 128 * 12 },
    frameworkErrors: (error, request, reply) => void sendProblem(request as never, reply as never, toProblem(error)),
  }) as unknown as FastifyInstance;
  const connections = trackConnections(app, limits.request_timeout_ms);
  const writes = createGroupCommit({
    ...(limits.queue_limit === undefined ? {} : { queue_limit: limits.queue_limit }),
    ...grouping,
    onGroup: (requests, changes) => metrics.grouped(requests, changes),
  });
  const metrics = createMetrics({ source, pool, version, waiting: writes.waiting });
  app.setValidatorCompiler(validatorCompiler);
  // Answers are what the handlers return: a serialiser made from the schema would drop what it does not declare, in silence.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema);
  answerProblems(app);
  requireKeys(app, keys);
  acceptJson(app);
  observe(app, metrics);
  followModels(app, source);
  const refuseOtherMethods = collectMethods(app);
  await app.register(helmet, { contentSecurityPolicy: false });
  await describeApi(app, version);
  batchRoutes(app, { source, metrics, writes });
  itemRoutes(app, { source, metrics, writes });
  await importUploadRoute(app, source, { idle_ms: limits.request_timeout_ms, metrics });
  importRoutes(app, source);
  mergeRoutes(app, source);
  classifyRoutes(app, source);
  customerListRoutes(app, source, Math.max(1, Math.floor((pool?.options.max ?? 0) / 2)));
  customerRoutes(app, source);
  customerEventRoutes(app, source);
  const population = { reads: populationReads(POPULATION_READS), sampling: limits.sampling };
  modelPreviewRoute(app, source, population);
  modelRoutes(app, source);
  modelCalibrationRoute(app, source, population);
  reportRoutes(app, source, limits.exact_read_max_age_seconds);
  operationRoutes(app, { source, metrics, version, stopping: connections.stopping });
  refuseOtherMethods();
  await app.ready();
  return {
    server: app,
    ingested: metrics.ingested,
    async leave() {
      await connections.end();
      await app.close();
    },
  };
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : randomUUID();
}

/** One line and one observation a request. Logs hold the route's pattern, never the path: ids may be e-mail addresses. */
function observe(app: FastifyInstance, metrics: ReturnType<typeof createMetrics>): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (request.headers.traceparent !== undefined) reply.header('traceparent', request.headers.traceparent);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    const route = routeOptions.url ?? 'unknown';
    const duration_ms = Math.round(reply.elapsedTime * 10) / 10;
    metrics.requested(method, route, reply.statusCode, reply.elapsedTime / 1_000);
    const probe = route === '/livez' || route === '/readyz' || route === '/metrics';
    request.log[probe ? 'debug' : 'info'](
      { method, route, status: reply.statusCode, duration_ms, key: request.keyName },
      'answered',
    );
  });
}

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

/** Every path of the API answers the methods it does not take with 405 and Allow. */
function collectMethods(app: FastifyInstance): () => void {
  const taken = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url.startsWith('/docs')) return;
    const methods = taken.get(url) ?? new Set<string>();
    for (const one of [method].flat()) methods.add(one);
    taken.set(url, methods);
  });
  return () => {
    // Refusing a method mounts a route too, so what the paths take is noted before.
    const known = [...taken].map(([url, methods]) => ({ url, methods: [...methods] }));
    for (const { url } of known) {
      // An id may read like the end of a fixed path: GET /v1/customers/lookup is about the customer `lookup`.
      const allowed = new Set(known.flatMap((other) => (coversPath(other.url, url) ? other.methods : [])));
      const allow = [...allowed].sort().join(', ');
      const others = METHODS.filter((method) => !allowed.has(method));
      app.route({
        method: others as HTTPMethods[],
        url,
        config: { scope: 'none' },
        schema: { hide: true } as object,
        onRequest: async (_request, reply) => {
          reply.header('allow', allow);
          throw new Problem('method_not_allowed');
        },
        handler: async () => undefined,
      });
    }
  };
}

/** True if the pattern, with its parameters filled in, can be the other path. */
function coversPath(pattern: string, path: string): boolean {
  const parts = pattern.split('/');
  const others = path.split('/');
  return (
    parts.length === others.length &&
    parts.every((part, index) => part === others[index] || (part.startsWith(':') && !others[index]!.startsWith(':')))
  );
}
