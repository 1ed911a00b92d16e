import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import pgCopy from 'pg-copy-streams';
import type { Day } from '../src/domain/calendar.ts';
import type { BenchShop } from './database.ts';
import { LIMIT_MS, type Rival, type Row, rivalQuery, TooSlowError } from './rival.ts';

/** The event tables as DuckDB holds them: columns with their types. */
const TABLES = {
  customers: 'customer_id varchar, known_since integer, received_on integer',
  purchases:
    'customer_id varchar, purchase_id varchar, day integer, amount bigint, cost bigint, discount bigint, products varchar[], voided boolean',
  refunds: 'customer_id varchar, purchase_id varchar, day integer, amount bigint, voided boolean',
  interactions:
    'customer_id varchar, interaction_id varchar, "at" bigint, day integer, kind varchar, score smallint, reason varchar, cost bigint, voided boolean',
} as const;

/**
 * DuckDB in this process on every core, with the events of the shop in native tables of its own file, each in order of the customers and their
 * days.
 */
export async function duckdbRival(shop: BenchShop, today: Day): Promise<Rival> {
  const folder = await mkdtemp(join(tmpdir(), 'escalera-duckdb-'));
  const instance = await DuckDBInstance.create(join(folder, 'shop.duckdb'), {
    threads: String(availableParallelism()),
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const stop = async (): Promise<void> => {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  };
  await load(connection, shop, today, folder).catch(async (error: Error) => {
    await stop();
    throw error;
  });
  return {
    name: 'DuckDB',
    async answer(report) {
      let stopped = false;
      const timer = setTimeout(() => {
        stopped = true;
        connection.interrupt();
      }, LIMIT_MS);
      try {
        return (await (await connection.run(rivalQuery(report, today))).getRowsJS()) as readonly Row[];
      } catch (error) {
        if (stopped) throw new TooSlowError();
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    stop,
  };
}

async function load(connection: DuckDBConnection, shop: BenchShop, today: Day, folder: string): Promise<void> {
  for (const [table, columns] of Object.entries(TABLES)) {
    const file = join(folder, `${table}.csv`);
    await exportTable(shop, table, columns, file);
    const order = table === 'customers' ? 'customer_id' : 'customer_id, day';
    await connection.run(`create table ${table} (${columns})`);
    await connection.run(
      `insert into ${table} from read_csv('${file}', header = false, columns = ${typesOf(columns)}) order by ${order}`,
    );
    await rm(file);
  }
  await connection.run(rivalQuery('views', today));
  await connection.run('checkpoint');
}

/** Writes the columns of a table as CSV; a list of texts in the words of DuckDB. */
async function exportTable({ pool }: BenchShop, table: string, columns: string, file: string): Promise<void> {
  const names = namesOf(columns).map((name) =>
    name === 'products' ? "'[' || array_to_string(products, ', ') || ']'" : name,
  );
  const client = await pool.connect();
  try {
    const rows = client.query(pgCopy.to(`copy (select ${names.join(', ')} from ${table}) to stdout (format csv)`));
    await pipeline(rows, createWriteStream(file));
  } finally {
    client.release();
  }
}

function namesOf(columns: string): string[] {
  return columns.split(', ').map((column) => column.split(' ')[0]!);
}

/** The columns as a struct that read_csv takes. */
function typesOf(columns: string): string {
  const fields = columns.split(', ').map((column) => {
    const [name, type] = column.split(' ');
    return `${name}: '${type}'`;
  });
  return `{${fields.join(', ')}}`;
}
