import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { StoreLog } from '../store/log.ts';

/** What a key may do. Each operation declares the one it needs. */
export const SCOPES = ['read', 'write', 'admin'] as const;
/** One of `SCOPES`. */
export type Scope = (typeof SCOPES)[number];

/** A key as configured: its secret is never stored, only its SHA-256. */
export interface Key {
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** Finds the key of a bearer token. */
export interface KeyRing {
  /** False if no keys are configured: then everybody may do everything, and the service listens on loopback only. */
  readonly configured: boolean;
  find(token: string): Promise<Key | undefined>;
}

const LINE = /^([A-Za-z0-9._-]{1,64}):([a-z]+(?:,[a-z]+)*):([0-9a-f]{64})$/;

/**
 * Reads key lines `name:scopes:sha256`, scopes separated by commas, lines by white space or line ends; lines that begin with `#` are left out. Throws
 * an error that gives the number of the first wrong line, never its text.
 */
export function parseKeys(text: string): Map<string, Key> {
  const keys = new Map<string, Key>();
  const lines = text.split(/\r?\n/).flatMap((line, index) => {
    const entries = line.trim().startsWith('#') ? [] : line.trim().split(/\s+/);
    return entries.filter((entry) => entry !== '').map((entry) => ({ entry, line: index + 1 }));
  });
  for (const { entry, line } of lines) {
    const match = LINE.exec(entry);
    const scopes = match?.[2]?.split(',') ?? [];
    if (match === null || !scopes.every((scope): scope is Scope => SCOPES.includes(scope as Scope))) {
      throw new Error(
        `key line ${line} is not name:scopes:sha256 with scopes of ${SCOPES.join(', ')}; npm run key makes one`,
      );
    }
    keys.set(match[3]!, { name: match[1]!, scopes });
  }
  return keys;
}

/** The hash under which a token is configured. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** A ring of fixed keys. */
export function fixedKeys(text: string): KeyRing {
  const keys = parseKeys(text);
  return { configured: keys.size > 0, find: async (token) => keys.get(hashToken(token)) };
}

const RECHECK_MS = 1_000;

/**
 * A ring read from a file, which is looked at again at most once a second and read again when it changed: add the new key, switch the callers, remove
 * the old one, nothing is restarted. While the file is missing or wrong the keys of before stay, and the log says so.
 */
export async function keysFromFile(path: string, log: StoreLog, now: () => number): Promise<KeyRing> {
  let seen = await mark(path);
  let keys = await readKeys(path);
  let checked_at = now();
  let checking: Promise<void> | undefined;
  const recheck = async (): Promise<void> => {
    try {
      const current = await mark(path);
      if (current === seen) return;
      keys = await readKeys(path);
      seen = current;
      log.info({ keys: keys.size }, 'keys were read again');
    } catch (error) {
      log.error({ reason: (error as Error).message }, 'keys could not be read again; the ones of before stay');
    }
  };
  return {
    configured: true,
    async find(token) {
      if (now() - checked_at >= RECHECK_MS) {
        checked_at = now();
        checking = recheck().finally(() => {
          checking = undefined;
        });
      }
      await checking;
      return keys.get(hashToken(token));
    },
  };
}

/** A file without any key is one that is just being written, or a mistake: it would shut everybody out. */
async function readKeys(path: string): Promise<Map<string, Key>> {
  const keys = parseKeys(await readFile(path, 'utf8'));
  if (keys.size === 0) throw new Error('there is no key in it');
  return keys;
}

async function mark(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path);
  return `${mtimeMs} ${size} ${ino}`;
}
