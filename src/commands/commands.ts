import type { Command } from './command.ts';
import { demo } from './demo.ts';
import { importCommand } from './import.ts';
import { key } from './key.ts';
import { migrateSchema } from './migrate.ts';
import { openapi } from './openapi.ts';
import { rebuild } from './rebuild.ts';
import { serve } from './serve.ts';
import { verify } from './verify.ts';

/** All commands by name. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  serve: { quiet: false, listens: true, run: serve },
  demo: { quiet: true, listens: true, run: demo },
  import: { quiet: true, listens: false, run: importCommand },
  key: { quiet: true, listens: false, run: key },
  migrate: { quiet: false, listens: false, run: migrateSchema },
  openapi: { quiet: true, listens: false, run: openapi },
  rebuild: { quiet: true, listens: false, run: rebuild },
  verify: { quiet: true, listens: false, run: verify },
};
