import { planModels } from '../src/ingest/engine.ts';
import { verify } from '../src/ingest/verify.ts';
import { readModels } from '../src/store/versions.ts';
import type { Figure } from './case.ts';
import type { BenchShop } from './database.ts';

/**
 * Proves a load: everything that a shop holds, by its active models, is what its stored events give when each history is folded anew. Gives the line that says so;
 * throws if it is not, and with it the case.
 */
export async function verified({ engine, db }: BenchShop, load: string): Promise<Figure> {
  const started_at = performance.now();
  const plan = planModels(await readModels(db), engine.decimals);
  const { customers, rollup_rows, differences, difference_count } = await verify({ db, plan });
  if (difference_count > 0) throw new Error(`verify after ${load}, ${difference_count} findings: ${differences[0]}`);
  const seconds = ((performance.now() - started_at) / 1_000).toFixed(1);
  return {
    case: 'verify',
    what: `after ${load}: ${customers.toLocaleString('en')} customers, ${rollup_rows.toLocaleString('en')} roll-up rows, in ${seconds} s`,
    figure: '0 findings',
  };
}
