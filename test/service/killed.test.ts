import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { Rng } from '../oracle/rng.ts';
import { testDatabase } from '../support/postgres.ts';
import { startProcess } from '../support/process.ts';
import {
  announcedSeed,
  type Batch,
  countSurprises,
  isWhatWasSent,
  randomBatches,
  type Surprises,
  sendAll,
  sendBatch,
  storedKeys,
} from './stream.ts';

t.setTimeout(300_000);

const KILLS = 20;
const EVENTS = 20_000;
const CLIENTS = 6;
/** From listening on; what comes before is the machine's time to load the code. */
const READY_WITHIN_MS = 5_000;

/** What the clients of a stream share: what is still to be sent, and what was acknowledged. */
interface Sending {
  readonly waiting: Batch[];
  readonly acknowledged: Batch[];
  readonly surprises: Surprises;
  /** Requests on their way. */
  inFlight: number;
  acknowledgedItems: number;
}

/** Sends until nothing waits or the service no longer answers. What got no answer waits again. */
async function client(url: string, sending: Sending): Promise<void> {
  for (let batch = sending.waiting.pop(); batch !== undefined; batch = sending.waiting.pop()) {
    sending.inFlight += 1;
    const reply = await sendBatch(url, batch);
    sending.inFlight -= 1;
    if (reply?.status !== 200) {
      sending.waiting.push(batch);
      return;
    }
    sending.acknowledged.push(batch);
    sending.acknowledgedItems += batch.items.length;
    countSurprises(sending.surprises, batch, reply, false);
  }
}

t.test(
  'what was acknowledged survives kill -9 at any point, and sending everything again doubles nothing',
  async (t) => {
    const rng = new Rng(announcedSeed(t));
    const database = await testDatabase(t, { empty: true });
    const environment = { DATABASE_URL: database.url, LOG_LEVEL: 'info' };
    const batches = randomBatches(rng, EVENTS, 200);
    const items = batches.reduce((sum, batch) => sum + batch.items.length, 0);
    const sending: Sending = {
      waiting: [...batches],
      acknowledged: [],
      surprises: {},
      inFlight: 0,
      acknowledgedItems: 0,
    };
    let slowest_ms = 0;
    let killedInFlight = 0;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const service = await startProcess(t, environment);
      slowest_ms = Math.max(slowest_ms, await service.ready(READY_WITHIN_MS));
      // The points are spread over the stream, and fall anywhere within a request.
      const point = Math.floor((items * (kill - rng.next())) / (KILLS + 1));
      const pause_ms = rng.between(0, 25);
      const watch = (async () => {
        while (sending.acknowledgedItems < point && sending.waiting.length > 0) await delay(1);
        await delay(pause_ms);
        killedInFlight += sending.inFlight;
        await service.kill();
      })();
      await Promise.all([watch, ...Array.from({ length: CLIENTS }, () => client(service.url, sending))]);
      const stored = new Set(await storedKeys(database.connection));
      const lost = sending.acknowledged.flatMap(({ keys }) => keys).filter((key) => !stored.has(key));
      t.strictSame(
        lost,
        [],
        `after kill ${kill}, with ${sending.acknowledgedItems} acknowledged, nothing of it is lost`,
      );
    }
    t.ok(killedInFlight > KILLS, `${killedInFlight} requests were on their way when the kills came`);
    t.comment(`from the start of the process to readiness at most ${slowest_ms} ms`);

    const service = await startProcess(t, environment);
    await service.ready(READY_WITHIN_MS);
    t.strictSame(sending.surprises, {}, 'no answer says that anything is in conflict or invalid');
    t.strictSame(await sendAll(service.url, sending.acknowledged, true), {}, 'what was acknowledged is a duplicate');
    t.strictSame(await sendAll(service.url, sending.waiting, false), {}, 'the rest is stored now');
    await isWhatWasSent(t, service, { batches, connection: database.connection, environment });
    t.equal((await service.stop()).code, 0);
  },
);
