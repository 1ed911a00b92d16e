import { move, transferableSymbol, valueSymbol, workerData } from 'piscina';
import type { DifferencePart } from '../domain/differences.ts';
import type { EncodedSaves } from '../store/customer-copy.ts';
import type { HistoryPage } from '../store/history-pages.ts';
import { type PageFoldOptions, pageFold } from './page-fold.ts';

// What a thread of `FoldThreads` runs.

const own = pageFold(workerData as PageFoldOptions);

/** As `PageFold.fold`. */
export function fold(page: HistoryPage): EncodedSaves {
  const saves = own.fold(page);
  return handOver(
    saves,
    Object.values(saves).map((bytes) => bytes.buffer),
  );
}

/** As `PageFold.takeDifferences`. */
export function takeDifferences(): DifferencePart[] {
  const parts = own.takeDifferences();
  return handOver(
    parts,
    parts.map(({ rows }) => rows.buffer),
  );
}

/** Bytes are handed over to the caller's thread, not copied. */
function handOver<Value>(value: Value, buffers: readonly ArrayBuffer[]): Value {
  return move({ [transferableSymbol]: buffers, [valueSymbol]: value } as never) as Value;
}
