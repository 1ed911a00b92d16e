import { sql } from 'kysely';
import t from 'tap';
import { PROJECTIONS, REPORTS } from '../../src/reports/registry.ts';
import { connect } from '../../src/store/connect.ts';
import { silentLog, testDatabase } from '../support/postgres.ts';

t.test('roll-ups keep the order in which they are written: new ones come last', async (t) => {
  t.strictSame(
    PROJECTIONS.slice(0, 2).map(({ name }) => name),
    ['daily-totals', 'stage-moves'],
  );
  t.equal(new Set(PROJECTIONS.map(({ name }) => name)).size, PROJECTIONS.length);
});

t.test('a packed key of every roll-up is a safe integer', async (t) => {
  for (const { name, key } of PROJECTIONS) {
    const size = key.reduce((product, column) => product * BigInt(column.size), 1n);
    t.ok(size <= BigInt(Number.MAX_SAFE_INTEGER), `${name}: ${size} keys`);
  }
});

t.test('the table of every roll-up has its key and its measures, and nothing else', async (t) => {
  const { connection } = await testDatabase(t);
  const { db, pool } = connect({ connection, max: 1, connect_timeout_ms: 5_000 }, silentLog);
  t.teardown(() => pool.end());
  const { rows } = await sql<{ table: string; columns: string[]; key: string[] }>`
    select relname as "table",
      array(select attname::text from pg_attribute where attrelid = pg_class.oid and attnum > 0 order by attnum) as columns,
      array(select attname::text from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey)
        where indrelid = pg_class.oid and indisprimary order by array_position(indkey, attnum)) as key
    from pg_class where relkind = 'r' and relname like 'rollup%'`.execute(db);
  const found = new Map(rows.map((row) => [row.table, row]));
  t.strictSame([...found.keys()].sort(), PROJECTIONS.map(({ name }) => `rollup_${name.replaceAll('-', '_')}`).sort());
  for (const { name, key, measures } of PROJECTIONS) {
    const table = found.get(`rollup_${name.replaceAll('-', '_')}`);
    const columns = ['model_version', 'group_id', ...key.map((column) => column.name)];
    t.strictSame(table?.key, columns, name);
    t.strictSame(table?.columns, [...columns, ...measures], name);
  }
});

t.test('every report says in words what its numbers mean', async (t) => {
  for (const { definition, operation_id, example, summary, tables } of REPORTS) {
    const { report, definition_version, ...words } = definition;
    t.match(report, /^[a-z][a-z-]+$/);
    t.equal(operation_id, `get${report.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())}`);
    t.ok(definition_version >= 1, report);
    for (const [word, text] of Object.entries(words))
      t.ok(text.length > 10 && /[.?]$/.test(text), `${report}: ${word}`);
    const members = [...Object.keys(summary), 'items', ...Object.keys(tables)];
    t.strictSame(Object.keys(example), members, `${report}: an example of every figure and table`);
    for (const table of ['items', ...Object.keys(tables)]) t.ok((example[table] as unknown[]).length > 0, report);
  }
  t.equal(new Set(REPORTS.map(({ definition }) => definition.report)).size, REPORTS.length);
});

t.test('the example of a report has exactly the columns of its rows', async (t) => {
  for (const { definition, example, row, tables } of REPORTS) {
    for (const [name, schema] of Object.entries({ items: row, ...tables })) {
      const columns = Object.keys((schema as { properties?: object }).properties ?? {});
      for (const shown of example[name] as object[])
        t.strictSame(Object.keys(shown), columns, `${definition.report}: ${name}`);
    }
  }
});
