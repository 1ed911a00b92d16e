import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { Rng } from '../oracle/rng.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventually, type ServiceProcess, startProcess } from '../support/process.ts';
import { announcedSeed, type Batch, isWhatWasSent, randomBatches, sendAll } from './stream.ts';

t.setTimeout(600_000);

const KILLS = 20;
/** Uploads come in so many pieces, so that a kill finds them anywhere. */
const PIECES = 40;

/** How far an import is. */
interface Import {
  readonly import_id: number;
  readonly state: string;
  readonly rows_read: number;
  readonly created: number;
  readonly updated: number;
  readonly duplicate: number;
  readonly waiting: number;
}

/** All items of some batches as one NDJSON file. */
function fileOf(batches: readonly Batch[]): string {
  return batches.flatMap(({ items }) => items.map((item) => `${JSON.stringify(item)}\n`)).join('');
}

/** Uploads a file piece by piece; `onPiece` is told how many have been taken. Sends it again while that is what the answer asks for; undefined without an answer. */
async function upload(
  url: string,
  file: string,
  onPiece: (taken: number) => void = () => undefined,
): Promise<Import | undefined> {
  return await eventually(
    'the import is not refused',
    async () => {
      const answer = await send(url, file, onPiece);
      if (answer === undefined) return 'none';
      const body = (await answer.json()) as Import & { readonly retryable?: boolean };
      if (answer.status === 202) return body;
      if (body.retryable) return undefined;
      throw new Error(`the upload was answered with ${answer.status}: ${JSON.stringify(body)}`);
    },
    60_000,
  ).then((answer) => (answer === 'none' ? undefined : answer));
}

async function send(url: string, file: string, onPiece: (taken: number) => void): Promise<Response | undefined> {
  const bytes = Buffer.from(file);
  const size = Math.ceil(bytes.length / PIECES);
  let taken = 0;
  const body = new ReadableStream({
    async pull(controller) {
      await delay(5);
      if (taken === PIECES) return controller.close();
      controller.enqueue(bytes.subarray(taken * size, (taken + 1) * size));
      taken += 1;
      onPiece(taken);
    },
  });
  const headers = { 'content-type': 'application/x-ndjson' };
  const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
  return await fetch(`${url}/v1/imports`, init).catch(() => undefined);
}

/** The import once it has ended. */
async function ended(url: string, importId: number): Promise<Import> {
  return await eventually(
    `import ${importId} ends`,
    async () => {
      const answer = await fetch(`${url}/v1/imports/${importId}`);
      const found = (await answer.json()) as Import;
      return ['receiving', 'storing'].includes(found.state) ? undefined : found;
    },
    120_000,
  );
}

/** Waits until so many rows of the import are stored, or all of them. */
async function untilStored(url: string, importId: number, rows: number): Promise<void> {
  await eventually(`${rows} rows of import ${importId} are stored`, async () => {
    const { rows_read, waiting } = (await (await fetch(`${url}/v1/imports/${importId}`)).json()) as Import;
    return waiting === 0 || rows_read - waiting >= rows;
  });
}

t.test('an import that is killed anywhere loses nothing and doubles nothing', async (t) => {
  const rng = new Rng(announcedSeed(t));
  const database = await testDatabase(t, { empty: true });
  const environment = { DATABASE_URL: database.url, LOG_LEVEL: 'info', IMPORT_PAGE_ROWS: '2000' };
  const batches = randomBatches(rng, 20_000, 200);
  const file = fileOf(batches);
  const rows = file.split('\n').length - 1;
  const killedWhile = { receiving: 0, storing: 0 };
  let accepted: Import | undefined;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const service: ServiceProcess = await startProcess(t, environment);
    await service.ready();
    if (accepted === undefined) {
      const point = kill <= KILLS / 2 ? rng.between(1, PIECES) : PIECES + 1;
      let killing: Promise<void> | undefined;
      const answer = await upload(service.url, file, (taken) => {
        if (taken === point) killing = delay(rng.between(0, 20)).then(() => service.kill());
      });
      if (answer === undefined) {
        await killing;
        killedWhile.receiving += 1;
        continue;
      }
      t.match(answer, { rows_read: rows }, `the whole file is acknowledged: ${JSON.stringify(answer)}`);
      accepted = answer;
    }
    const before = (await (await fetch(`${service.url}/v1/imports/${accepted.import_id}`)).json()) as Import;
    if (before.waiting > 0) killedWhile.storing += 1;
    // Somewhere within the transactions of the next pages, or between them; some pages get through.
    if (kill % 3 === 0) await untilStored(service.url, accepted.import_id, rows - before.waiting + 1);
    await delay(rng.between(0, 1_000));
    await service.kill();
  }
  t.ok(killedWhile.receiving >= 8 && killedWhile.storing >= 3, `killed while ${JSON.stringify(killedWhile)}`);

  const service = await startProcess(t, environment);
  await service.ready();
  accepted ??= await upload(service.url, file);
  const done = await ended(service.url, accepted!.import_id);
  t.match(done, { state: 'done', rows_read: rows, waiting: 0, duplicate: 0, conflict: 0, invalid: 0, dropped: 0 });
  t.equal(done.created + done.updated, rows, 'every row was stored, and counted, once');
  await isWhatWasSent(t, service, { batches, connection: database.connection, environment });
  const again = await ended(service.url, (await upload(service.url, file))!.import_id);
  t.match(again, { state: 'done', duplicate: rows }, 'sent again, all of it is known');
  t.equal((await service.stop()).code, 0);
});

t.test('two instances store an import while small writes of the same customers go on', async (t) => {
  const rng = new Rng(announcedSeed(t));
  const database = await testDatabase(t, { empty: true });
  // However busy the machine is: nobody is to be given up while they wait for each other.
  const environment = { DATABASE_URL: database.url, LOG_LEVEL: 'info', STATEMENT_TIMEOUT_MS: '300000' };
  const batches = randomBatches(rng, 10_000, 40);
  const posted = batches.filter(() => rng.chance(0.15));
  const services = await Promise.all([startProcess(t, environment), startProcess(t, environment)]);
  for (const service of services) await service.ready();
  const [one, other] = services as [ServiceProcess, ServiceProcess];
  const half = Math.floor(batches.length / 2);
  const files = [fileOf(batches.slice(0, half)), fileOf(batches.slice(half)), fileOf(batches)];
  const uploads = files.map(async (file, place) => await upload(services[place % 2]!.url, file));
  const [surprises, others, ...imports] = await Promise.all([
    sendAll(one.url, posted.slice(0, posted.length / 2), false),
    sendAll(other.url, posted.slice(posted.length / 2), false),
    ...uploads.map(async (sent) => await ended(other.url, (await sent)!.import_id)),
  ]);
  t.strictSame([surprises, others], [{}, {}], 'every small write was answered as always');
  for (const found of imports as Import[]) t.match(found, { state: 'done', conflict: 0, invalid: 0, waiting: 0 });
  await isWhatWasSent(t, one, { batches, connection: database.connection, environment });
  for (const service of services) t.equal((await service.stop()).code, 0);
});
