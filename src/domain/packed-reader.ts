import {
  BEFORE,
  CHECKSUM_BYTES,
  checksum,
  LIST,
  MOST_IN_RUNS,
  MOST_NESTED,
  NULL_OR_NEGATIVE,
  NUMBER,
  type Packable,
} from './packed.ts';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ENDS_EARLY = 'it ends too early';

/** Reads what a `PackedWriter` wrote, in the same order. Throws an `Error` for any other bytes, sooner or later. */
export class PackedReader {
  /** The day of reference. */
  day = 0;
  private readonly bytes: Uint8Array;
  /** Where the checksum begins. */
  private readonly last: number;
  private at = 1;
  /** What the number of the last token means. */
  private meaning = NUMBER;

  constructor(bytes: Uint8Array, version: number) {
    this.bytes = bytes;
    this.last = bytes.length - CHECKSUM_BYTES;
    if (bytes.length > 0 && bytes[0] !== version)
      throw new Error(`saved state has version ${bytes[0]}, this code reads ${version}`);
    if (this.last < 1) throw damaged('it is too short');
    const sum = checksum(bytes, 0, this.last);
    for (let byte = 0; byte < CHECKSUM_BYTES; byte += 1) {
      if (bytes[this.last + byte] !== ((sum >>> (8 * byte)) & 255)) throw damaged('its checksum does not fit');
    }
  }

  value(nested = 0): Packable {
    const n = this.token();
    if (this.meaning === NUMBER) return n;
    if (this.meaning === BEFORE) return this.day - n;
    if (this.meaning === NULL_OR_NEGATIVE) return n === 0 ? null : -n;
    if (nested === MOST_NESTED) throw damaged('lists are too deep');
    // However great n is: each value takes a byte at least, and the bytes come to an end.
    const values: Packable[] = [];
    for (let index = 0; index < n; index += 1) values.push(this.value(nested + 1));
    return values;
  }

  /** A value that is an integer. */
  integer(): number {
    const value = this.integerOrNull();
    if (value === null) throw damaged('null in the place of an integer');
    return value;
  }

  /** A value that is an integer or null. */
  integerOrNull(): number | null {
    const n = this.token();
    if (this.meaning === NUMBER) return n;
    if (this.meaning === BEFORE) return this.day - n;
    if (this.meaning === LIST) throw damaged('a list in the place of an integer');
    return n === 0 ? null : -n;
  }

  /** What `list` wrote; `read` reads one of them. */
  list<Value>(read: () => Value): Value[] {
    const length = this.count();
    const values: Value[] = [];
    for (let index = 0; index < length; index += 1) values.push(read());
    return values;
  }

  /** What `runs` wrote; `read` reads a value. Equal neighbours are one and the same. */
  runs<Value extends Packable>(read: () => Value): Value[] {
    const length = this.count();
    if (length > MOST_IN_RUNS) throw damaged('runs are too long');
    const values: Value[] = [];
    while (values.length < length) {
      const run = this.count();
      if (run === 0 || run > length - values.length) throw damaged('a run has a wrong length');
      const value = read();
      for (let index = 0; index < run; index += 1) values.push(value);
    }
    return values;
  }

  text(): string {
    const length = this.count();
    if (length > this.last - this.at) throw damaged(ENDS_EARLY);
    this.at += length;
    return strictUtf8.decode(this.bytes.subarray(this.at - length, this.at));
  }

  /** Throws if anything is left. */
  end(): void {
    if (this.at !== this.last) throw damaged('it does not end where it should');
  }

  private count(): number {
    const n = this.token();
    if (this.meaning !== NUMBER) throw damaged('a value in the place of a count');
    return n;
  }

  private token(): number {
    let byte = this.next();
    this.meaning = byte & 3;
    let n = (byte & 127) >>> 2;
    for (let weight = 32; byte > 127; weight *= 128) {
      byte = this.next();
      n += (byte & 127) * weight;
    }
    // Not above it, and not the NaN that too many bytes would make.
    if (!(n <= Number.MAX_SAFE_INTEGER)) throw damaged('a number is too great');
    return n;
  }

  private next(): number {
    if (this.at >= this.last) throw damaged(ENDS_EARLY);
    this.at += 1;
    return this.bytes[this.at - 1]!;
  }
}

/** What is thrown for bytes that nobody wrote. */
export function damaged(how: string): Error {
  return new Error(`saved state is damaged: ${how}`);
}
