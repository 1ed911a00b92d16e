import { escapePointer, textFault } from '../domain/text.ts';
import { Problem, type ProblemDetail } from '../problems.ts';

/** Nesting of a body at most. */
const MAX_DEPTH = 32;

/** Decodes UTF-8, refusing bytes that are none. A byte order mark is dropped. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem('malformed_json', { detail: 'The body is not UTF-8. Encode it in UTF-8.', cause });
  }
}

/** Refuses texts that cannot be stored and nesting that nobody needs, anywhere in a parsed body. */
export function checkTexts(value: unknown, pointer = '', depth = 0): ProblemDetail | null {
  const fault = faultIn(value, depth);
  return fault === null ? null : { ...fault, pointer: `${pointer}${fault.pointer}` };
}

type PlacedFault = ProblemDetail & { readonly pointer: string };

/** The first fault in a value. Its pointer is put together on the way back: nearly every text has none, and every text of every body is looked at. */
function faultIn(value: unknown, depth: number): PlacedFault | null {
  if (typeof value === 'string') return placed(textFault(value));
  if (typeof value !== 'object' || value === null) return null;
  if (depth === MAX_DEPTH) return { pointer: '', code: 'too_deep', detail: `Nested more than ${MAX_DEPTH} deep.` };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const fault = faultIn(value[index], depth + 1);
      if (fault !== null) return under(index, fault);
    }
    return null;
  }
  for (const key in value) {
    const wrongKey = placed(textFault(key));
    if (wrongKey !== null) return wrongKey;
    const fault = faultIn((value as Record<string, unknown>)[key], depth + 1);
    if (fault !== null) return under(key, fault);
  }
  return null;
}

function placed(fault: ReturnType<typeof textFault>): PlacedFault | null {
  return fault === null ? null : { pointer: '', ...fault };
}

function under(key: string | number, fault: PlacedFault): PlacedFault {
  return { ...fault, pointer: `/${escapePointer(String(key))}${fault.pointer}` };
}

/** The same for a body whose entries of the list `each` are checked one by one later, so that a bad one harms no other. */
export function checkTextsAround(body: unknown, each: string | undefined): ProblemDetail | null {
  const list = each === undefined ? undefined : (body as Record<string, unknown> | null)?.[each];
  return checkTexts(Array.isArray(list) ? { ...(body as object), [each!]: [] } : body);
}
