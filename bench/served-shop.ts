import { pino } from 'pino';
import { buildApp } from '../src/app.ts';
import { fixedKeys } from '../src/http/keys.ts';
import type { BenchShop } from './database.ts';

/** The service on a shop, listening on loopback. */
export interface ServedShop {
  /** Asks for a path and gives the answer's bytes; throws unless the answer is 200. */
  ask(path: string): Promise<ArrayBuffer>;
  close(): Promise<void>;
}

/** Serves a shop over HTTP, with nothing remembered from an earlier service. */
export async function serveShop(shop: BenchShop): Promise<ServedShop> {
  const source = { current: () => shop.engine, ready: async () => true, renew: async () => shop.engine };
  const limits = { body_bytes: 1_000_000, request_timeout_ms: 30_000 };
  const log = pino({ level: 'silent' });
  const { server } = await buildApp({ source, keys: fixedKeys(''), log, pool: shop.pool, limits });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    async ask(path) {
      const answer = await fetch(`${url}${path}`);
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.arrayBuffer();
    },
    close: () => server.close(),
  };
}
