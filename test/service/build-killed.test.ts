import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import t from 'tap';
import type { ModelDocument } from '../oracle/model-document.ts';
import { Rng } from '../oracle/rng.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventually, type ServiceProcess, startProcess } from '../support/process.ts';
import { announcedSeed, type Batch, isWhatWasSent, MODELS, randomBatches, sendAll, sendBatch } from './stream.ts';

t.setTimeout(600_000);

const KILLS = 20;
const EVENTS = 6_000;

interface Summary {
  readonly model_id: string;
  readonly version: number;
  readonly building: { readonly version: number; readonly customers_done: number } | null;
}

async function models(url: string): Promise<readonly Summary[]> {
  const { items } = (await (await fetch(`${url}/v1/models`)).json()) as { items: readonly Summary[] };
  return items;
}

/** Publishes the next version of a model; its thresholds say which one it is. */
async function publish(url: string, document: ModelDocument): Promise<number> {
  const answer = await fetch(`${url}/v1/models/${document.model_id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'if-match': '*' },
    body: JSON.stringify(document),
  });
  await answer.arrayBuffer();
  return answer.status;
}

async function countRetiring(connection: pg.ClientConfig): Promise<number> {
  const client = new pg.Client(connection);
  await client.connect();
  const { rows } = await client.query(`select from models where state = 'retiring'`);
  await client.end();
  return rows.length;
}

function variant(document: ModelDocument, place: number): ModelDocument {
  const lapse = { policy: 'fixed', at_risk_after_days: 30 + place, lapsed_after_days: 150 + place } as const;
  return { ...document, lapse } as ModelDocument;
}

t.test('a build that is killed anywhere, beside writes that bring new customers, ends exact', async (t) => {
  const rng = new Rng(announcedSeed(t));
  const database = await testDatabase(t, { empty: true });
  const environment = { DATABASE_URL: database.url, LOG_LEVEL: 'info', BUILD_CHUNK_CUSTOMERS: '15' };
  const batches = randomBatches(rng, EVENTS, 60);
  const first = batches.slice(0, Math.floor(batches.length / 2));
  const later = batches.slice(first.length);
  const setup = await startProcess(t, environment);
  await setup.ready();
  t.strictSame(await sendAll(setup.url, first, false), {}, 'half of it is stored before');
  await setup.kill();

  const published = new Map(MODELS.map((document) => [document.model_id, document]));
  let [killedWhileBuilding, killedUnderWay, unanswered] = [0, 0, [] as Batch[]];
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const services: ServiceProcess[] = [await startProcess(t, environment)];
    if (kill % 4 === 0) services.push(await startProcess(t, environment));
    for (const service of services) await service.ready();
    const [{ url }] = services as [ServiceProcess];
    if ((await models(url)).every(({ building }) => building === null)) {
      const document = variant(rng.pick([...published.values()]), kill);
      t.equal(await publish(url, document), 202, `${document.model_id} is published`);
      published.set(document.model_id, document);
    }
    const part = later.splice(0, Math.ceil(later.length / (KILLS + 1 - kill)));
    const writing = Promise.all(
      part.map(async (batch) => ((await sendBatch(rng.pick(services).url, batch))?.status === 200 ? null : batch)),
    );
    await delay(rng.between(0, 900));
    const building = (await models(url).catch(() => [])).flatMap((one) => one.building ?? []);
    for (const service of services) await service.kill();
    if (building.length > 0) killedWhileBuilding += 1;
    if (building.some(({ customers_done }) => customers_done > 0)) killedUnderWay += 1;
    unanswered = [...unanswered, ...(await writing).filter((batch) => batch !== null)];
  }
  t.comment(`killed ${killedWhileBuilding} times while building, ${killedUnderWay} of them between chunks`);
  t.ok(killedWhileBuilding >= KILLS / 2 && killedUnderWay >= 3, 'most kills met a build');

  const service = await startProcess(t, environment);
  await service.ready();
  for (const batch of [...unanswered, ...later]) t.equal((await sendBatch(service.url, batch))?.status, 200);
  await eventually(
    'everything is built and removed',
    async () => {
      const all = await models(service.url);
      return all.every(({ building }) => building === null) && (await countRetiring(database.connection)) === 0;
    },
    120_000,
  );
  await isWhatWasSent(t, service, {
    batches,
    connection: database.connection,
    environment,
    models: [...published.values()],
  });
  t.equal((await service.stop()).code, 0);
});
