import type { FastifyReply } from 'fastify';
import t from 'tap';
import { compileClassifier } from '../../src/domain/classify.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { previewModel } from '../../src/http/model-preview.ts';
import { SAMPLING } from '../../src/http/population-basis.ts';
import { populationReads } from '../../src/http/population-reads.ts';
import { Rng } from '../oracle/rng.ts';
import { day } from '../support/notation.ts';
import { testService } from '../support/service.ts';

// Many samples of one shop: their 95 % intervals must hold what everybody counted gives in about 95 % of them. The shop and the seeds are fixed, so the
// figures are the same in every run.

const SEEDS = 200;
const SAMPLE = 300;
const CUSTOMERS = 1_000;
const DRAFT = {
  ...BUILT_IN_MODELS.lifecycle,
  lapse: { policy: 'fixed', at_risk_after_days: 45, lapsed_after_days: 120 },
} as const;
const REPLY = { raw: { destroyed: false } } as FastifyReply;

t.test('the intervals of 200 samples hold the truth in about 95 %', async (t) => {
  const service = await testService(t);
  const rng = new Rng(20_260_615);
  const items = Array.from({ length: CUSTOMERS }, (_, customer) => customer).flatMap((customer) =>
    Array.from({ length: 1 + Math.floor(rng.next() ** 3 * 9) }, (_, nth) => {
      const purchased_at = new Date((day('2026-06-15') - Math.floor(rng.next() * 400)) * 86_400_000).toISOString();
      return { customer_id: `c-${customer}`, purchase_id: `${nth}`, purchased_at, amount: '10' };
    }),
  );
  for (let start = 0; start < items.length; start += 1_000)
    t.equal((await service.call('POST', '/v1/purchases', { items: items.slice(start, start + 1_000) })).status, 200);
  const { engine } = service;
  const [draft, current] = [DRAFT, BUILT_IN_MODELS.lifecycle].map((model) => compileClassifier(model, 1, 2));
  const reads = populationReads(1);
  const preview = async (above: number, seed: number) =>
    (await reads.run(engine, { reply: REPLY, reads: [] }, async (read) =>
      previewModel(
        read,
        { draft: draft!, current: current!, as_of: day('2026-06-01') },
        { ...SAMPLING, above, size: SAMPLE, seed },
      ),
    )) as Awaited<ReturnType<typeof previewModel>>;
  const truth = await preview(CUSTOMERS, 0);
  t.ok(truth.basis.customers > 900 && truth.basis.customers < CUSTOMERS, 'some are not known yet on the day');
  const common = truth.counts
    .map(({ customers }, index) => ({ customers, index }))
    .filter(({ customers }) => customers >= 20);
  t.ok(common.length >= 7, `${common.length} stages and activities are common enough`);
  let [held, asked, changedHeld, sum] = [0, 0, 0, 0];
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { basis, counts, changed } = await preview(CUSTOMERS - 1, seed);
    if (basis.customers !== truth.basis.customers || !basis.sampled) t.fail('the number of customers is exact');
    for (const { customers, index } of common) {
      asked += 1;
      if (counts[index]!.lower! <= customers && customers <= counts[index]!.upper!) held += 1;
    }
    if (changed.lower! <= truth.changed.customers && truth.changed.customers <= changed.upper!) changedHeld += 1;
    sum += changed.customers;
  }
  const share = held / asked;
  // 200 samples of some eight numbers that depend on each other: the standard error is about one percentage point.
  t.ok(share > 0.92 && share < 0.985, `${held} of ${asked} intervals hold the truth, ${share.toFixed(3)}`);
  t.ok(changedHeld / SEEDS > 0.9, `${changedHeld} of ${SEEDS} for those who would change`);
  const error = sum / SEEDS - truth.changed.customers;
  t.ok(Math.abs(error) < 6, `on average ${error.toFixed(1)} beside ${truth.changed.customers} who would change`);
});
