import type { Logger } from 'pino';
import type { Config } from '../config.ts';

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
  /** True for commands that serve, and so must not stand open to everybody. */
  readonly listens: boolean;
  /** Returns the exit code. */
  readonly run: (context: CommandContext) => Promise<number>;
}
