import { setTimeout as delay } from 'node:timers/promises';
import { classifyFailure } from '../store/failures.ts';

/** How often a transaction that met another one is run again. */
const RETRIES = 3;

/** Runs a transaction again, at most three times and after a short random wait, while it only lost against another one. */
export async function retrying<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt > RETRIES || classifyFailure(error) !== 'serialization') throw error;
      await delay(Math.random() * 20 * 2 ** attempt);
    }
  }
}
