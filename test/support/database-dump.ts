import { sql } from 'kysely';
import type { Database } from '../../src/store/connect.ts';

/** Every row of every table as sorted JSON texts, by table: two equal dumps mean that nothing was changed. */
export async function dumpOf(db: Database): Promise<Record<string, readonly string[]>> {
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`.execute(db);
  const dump: Record<string, readonly string[]> = {};
  for (const { name } of tables) {
    const { rows } = await sql<{
      row: string;
    }>`select to_jsonb(one)::text as row from ${sql.table(name)} as one order by 1`.execute(db);
    dump[name] = rows.map(({ row }) => row);
  }
  return dump;
}
