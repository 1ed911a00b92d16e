import { sql } from 'kysely';
import type pg from 'pg';
import type { DifferenceColumns, DifferenceRow } from '../domain/differences.ts';
import type { Projection } from '../domain/projection.ts';
import type { Database, Statements, Trx } from './connect.ts';
import { copyIn } from './copy.ts';

/** The table a projection adds up. */
export function rollupTable(projection: Projection): string {
  return `rollup_${projection.name.replaceAll('-', '_')}`;
}

/** Columns of a roll-up's key, in order. */
export function keyColumns(projection: Projection): string[] {
  return ['model_version', 'group_id', ...projection.key.map((column) => column.name)];
}

/**
 * Adds differences to a roll-up, the rows from one up to another, in one statement. They come sorted by key, each key once; every writer takes them in this
 * order, so two of them wait for each other but never deadlock.
 */
export async function addDifferences(
  trx: Statements,
  projection: Projection,
  differences: DifferenceColumns,
  [from, to]: readonly [from: number, to: number] = [0, differences.rows],
): Promise<void> {
  if (from === to) return;
  const table = sql.table(rollupTable(projection));
  const keys = keyColumns(projection);
  const columns = [...keys, ...projection.measures];
  const values = columns.map((_, index) => {
    const type = sql.raw(index < 2 ? 'int2[]' : index < keys.length ? 'int4[]' : 'int8[]');
    return sql`${`{${differences.columns[index]!.slice(from, to).join(',')}}`}::${type}`;
  });
  const sums = projection.measures.map(
    (measure) => sql`${sql.ref(measure)} = rollup.${sql.ref(measure)} + excluded.${sql.ref(measure)}`,
  );
  await sql`
    insert into ${table} as rollup (${sql.join(columns.map((column) => sql.ref(column)))})
    select * from unnest(${sql.join(values)})
    on conflict (${sql.join(keys.map((key) => sql.ref(key)))}) do update set ${sql.join(sums)}`.execute(trx);
}

/** Writes the rows of a roll-up that holds none of their keys. */
export async function copyDifferences(
  client: pg.ClientBase,
  projection: Projection,
  rows: readonly DifferenceRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const columns = [...keyColumns(projection), ...projection.measures].join(', ');
  const lines = rows.map(
    ({ model_version, group, key, measures }) => `${[model_version, group, ...key, ...measures].join('\t')}\n`,
  );
  await copyIn(client, `copy ${rollupTable(projection)} (${columns}) from stdin`, Buffer.from(lines.join('')));
}

/** A stored roll-up row: its key and its measures, in column order. */
export interface StoredRow {
  readonly key: readonly number[];
  readonly measures: readonly bigint[];
}

/** All rows of a roll-up whose measures are not all zero. Roll-ups do not grow with customers, so they fit in memory. */
export async function readRollup(trx: Trx, projection: Projection): Promise<StoredRow[]> {
  const keys = keyColumns(projection);
  const columns = [...keys, ...projection.measures];
  const { rows } = await sql<Record<string, number | bigint>>`
    select ${sql.join(columns.map((column) => sql.ref(column)))} from ${sql.table(rollupTable(projection))}`.execute(
    trx,
  );
  return rows
    .map((row) => ({
      key: keys.map((column) => Number(row[column])),
      measures: projection.measures.map((measure) => row[measure] as bigint),
    }))
    .filter((row) => row.measures.some((measure) => measure !== 0n));
}

/** Removes the rows of one model version from a roll-up. */
export async function dropModelRows(db: Database, projection: Projection, modelVersion: number): Promise<void> {
  await sql`delete from ${sql.table(rollupTable(projection))} where model_version = ${modelVersion}`.execute(db);
}

/** Empties a roll-up. */
export async function clearRollup(trx: Trx, projection: Projection): Promise<void> {
  await sql`delete from ${sql.table(rollupTable(projection))}`.execute(trx);
}
