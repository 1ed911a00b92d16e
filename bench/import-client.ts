import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** What the service says of an import. */
export interface ImportAnswer {
  readonly state: string;
  readonly rows_read: number;
  readonly created: number;
  readonly waiting: number;
}

/** Sends an NDJSON file, and returns the address of the import once it has been taken. */
export async function sendImport(url: string, body: Readable): Promise<string> {
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await fetch(`${url}/v1/imports`, {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as unknown as RequestInit);
  if (answer.status !== 202) throw new Error(`the import was answered with ${answer.status}: ${await answer.text()}`);
  return `${url}${answer.headers.get('location')}`;
}

/** Waits until all rows of an import are stored; throws if it ends in any other way, or if not every row was new. */
export async function storedWhole(location: string): Promise<ImportAnswer> {
  for (;;) {
    const answer = (await (await fetch(location)).json()) as ImportAnswer;
    if (answer.state === 'done' && answer.created === answer.rows_read) return answer;
    if (answer.state !== 'storing') throw new Error(`the import ended as ${JSON.stringify(answer)}`);
    await delay(100);
  }
}

/** Cancels an import; what is stored of it stays. */
export async function cancelImport(location: string): Promise<ImportAnswer> {
  return (await (await fetch(location, { method: 'DELETE' })).json()) as ImportAnswer;
}
