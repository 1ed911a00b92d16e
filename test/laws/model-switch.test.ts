import t from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { build } from '../../src/ingest/build.ts';
import { removeRetired } from '../../src/ingest/switch-models.ts';
import { verify } from '../../src/ingest/verify.ts';
import { Rng } from '../oracle/rng.ts';
import { announcedSeed, randomBatches } from '../service/stream.ts';
import { type TestService, testService } from '../support/service.ts';

t.setTimeout(300_000);

/** Another way to lapse, and every stage under another name: no answer can be mixed of both without showing it. */
function renamed({ stages, ...model }: Model, ending: string, lapsed_after_days: number): Model {
  const named = JSON.parse(
    JSON.stringify(stages).replaceAll(/"(stage|stage_reached)":"(\w+?)(_v\d+)?"/g, `"$1":"$2${ending}"`),
  ) as Model['stages'];
  return { ...model, stages: named, lapse: { policy: 'fixed', at_risk_after_days: 60, lapsed_after_days } };
}

/** Reads whose answers the writes of the test do not change: all of them are about the time before. */
const READS = [
  '/v1/reports/stage-population?as_of=2025-03-31',
  '/v1/reports/stage-population?from=2023-01-01&to=2025-03-01&interval=month',
  '/v1/reports/stage-moves?from=2024-01-01&to=2025-03-01',
  '/v1/reports/stage-moves?from=2024-01-01&to=2025-01-01&basis=net',
  '/v1/reports/stage-retention?grain=quarter&from=2023-Q1&to=2024-Q4',
  '/v1/reports/defections?grain=quarter&from=2022-Q1&to=2024-Q3',
  '/v1/reports/cash-flow?grain=year&from=2022&to=2024',
  '/v1/customers?limit=200&activity=lapsed&group=vip',
  '/v1/customers/c-1/stages?model=lifecycle&as_of=2025-03-31',
  '/v1/customers/c-2/timeline',
] as const;

/** Nothing that the writes change, nor the moment of reading. */
async function read({ call }: TestService, path: string): Promise<string> {
  const { status, body } = await call('GET', path);
  if (status !== 200) return `answer ${status} ${body.code}`;
  const { data_through: _, ...rest } = body;
  return JSON.stringify(rest);
}

t.test(
  'while a version is built and switched to under load, every read is wholly of the old or wholly of the new one',
  async (t) => {
    const rng = new Rng(announcedSeed(t));
    const one = await testService(t);
    const other = await testService(t, { connection: one.connection });
    for (const { route, items } of randomBatches(rng, 2_500, 300)) await one.call('POST', `/v1/${route}`, { items });

    let { lifecycle: model } = BUILT_IN_MODELS as { lifecycle: Model };
    for (let round = 1; round <= 3; round += 1) {
      const before = new Map<string, string>();
      for (const path of READS) before.set(path, await read(one, path));
      const asked: { path: string; answer: string }[] = [];
      let going = true;
      const reader = async (service: TestService): Promise<void> => {
        while (going) {
          const path = rng.pick(READS);
          asked.push({ path, answer: await read(service, path) });
        }
      };
      const surprises: unknown[] = [];
      const writer = async (service: TestService, name: string): Promise<void> => {
        for (let place = 0; going; place += 1) {
          const items = Array.from({ length: 5 }, (_, item) => ({
            customer_id: rng.chance(0.5) ? `new-${round}-${name}-${place}-${item}` : `late-${rng.between(0, 40)}`,
            purchase_id: `${round}-${name}-${place}-${item}`,
            purchased_at: `2026-0${rng.between(1, 5)}-1${rng.between(0, 9)}`,
            amount: '5.00',
          }));
          const { status, body } = await service.call('POST', '/v1/purchases', { items });
          if (status !== 200 || body.summary.created !== 5) surprises.push([status, body]);
        }
      };
      // An instance that only reads is told of the switch by nothing but what it reads.
      const load = [reader(one), reader(other), writer(one, 'a'), ...(round === 1 ? [writer(other, 'b')] : [])];
      model = renamed(model, `_v${round}`, 100 + 20 * round);
      const published = await one.call('PUT', '/v1/models/lifecycle', model, { 'if-match': '*' });
      t.equal(published.status, 202);
      t.equal(
        await build(await one.source.renew(one.engine), { chunk: 25 }),
        true,
        'it is built while all that goes on',
      );
      const switched_at = asked.length;
      await removeRetired(await one.source.renew(one.engine));
      for (let more = asked.length; asked.length < more + 40; ) await new Promise(setImmediate);
      going = false;
      await Promise.all(load);

      const after = new Map<string, string>();
      for (const path of READS) after.set(path, await read(other, path));
      const mixed = asked.filter(({ path, answer }) => answer !== before.get(path) && answer !== after.get(path));
      t.strictSame(mixed.slice(0, 2), [], `${asked.length} reads, each of one version`);
      t.strictSame(surprises, [], 'every write was taken');
      for (const path of READS) t.not(before.get(path), after.get(path), `the versions answer ${path} differently`);
      const answered = (answers: typeof asked, by: ReadonlyMap<string, string>): number =>
        answers.filter(({ path, answer }) => answer === by.get(path)).length;
      t.ok(answered(asked.slice(0, switched_at), before) > 10, 'the old version answered until the switch');
      t.ok(answered(asked, after) > 10, 'the new one after it');
      t.strictSame((await verify(one.engine)).differences, []);
    }
  },
);
