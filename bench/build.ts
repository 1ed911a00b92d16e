import type { Model } from '../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../src/domain/models.ts';
import { build } from '../src/ingest/build.ts';
import { loadEngine } from '../src/ingest/engine.ts';
import { publishModel } from '../src/ingest/publish.ts';
import { removeRetired } from '../src/ingest/switch-models.ts';
import { fillBigShop } from './big-shop.ts';
import { type BenchCase, median, timed } from './case.ts';
import { copyPurchases } from './copy-purchases.ts';
import { verified } from './verified.ts';

const ROUNDS = 3;

/**
 * Building a new version of one model beside three others, from publishing to the switch, against plain COPY of the same purchases into the same indexed table; in
 * turns. Then what the version before leaves is removed.
 */
export const buildCase: BenchCase = async (server, { quick }) => {
  const shop = await server.shop('build');
  const { customers, purchases } = await fillBigShop(shop, quick ? 1_000 : 100_000);
  const times: { build: number; copy: number; remove: number }[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const copy = await copyPurchases(shop);
    await publishModel(await loadEngine(shop.engine), lapsing(100 + round), { type: 'anything' });
    const building = await loadEngine(shop.engine);
    const took = await timed(() => build(building));
    const built = await loadEngine(shop.engine);
    times.push({ build: took, copy, remove: await timed(() => removeRetired(built)) });
  }
  const of = (what: 'build' | 'copy' | 'remove'): number => median(times.map((time) => time[what]));
  const rate = (ms: number): string => `${Math.round((purchases / ms) * 1_000).toLocaleString('en')}/s`;
  const size = `${customers.toLocaleString('en')} customers, ${purchases.toLocaleString('en')} purchases`;
  return [
    { case: size, what: 'one model built beside ingest', figure: rate(of('build')), target: '≥ 300,000/s' },
    {
      case: size,
      what: `the same against COPY of the purchases (${rate(of('copy'))})`,
      figure: `${(of('copy') / of('build')).toFixed(3)} of COPY`,
    },
    { case: size, what: 'removal of the version before', figure: `${Math.round(of('remove'))} ms` },
    await verified(shop, 'building three versions'),
  ];
};

function lapsing(lapsed_after_days: number): Model {
  return { ...BUILT_IN_MODELS.lifecycle, lapse: { policy: 'fixed', at_risk_after_days: 60, lapsed_after_days } };
}
