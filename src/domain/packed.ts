/** What can be packed: null, safe integers, and lists of such. */
export type Packable = null | number | readonly Packable[];

// A value is a token, followed by the values of a list. A token is a number n ≥ 0. Its first byte says in the lowest two bits what n means and holds the
// next five bits of n; while the highest bit of a byte is set, another one with seven more bits follows.

/** n itself. */
const NUMBER = 0;
/** The number that is n less than the day of reference. */
const BEFORE = 1;
/** A list of n values. */
const LIST = 2;
/** Null for 0, else −n. */
const NULL_OR_NEGATIVE = 3;

/** The longest token, of 53 bits. */
const TOKEN_BYTES = 8;
const CHECKSUM_BYTES = 4;
/** Memory for the bytes of many: memory of their own takes a third of the time of writing them. */
const CHUNK_BYTES = 16_384;
/** Lists within lists at most. */
const MOST_NESTED = 8;
/** Values of a list in runs at most: few bytes can say many. */
const MOST_IN_RUNS = 65_535;

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Packs values, one after the other, between a version in front and a checksum behind. Numbers up to 31, or up to 31 below the day of reference, take one
 * byte, up to 4,095 two: most of what is saved of a customer are small counts and days near each other. Equal values give equal bytes.
 */
export class PackedWriter {
  /** The day of reference: the reader must set the same at the same place. */
  day = 0;
  private bytes = new Uint8Array(CHUNK_BYTES);
  /** Where the present bytes begin; those before them are given away. */
  private start = 0;
  private at = 0;

  /** Begins anew. The version is one byte. */
  begin(version: number): void {
    this.day = 0;
    this.at = this.start;
    this.room(1);
    this.bytes[this.at] = version;
    this.at += 1;
  }

  /** Throws a `TypeError` for anything else than it should be given. */
  value(value: Packable, nested = 0): void {
    if (typeof value === 'number') this.integer(value);
    else if (value === null) this.token(NULL_OR_NEGATIVE, 0);
    else {
      if (!Array.isArray(value) || nested === MOST_NESTED) throw new TypeError(`cannot pack ${JSON.stringify(value)}`);
      this.token(LIST, value.length);
      for (let index = 0; index < value.length; index += 1) this.value(value[index], nested + 1);
    }
  }

  /** As `value`, of an integer. */
  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new TypeError(`cannot pack ${value}`);
    const before = this.day - value;
    if (value < 0) this.token(NULL_OR_NEGATIVE, -value);
    else if (before >= 0 && before < value) this.token(BEFORE, before);
    else this.token(NUMBER, value);
  }

  /** A list of anything; `write` writes one of them. */
  list<Value>(values: readonly Value[], write: (value: Value) => void): void {
    this.count(values.length);
    for (let index = 0; index < values.length; index += 1) write(values[index]!);
  }

  /** A list in which equal neighbours are written once. */
  runs(values: readonly Packable[]): void {
    if (values.length > MOST_IN_RUNS) throw new TypeError(`cannot pack ${values.length} values in runs`);
    this.count(values.length);
    for (let start = 0, end = 0; start < values.length; start = end) {
      const value = values[start]!;
      for (end = start + 1; end < values.length && areEqual(values[end]!, value); ) end += 1;
      this.count(end - start);
      this.value(value);
    }
  }

  /** A well-formed text. */
  text(text: string): void {
    const bytes = utf8.encode(text);
    this.count(bytes.length);
    this.room(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** All that was written since `begin`. What others have written lies in the same memory. */
  end(): Uint8Array<ArrayBuffer> {
    this.room(CHECKSUM_BYTES);
    const sum = checksum(this.bytes, this.start, this.at);
    for (let byte = 0; byte < CHECKSUM_BYTES; byte += 1) this.bytes[this.at + byte] = sum >>> (8 * byte);
    const written = this.bytes.subarray(this.start, this.at + CHECKSUM_BYTES);
    this.start = this.at + CHECKSUM_BYTES;
    return written;
  }

  private count(n: number): void {
    this.token(NUMBER, n);
  }

  private token(meaning: number, n: number): void {
    this.room(TOKEN_BYTES);
    const { bytes } = this;
    let { at } = this;
    if (n < 32) bytes[at++] = meaning | (n << 2);
    else {
      bytes[at++] = 128 | meaning | ((n & 31) << 2);
      let rest = Math.floor(n / 32);
      // Shifts are faster, and end at 32 bits.
      for (; rest >= 2 ** 32; rest = Math.floor(rest / 128)) bytes[at++] = 128 | (rest % 128);
      for (; rest > 127; rest >>>= 7) bytes[at++] = 128 | (rest & 127);
      bytes[at++] = rest;
    }
    this.at = at;
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const written = this.bytes.subarray(this.start, this.at);
    this.bytes = new Uint8Array(Math.max(CHUNK_BYTES, 2 * (written.length + bytes)));
    this.bytes.set(written);
    this.start = 0;
    this.at = written.length;
  }
}

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

function areEqual(one: Packable, other: Packable): boolean {
  if (one === null || other === null || typeof one === 'number' || typeof other === 'number') return one === other;
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (!areEqual(one[index]!, other[index]!)) return false;
  return true;
}

/** FNV-1a of 32 bits: whichever one of the bytes is changed, it changes. */
function checksum(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0x811c9dc5;
  for (let index = start; index < end; index += 1) sum = Math.imul(sum ^ bytes[index]!, 0x01000193);
  return sum;
}

const ENDS_EARLY = 'it ends too early';

/** What is thrown for bytes that nobody wrote. */
export function damaged(how: string): Error {
  return new Error(`saved state is damaged: ${how}`);
}
