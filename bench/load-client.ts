import { Agent, request } from 'node:http';
import { parentPort } from 'node:worker_threads';

// Posts one purchase a request, in a thread of its own, so that what is measured is not slowed down by the measuring.

/** What to send, and how. */
export interface LoadOrder {
  readonly url: string;
  readonly bodies: readonly string[];
  readonly connections: number;
  /** Requests begun a second, whether or not earlier ones are answered; null: each connection sends as soon as it is answered. */
  readonly rate: number | null;
}

/** How it went. */
export interface LoadReport {
  readonly seconds: number;
  /** Milliseconds of each request, from the moment it should have been sent; sorted. */
  readonly latencies: Float64Array;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

parentPort?.on('message', async (order: LoadOrder) => parentPort!.postMessage(await runLoad(order)));

async function runLoad({ url, bodies, connections, rate }: LoadOrder): Promise<LoadReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies = new Float64Array(bodies.length);
  const statuses: Record<string, number> = {};
  const send = async (index: number, due_at: number): Promise<void> => {
    const status = await post(agent, url, bodies[index]!);
    latencies[index] = performance.now() - due_at;
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const started_at = performance.now();
  if (rate === null) {
    let next = 0;
    const connection = async (): Promise<void> => {
      while (next < bodies.length) await send(next++, performance.now());
    };
    await Promise.all(Array.from({ length: connections }, connection));
  } else {
    const running: Promise<void>[] = [];
    for (let index = 0; index < bodies.length; ) {
      const due = Math.min(bodies.length, Math.floor(((performance.now() - started_at) * rate) / 1_000) + 1);
      for (; index < due; index += 1) running.push(send(index, started_at + (index * 1_000) / rate));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(running);
  }
  const seconds = (performance.now() - started_at) / 1_000;
  agent.destroy();
  return { seconds, latencies: latencies.sort(), statuses };
}

async function post(agent: Agent, url: string, body: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const running = request(url, { agent, method: 'POST', headers }, (answer) => {
      answer
        .resume()
        .once('end', () => resolve(answer.statusCode!))
        .once('error', reject);
    });
    running.once('error', reject).end(body);
  });
}
