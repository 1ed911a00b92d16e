import { createHash } from 'node:crypto';
import { Problem } from '../problems.ts';
import type { EventKey } from '../store/customer-reads.ts';

/** Writes where the next page begins, bound to the list it belongs to (path and filters). Opaque to the caller. */
export function writeCursor(list: readonly string[], key: EventKey): string {
  return Buffer.from(JSON.stringify([bind(list), key.at, key.id]), 'utf8').toString('base64url');
}

/** Reads a cursor of the same list; anything else is an `invalid_cursor` problem. */
export function readCursor(list: readonly string[], cursor: string | undefined): EventKey | null {
  if (cursor === undefined) return null;
  try {
    const [binding, at, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    const valid =
      binding === bind(list) &&
      Number.isSafeInteger(at) &&
      typeof id === 'string' &&
      id.length <= 256 &&
      !id.includes('\0');
    if (valid) return { at: at as number, id };
  } catch {
    // Not even a cursor: refused below like one of another list.
  }
  throw new Problem('invalid_cursor', {
    errors: [{ parameter: 'cursor', code: 'invalid_cursor', detail: 'Is not a cursor of this list.' }],
  });
}

function bind(list: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 16);
}
