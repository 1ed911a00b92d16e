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

/** The longest token, of 53 bits. */
const TOKEN_BYTES = 8;
/** Memory for the bytes of many: memory of their own took a quarter of the time of writing them. */
const CHUNK_BYTES = 16_384;

const utf8 = new TextEncoder();

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

function areEqual(one: Packable, other: Packable): boolean {
  if (one === null || other === null || typeof one === 'number' || typeof other === 'number') return one === other;
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (!areEqual(one[index]!, other[index]!)) return false;
  return true;
}
