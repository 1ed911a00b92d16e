import { ANSWER_SHAPES } from './answer-rows.ts';
import type { Row } from './rival.ts';

/** What two answers say differently, at most a few cells of it; empty if they agree. Rows may come in any order. */
export function differences(report: string, ours: readonly Row[], theirs: readonly Row[]): string[] {
  const { fractions = 0 } = ANSWER_SHAPES[report]!;
  const [left, right] = [inOrder(ours, fractions), inOrder(theirs, fractions)];
  const found = left.length === right.length ? [] : [`${left.length} rows against ${right.length}`];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [one, other] = [left[index], right[index]];
    if (one === undefined || other === undefined || one.exact !== other.exact || !areNear(one.near, other.near))
      found.push(`${JSON.stringify(one)} against ${JSON.stringify(other)}`);
  }
  return found.slice(0, 8);
}

interface Comparable {
  readonly exact: string;
  readonly near: readonly (number | null)[];
}

function inOrder(rows: readonly Row[], fractions: number): Comparable[] {
  return rows
    .map((row) => ({
      exact: row
        .slice(0, row.length - fractions)
        .map(String)
        .join(' '),
      near: row
        .slice(row.length - fractions, fractions === 0 ? 0 : undefined)
        .map((cell) => (cell === null ? null : Number(cell))),
    }))
    .sort((one, other) => (one.exact < other.exact ? -1 : 1));
}

function areNear(ours: Comparable['near'], theirs: Comparable['near']): boolean {
  return ours.every((one, index) => {
    const other = theirs[index]!;
    return one === null || other === null ? one === other : Math.abs(one - other) <= 2e-6 * Math.max(1, Math.abs(one));
  });
}
