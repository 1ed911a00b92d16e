import { availableParallelism } from 'node:os';
import type { PoolClient } from 'pg';
import type { Day } from '../src/domain/calendar.ts';
import type { BenchShop } from './database.ts';
import { type Cell, LIMIT_MS, type Rival, rivalQuery, TooSlowError } from './rival.ts';

const CANCELED = '57014';

/**
 * SQL over the event tables in the same PostgreSQL, tuned: an index that holds all that is asked of a purchase, in the order of the customers' days; work_mem
 * of 1 GiB, workers for every core, and fresh statistics. Stopping it takes away what it added.
 */
export async function postgresRival({ pool }: BenchShop, today: Day): Promise<Rival> {
  const client = await pool.connect();
  await prepare(client, today).catch((error: Error) => {
    client.release(error);
    throw error;
  });
  return {
    name: 'PostgreSQL',
    async answer(report) {
      try {
        return (await client.query<Cell[]>({ text: rivalQuery(report, today), rowMode: 'array' })).rows;
      } catch (error) {
        if ((error as { code?: string }).code === CANCELED) throw new TooSlowError();
        throw error;
      }
    },
    async stop() {
      await client.query('drop schema rival cascade; drop index rival_purchases, rival_interactions; reset all');
      client.release();
    },
  };
}

async function prepare(client: PoolClient, today: Day): Promise<void> {
  const workers = availableParallelism();
  await client.query(`
    create index rival_purchases on purchases (customer_id, day) include (purchase_id, amount, cost, discount, voided);
    create index rival_interactions on interactions (customer_id, day);
    create schema rival;
    set search_path = rival, public`);
  await client.query(rivalQuery('views', today));
  await client.query('create index on calendar (day) include (month)');
  await client.query('vacuum analyze');
  await client.query(`
    set work_mem = '1GB';
    set effective_cache_size = '8GB';
    set random_page_cost = 1.1;
    set max_parallel_workers = ${workers};
    set max_parallel_workers_per_gather = ${workers};
    set min_parallel_table_scan_size = 0;
    set parallel_setup_cost = 100;
    set statement_timeout = ${LIMIT_MS}`);
}
