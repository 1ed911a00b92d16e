import { ModelsChangedError } from '../store/versions.ts';
import { build, isBuilding } from './build.ts';
import { loadEngine } from './engine.ts';
import { removeRetired } from './switch-models.ts';
import { threadSide } from './thread-side.ts';

// What the thread of `startBuilding` runs.

/** A connection for each chunk, and one to take the next. */
const { parts, signal, leave } = threadSide(3);

/** Builds whatever is to be built, so many customers at once, and removes what is to be removed. */
export default async function buildAll(chunk: number): Promise<void> {
  try {
    for (let engine = await loadEngine(parts); !signal.aborted; engine = await loadEngine(parts)) {
      if (!isBuilding(engine)) return await removeRetired(engine, signal);
      await build(engine, { signal, chunk }).catch(unlessModelsChanged);
    }
  } finally {
    await leave();
  }
}

/** Then there is something else to build, or nothing. */
function unlessModelsChanged(error: unknown): void {
  if (!(error instanceof ModelsChangedError)) throw error;
}
