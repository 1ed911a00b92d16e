import type { BenchCase, Figure } from './case.ts';

const EVENTS = ['customers', 'purchases', 'refunds', 'interactions'];

interface TableSize {
  readonly name: string;
  /** Bytes of the rows, long values included. */
  readonly rows: number;
  readonly indexes: number;
}

/** What a big shop takes on disk after a rebuild, by purchase and by customer, and which tables and indexes take it. */
export const diskCase: BenchCase = async (server, { customers }) => {
  const shop = await server.bigShop(customers);
  const { purchases } = shop.filled;
  const { rows: sizes } = await shop.pool.query<TableSize>(`
    select relname as name, pg_table_size(oid)::float8 as rows, pg_indexes_size(oid)::float8 as indexes
    from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
    order by pg_total_relation_size(oid) desc`);
  const rollups = sizes.filter(({ name }) => name.startsWith('rollup_'));
  const events = sizes.filter(({ name }) => EVENTS.includes(name));
  const derived = sizes.filter(({ name }) => ['customer_states', 'customer_stages'].includes(name));
  const all = bytesOf(sizes);
  const figure = (what: string, tables: readonly TableSize[]): Figure => {
    const [rows, indexes] = [sum(tables.map((table) => table.rows)), sum(tables.map((table) => table.indexes))];
    return {
      case: `${customers.toLocaleString('en')} customers, ${purchases.toLocaleString('en')} purchases on disk`,
      what: `${what}: rows ${mebibytes(rows)}, indexes ${mebibytes(indexes)}, ${((100 * (rows + indexes)) / all).toFixed(1)} %`,
      figure: `${(bytesOf(tables) / purchases).toFixed(1)} bytes a purchase, ${(bytesOf(tables) / customers).toFixed(0)} a customer`,
    };
  };
  return [
    figure('everything', sizes),
    figure('customers and events', events),
    ...events.map((table) => figure(`  ${table.name}`, [table])),
    figure('saved folds and positions', derived),
    ...derived.map((table) => figure(`  ${table.name}`, [table])),
    figure(`${rollups.length} roll-ups`, rollups),
    shop.verified,
  ];
};

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function bytesOf(tables: readonly TableSize[]): number {
  return sum(tables.map(({ rows, indexes }) => rows + indexes));
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
