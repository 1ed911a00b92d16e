import type { BenchServer } from './database.ts';

/** One measured line. */
export interface Figure {
  readonly case: string;
  readonly what: string;
  readonly figure: string;
  readonly target?: string;
}

/** How much a case measures. */
export interface BenchSize {
  /** Tiny sizes: a smoke test, whose figures mean little. */
  readonly quick: boolean;
  /** Customers of the big shop. */
  readonly customers: number;
  /** The import that is watched for its memory is stored to the last row, which takes a quarter of an hour, instead of for some seconds. */
  readonly whole: boolean;
}

/** A case measures everything it compares in one run. */
export type BenchCase = (server: BenchServer, size: BenchSize) => Promise<Figure[]>;

/** The median of some times; the list is not empty. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** Milliseconds a run takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const started_at = performance.now();
  await run();
  return performance.now() - started_at;
}

/** A ratio as it is printed. */
export function ratio(value: number): string {
  return `${value.toFixed(2)}×`;
}
