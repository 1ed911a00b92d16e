import { ModelsChangedError } from '../store/versions.ts';
import { build, isBuilding } from './build.ts';
import { loadEngine } from './engine.ts';
import { removeRetired } from './switch-models.ts';
import { threadSide } from './thread-side.ts';

// What the thread of `startBuilding` runs.

const { parts, signal, leave } = threadSide(2);

/** Builds whatever is to be built, so many customers at once, and removes what is to be removed. Returns false if another process builds. */
export default async function buildAll(chunk: number): Promise<boolean> {
  try {
    while (!signal.aborted) {
      const engine = await loadEngine(parts);
      if (isBuilding(engine)) {
        if (!(await build(engine, { signal, chunk }).catch(nextModels))) return false;
      } else {
        await removeRetired(engine, signal);
        return true;
      }
    }
    return true;
  } finally {
    await leave();
  }
}

/** True if there is something else to build now. */
function nextModels(error: unknown): true {
  if (error instanceof ModelsChangedError) return true;
  throw error;
}
