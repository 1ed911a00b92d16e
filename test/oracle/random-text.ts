import { formatDay } from './calendar.ts';
import { formatMoney } from './money.ts';
import type { Rng } from './rng.ts';

const MICROS_A_DAY = 86_400_000_000;
/** Minutes east of Greenwich, quarter hours and date-line ones among them. */
const OFFSETS = [0, 0, 0, 60, -300, 330, 345, -570, 840, -720, 765, 1];

/** Customer ids that are valid text but trip careless code: spaces, slashes, quotes, look-alikes, 128 characters. */
export const ODD_CUSTOMER_IDS: readonly string[] = [
  'ana@example.com',
  'ana+shop@example.com',
  'Ana@example.com',
  'a/b',
  'a b  c',
  'a%2Fb',
  '"quoted"',
  "O'Brien; drop table customers --",
  'back\\slash',
  'Zo\u00eb',
  'Zoe\u0308',
  '客户 7',
  '😀👍',
  'مرحبا',
  '?q=1&r=2#top',
  '__proto__',
  'constructor',
  'null',
  '0',
  '007',
  '{"a":[1,2]}',
  '$1, %s, {0}',
  'x'.repeat(128),
];

/** Item ids in the same spirit; none of them sorts differently by code unit and by byte. */
export const ODD_ITEM_IDS: readonly string[] = ['a/b', 'x y', 'ñ', '100%', '"', 'Z', 'z', '😀', '__proto__', '-1'];

/** A decimal string of minor units, with or without its trailing zeros: `5.50`, `5.5`; `7.00`, `7`. */
export function writeMoney(rng: Rng, minor: number, decimals: number): string {
  const full = formatMoney(minor, decimals);
  if (decimals === 0 || rng.chance(0.6)) return full;
  return full.replace(/\.?0+$/, '');
}

/** An RFC 3339 instant with a random offset and random trailing zeros in its decimals. */
export function writeInstant(rng: Rng, micros: number): string {
  const offset = rng.pick(OFFSETS);
  const wall = micros + offset * 60_000_000;
  const day = Math.floor(wall / MICROS_A_DAY);
  const time = wall - day * MICROS_A_DAY;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const clock = [time / 3_600_000_000, (time / 60_000_000) % 60, (time / 1_000_000) % 60].map(two).join(':');
  const decimals = String(time % 1_000_000).padStart(6, '0');
  const shortest = decimals.replace(/0+$/, '');
  const fraction = rng.chance(0.7) ? shortest : decimals.slice(0, rng.between(Math.max(1, shortest.length), 6));
  const east = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
  const zone = offset === 0 && rng.chance(0.8) ? 'Z' : east;
  return `${formatDay(day)}T${clock}${fraction === '' ? '' : `.${fraction}`}${zone}`;
}

/** An instant of a day (UTC), before `beforeHour`: often the day's first or last microsecond, or one of a few shared times. */
export function randomMicros(rng: Rng, day: number, beforeHour: number): number {
  const most = beforeHour * 3_600_000_000 - 1;
  const time = rng.weighted([
    [2, 0],
    [2, most],
    [3, 36_000_000_000],
    [1, 36_000_000_001],
    [3, rng.between(0, most)],
    [1, rng.between(0, Math.floor(most / 1_000_000)) * 1_000_000],
  ]);
  return day * MICROS_A_DAY + Math.min(time, most);
}
