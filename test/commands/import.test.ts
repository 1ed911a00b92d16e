import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import t, { type Test } from 'tap';
import { testDatabase } from '../support/postgres.ts';
import { type CommandResult, runCommand } from '../support/process.ts';

t.setTimeout(120_000);

const MAP = 'customer_id=Email,purchase_id=Order No,purchased_at=Date,amount=Total';
const FILE = `Order No;Email;Date;Total;Phone
${Array.from({ length: 30 }, (_, index) => `o-${index};ana${index % 3}@example.com;2026-03-01;${index}.50;555\n`).join('')}`;

/** Runs the command on a file in a database of its own, and counts the purchases that are stored then. */
async function importing(t: Test) {
  const database = await testDatabase(t, { empty: true });
  const folder = t.testdir();
  return {
    async run(name: string, content: string | Buffer, ...args: string[]): Promise<CommandResult> {
      const path = join(folder, name);
      await writeFile(path, content);
      return await runCommand(t, ['import', path, ...args], { DATABASE_URL: database.url });
    },
    async purchases(): Promise<number> {
      const client = new pg.Client(database.connection);
      await client.connect();
      const { rows } = await client.query<{ purchases: number }>('select count(*)::int4 as purchases from purchases');
      await client.end();
      return rows[0]!.purchases;
    },
  };
}

t.test('a dry run shows the first 20 rows as they are understood, and stores nothing', async (t) => {
  const { run, purchases } = await importing(t);
  for (const args of [['--dry-run'], ['--dry-run', '--yes'], []]) {
    const { code, stdout } = await run('orders.csv', FILE, '--map', MAP, ...args);
    t.equal(code, 0);
    t.match(stdout, /2 │ purchase\s+│ ana0@example.com\s+│ o-0\s+│ 2026-03-01\s+│\s+0\.50/);
    t.match(stdout, /21 │ purchase\s+│ ana1@example.com\s+│ o-19/);
    t.notMatch(stdout, /o-20/);
    t.equal(await purchases(), 0);
  }
});

t.test('with --yes the file is stored, and what is wrong with it is said with its lines', async (t) => {
  const { run, purchases } = await importing(t);
  const first = await run('orders.csv.gz', gzipSync(FILE), '--map', MAP, '--yes');
  t.match(first, { code: 0, stdout: /30 rows in [\d.]+ s \(\d+\/s\): 30 created/ });
  t.match(first.stderr, /storing █+ 100% \| 30 rows/);
  t.equal(await purchases(), 30);
  const second = await run(
    'orders.csv',
    `${FILE}o-0;ana0@example.com;2026-03-01;9;\no-99;x;01/03/2026;1;\n`,
    '--map',
    MAP,
    '--yes',
  );
  t.match(second, {
    code: 1,
    stdout:
      /32 rows in .*: 30 duplicate, 1 conflict, 1 invalid\nline 32: Other content.*\nline 33: purchased_at: Must be an instant/,
  });
  const items = JSON.stringify({ customer_id: 'ana', purchase_id: 'p', purchased_at: '2026-03-01', amount: '1' });
  t.match(await run('items.ndjson', items, '--yes'), { code: 0, stdout: /1 created/ });
  t.equal(await purchases(), 31);
});

t.test('what cannot be understood is said in one sentence, without a stack', async (t) => {
  const { run, purchases } = await importing(t);
  const cases: readonly (readonly [args: readonly string[], said: RegExp, name?: string])[] = [
    [[], /Column 1 is not called as any of/],
    [['--map', 'customer_id=Mail'], /names a column for `customer_id` that the file does not have/],
    [['--map', 'mail=Email'], /knows these fields/],
    [['--kind', 'orders'], /--kind is one of/],
    [['--colour'], /Usage: npm run import/],
    [['--yes'], /Say with --format/, 'orders.dat'],
    [['--yes', '--map', MAP], /--map is for CSV/, 'orders.ndjson'],
    [['more'], /Usage/],
  ];
  for (const [args, said, name = 'orders.csv'] of cases) {
    const { code, stderr } = await run(name, FILE, ...args);
    t.equal(code, 1, args.join(' '));
    t.match(stderr, said);
    t.notMatch(stderr, /\n\s+at /, 'no stack');
  }
  t.equal((await runCommand(t, ['import', '/nowhere/file.csv'], { DATABASE_URL: 'postgresql://x/y' })).code, 1);
  t.equal(await purchases().catch(() => 0), 0);
});
