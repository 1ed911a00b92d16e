import { randomInt } from 'node:crypto';
import t from 'tap';
import type { Packable } from '../../src/domain/packed.ts';
import { PackedReader } from '../../src/domain/packed-reader.ts';
import { PackedWriter } from '../../src/domain/packed-writer.ts';
import { Rng } from '../oracle/rng.ts';
import { withChecksum } from '../support/checksum.ts';

const VERSION = 6;
const DAY = 20_000;

/** Packs with `DAY` as the day of reference. */
function packed(write: (into: PackedWriter) => void): Uint8Array {
  const writer = new PackedWriter();
  writer.begin(VERSION);
  writer.day = DAY;
  write(writer);
  return writer.end();
}

/** Reads to the end. */
function unpacked<Read>(bytes: Uint8Array, read: (from: PackedReader) => Read): Read {
  const reader = new PackedReader(bytes, VERSION);
  reader.day = DAY;
  const found = read(reader);
  reader.end();
  return found;
}

const packedValue = (value: Packable): Uint8Array => packed((into) => into.value(value));
const valueIn = (bytes: Uint8Array): Packable => unpacked(bytes, (from) => from.value());
/** What lies between version and checksum. */
const inside = (bytes: Uint8Array): number[] => [...bytes.subarray(1, -4)];

/** Bytes with a version and a checksum that fit. */
function sealed(...bytes: readonly number[]): Uint8Array {
  return withChecksum([VERSION, ...bytes]);
}

t.test('a value is written in these bytes', async (t) => {
  for (const [value, bytes] of [
    [0, [0]],
    [1, [4]],
    [31, [124]],
    [32, [128, 1]],
    [4_095, [252, 127]],
    [4_096, [128, 128, 1]],
    [2 ** 31, [128, 128, 128, 128, 32]],
    [Number.MAX_SAFE_INTEGER, [252, 255, 255, 255, 255, 255, 255, 63]],
    [null, [3]],
    [-1, [7]],
    [-31, [127]],
    [-32, [131, 1]],
    [Number.MIN_SAFE_INTEGER, [255, 255, 255, 255, 255, 255, 255, 63]],
    [DAY, [1]],
    [DAY - 31, [125]],
    [DAY - 32, [129, 1]],
    [DAY / 2 + 1, [129 + 4 * 15, (312 % 128) + 128, 2]],
    [DAY / 2, [128 + 4 * 16, (312 % 128) + 128, 2]],
    [DAY + 1, [128 + 4, (625 % 128) + 128, 4]],
    [[], [2]],
    [
      [0, [null], DAY],
      [14, 0, 6, 3, 1],
    ],
  ] as const) {
    t.strictSame(inside(packedValue(value)), bytes, JSON.stringify(value));
    t.strictSame(valueIn(sealed(...bytes)), value);
  }
  t.strictSame(packedValue(-0), packedValue(0));
});

t.test('a checksum is the published one', async (t) => {
  // http://www.isthe.com/chongo/tech/comp/fnv: of "a" e40c292c.
  const writer = new PackedWriter();
  writer.begin('a'.charCodeAt(0));
  t.strictSame([...writer.end()], [97, 0x2c, 0x29, 0x0c, 0xe4]);
});

/** A random value: integers of any size, some of them days, and lists of values. */
function randomValue(rng: Rng, nested = 0): Packable {
  const integer = (): number => Math.floor(2 ** rng.between(0, 53) * rng.next());
  return rng.weighted<() => Packable>([
    [1, () => null],
    [3, () => integer()],
    [1, () => -1 - integer()],
    [3, () => DAY - rng.between(-100, 2_000)],
    [nested < 6 ? 2 : 0, () => Array.from({ length: rng.between(0, 8) }, () => randomValue(rng, nested + 1))],
  ])();
}

const SEED = Number(process.argv.find((word) => word.startsWith('--seed='))?.slice(7) ?? randomInt(1_000_000_000));

t.test(`random values come back, different ones from different bytes (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  const seen = new Map<string, string>();
  const wrong: unknown[] = [];
  for (let round = 0; round < 5_000; round += 1) {
    const value = randomValue(rng);
    const bytes = packedValue(value);
    const [text, key] = [JSON.stringify(value), bytes.join()];
    if (JSON.stringify(valueIn(bytes)) !== text) wrong.push(value);
    if ((seen.get(key) ?? text) !== text) wrong.push([value, seen.get(key)]);
    if (packedValue(JSON.parse(text)).join() !== key) wrong.push(value);
    seen.set(key, text);
  }
  t.strictSame(wrong, []);
  t.ok(seen.size > 2_000, `${seen.size} different ones`);
});

t.test(`random lists come back from runs, as long as their different values (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  for (let round = 0; round < 200; round += 1) {
    const different = Array.from({ length: rng.between(0, 5) }, (_, place) => [place, randomValue(rng)]);
    const values = different.flatMap((value) =>
      Array.from({ length: rng.between(1, 9) }, () => structuredClone(value)),
    );
    const bytes = packed((into) => into.runs(values));
    t.strictSame(
      unpacked(bytes, (from) => from.runs(() => from.value())),
      values,
    );
    const once = packed((into) => {
      for (const value of different) into.value(value);
    });
    t.equal(bytes.length, once.length + different.length + (values.length > 31 ? 2 : 1));
  }
});

t.test('neighbours of a run are equal throughout', async (t) => {
  const values = [null, 0, [], [0], [0, null], [0, 0], [0, [0]], [0, [0]], [1, [0]], [1], [], 1, 1, -1];
  t.strictSame(
    unpacked(
      packed((into) => into.runs(values)),
      (from) => from.runs(() => from.value()),
    ),
    values,
  );
});

t.test('texts come back whatever their characters, lists of them too', async (t) => {
  const texts = ['', 'sku-1', 'ñandú', '\ufeffmark', '🙂'.repeat(2_000), '"\\'];
  const bytes = packed((into) => into.list(texts, (text) => into.text(text)));
  t.strictSame(
    unpacked(bytes, (from) => from.list(() => from.text())),
    texts,
  );
});

t.test('a writer begins anew, and what it gave before stays', async (t) => {
  const writer = new PackedWriter();
  const write = (value: Packable): Uint8Array => {
    writer.begin(VERSION);
    writer.value(value);
    return writer.end();
  };
  const long = Array.from({ length: 10_000 }, (_, place) => place);
  const first = write(long);
  writer.day = DAY;
  t.throws(() => write([1, Number.NaN]));
  t.strictSame(write(7), sealed(28));
  t.strictSame(new PackedReader(first, VERSION).value(), long);
});

t.test('what is no value is not packed', async (t) => {
  let deep: Packable = 0;
  for (let nested = 0; nested < 8; nested += 1) deep = [deep];
  t.strictSame(valueIn(packedValue(deep)), deep);
  for (const value of [0.5, Number.NaN, 2 ** 53, -(2 ** 53), 'text', undefined, true, {}, [[{}]], [deep]])
    t.throws(() => packedValue(value as never), TypeError, JSON.stringify(value));
  t.throws(() => packed((into) => into.runs(Array.from({ length: 65_536 }, () => null))), TypeError);
});

t.test('bytes that mean nothing are refused, however they came about', async (t) => {
  const read =
    (...bytes: readonly number[]) =>
    () =>
      valueIn(sealed(...bytes));
  const damaged = (how: RegExp) => ({ message: new RegExp(`^saved state is damaged: ${how.source}`) });
  t.throws(read(), damaged(/it ends too early/));
  t.throws(read(128), damaged(/it ends too early/));
  t.throws(read(0, 0), damaged(/it does not end where it should/));
  t.throws(read(128, 128, 128, 128, 128, 128, 128, 64), damaged(/a number is too great/));
  t.throws(read(...Array.from({ length: 1_000 }, () => 128), 0), damaged(/a number is too great/));
  t.throws(read(10, 0), damaged(/it ends too early/));
  t.throws(read(130, 255, 255, 255, 255, 255, 1), damaged(/it ends too early/));
  t.throws(read(...Array.from({ length: 100_000 }, () => 6), 0), damaged(/lists are too deep/));
  t.throws(() => unpacked(sealed(3), (from) => from.integer()), damaged(/null in the place of an integer/));
  t.throws(() => unpacked(sealed(2), (from) => from.integer()), damaged(/a list in the place of an integer/));
  t.throws(() => unpacked(sealed(2), (from) => from.list(() => 0)), damaged(/a value in the place of a count/));
  t.throws(() => unpacked(sealed(8, 0), (from) => from.list(() => from.value())), damaged(/it ends too early/));
  t.throws(() => unpacked(sealed(8, 97), (from) => from.text()), damaged(/it ends too early/));
  t.throws(() => unpacked(sealed(4, 0xff), (from) => from.text()), TypeError, 'no UTF-8');
  const runs =
    (...bytes: readonly number[]) =>
    () =>
      unpacked(sealed(...bytes), (from) => from.runs(() => from.value()));
  t.throws(runs(4, 0, 0), damaged(/a run has a wrong length/));
  t.throws(runs(4, 8, 0), damaged(/a run has a wrong length/));
  t.throws(runs(252, 255, 255, 127, 252, 255, 255, 127, 3), damaged(/runs are too long/));
});
