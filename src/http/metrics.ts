import type pg from 'pg';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineSource } from '../ingest/start.ts';
import { dailyTotalsRollup } from '../reports/daily-totals-rollup.ts';
import { inSnapshot } from '../store/connect.ts';
import { readDataThrough } from '../store/customer-reads.ts';
import { CODE_VERSIONS } from '../store/versions.ts';

/** What the service counts about itself, for Prometheus. */
export interface Metrics {
  requested(method: string, route: string, status: number, duration_s: number): void;
  ingested(kind: string, result: string, items: number): void;
  /** A transaction of writes ended. */
  grouped(requests: number, changes: number): void;
  /** The text exposition; asks the database for `data_through`. */
  text(): Promise<string>;
  readonly content_type: string;
}

/** What the metrics ask when they are read. */
export interface MetricsParts {
  readonly source: EngineSource;
  readonly pool: pg.Pool | null;
  readonly version: string;
  /** Changes that wait for a transaction. */
  readonly waiting: () => number;
}

/** Makes the metrics of one process. Labels hold route patterns, never paths. */
export function createMetrics({ source, pool, version, waiting }: MetricsParts): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'escalera_request_duration_seconds',
    help: 'Requests by method, route pattern and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const items = new Counter({
    name: 'escalera_ingest_items_total',
    help: 'Items sent, by kind and result.',
    labelNames: ['kind', 'result'],
    registers,
  });
  const groupRequests = new Histogram({
    name: 'escalera_write_group_requests',
    help: 'Requests that shared one writing transaction.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
    registers,
  });
  const groupItems = new Histogram({
    name: 'escalera_write_group_items',
    help: 'Items of one writing transaction.',
    buckets: [1, 4, 16, 64, 128, 256, 512, 1_024],
    registers,
  });
  new Gauge({
    name: 'escalera_write_queue_items',
    help: 'Items that wait for a writing transaction.',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  const connections = new Gauge({
    name: 'escalera_pool_connections',
    help: 'Database connections by state.',
    labelNames: ['state'],
    registers,
  });
  const dataThrough = new Gauge({
    name: 'escalera_data_through_timestamp_seconds',
    help: 'Start (UTC) of the latest stored activity day.',
    registers,
  });
  const build = new Gauge({
    name: 'escalera_build_info',
    help: 'Versions of the running code; always 1.',
    labelNames: ['version', 'code_versions', 'node'],
    registers,
  });
  build.set({ version, code_versions: CODE_VERSIONS, node: process.version }, 1);
  return {
    content_type: registry.contentType,
    requested: (method, route, status, duration_s) =>
      requests.observe({ method, route, status: String(status) }, duration_s),
    ingested: (kind, result, count) => {
      if (count > 0) items.inc({ kind, result }, count);
    },
    grouped(requests, changes) {
      groupRequests.observe(requests);
      groupItems.observe(changes);
    },
    async text() {
      if (pool !== null) {
        connections.set({ state: 'total' }, pool.totalCount);
        connections.set({ state: 'idle' }, pool.idleCount);
        connections.set({ state: 'waiting' }, pool.waitingCount);
      }
      const engine = source.current();
      // A scrape must answer while the database is away: the gauge is then absent.
      const counted = engine !== null && !engine.unready.has(dailyTotalsRollup.name);
      const day = counted ? await inSnapshot(engine.db, 2_000, readDataThrough).catch(() => null) : null;
      if (day === null) dataThrough.reset();
      else dataThrough.set(day * 86_400);
      return await registry.metrics();
    },
  };
}
