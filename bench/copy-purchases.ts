import { onConnection } from '../src/store/connect.ts';
import { copyIn, copyOut } from '../src/store/copy.ts';
import { timed } from './case.ts';
import type { BenchShop } from './database.ts';

/** Milliseconds of one COPY of all purchases of a shop into the same indexed table, in order of the customers; the bytes are at hand. */
export async function copyPurchases({ pool }: BenchShop): Promise<number> {
  return await onConnection(pool, async (_, client) => {
    await client.query('create table if not exists copied (like purchases including all)');
    await client.query('truncate copied');
    const bytes = await copyOut(
      client,
      'copy (select * from purchases order by customer_id) to stdout (format binary)',
    );
    return await timed(() => copyIn(client, 'copy copied from stdin (format binary)', bytes));
  });
}
