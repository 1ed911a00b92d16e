import { link, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { codeOf } from './embedded-files.ts';

/**
 * What tells a process from a later one with the same id: its start time on Linux, `alive` elsewhere. Undefined
 * when there is no such process or only its unburied rest (a zombie).
 */
export async function processMark(pid: number): Promise<string | undefined> {
  if (!exists(pid)) return undefined;
  if (process.platform !== 'linux') return 'alive';
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, ...fields] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return state === undefined || 'ZX'.includes(state) ? undefined : fields[18];
}

/**
 * Writes a file that names this process as its owner, unless another live process holds it: then answers false. Two
 * processes that find the same dead owner may both succeed; the server's own lock file then decides between them.
 */
export async function takeLock(path: string): Promise<boolean> {
  const holder = await readFile(path, 'utf8').catch(() => undefined);
  if (holder !== undefined) {
    if (await ownerAlive(holder)) return false;
    await rm(path, { force: true });
  }
  const claim = `${path}.${process.pid}-${performance.now()}`;
  await writeFile(claim, await ownerLine(process.pid));
  try {
    await link(claim, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(claim);
  }
}

/** Whether a live process holds the lock. */
export async function lockHeld(path: string): Promise<boolean> {
  return await ownerAlive(await readFile(path, 'utf8').catch(() => ''));
}

/** The text by which a later process can tell whether the one with this id still lives. */
export async function ownerLine(pid: number): Promise<string> {
  return `${pid} ${await processMark(pid)}`;
}

/** Whether the process that wrote an owner line still lives. */
export async function ownerAlive(line: string): Promise<boolean> {
  const pid = Number(line.split(' ')[0]);
  return pid > 0 && line === (await ownerLine(pid)) && (await processMark(pid)) !== undefined;
}

/** Whether a process id is taken, be it by a zombie or by another user's process. */
export function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
