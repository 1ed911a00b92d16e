import { finished } from 'node:stream/promises';
import type pg from 'pg';
import copyStreams from 'pg-copy-streams';

/** Bytes that may be handed over to a thread: nothing else lies in their memory. */
export type OwnBytes = Uint8Array<ArrayBuffer>;

/** Runs `COPY … TO STDOUT` and returns all it gives. */
export async function copyOut(client: pg.ClientBase, statement: string): Promise<OwnBytes> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of client.query(copyStreams.to(statement))) {
    chunks.push(chunk);
    length += chunk.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Runs `COPY … FROM STDIN` with these bytes. */
export async function copyIn(client: pg.ClientBase, statement: string, bytes: Uint8Array): Promise<void> {
  const stream = client.query(copyStreams.from(statement));
  stream.end(bytes);
  await finished(stream);
}
