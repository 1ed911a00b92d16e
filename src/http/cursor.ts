import { createHash } from 'node:crypto';
import { Problem } from '../problems.ts';

/** Where a page of a list begins: after this value (null: the list goes by ids alone, or the row has no value) and id. */
export interface CursorKey<Value extends number | null = number | null> {
  readonly value: Value;
  readonly id: string;
}

/** Writes where the next page begins, bound to the list it belongs to (path and filters). Opaque to the caller. */
export function writeCursor(list: readonly string[], key: CursorKey): string {
  return Buffer.from(JSON.stringify([bind(list), key.value, key.id]), 'utf8').toString('base64url');
}

/** Reads a cursor of the same list, with a value that fits it; anything else is an `invalid_cursor` problem. */
export function readCursor<Value extends number | null>(
  list: readonly string[],
  cursor: string | undefined,
  fits: (value: unknown) => value is Value,
): CursorKey<Value> | null {
  if (cursor === undefined) return null;
  try {
    const [binding, value, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    const valid =
      binding === bind(list) && fits(value) && typeof id === 'string' && id.length <= 256 && !id.includes('\0');
    if (valid) return { value, id };
  } catch {
    // Not even a cursor: refused below like one of another list.
  }
  throw new Problem('invalid_cursor', {
    errors: [{ parameter: 'cursor', code: 'invalid_cursor', detail: 'Is not a cursor of this list.' }],
  });
}

/** True for every integer that a list can be sorted by. */
export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function bind(list: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 16);
}
