import t from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { progressOf, startBuilding } from '../../src/ingest/keep-building.ts';
import { verify } from '../../src/ingest/verify.ts';
import { there } from '../support/notation.ts';
import { eventually } from '../support/process.ts';
import { type LogLine, testService } from '../support/service.ts';

t.setTimeout(120_000);

const own: Model = { ...there({ feature: 'purchase_days', at_least: 2, within_days: 30 }), model_id: 'own' };

t.test('what is published is built, and what is retired removed, by nobody asking for it', async (t) => {
  const log_lines: LogLine[] = [];
  const service = await testService(t, { log_lines });
  const items = Array.from({ length: 50 }, (_, n) => ({
    customer_id: `c${n}`,
    purchase_id: 'p',
    purchased_at: '2026-06-01',
    amount: '5',
  }));
  await service.call('POST', '/v1/purchases', { items });
  const building = startBuilding(service.source, {
    database: { connection: service.connection, max: 2, connect_timeout_ms: 10_000 },
    customers: 20,
  });
  t.teardown(async () => await building.stop());
  const stateOf = async (): Promise<string> => {
    const { rows } = await service.engine.pool.query(
      `select state from models where model_id = 'own' order by version desc limit 1`,
    );
    return rows[0].state;
  };
  t.equal((await service.call('PUT', '/v1/models/own', own)).status, 202);
  await eventually('own is built', async () => (await stateOf()) === 'active');
  t.equal((await service.call('GET', '/v1/reports/stage-population?model=own')).status, 200);
  t.equal((await service.call('DELETE', '/v1/models/own')).status, 204);
  await eventually('own is removed', async () => (await stateOf()) === 'retired');
  t.strictSame((await verify(service.engine)).differences, []);
  await building.stop();
  t.strictSame(
    log_lines.filter(({ level }) => Number(level) >= 40),
    [],
    'without a warning',
  );
});

t.test('how far a build is, is said by the customers done, and when it will end by their rate', (t) => {
  const build = { models_revision: 1, after_id: '', customers_done: 25, customers_total: 100, started_at: 1_000 };
  t.strictSame(progressOf(build, 2_000), { share: 0.25, expected_at: 5_000 });
  t.strictSame(progressOf({ ...build, customers_done: 0 }, 2_000), { share: 0, expected_at: null });
  t.strictSame(
    progressOf({ ...build, customers_done: 120 }, 2_000),
    { share: 1, expected_at: 2_000 },
    'new ones may come in',
  );
  t.strictSame(progressOf({ ...build, customers_done: 0, customers_total: 0 }, 2_000), { share: 1, expected_at: null });
  t.end();
});
