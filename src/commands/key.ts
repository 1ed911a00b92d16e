import { randomBytes } from 'node:crypto';
import { ConfigError } from '../config.ts';
import { hashToken, parseKeys } from '../http/keys.ts';
import type { CommandContext } from './command.ts';

/** Makes a key: `npm run key -- NAME SCOPES`. Prints the secret, which is not kept anywhere, and the line for API_KEYS or API_KEYS_FILE. */
export async function key({ args }: CommandContext): Promise<number> {
  const [name = '', scopes = 'read'] = args;
  const secret = randomBytes(32).toString('base64url');
  const line = `${name}:${scopes}:${hashToken(secret)}`;
  try {
    parseKeys(line);
  } catch {
    throw new ConfigError(
      'Usage: npm run key -- NAME SCOPES, with a NAME of letters, digits, dots or hyphens, and SCOPES such as read,write,admin.',
    );
  }
  console.log(`Key for the caller (shown once):\n${secret}\n\nLine for API_KEYS or API_KEYS_FILE:\n${line}`);
  return 0;
}
