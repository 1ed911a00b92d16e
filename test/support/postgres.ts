import { createHash } from 'node:crypto';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type EmbeddedServer, startEmbedded, stopEmbedded } from '../../src/store/embedded.ts';
import { firstClosed, serverAccount } from '../../src/store/embedded-files.ts';
import { migrate, migrationNames } from '../../src/store/migrate.ts';
import { processMark } from '../../src/store/process-owner.ts';

/** A database of one test, gone when the test ends. */
export interface TestDatabase {
  /** Spread it into a pool: `new pg.Pool({ ...connection, max: 4 })`. */
  readonly connection: Readonly<pg.PoolConfig>;
  /** The same as a `DATABASE_URL`, for processes that a test starts. */
  readonly url: string;
  /** Drops it early, connections or not; otherwise the end of the test does. */
  drop(): Promise<void>;
}

/** The part of a tap test that is used here. */
interface Closing {
  teardown(end: () => Promise<void>): void;
}

const REPOSITORY = new URL('../../', import.meta.url);
const MIGRATIONS = new URL('migrations/', REPOSITORY);
const HOST = shortHash(hostname());
const TEMPLATE_LOCK = 7_316_204_511;
/** For code under test whose log lines do not matter. */
export const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
let made = 0;
let embedded: Promise<EmbeddedServer> | undefined;

/**
 * Gives a test a database of its own: by default with the migrated schema, cloned from a template in about 20 ms;
 * with `empty: true` one without any tables. All test processes share one server that does not sync to disk, or
 * that of TEST_DATABASE_URL, whose user must be allowed to create databases.
 */
export async function testDatabase(t: Closing, options: { readonly empty?: boolean } = {}): Promise<TestDatabase> {
  const server = await testServer();
  const admin = new pg.Client(server);
  await admin.connect();
  const name = `escalera_test_${HOST}_${process.pid}_${await processMark(process.pid)}_${++made}`;
  try {
    const template = options.empty ? 'template0' : await preparedTemplate(admin, server);
    // Copying files takes 8 ms, copying through the log (the default) 115 ms.
    await admin.query(`create database ${name} template ${template} strategy file_copy`);
  } finally {
    await admin.end();
  }
  let dropped: Promise<void> | undefined;
  const drop = () => (dropped ??= dropDatabase(server, name));
  t.teardown(drop);
  const connection = onDatabase(server, name);
  return { connection, url: urlOf(connection), drop };
}

/**
 * Ends the shared server; the command that runs all tests calls it at the end. Does nothing for TEST_DATABASE_URL.
 */
export async function stopTestServer(): Promise<void> {
  if (process.env.TEST_DATABASE_URL) return;
  await (await embedded)?.stop();
  embedded = undefined;
  await stopEmbedded(await testDataDir());
}

/** A folder for temporary files that the server's account can enter as well as this process. */
export async function testDataDir(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const inRepository = fileURLToPath(new URL(`.tap/postgres-${uid}`, REPOSITORY));
  const account = await serverAccount(join(inRepository, 'cluster'));
  const writable = await mkdir(inRepository, { recursive: true }).then(
    () =>
      access(inRepository, constants.W_OK).then(
        () => true,
        () => false,
      ),
    () => false,
  );
  if (writable && !(account && (await firstClosed(inRepository, account)))) return inRepository;
  return join(tmpdir(), `escalera-test-${uid}-${shortHash(inRepository)}`);
}

async function testServer(): Promise<pg.PoolConfig> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return { connectionString: url };
  embedded ??= testDataDir().then((dataDir) => startEmbedded({ dataDir, log: silentLog, durable: false }));
  return (await embedded).connection;
}

/**
 * The name of the migrated template, made by whichever process comes first; what dead runs left behind is dropped
 * on the way.
 */
async function preparedTemplate(admin: pg.Client, server: pg.PoolConfig): Promise<string> {
  const template = `escalera_template_${HOST}_${await migrationsHash()}`;
  await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const { rows } = await admin.query<{ datname: string; datistemplate: boolean }>(
      `select datname, datistemplate from pg_database where datname like 'escalera\\_te%\\_${HOST}\\_%'`,
    );
    // The mark of a template is set last: a database of that name without it is the rest of a killed run.
    const ready = rows.some((row) => row.datname === template && row.datistemplate);
    for (const row of rows) {
      if (row.datname.startsWith('escalera_test_') ? await runAlive(row.datname) : ready) continue;
      if (row.datistemplate) await admin.query(`alter database ${row.datname} is_template false`);
      await admin.query(`drop database if exists ${row.datname} with (force)`);
    }
    if (ready) return template;
    await admin.query(`create database ${template} template template0`);
    await migrate(onDatabase(server, template), MIGRATIONS, silentLog);
    await admin.query(`alter database ${template} is_template true allow_connections false`);
    return template;
  } finally {
    await admin.query('select pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
}

async function migrationsHash(): Promise<string> {
  const names = await migrationNames(MIGRATIONS);
  const texts = await Promise.all(names.map((name) => readFile(new URL(`${name}.sql`, MIGRATIONS), 'utf8')));
  return shortHash(JSON.stringify([names, texts]));
}

/** Whether the process whose id and mark are in the name of a test database still lives. */
async function runAlive(database: string): Promise<boolean> {
  const [, , , pid, mark] = database.split('_');
  return (await processMark(Number(pid))) === mark;
}

async function dropDatabase(server: pg.PoolConfig, name: string): Promise<void> {
  const admin = new pg.Client(server);
  await admin.connect();
  try {
    await admin.query(`drop database if exists ${name} with (force)`);
  } finally {
    await admin.end();
  }
}

function onDatabase(server: pg.PoolConfig, database: string): pg.PoolConfig {
  if (!server.connectionString) return { ...server, database };
  const url = new URL(server.connectionString);
  url.pathname = `/${database}`;
  return { connectionString: url.href };
}

function urlOf({ connectionString, host, port, user, database }: pg.PoolConfig): string {
  return (
    connectionString ?? `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(host ?? '')}&port=${port}`
  );
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
