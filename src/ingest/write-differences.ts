import type { Differences } from '../domain/differences.ts';
import { PROJECTIONS } from '../reports/registry.ts';
import type { Pipeline, Trx } from '../store/connect.ts';
import { addDifferences } from '../store/rollups.ts';

/** Roll-up rows of one statement. */
const STATEMENT_ROWS = 20_000;

/** Adds a batch's differences to every roll-up, in registry order, and returns the number of rows. Nothing may be locked after it. */
export async function writeDifferences(trx: Trx, differences: Differences): Promise<number> {
  let written = 0;
  // One after the other: there may be so many rows that some of one roll-up are enough to be on their way at once.
  for (const projection of PROJECTIONS) {
    const columns = differences.columns(projection);
    for (let at = 0; at < columns.rows; at += STATEMENT_ROWS)
      await addDifferences(trx, projection, columns, [at, Math.min(at + STATEMENT_ROWS, columns.rows)]);
    written += columns.rows;
  }
  return written;
}

/** As `writeDifferences`, among the statements of a pipeline. */
export async function sendDifferences(pipeline: Pipeline, differences: Differences): Promise<number> {
  let written = 0;
  const sent = PROJECTIONS.map((projection) => {
    const columns = differences.columns(projection);
    written += columns.rows;
    return addDifferences(pipeline, projection, columns);
  });
  await Promise.all(sent);
  return written;
}
