import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import t, { type Test } from 'tap';
import {
  MigrationOrderError,
  migrate,
  migrationNames,
  pendingMigrations,
  SchemaTooNewError,
} from '../../src/store/migrate.ts';
import { silentLog, type TestDatabase, testDatabase } from '../support/postgres.ts';

t.setTimeout(120_000);

const ONE = { '0001_ledger.sql': "create table ledger (entry text); insert into ledger values ('one');" };
const TWO = {
  ...ONE,
  '0002_more.sql': "-- several statements; one file\ninsert into ledger values ('two');\nselect 1;",
};
const THREE = { ...TWO, '0003_last.sql': "insert into ledger values ('three');" };

/** A new folder with these files; several of one test stay apart. */
async function folderOf(t: Test, files: Readonly<Record<string, string>>): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'escalera-migrations-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return pathToFileURL(`${folder}/`);
}

/** An empty database with a pool to look into it. */
async function emptyDatabase(t: Test): Promise<{ database: TestDatabase; pool: pg.Pool }> {
  const database = await testDatabase(t, { empty: true });
  const pool = new pg.Pool({ ...database.connection, max: 2 });
  pool.on('error', () => undefined);
  t.teardown(() => pool.end());
  return { database, pool };
}

async function ledger(pool: pg.Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ entry: string }>('select entry from ledger order by entry');
  return rows.map((row) => row.entry);
}

/** Waits until a session of this database is in a state. */
async function sessionWith(pool: pg.Pool, condition: string): Promise<void> {
  const givenUpAt = Date.now() + 20_000;
  while (Date.now() < givenUpAt) {
    const text = `select from pg_stat_activity where datname = current_database() and ${condition}`;
    if ((await pool.query(text)).rowCount) return;
    await delay(10);
  }
  throw new Error(`no session with ${condition}`);
}

/** A process of its own that migrates once and prints what it applied. */
function migrateElsewhere(url: string, folder: URL): ChildProcess {
  const program = `
    import { migrate } from ${JSON.stringify(new URL('../../src/store/migrate.ts', import.meta.url).href)};
    const log = { info() {}, warn() {}, error() {} };
    const { applied } = await migrate({ connectionString: '${url}' }, new URL('${folder.href}'), log);
    console.log(JSON.stringify(applied));`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function printedBy(child: ChildProcess): Promise<readonly string[]> {
  const [line] = await once(child.stdout ?? child, 'data');
  return JSON.parse(String(line)) as readonly string[];
}

t.test('an empty database gets every migration in the order of its number, and none a second time', async (t) => {
  const { database, pool } = await emptyDatabase(t);
  const folder = await folderOf(t, TWO);
  t.strictSame(await pendingMigrations(pool, folder), ['0001_ledger', '0002_more']);
  t.strictSame(await migrate(database.connection, folder, silentLog), { applied: ['0001_ledger', '0002_more'] });
  t.strictSame(await ledger(pool), ['one', 'two']);
  t.strictSame(await pendingMigrations(pool, folder), []);
  t.strictSame(await migrate(database.connection, folder, silentLog), { applied: [] });
  t.strictSame(await ledger(pool), ['one', 'two']);
});

t.test('a migrated database gets only what was added since', async (t) => {
  const { database, pool } = await emptyDatabase(t);
  await migrate(database.connection, await folderOf(t, ONE), silentLog);
  const folder = await folderOf(t, THREE);
  t.strictSame(await pendingMigrations(pool, folder), ['0002_more', '0003_last']);
  t.strictSame(await migrate(database.connection, folder, silentLog), { applied: ['0002_more', '0003_last'] });
  t.strictSame(await ledger(pool), ['one', 'three', 'two']);
});

t.test('of eight processes that migrate at once exactly one applies each migration', async (t) => {
  const { database, pool } = await emptyDatabase(t);
  const folder = await folderOf(t, { ...THREE, '0004_slow.sql': 'select pg_sleep(0.3);' });
  const children = Array.from({ length: 8 }, () => migrateElsewhere(database.url, folder));
  const applied = await Promise.all(children.map(printedBy));
  t.strictSame(applied.flat().sort(), ['0001_ledger', '0002_more', '0003_last', '0004_slow']);
  t.strictSame(await ledger(pool), ['one', 'three', 'two']);
});

t.test('a database migrated by newer code is refused, and left as it is', async (t) => {
  const { database, pool } = await emptyDatabase(t);
  await migrate(database.connection, await folderOf(t, THREE), silentLog);
  const older = await folderOf(t, ONE);
  const error = await migrate(database.connection, older, silentLog).catch((error: unknown) => error);
  t.ok(error instanceof SchemaTooNewError);
  t.match(error, { message: /0002_more, 0003_last.*Run the newer code/, unknown: ['0002_more', '0003_last'] });
  await t.rejects(pendingMigrations(pool, older), { name: 'SchemaTooNewError' });
  t.strictSame(await ledger(pool), ['one', 'three', 'two']);
});

t.test('newer code that migrates while older code waits for its turn makes the older code refuse', async (t) => {
  const { database, pool } = await emptyDatabase(t);
  await pool.query('create table gate ()');
  const keeper = await pool.connect();
  await keeper.query('begin; lock table gate');
  const ahead = migrateElsewhere(database.url, await folderOf(t, { ...TWO, '0003_gate.sql': 'drop table gate;' }));
  await sessionWith(pool, `wait_event_type = 'Lock' and wait_event = 'relation'`);
  const behind = migrate(database.connection, await folderOf(t, ONE), silentLog).catch((error: unknown) => error);
  await sessionWith(pool, `wait_event_type = 'Lock' and wait_event = 'advisory'`);
  const applied = printedBy(ahead);
  await keeper.query('commit');
  keeper.release();
  t.strictSame(await applied, ['0001_ledger', '0002_more', '0003_gate']);
  t.ok((await behind) instanceof SchemaTooNewError);
});

t.test('a migration slipped in before landed ones, or renamed after it landed, is refused', async (t) => {
  const { database, pool } = await emptyDatabase(t);
  const { '0001_ledger.sql': first, '0003_last.sql': third } = THREE;
  await migrate(
    database.connection,
    await folderOf(t, { '0001_ledger.sql': first, '0003_last.sql': third }),
    silentLog,
  );
  await t.rejects(migrate(database.connection, await folderOf(t, THREE), silentLog), {
    message: /already past 0002_more/,
  });
  const renamed = await folderOf(t, { '0001_book.sql': first, '0003_last.sql': third });
  await t.rejects(migrate(database.connection, renamed, silentLog), { message: /lacks: 0001_ledger/ });
  const error = await pendingMigrations(pool, renamed).catch((error: unknown) => error);
  t.ok(error instanceof MigrationOrderError);
  t.strictSame(await ledger(pool), ['one', 'three']);
});

t.test('a failing migration is named with its line, and none of its company stays', async (t) => {
  const { database, pool } = await emptyDatabase(t);
  const folder = await folderOf(t, { ...ONE, '0002_broken.sql': 'select 1;\n\ninsert into nowhere values (1);\n' });
  await t.rejects(migrate(database.connection, folder, silentLog), {
    message: /0002_broken\.sql failed at line 3: relation "nowhere" does not exist/,
  });
  t.strictSame(await pendingMigrations(pool, folder), ['0001_ledger', '0002_broken']);
  t.strictSame(await migrate(database.connection, await folderOf(t, TWO), silentLog), {
    applied: ['0001_ledger', '0002_more'],
  });
});

t.test('when a process is killed inside a migration the next one completes it', async (t) => {
  const { database, pool } = await emptyDatabase(t);
  await pool.query('create table pause as select 60 as seconds');
  const folder = await folderOf(t, {
    ...ONE,
    '0002_slow.sql': `insert into ledger values ('slow'); select pg_sleep(seconds) from pause;`,
  });
  const child = migrateElsewhere(database.url, folder);
  await sessionWith(pool, `wait_event = 'PgSleep'`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await pool.query('delete from pause');
  t.strictSame(await migrate(database.connection, folder, silentLog), { applied: ['0001_ledger', '0002_slow'] });
  t.strictSame(await ledger(pool), ['one', 'slow']);
});

t.test('files without a number, or with the same number, are refused', async (t) => {
  await t.rejects(migrationNames(await folderOf(t, { 'ledger.sql': '' })), {
    message: /not named like 0001_name\.sql/,
  });
  await t.rejects(migrationNames(await folderOf(t, { '0001_a.sql': '', '0001_b.sql': '' })), {
    message: /the same number/,
  });
  t.strictSame(await migrationNames(await folderOf(t, { '0002_b.sql': '', '0001_a.sql': '', 'README.md': '' })), [
    '0001_a',
    '0002_b',
  ]);
});
