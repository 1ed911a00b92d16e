import { Agent, get } from 'node:http';
import { parentPort } from 'node:worker_threads';

// Reads one path again and again, one request after the other, in a thread of its own, so that the service's times are not those of its client's garbage.

/** What to ask for, and how often; some answers more, to warm up, are not counted. */
export interface ReadOrder {
  readonly url: string;
  readonly rounds: number;
}

/** How long the answers took, to their last byte. */
export interface ReadReport {
  /** Milliseconds, sorted. */
  readonly latencies: Float64Array;
  /** Length of the last answer. */
  readonly bytes: number;
}

const WARM_UP = 20;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

parentPort?.on('message', async (order: ReadOrder) => parentPort!.postMessage(await readOften(order)));

async function readOften({ url, rounds }: ReadOrder): Promise<ReadReport> {
  const latencies = new Float64Array(rounds);
  let bytes = 0;
  for (let round = -WARM_UP; round < rounds; round += 1) {
    const started_at = performance.now();
    bytes = await readOnce(url);
    if (round >= 0) latencies[round] = performance.now() - started_at;
  }
  return { latencies: latencies.sort(), bytes };
}

async function readOnce(url: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const asked = get(url, { agent }, (answer) => {
      let bytes = 0;
      answer
        .on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        })
        .once('end', () =>
          answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`${url}: ${answer.statusCode}`)),
        )
        .once('error', reject);
    });
    asked.once('error', reject);
  });
}
