import { availableParallelism } from 'node:os';
import type pg from 'pg';
import { Differences } from '../domain/differences.ts';
import { timeZone } from '../domain/time-zone.ts';
import { PROJECTIONS } from '../reports/registry.ts';
import { limitStatements, onConnection, type Trx } from '../store/connect.ts';
import { copySaves, SAVED_TABLES, type SavedTable } from '../store/customer-copy.ts';
import { completeLayouts } from '../store/fold-layouts.ts';
import { type PageSize, readHistoryPages } from '../store/history-pages.ts';
import { readProjections, saveProjections } from '../store/projections.ts';
import { clearRollup, copyDifferences } from '../store/rollups.ts';
import {
  beginRewrite,
  finishRewrites,
  growSortMemory,
  indexRewrites,
  type TableRewrite,
} from '../store/table-rewrite.ts';
import { CODE_VERSIONS, type Deployment, holdVersions, raiseRevision } from '../store/versions.ts';
import { type Engine, type EngineParts, readEngineIn, savingOf } from './engine.ts';
import { FoldThreads } from './fold-threads.ts';
import { moveDays } from './move-days.ts';
import { StartRefusedError } from './start.ts';

/** What a rebuild may take of the machine; absent, all cores and pages of a size that was measured. */
export interface RebuildOptions {
  /** Threads that fold; 0 folds in the calling one. */
  readonly threads?: number;
  readonly page?: PageSize;
}

/** What a rebuild wrote. */
export interface Rebuilt {
  readonly customers: number;
  readonly rollup_rows: number;
}

/**
 * Folds everything anew from the stored events in one transaction: saved states, spells and roll-ups. Takes over the configured time zone (days of instants are
 * computed again, plain dates stay) and the configured currency if it has as many decimals. Ingest waits meanwhile; reads answer what was before. Threads
 * fold, one connection reads and writes.
 */
export async function rebuild(
  parts: EngineParts,
  deployment: Deployment,
  { threads = availableParallelism(), page }: RebuildOptions = {},
): Promise<Rebuilt> {
  return await onConnection(parts.pool, (db, client) =>
    db.transaction().execute(async (trx) => {
      await limitStatements(trx, 0);
      const engine = await takeOver(trx, parts, deployment);
      const folding = new FoldThreads(
        {
          models: engine.published,
          layout: engine.foldings.whole.layout,
          decimals: engine.decimals,
          saving: savingOf(engine),
        },
        threads,
      );
      try {
        return await rewrite(trx, client, engine, folding, page);
      } finally {
        await folding.close();
      }
    }),
  );
}

/** Holds back ingest, and brings what is fixed in the database, and the days of the events, to what is configured. */
async function takeOver(trx: Trx, parts: EngineParts, deployment: Deployment): Promise<Engine> {
  const before = await holdVersions(trx);
  if (before.currency_decimals !== deployment.currency_decimals) {
    throw new StartRefusedError(
      `Amounts are stored with the ${before.currency_decimals} decimals of ${before.currency}; ${deployment.currency} has ${deployment.currency_decimals}. Load the data into a new database.`,
    );
  }
  const { reporting_time_zone, currency, currency_decimals } = deployment;
  const fixed = { reporting_time_zone, currency, currency_decimals, code_versions: CODE_VERSIONS };
  await trx.updateTable('versions').set(fixed).execute();
  const stored = await readProjections(trx);
  await saveProjections(
    trx,
    PROJECTIONS.map(({ name, version }) => ({ name, version, ready: true })),
  );
  await completeLayouts(trx);
  // Whoever refuses reports because of them is to learn that they are ready.
  if (stored.some(({ ready }) => !ready)) await raiseRevision(trx);
  if (before.reporting_time_zone !== reporting_time_zone) await moveDays(trx, timeZone(reporting_time_zone));
  return await readEngineIn(trx, parts);
}

async function rewrite(
  trx: Trx,
  client: pg.ClientBase,
  engine: Engine,
  folding: FoldThreads,
  page: PageSize | undefined,
): Promise<Rebuilt> {
  const rewrites: TableRewrite<SavedTable>[] = [];
  for (const table of SAVED_TABLES) rewrites.push(await beginRewrite(trx, table));
  let customers = 0;
  await folding.foldAll({
    pages: readHistoryPages(client, page),
    async save(saves, count) {
      await copySaves(client, rewrites, saves);
      customers += count;
    },
  });
  await growSortMemory(trx);
  const differences = new Differences(engine.plan);
  await Promise.all([folding.takeDifferences(differences), indexRewrites(trx, rewrites)]);
  const rollup_rows = await rewriteRollups(trx, client, differences);
  await finishRewrites(trx, rewrites, engine.log);
  return { customers, rollup_rows };
}

async function rewriteRollups(trx: Trx, client: pg.ClientBase, differences: Differences): Promise<number> {
  let written = 0;
  for (const projection of PROJECTIONS) {
    await clearRollup(trx, projection);
    const rows = differences.rows(projection);
    await copyDifferences(client, projection, rows);
    written += rows.length;
  }
  return written;
}
