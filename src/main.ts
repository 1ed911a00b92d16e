import { pino } from 'pino';
import { COMMANDS } from './commands/commands.ts';
import { ConfigError, readConfig } from './config.ts';
import { StartRefusedError } from './ingest/start.ts';
import { EmbeddedServerError } from './store/embedded-files.ts';
import { MigrationOrderError, SchemaTooNewError } from './store/migrate.ts';

/** Failures the operator can mend: their message says how, so it is all that is printed. */
const EXPECTED = [ConfigError, StartRefusedError, EmbeddedServerError, SchemaTooNewError, MigrationOrderError];

const [name = 'serve', ...args] = process.argv.slice(2);
try {
  const command = COMMANDS[name];
  if (command === undefined)
    throw new ConfigError(`There is no command ${name}; there are ${Object.keys(COMMANDS).join(', ')}.`);
  const config = readConfig(undefined, command.listens);
  const log = pino(
    { level: command.quiet ? 'warn' : config.log_level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: command.quiet ? 2 : 1, sync: true }),
  );
  process.exitCode = await command.run({ config, log, args });
} catch (error) {
  const expected = EXPECTED.some((kind) => error instanceof kind);
  console.error(expected ? (error as Error).message : error);
  process.exitCode = 1;
}
