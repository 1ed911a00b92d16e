import { formatInstant } from '../domain/instant.ts';
import type { Engine } from '../ingest/engine.ts';
import { Problem } from '../problems.ts';
import { ROW_RESULTS, readImport, type StoredImport } from '../store/imports.ts';
import { snapshot } from './context.ts';

/** An import as answers show it; a 404 problem if there is none. */
export async function requireImport(engine: Engine, importId: number) {
  const found = await snapshot(engine, async (trx) => await readImport(trx, importId));
  if (found === undefined) throw new Problem('import_not_found');
  return showImport(found);
}

/** An import as answers show it. */
export function showImport(one: StoredImport) {
  const { import_id, state, format, kind, failure, bytes_read, rows_read } = one;
  const instant = (at: number | null): string | null => (at === null ? null : formatInstant(at));
  const counts = Object.fromEntries(ROW_RESULTS.map((result) => [result, one[result]]));
  const waiting = ROW_RESULTS.reduce((rest, result) => rest - one[result], rows_read);
  return {
    import_id,
    state,
    format,
    kind,
    failure,
    bytes_read,
    rows_read,
    ...counts,
    waiting,
    started_at: instant(one.started_at),
    received_at: instant(one.received_at),
    finished_at: instant(one.finished_at),
  };
}
