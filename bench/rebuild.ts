import { rebuild } from '../src/ingest/rebuild.ts';
import { fillBigShop } from './big-shop.ts';
import { type BenchCase, type Figure, median, timed } from './case.ts';
import { copyPurchases } from './copy-purchases.ts';
import type { BenchShop } from './database.ts';
import { verified } from './verified.ts';

const ROUNDS = 3;

/** Folding everything anew, with all models and with one, against plain COPY of the same purchases into the same indexed table; in turns. */
export const rebuildCase: BenchCase = async (server, { quick }) => {
  const shop = await server.shop('rebuild');
  const { customers, purchases } = await fillBigShop(shop, quick ? 1_000 : 100_000);
  const size = `${customers.toLocaleString('en')} customers, ${purchases.toLocaleString('en')} purchases`;
  const all = await againstCopy(shop, size, purchases, 'four models', '≥ 100,000/s');
  await shop.pool.query(`update models set state = case model_id when 'lifecycle' then 'active' else 'retired' end`);
  return [...all, ...(await againstCopy(shop, size, purchases, 'one model', '≥ 300,000/s'))];
};

async function againstCopy(
  shop: BenchShop,
  size: string,
  purchases: number,
  models: string,
  target: string,
): Promise<Figure[]> {
  const times: { rebuild: number; copy: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const copy = await copyPurchases(shop);
    times.push({ rebuild: await timed(() => rebuild(shop.engine, shop.engine.versions)), copy });
  }
  const rate = (ms: number): string => `${Math.round((purchases / ms) * 1_000).toLocaleString('en')}/s`;
  const [rebuild_ms, copy_ms] = [median(times.map((time) => time.rebuild)), median(times.map((time) => time.copy))];
  return [
    { case: size, what: `rebuild of everything, ${models}`, figure: rate(rebuild_ms), target },
    {
      case: size,
      what: `the same against COPY of the purchases (${rate(copy_ms)})`,
      figure: `${(copy_ms / rebuild_ms).toFixed(3)} of COPY`,
    },
    await verified(shop, `rebuilding with ${models}`),
  ];
}
