import { rebuild as rebuildStore } from '../ingest/rebuild.ts';
import { MIGRATIONS, openDatabase, startOptions } from '../service.ts';
import { migrate } from '../store/migrate.ts';
import type { CommandContext } from './command.ts';

/** Folds everything anew from the stored events, with the configured time zone and currency. */
export async function rebuild({ config, log }: CommandContext): Promise<number> {
  const database = await openDatabase(config, log);
  try {
    await migrate(database.options.connection, MIGRATIONS, log);
    const { deployment, ...parts } = startOptions(config, database, log);
    const started_at = performance.now();
    const { customers, rollup_rows } = await rebuildStore(parts, deployment);
    const seconds = ((performance.now() - started_at) / 1_000).toFixed(1);
    console.log(`${customers} customers folded anew into ${rollup_rows} roll-up rows in ${seconds} s`);
    return 0;
  } finally {
    await database.close();
  }
}
