import { escapePointer, textFault } from './text.ts';

/** One thing wrong with a document: where (JSON Pointer), which rule, and what to do. */
export interface ModelFault {
  readonly pointer: string;
  readonly code: string;
  /** Goes on a sentence that begins with "This": `must be true or false`. */
  readonly detail: string;
}

/** The fields of an object of unknown origin. */
export type Fields = Readonly<Record<string, unknown>>;

const MAX_FAULTS = 20;
const MAX_UNKNOWN = 3;

/** Gathers the first 20 faults of a document. Each check looks at one value and notes what is wrong with it; none costs more than the value is large. */
export class FaultList {
  readonly faults: ModelFault[] = [];

  /** Notes a fault. */
  add(pointer: string, code: string, detail: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ pointer, code, detail });
  }

  /** The fields if the value is an object with all that are required; unknown ones are faults, three of them named. */
  object(
    value: unknown,
    pointer: string,
    required: readonly string[],
    optional: readonly string[] = [],
  ): Fields | null {
    if (!isFields(value)) {
      this.add(pointer, 'wrong_type', 'must be an object');
      return null;
    }
    const missing = required.filter((key) => !Object.hasOwn(value, key));
    for (const key of missing) this.add(`${pointer}/${key}`, 'required', 'is missing; add it');
    let unknown = 0;
    for (const key in value) {
      if (required.includes(key) || optional.includes(key)) continue;
      this.add(`${pointer}/${escapePointer(key)}`, 'unknown_field', 'is not a field of this object; remove it');
      unknown += 1;
      if (unknown === MAX_UNKNOWN) break;
    }
    return missing.length === 0 ? value : null;
  }

  /** The number if it is a whole one in the range. −0 is none: it would be stored as another number than was sent. */
  integer(value: unknown, pointer: string, least: number, most: number): number | null {
    const whole = typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0);
    if (whole && value >= least && value <= most) return value;
    this.add(pointer, 'wrong_number', `must be a whole number from ${least} to ${most}`);
    return null;
  }

  /** Requires a text of a form; the meaning says which. */
  matches(value: unknown, pointer: string, pattern: RegExp, meaning: string): void {
    if (typeof value !== 'string' || !pattern.test(value)) this.add(pointer, 'wrong_text', `must be ${meaning}`);
  }

  /** Requires a text for people: not empty, not too long, of whole characters. */
  text(value: unknown, pointer: string, longest: number): void {
    if (typeof value !== 'string' || value.length < 1 || value.length > longest) {
      return this.add(pointer, 'wrong_text', `must be a text of 1 to ${longest} characters`);
    }
    const code = textFault(value)?.code;
    if (code === 'nul_character') this.add(pointer, code, 'holds the character U+0000; remove it');
    else if (code !== undefined) this.add(pointer, code, 'holds half of a surrogate pair; send whole characters');
  }

  /** Requires a list of one or more of the allowed words, each once. */
  choice(value: unknown, pointer: string, allowed: readonly string[]): void {
    const valid = Array.isArray(value) && value.length > 0 && value.length <= allowed.length;
    if (!valid || !value.every((entry) => allowed.includes(entry as string)) || new Set(value).size !== value.length) {
      this.add(pointer, 'unknown_value', `must be a list of one or more of ${allowed.join(', ')}, each once`);
    }
  }
}

/** True for an object that is no list. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
