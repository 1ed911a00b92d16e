import { once } from 'node:events';
import pgCopy from 'pg-copy-streams';
import type { Change } from '../src/ingest/change.ts';
import { ingest } from '../src/ingest/ingest.ts';
import { type BenchCase, ratio, timed } from './case.ts';
import type { BenchShop } from './database.ts';
import { purchasesInOrder } from './shop.ts';
import { verified } from './verified.ts';

const BATCH = 1_000;

/** Ingest in batches of 1,000, everything included, against plain COPY of the same rows into the same indexed table. */
export const copyCase: BenchCase = async (server, { quick }) => {
  const shop = await server.shop('ingest_copy');
  const changes = purchasesInOrder(quick ? 500 : 10_000, 1);
  await shop.pool.query('create table copied (like purchases including all)');
  const ingest_ms = await timed(async () => {
    for (let at = 0; at < changes.length; at += BATCH) await ingest(shop.engine, changes.slice(at, at + BATCH));
  });
  const copy_ms = await timed(() => copy(shop, changes));
  const rate = (ms: number): string => `${Math.round((changes.length / ms) * 1_000).toLocaleString('en')}/s`;
  return [
    {
      case: 'ingest against COPY',
      what: `${changes.length.toLocaleString('en')} purchases in time order, batches of 1,000 (${rate(ingest_ms)} against ${rate(copy_ms)})`,
      figure: `${(copy_ms / ingest_ms).toFixed(3)} of COPY`,
    },
    { case: 'ingest against COPY', what: 'times slower than COPY', figure: ratio(ingest_ms / copy_ms) },
    await verified(shop, 'batches of 1,000'),
  ];
};

/** Plain COPY of the purchases into the table `copied`. */
export async function copy({ pool }: BenchShop, changes: readonly Change[]): Promise<void> {
  const client = await pool.connect();
  try {
    const stream = client.query(
      pgCopy.from(
        'copy copied (customer_id, purchase_id, at, day, plain, amount, cost, discount, products) from stdin',
      ),
    );
    for (const change of changes) {
      if (change.type !== 'event' || change.kind !== 'purchases') continue;
      const { purchase_id, moment, amount, cost } = change.event;
      const line = [change.customer_id, purchase_id, moment.at, moment.day, moment.plain, amount, cost, 0, '{}'].join(
        '\t',
      );
      if (!stream.write(`${line}\n`)) await once(stream, 'drain');
    }
    stream.end();
    await once(stream, 'finish');
  } finally {
    client.release();
  }
}
