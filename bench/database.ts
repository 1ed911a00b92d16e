import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Model } from '../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../src/domain/models.ts';
import { type Engine, loadEngine } from '../src/ingest/engine.ts';
import { machineClock } from '../src/ingest/machine-clock.ts';
import { MIGRATIONS } from '../src/service.ts';
import { type Connected, connect } from '../src/store/connect.ts';
import { startEmbedded } from '../src/store/embedded.ts';
import { migrate } from '../src/store/migrate.ts';
import { seedVersions } from '../src/store/versions.ts';
import { type BigShop, fillBigShop } from './big-shop.ts';
import type { Figure } from './case.ts';
import { verified } from './verified.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A run that passes midnight goes on in its day, or rivals and service would answer about different ones. */
const started_at = machineClock();

/** One durable PostgreSQL for all cases of a run, so that rivals are measured on the same server. */
export interface BenchServer {
  /** Of PostgreSQL. */
  readonly version: string;
  /** A fresh database with the whole schema and an engine on it, with the built-in models unless others are given. */
  shop(name: string, models?: readonly Model[]): Promise<BenchShop>;
  /** The big shop of so many customers (see `fillBigShop`): filled for the first case that asks, and shared with the others, which leave it as it was. */
  bigShop(customers: number): Promise<FilledShop>;
  /** The same if an earlier case has filled it. */
  filledBigShop(customers: number): FilledShop | undefined;
  stop(): Promise<void>;
}

/** A database to measure in. */
export interface BenchShop extends Connected {
  readonly engine: Engine;
  readonly connection: Readonly<pg.ClientConfig>;
  /** Roll-up rows written by the last ingest. */
  lastRollupRows(): number;
}

/** A shop and what it was filled with. */
export interface FilledShop extends BenchShop {
  readonly filled: BigShop;
  /** That the filling left everything as it should be. */
  readonly verified: Figure;
}

/** Starts a server in a temporary folder. */
export async function benchServer(): Promise<BenchServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'escalera-bench-'));
  // The server does not run as root, and must be able to enter the folder.
  await chmod(dataDir, 0o711);
  const server = await startEmbedded({ dataDir, log: silent });
  const opened: Connected[] = [];
  const filled = new Map<number, FilledShop>();
  const bench: BenchServer = {
    version: await versionOf(server.connection),
    async bigShop(customers) {
      const known = filled.get(customers);
      if (known !== undefined) return known;
      const shop = await bench.shop(`big_${customers}`);
      const big = {
        ...shop,
        filled: await fillBigShop(shop, customers),
        verified: await verified(shop, `filling the shop of ${customers.toLocaleString('en')}`),
      };
      filled.set(customers, big);
      return big;
    },
    filledBigShop: (customers) => filled.get(customers),
    async shop(name, models = Object.values(BUILT_IN_MODELS)) {
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
      await seedVersions(connected.db, deployment, models, 0);
      const parts = {
        ...connected,
        log: { ...silent, info },
        now: () => started_at,
        statement_timeout_ms: 600_000,
      };
      const engine = await loadEngine(parts);
      return { ...connected, connection, engine, lastRollupRows: () => rollupRows };
    },
    async stop() {
      for (const { pool } of opened) await pool.end();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return bench;
}

async function versionOf(connection: pg.ClientConfig): Promise<string> {
  const client = new pg.Client(connection);
  await client.connect();
  const { rows } = await client.query<{ readonly server_version: string }>('show server_version');
  await client.end();
  return rows[0]!.server_version;
}
