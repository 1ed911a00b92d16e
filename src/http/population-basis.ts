import type { Day } from '../domain/calendar.ts';
import type { Choice } from '../store/chosen-histories.ts';
import type { Trx } from '../store/connect.ts';
import { countKnown } from '../store/known-customers.ts';

/** When a question is answered from a sample. */
export interface Sampling {
  /** With more stored customers than this (of the group, if one is asked for), or more events of theirs than `events`. */
  readonly above: number;
  /** Customers of a sample; fewer, but not less than a tenth, if they would have more events than `events`. */
  readonly size: number;
  readonly events: number;
  readonly seed: number;
}

/** Unless chosen otherwise. Half a million events take a second or two; a sample of 10,000 puts a share within one percentage point. */
export const SAMPLING: Sampling = { above: 50_000, size: 10_000, events: 500_000, seed: 1 };

/** `SAMPLING` in words, for descriptions. */
export const SAMPLING_WORDS = `Up to ${inWords(SAMPLING.above)} stored customers with up to ${inWords(SAMPLING.events)} events all are read. Above, ${inWords(SAMPLING.size)} customers are drawn at random (fewer if their histories are long), always the same for the same seed;`;

function inWords(number: number): string {
  return number.toLocaleString('en');
}

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
  const { stored, known, events } = await countKnown(trx, group_id, day);
  const { above, seed } = sampling;
  if (stored <= above && events <= sampling.events) return { choice: { group_id, sample: null }, stored, known };
  const affordable = Math.floor((sampling.events * stored) / Math.max(1, events));
  const size = Math.min(sampling.size, Math.max(Math.ceil(sampling.size / 10), affordable));
  return { choice: { group_id, sample: { size, seed } }, stored, known };
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
