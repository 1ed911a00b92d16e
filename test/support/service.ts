import { type Logger, pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { fixedKeys, type KeyRing } from '../../src/http/keys.ts';
import type { Sampling } from '../../src/http/population-basis.ts';
import type { Engine } from '../../src/ingest/engine.ts';
import { type StartingEngine, startEngine } from '../../src/ingest/start.ts';
import { MIGRATIONS } from '../../src/service.ts';
import { connect, type Database } from '../../src/store/connect.ts';
import { testDatabase } from './postgres.ts';

/** The part of a tap test that is used here. */
interface Closing {
  teardown(end: () => Promise<void>): void;
}

/** What a test may choose of the service it runs. */
export interface TestServiceOptions {
  /** The service's clock: milliseconds since 1970-01-01T00:00:00Z, read at every request. Noon of 2026-06-15 (UTC) if absent. */
  readonly clock?: () => number;
  readonly time_zone?: string;
  readonly currency?: string;
  readonly currency_decimals?: number;
  readonly models?: readonly Model[];
  readonly keys?: KeyRing;
  /** Reuse the database of another test service. */
  readonly connection?: Readonly<Record<string, unknown>>;
  readonly body_bytes?: number;
  /** Changes that may wait to be stored. */
  readonly queue_limit?: number;
  readonly request_timeout_ms?: number;
  /** How long exact reads are given again; 0 if absent: every answer is of its moment. */
  readonly exact_read_max_age_seconds?: number;
  /** When previews and calibrations are answered from a sample. */
  readonly sampling?: Sampling;
  /** Receives every log line; without it nothing is logged. */
  readonly log_lines?: LogLine[];
}

/** A line of the log, parsed. */
export type LogLine = Readonly<Record<string, unknown>>;

/** An answer, parsed if it is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
  readonly text: string;
}

/** The whole service in this process, on a database of its own. */
export interface TestService {
  /** Sends a request without a socket. An object as body is sent as JSON, a string or Buffer as it is. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Listens on loopback and gives the base URL. */
  listen(): Promise<string>;
  /** The newest. */
  readonly engine: Engine;
  readonly source: StartingEngine;
  readonly db: Database;
  readonly connection: Readonly<Record<string, unknown>>;
}

/** Starts the service in this process; it ends with the test. */
export async function testService(t: Closing, options: TestServiceOptions = {}): Promise<TestService> {
  const connection = options.connection ?? { ...(await testDatabase(t)).connection };
  const log = loggerInto(options.log_lines);
  const { pool, db } = connect({ connection, max: 20, connect_timeout_ms: 10_000 }, log);
  const clock = options.clock ?? (() => Date.UTC(2026, 5, 15, 12));
  const abort = new AbortController();
  const source = startEngine(
    {
      db,
      pool,
      connection,
      migrations: MIGRATIONS,
      migrate_at_start: true,
      deployment: {
        reporting_time_zone: options.time_zone ?? 'UTC',
        currency: options.currency ?? 'EUR',
        currency_decimals: options.currency_decimals ?? 2,
      },
      models: options.models ?? Object.values(BUILT_IN_MODELS),
      log,
      now: () => clock() * 1_000,
      statement_timeout_ms: 60_000,
    },
    abort.signal,
  );
  await source.started;
  const limits = {
    body_bytes: options.body_bytes ?? 4_194_304,
    ...(options.queue_limit === undefined ? {} : { queue_limit: options.queue_limit }),
    request_timeout_ms: options.request_timeout_ms ?? 30_000,
    sampling: options.sampling,
    exact_read_max_age_seconds: options.exact_read_max_age_seconds ?? 0,
  };
  const app = await buildApp({ source, keys: options.keys ?? fixedKeys(''), log, pool, limits });
  t.teardown(async () => {
    await app.server.close();
    await pool.end();
  });
  return {
    get engine() {
      return source.current()!;
    },
    source,
    db,
    connection,
    listen: () => app.server.listen({ host: '127.0.0.1', port: 0 }),
    async call(method, path, body, headers = {}) {
      const json = typeof body === 'object' && !Buffer.isBuffer(body);
      const answer = await app.server.inject({
        method: method as 'GET',
        url: path,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { payload: json ? JSON.stringify(body) : (body as string) }),
      });
      const isJson = answer.body !== '' && /[/+]json\b/.test(String(answer.headers['content-type'] ?? ''));
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: isJson ? answer.json() : null,
        text: answer.body,
      };
    },
  };
}

function loggerInto(lines: LogLine[] | undefined): Logger {
  if (lines === undefined) return pino({ level: 'silent' });
  return pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) });
}
