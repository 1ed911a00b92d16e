import type { Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { Problem } from '../problems.ts';

/** Bytes that have arrived, as they came. */
export interface ArrivedBytes {
  bytes: number;
}

/** How bytes arrive. */
export interface Arriving {
  readonly gzip: boolean;
  /** How long nothing may arrive while it is waited for; null for ever. */
  readonly idle_ms: number | null;
  /** Ends the reading with its reason. */
  readonly signal: AbortSignal;
  /** Counts. */
  readonly arrived: ArrivedBytes;
}

/** What is written by hand or by programs is compressed to a tenth, very uniform rows to a fiftieth; gzip itself can do a thousandth. */
const MAX_RATIO = 200;
const RATIO_FROM_BYTES = 4_194_304;

/**
 * The bytes of an upload, decompressed, no faster than they are asked for. The stream is left open whatever happens: its other side still waits for an answer.
 * Throws `request_timeout`, `upload_interrupted`, `payload_too_large` for what grows beyond reason, `invalid_request` for what is not gzip.
 */
export async function* arriving(
  stream: Readable,
  { gzip, idle_ms, signal, arrived }: Arriving,
): AsyncGenerator<Buffer> {
  if (!gzip) {
    yield* chunksOf(stream, { idle_ms, signal, arrived });
    return;
  }
  const gunzip = createGunzip();
  const fed = feed(chunksOf(stream, { idle_ms, signal, arrived }), gunzip);
  let decompressed = 0;
  try {
    for await (const chunk of gunzip) {
      decompressed += (chunk as Buffer).length;
      if (decompressed > RATIO_FROM_BYTES && decompressed > arrived.bytes * MAX_RATIO) {
        const detail = `The body grows to more than ${MAX_RATIO} times its size when it is decompressed; send it uncompressed.`;
        throw new Problem('payload_too_large', { detail });
      }
      yield chunk as Buffer;
    }
  } catch (error) {
    if (!/^Z_/.test((error as { code?: string }).code ?? '')) throw error;
    throw new Problem('invalid_request', {
      detail: 'The body is not whole gzip, as Content-Encoding says.',
      cause: error,
    });
  }
  await fed;
}

/** Writes chunks into a decompressor at its pace; what breaks off the one breaks off the other. */
async function feed(chunks: AsyncIterable<Buffer>, gunzip: Gunzip): Promise<void> {
  const until = async (event: string): Promise<void> => {
    await new Promise<void>((resolve) => {
      gunzip.once(event, resolve).once('close', resolve);
    });
  };
  try {
    for await (const chunk of chunks) {
      if (gunzip.destroyed) return;
      if (!gunzip.write(chunk)) await until('drain');
    }
    gunzip.end();
  } catch (error) {
    gunzip.destroy(error as Error);
  }
}

async function* chunksOf(
  stream: Readable,
  { idle_ms, signal, arrived }: Omit<Arriving, 'gzip'>,
): AsyncGenerator<Buffer> {
  const chunks = stream.iterator({ destroyOnReturn: false });
  let fail: (error: unknown) => void = () => undefined;
  const timer = idle_ms === null ? null : setTimeout(() => fail(new Problem('request_timeout')), idle_ms);
  const stop = (): void => fail(signal.reason);
  signal.addEventListener('abort', stop);
  try {
    for (;;) {
      signal.throwIfAborted();
      timer?.refresh();
      const { value, done } = await new Promise<IteratorResult<Buffer>>((resolve, reject) => {
        fail = reject;
        chunks.next().then(resolve, (cause: unknown) => reject(new Problem('upload_interrupted', { cause })));
      });
      if (done === true) return;
      arrived.bytes += value.length;
      yield value;
    }
  } finally {
    clearTimeout(timer ?? undefined);
    signal.removeEventListener('abort', stop);
    // Lets go of the stream; not waited for, as the next bytes may never come.
    void chunks.return?.(undefined);
  }
}
