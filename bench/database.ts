import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { BUILT_IN_MODELS } from '../src/domain/models.ts';
import { createEngine, type Engine } from '../src/ingest/engine.ts';
import { MIGRATIONS, machineClock } from '../src/service.ts';
import { type Connected, connect } from '../src/store/connect.ts';
import { startEmbedded } from '../src/store/embedded.ts';
import { migrate } from '../src/store/migrate.ts';
import { readModels, readVersions, seedVersions } from '../src/store/versions.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** One durable PostgreSQL for all cases of a run, so that rivals are measured on the same server. */
export interface BenchServer {
  /** A fresh database with the whole schema and an engine on it. */
  shop(name: string): Promise<BenchShop>;
  stop(): Promise<void>;
}

/** A database to measure in. */
export interface BenchShop extends Connected {
  readonly engine: Engine;
  /** Roll-up rows written by the last ingest. */
  lastRollupRows(): number;
}

/** Starts a server in a temporary folder. */
export async function benchServer(): Promise<BenchServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'escalera-bench-'));
  // The server does not run as root, and must be able to enter the folder.
  await chmod(dataDir, 0o711);
  const server = await startEmbedded({ dataDir, log: silent });
  const opened: Connected[] = [];
  return {
    async shop(name) {
      const admin = new pg.Client(server.connection);
      await admin.connect();
      await admin.query(`create database ${name}`);
      await admin.end();
      const connection = { ...server.connection, database: name };
      await migrate(connection, MIGRATIONS, silent);
      const connected = connect({ connection, max: 8, connect_timeout_ms: 5_000 }, silent);
      opened.push(connected);
      let rollupRows = 0;
      const info = (fields: object): void => {
        if ('rollup_rows' in fields) rollupRows = Number(fields.rollup_rows);
      };
      const deployment = { reporting_time_zone: 'UTC', currency: 'EUR', currency_decimals: 2 };
      await seedVersions(connected.db, deployment, Object.values(BUILT_IN_MODELS));
      const parts = { ...connected, log: { ...silent, info }, now: machineClock, statement_timeout_ms: 600_000 };
      const engine = createEngine(parts, (await readVersions(connected.db))!, await readModels(connected.db));
      return { ...connected, engine, lastRollupRows: () => rollupRows };
    },
    async stop() {
      for (const { pool } of opened) await pool.end();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
