import { sql } from 'kysely';
import t, { type Test } from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { build } from '../../src/ingest/build.ts';
import { loadEngine } from '../../src/ingest/engine.ts';
import { publishModel } from '../../src/ingest/publish.ts';
import { there } from '../support/notation.ts';
import { type TestService, testService } from '../support/service.ts';

// A process learns of models that others have changed from the answers it is about to give, never from its clock.

const own: Model = { ...there({ feature: 'purchase_days', at_least: 2, within_days: 30 }), model_id: 'own' };
const other: Model = { ...own, lapse: { policy: 'fixed', at_risk_after_days: 5, lapsed_after_days: 180 } };

/** Two services on one database; what one of them changes, the other one has not been told. */
async function two(t: Test): Promise<readonly [TestService, TestService]> {
  const service = await testService(t);
  const items = [1, 2].map((n) => ({
    customer_id: 'ana',
    purchase_id: `p${n}`,
    purchased_at: `2026-06-0${n}`,
    amount: '5',
  }));
  await service.call('POST', '/v1/purchases', { items });
  return [service, await testService(t, { connection: service.connection })];
}

t.test('what another process publishes and builds is answered at once', async (t) => {
  const [one, another] = await two(t);
  const paths = ['reports/stage-population?model=own', 'customers?model=own', 'customers/ana/timeline?model=own'];
  for (const path of paths) t.equal((await one.call('GET', `/v1/${path}`)).body.code, 'unknown_model', path);
  await publishModel(another.engine, own, { type: 'nothing' });
  for (const path of paths) t.equal((await one.call('GET', `/v1/${path}`)).body.code, 'rebuilding', path);
  t.equal(await build(await loadEngine(another.engine)), true);
  for (const path of paths) t.equal((await one.call('GET', `/v1/${path}`)).status, 200, path);
  t.equal((await one.call('DELETE', '/v1/models/own')).status, 204);
  for (const path of paths) t.equal((await another.call('GET', `/v1/${path}`)).body.code, 'unknown_model', path);
});

t.test('a publishing is done once, though the models change again before it is answered', async (t) => {
  const [service] = await two(t);
  const { renew } = service.source;
  let left = 1;
  Object.assign(service.source, {
    async renew(outdated: TestService['engine']) {
      const made = await renew(outdated);
      // As when another process switches between the publishing and its answer.
      if (left-- > 0) await sql`update versions set models_revision = models_revision + 1`.execute(service.db);
      return made;
    },
  });
  const created = await service.call('PUT', '/v1/models/own', own, { 'if-none-match': '*' });
  t.strictSame([created.status, created.headers.etag], [202, '"1"']);
  left = 1;
  const replaced = await service.call('PUT', '/v1/models/own', other, { 'if-match': '"1"' });
  t.strictSame([replaced.status, replaced.headers.etag], [202, '"2"']);
  const { rows } = await sql<{ version: number }>`select version from models where model_id = 'own' order by 1`.execute(
    service.db,
  );
  t.strictSame(
    rows.map(({ version }) => version),
    [1, 2],
  );
});
