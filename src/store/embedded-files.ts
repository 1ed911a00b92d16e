import { createHash } from 'node:crypto';
import { chmod, lchown, lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * The system account a server runs as; it is needed only when the service itself is root, which PostgreSQL refuses
 * to be.
 */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Where the parts of an embedded server live. The cluster is a folder inside the data folder, so that it can be
 * made elsewhere and renamed into place even when the data folder is a mount point. Only the cluster belongs to the
 * server's account.
 */
export interface EmbeddedPaths {
  readonly dataDir: string;
  readonly cluster: string;
  readonly serverLog: string;
  readonly startLock: string;
  readonly users: string;
}

/** An embedded server cannot be had here. The message says what to change, and always offers DATABASE_URL. */
export class EmbeddedServerError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`${reason} Or set DATABASE_URL to use a PostgreSQL server of your own.`, options);
    this.name = 'EmbeddedServerError';
  }
}

/** The error code of a failed system call (`ENOENT`), or undefined. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The paths of the server of a data folder, which need not exist. Symbolic links are resolved: a server is known by
 * its real path.
 */
export async function embeddedPaths(dataDir: string): Promise<EmbeddedPaths> {
  const real = await realPathOf(dataDir);
  return {
    dataDir: real,
    cluster: join(real, 'cluster'),
    serverLog: join(real, 'postgres.log'),
    startLock: join(real, 'start.lock'),
    users: join(real, 'users'),
  };
}

/**
 * The account to run the server as: none for an ordinary user; for root the owner of the cluster, and `nobody` for
 * a new one.
 */
export async function serverAccount(cluster: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await stat(cluster).catch(() => undefined);
  return existing && existing.uid !== 0 ? { uid: existing.uid, gid: existing.gid } : { uid: 65534, gid: 65534 };
}

/**
 * The first existing part of a path, from the root on, that the account may not enter; undefined when it may enter
 * all.
 */
export async function firstClosed(path: string, account: Account): Promise<string | undefined> {
  const parent = dirname(path);
  if (parent !== path) {
    const closed = await firstClosed(parent, account);
    if (closed) return closed;
  }
  const stats = await stat(path).catch(() => undefined);
  if (!stats) return undefined;
  const bit = stats.uid === account.uid ? 0o100 : stats.gid === account.gid ? 0o010 : 0o001;
  return stats.mode & bit ? undefined : path;
}

/** Makes the data folder, and refuses one that the server's account cannot enter, before anything is written. */
export async function prepareDataDir(paths: EmbeddedPaths, account: Account | undefined): Promise<void> {
  const closed = account && (await firstClosed(paths.dataDir, account));
  if (account && closed) {
    throw new EmbeddedServerError(
      `The embedded PostgreSQL does not run as root but as user ${account.uid}, who cannot enter ${closed} ` +
        `on the way to the data folder ${paths.dataDir}. Set DATA_DIR to a folder that every user may enter ` +
        '(such as /var/lib/escalera).',
    );
  }
  try {
    await makeFolders(paths.users, account ? 0o711 : 0o700);
  } catch (error) {
    throw new EmbeddedServerError(
      `The data folder ${paths.dataDir} cannot be used (${codeOf(error) ?? String(error)}). ` +
        'Set DATA_DIR to a folder this user may write to.',
      { cause: error },
    );
  }
}

/**
 * Makes the folder of the server's socket, private to its account, and answers its path. The path is short: an
 * address of a socket has room for 103 bytes on macOS and 107 on Linux, and data folders are often deeper. A server
 * that is started again gets the folder its clients know.
 */
export async function prepareSocketDir(
  cluster: string,
  account: Account | undefined,
  known: string | undefined,
): Promise<string> {
  if (known && (await ownFolder(known, account))) return known;
  const name = `escalera-${createHash('sha256').update(cluster).digest('hex').slice(0, 10)}`;
  for (const base of new Set([tmpdir(), '/tmp'])) {
    const folder = join(base, name);
    if (Buffer.byteLength(join(folder, '.s.PGSQL.5432')) > 103) continue;
    if (account && (await firstClosed(await realPathOf(base), account))) continue;
    if (await ownFolder(folder, account)) return folder;
  }
  throw new EmbeddedServerError(
    `No folder for the server's socket could be made in ${tmpdir()}. Set TMPDIR to a short, writable folder.`,
  );
}

/** Gives a file, folder or link to the account; does nothing for an ordinary user, whose files are his anyway. */
export async function giveTo(account: Account | undefined, path: string): Promise<void> {
  if (account) await lchown(path, account.uid, account.gid);
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT')
      throw new EmbeddedServerError(`${path} cannot be read (${codeOf(error)}).`, { cause: error });
    return join(await realPathOf(dirname(path)), basename(path));
  }
}

/** Like `mkdir -p`, but a strict umask of root does not shut the server's account out of the folders made. */
async function makeFolders(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT') throw error;
    await makeFolders(dirname(path), mode);
    return makeFolders(path, mode);
  }
  await chmod(path, mode);
}

/** False when the name is taken by somebody else, as it may be in a shared temporary folder. */
async function ownFolder(folder: string, account: Account | undefined): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') return false;
    const stats = await lstat(folder);
    if (!stats.isDirectory() || ![process.getuid?.(), account?.uid].includes(stats.uid)) return false;
  }
  await giveTo(account, folder);
  await chmod(folder, 0o700);
  return true;
}
