import closeWithGrace from 'close-with-grace';
import { startService } from '../service.ts';
import type { CommandContext } from './command.ts';

/** After this the process ends whatever still hangs on it. */
const CLOSE_LIMIT_MS = 25_000;

/** Serves until SIGTERM or SIGINT, lets requests in flight finish, and ends with 0. */
export async function serve({ config, log }: CommandContext): Promise<number> {
  const service = await startService(config, log);
  const code = endingCode(() => service.close(), log);
  service.ready.catch((error: unknown) => {
    log.fatal({ reason: (error as Error).message }, 'cannot start');
    code.fail();
  });
  return await code.ended;
}

/** Closes on a signal, and on the request of whoever holds the handle; the promise gives the exit code. */
export function endingCode(
  close: () => Promise<void>,
  log: CommandContext['log'],
): { ended: Promise<number>; fail: () => void } {
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  let failed = false;
  const handle = closeWithGrace({ delay: CLOSE_LIMIT_MS, logger: false }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, 'unexpected failure, closing');
    else log.info({ signal }, 'closing');
    await close();
    log.info({}, 'closed');
    const code = err || failed ? 1 : 0;
    resolve(code);
    // close-with-grace would end with 0 after every orderly close.
    if (code !== 0) process.exit(code);
  });
  return {
    ended,
    fail: () => {
      failed = true;
      handle.close();
    },
  };
}
