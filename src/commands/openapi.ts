import { writeFile } from 'node:fs/promises';
import { buildApp } from '../app.ts';
import { fixedKeys } from '../http/keys.ts';
import type { CommandContext } from './command.ts';

/** Where the committed document is. */
export const OPENAPI_FILE = new URL('../../openapi/openapi.json', import.meta.url);

/** Writes the OpenAPI document from the routes. Needs no database. */
export async function openapi({ log, config }: CommandContext): Promise<number> {
  await writeFile(OPENAPI_FILE, await openapiText(log, config.body_limit_bytes));
  return 0;
}

/** The document as it is committed. */
export async function openapiText(log: CommandContext['log'], body_bytes: number): Promise<string> {
  const source = {
    current: () => null,
    ready: async () => false,
    renew: async () => Promise.reject(new Error('there is no database')),
  };
  const { server } = await buildApp({
    source,
    keys: fixedKeys(''),
    log,
    pool: null,
    limits: { body_bytes, request_timeout_ms: 30_000 },
  });
  const document = server.swagger();
  await server.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}
