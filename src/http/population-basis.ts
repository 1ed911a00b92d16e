import type { Day } from '../domain/calendar.ts';
import type { Choice } from '../store/chosen-histories.ts';
import type { Trx } from '../store/connect.ts';
import { countKnown } from '../store/known-customers.ts';

/** When a question is answered from a sample. */
export interface Sampling {
  /** With more stored customers than this (of the group, if one is asked for). */
  readonly above: number;
  /** Customers of a sample. */
  readonly size: number;
  readonly seed: number;
}

/** Unless chosen otherwise. Everybody up to 50,000 takes a second; a sample of 10,000 puts a share within one percentage point. */
export const SAMPLING: Sampling = { above: 50_000, size: 10_000, seed: 1 };

/** Whom an answer is about, and whom it was read from. */
export interface PopulationBasis {
  readonly choice: Choice;
  /** Customers stored now. */
  readonly stored: number;
  /** Those of them who were known at the end of the day, exactly. */
  readonly known: number;
}

/** Decides whether everybody is read, or a sample. */
export async function basisOf(trx: Trx, group_id: number, day: Day, sampling: Sampling): Promise<PopulationBasis> {
  const { stored, known } = await countKnown(trx, group_id, day);
  const { above, size, seed } = sampling;
  return { choice: { group_id, sample: stored > above ? { size, seed } : null }, stored, known };
}

/** The basis as it is answered; `seen` customers were known at the end of the day and looked at. `figures` says what the figures of a sample are. */
export function showBasis({ choice: { sample }, stored, known }: PopulationBasis, seen: number, figures: string) {
  const read =
    sample === null
      ? 'Every stored customer was read, in one snapshot.'
      : `A uniform random sample of ${Math.min(sample.size, stored)} of the ${stored} stored customers was read, in one snapshot: those whose ids hash to the least values under the seed. ${figures}`;
  return {
    customers: sample === null ? seen : known,
    sampled: sample !== null,
    sample_customers: seen,
    seed: sample?.seed ?? null,
    confidence: 0.95,
    method: read,
  };
}
