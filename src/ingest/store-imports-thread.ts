import { ModelsChangedError } from '../store/versions.ts';
import { type Engine, loadEngine } from './engine.ts';
import { LANES, storeImports } from './store-imports.ts';
import { type BrokenOff, brokenBy, type Stored } from './storing-thread.ts';
import { threadSide } from './thread-side.ts';

// What the thread of `storingThread` runs.

/** A connection for each lane, and one that looks for the next page. */
const { parts, signal, tell, leave } = threadSide<Stored>(LANES + 1);
let engine: Engine | null = null;

/** Stores all imports, in transactions of so many rows. Errors lose what they are on their way to another thread, so it says what they mean. */
export default async function store(page_rows: number): Promise<BrokenOff | null> {
  try {
    engine ??= await loadEngine(parts);
    await storeImports(engine, { signal, page_rows, onStored: (...stored) => tell(stored) });
    return null;
  } catch (error) {
    if (error instanceof ModelsChangedError) engine = null;
    return brokenBy(error);
  } finally {
    await leave();
  }
}
