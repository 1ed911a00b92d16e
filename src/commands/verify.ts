import { ConfigError } from '../config.ts';
import { machineClock } from '../ingest/machine-clock.ts';
import { verify as verifyStore } from '../ingest/verify.ts';
import { openDatabase } from '../service.ts';
import { readVersions } from '../store/versions.ts';
import type { CommandContext } from './command.ts';

/** Proves that every roll-up, saved state and spell is what the stored events give. Exit 1 and a list if one is not. */
export async function verify({ config, log }: CommandContext): Promise<number> {
  const database = await openDatabase(config, log);
  try {
    const versions = await readVersions(database.db);
    if (versions === undefined)
      throw new ConfigError('The database has not been started once yet: there is nothing to verify.');
    const parts = { db: database.db, pool: database.pool, log, now: machineClock, statement_timeout_ms: 0 };
    const found = await verifyStore(parts);
    for (const text of found.differences) console.log(`- ${text}`);
    const checked = `${found.customers} customers and ${found.rollup_rows} roll-up rows checked`;
    console.log(
      found.difference_count === 0
        ? `${checked}: no difference`
        : `${checked}: ${found.difference_count} differences; npm run rebuild mends them`,
    );
    return found.difference_count === 0 ? 0 : 1;
  } finally {
    await database.close();
  }
}
