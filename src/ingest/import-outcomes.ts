import type { RowFault } from '../store/imports.ts';
import type { StagedRow } from '../store/staged-rows.ts';
import type { Outcome } from './change.ts';
import { REFUSALS } from './refusals.ts';

/** What became of rows of an import. */
export interface CountedOutcomes {
  readonly counts: { created: number; updated: number; duplicate: number; conflict: number; invalid: number };
  /** The rows that were not stored, in the order in which they were counted. */
  readonly faults: RowFault[];
}

const CONFLICT = {
  code: 'conflict',
  detail: 'Other content is stored under this id, and stays; PUT the item to correct it.',
};

/** Nothing has been counted. */
export function noOutcomes(): CountedOutcomes {
  return { counts: { created: 0, updated: 0, duplicate: 0, conflict: 0, invalid: 0 }, faults: [] };
}

/** Adds up what became of rows; the outcomes are in their order. */
export function countOutcomes(
  { counts, faults }: CountedOutcomes,
  rows: readonly StagedRow[],
  outcomes: readonly Outcome[],
): void {
  for (const [index, outcome] of outcomes.entries()) {
    counts[outcome.status as keyof typeof counts] += 1;
    const { line } = rows[index]!;
    if (outcome.status === 'conflict') faults.push({ line, status: 'conflict', pointer: null, ...CONFLICT });
    else if (outcome.status === 'invalid') {
      const [pointer, detail] = REFUSALS[outcome.refusal];
      faults.push({ line, status: 'invalid', pointer: pointer === '' ? null : pointer, code: outcome.refusal, detail });
    }
  }
}
