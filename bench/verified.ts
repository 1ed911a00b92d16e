import { verify } from '../src/ingest/verify.ts';
import type { Figure } from './case.ts';
import type { BenchShop } from './database.ts';

/**
 * Proves a load: everything that a shop holds, by its active models, is what its stored events give when each history is folded anew. Gives the line that says so;
 * throws if it is not, and with it the case.
 */
export async function verified({ engine }: BenchShop, load: string): Promise<Figure> {
  const started_at = performance.now();
  const { customers, rollup_rows, differences, difference_count } = await verify(engine);
  if (difference_count > 0) throw new Error(`verify after ${load}, ${difference_count} findings: ${differences[0]}`);
  const seconds = ((performance.now() - started_at) / 1_000).toFixed(1);
  return {
    case: 'verify',
    what: `after ${load}: ${customers.toLocaleString('en')} customers, ${rollup_rows.toLocaleString('en')} roll-up rows, in ${seconds} s`,
    figure: '0 findings',
  };
}
