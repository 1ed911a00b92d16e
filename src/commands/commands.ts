import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { demo } from './demo.ts';
import { key } from './key.ts';
import { migrateSchema } from './migrate.ts';
import { openapi } from './openapi.ts';
import { rebuild } from './rebuild.ts';
import { serve } from './serve.ts';
import { verify } from './verify.ts';

/** What every command gets. */
export interface CommandContext {
  readonly config: Config;
  readonly log: Logger;
  readonly args: readonly string[];
}

/** A command of `npm run`. */
export interface Command {
  /** True for commands that print for people: only warnings are logged, to standard error. */
  readonly quiet: boolean;
  /** Returns the exit code. */
  readonly run: (context: CommandContext) => Promise<number>;
}

/** All commands by name. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  serve: { quiet: false, run: serve },
  demo: { quiet: true, run: demo },
  key: { quiet: true, run: key },
  migrate: { quiet: false, run: migrateSchema },
  openapi: { quiet: true, run: openapi },
  rebuild: { quiet: true, run: rebuild },
  verify: { quiet: true, run: verify },
};
