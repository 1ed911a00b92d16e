import type { Micros } from '../domain/time-zone.ts';
import type { ExactRead, ExactReads } from '../reports/report.ts';

/** Answers remembered at most; beyond, the one that was read longest ago goes. Each is a few kilobytes. */
export const MOST_EXACT_READS = 200;

/** How exact reads are remembered. */
export interface ExactReadOptions {
  readonly now: () => Micros;
  /** How old what was read may be when it is given again, in seconds; 0 remembers nothing. */
  readonly max_age_seconds: number;
}

/**
 * Remembers exact reads in this process for a while. Those who ask for the same at once share one read; if it fails, each reads by itself. One such memory
 * belongs to one database.
 */
export function rememberExactReads({ now, max_age_seconds }: ExactReadOptions): ExactReads {
  const known = new Map<string, ExactRead<Promise<unknown>>>();
  return async <Found>(key: readonly (string | number | boolean)[], read: () => Promise<Found>) => {
    const name = JSON.stringify(key);
    const asked_at = now();
    const before = known.get(name);
    if (before !== undefined && isYoung(before.computed_at, asked_at, max_age_seconds)) {
      const shared = await before.found.then(
        (found) => ({ found: found as Found, computed_at: before.computed_at }),
        () => null,
      );
      if (shared !== null) return shared;
    }
    const reading = { found: read(), computed_at: asked_at };
    if (max_age_seconds > 0) remember(known, name, reading);
    return { found: await reading.found, computed_at: asked_at };
  };
}

/** False too if the clock was set back since. */
function isYoung(computed_at: Micros, now: Micros, max_age_seconds: number): boolean {
  return computed_at <= now && now - computed_at < max_age_seconds * 1_000_000;
}

function remember(
  known: Map<string, ExactRead<Promise<unknown>>>,
  name: string,
  reading: ExactRead<Promise<unknown>>,
): void {
  known.delete(name);
  known.set(name, reading);
  const oldest = known.keys().next();
  if (known.size > MOST_EXACT_READS && !oldest.done) known.delete(oldest.value);
  reading.found.catch(() => {
    if (known.get(name) === reading) known.delete(name);
  });
}
