import { MIGRATIONS, openDatabase } from '../service.ts';
import { migrate } from '../store/migrate.ts';
import type { CommandContext } from './command.ts';

/** Brings the schema up to this code, once among any number of processes that try. */
export async function migrateSchema({ config, log }: CommandContext): Promise<number> {
  const database = await openDatabase(config, log);
  try {
    const { applied } = await migrate(database.options.connection, MIGRATIONS, log);
    log.info({ applied }, applied.length === 0 ? 'the schema was up to date' : 'migrated');
    return 0;
  } finally {
    await database.close();
  }
}
