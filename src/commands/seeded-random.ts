/**
 * A stream of pseudo-random numbers that depends on its seed alone. Good enough to invent sample data, never for
 * secrets. Every draw advances the stream, so the order of the calls is part of what a seed means.
 */
export interface SeededRandom {
  /** A fraction in [0, 1) with 32 random bits. */
  fraction(): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number;
  /** One of the entries, each as likely as its weight says. Refuses an empty list with a RangeError. */
  weighted<T>(entries: readonly (readonly [value: T, weight: number])[]): T;
  /** A number of the normal distribution. */
  normal(mean: number, deviation: number): number;
  /** A positive number with the given median; `spread` is the deviation of its logarithm. */
  logNormal(median: number, spread: number): number;
  /** A waiting time of the given mean. */
  exponential(mean: number): number;
  /** A positive number of the gamma distribution: mean `shape × scale`. */
  gamma(shape: number, scale: number): number;
  /** A fraction of the beta distribution: mean `a / (a + b)`. */
  beta(a: number, b: number): number;
}

/**
 * Opens the stream number `stream` of a seed. However much is drawn from one stream, the others stay as they are. The
 * generator is sfc32 (Chris Doty-Humphrey, PractRand), its state filled by splitmix32.
 */
export function seededRandom(seed: number, stream = 0): SeededRandom {
  const fraction = sfc32(seed, stream);
  const normal = (mean: number, deviation: number): number => mean + deviation * standardNormal(fraction);
  const gamma = (shape: number, scale: number): number => scale * standardGamma(fraction, shape);
  return {
    fraction,
    normal,
    gamma,
    chance: (probability) => fraction() < probability,
    integer: (least, most) => least + Math.floor(fraction() * (most - least + 1)),
    weighted: (entries) => pick(entries, fraction()),
    logNormal: (median, spread) => median * Math.exp(normal(0, spread)),
    exponential: (mean) => -mean * Math.log(1 - fraction()),
    beta: (a, b) => {
      const first = gamma(a, 1);
      return first / (first + gamma(b, 1));
    },
  };
}

function sfc32(seed: number, stream: number): () => number {
  const fill = splitmix32((seed ^ Math.imul(stream + 1, 0x9e3779b1)) | 0);
  const high = Math.floor(seed / 4_294_967_296);
  let [a, b, c, counter] = [fill() ^ high, fill(), fill() ^ stream, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  // Similar seeds give similar first numbers; its author lets twelve go by.
  for (let skipped = 0; skipped < 12; skipped += 1) next();
  return next;
}

function splitmix32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

function pick<T>(entries: readonly (readonly [value: T, weight: number])[], fraction: number): T {
  let left = fraction * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of entries) {
    left -= weight;
    if (left < 0) return value;
  }
  const last = entries.at(-1);
  if (last === undefined) throw new RangeError('nothing to choose from');
  return last[0];
}

/** Box and Muller's transform; the second number of the pair is dropped, so that a draw depends on the stream only. */
function standardNormal(fraction: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - fraction()));
  return radius * Math.cos(2 * Math.PI * fraction());
}

/** Marsaglia and Tsang's method (2000); shapes below 1 are drawn one higher and scaled down. */
function standardGamma(fraction: () => number, shape: number): number {
  if (shape < 1) {
    const lift = Math.exp(Math.log(1 - fraction()) / shape);
    return lift * standardGamma(fraction, shape + 1);
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = standardNormal(fraction);
    const root = 1 + c * x;
    const v = root * root * root;
    if (v > 0 && Math.log(1 - fraction()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
