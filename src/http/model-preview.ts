import { type Day, formatDay } from '../domain/calendar.ts';
import type { Classifier } from '../domain/classify.ts';
import { UNKNOWN } from '../domain/compile-model.ts';
import { EVERYBODY } from '../domain/differences.ts';
import { notePair, type PositionPairs, previewOf } from '../domain/model-preview.ts';
import { positionOn } from '../domain/position-on.ts';
import { basisOf, type Sampling, showBasis } from './population-basis.ts';
import type { PopulationRead } from './population-reads.ts';

/** A draft, the active model it is held against, and the day. */
export interface PreviewQuestion {
  readonly draft: Classifier;
  readonly current: Classifier;
  readonly as_of: Day;
}

const FIGURES =
  'Numbers of customers are estimates: shares of the sampled ones known at the end of as_of, times `customers`. Bounds: Wilson score intervals of the shares with the finite population factor (N − n)/(N − 1). Estimates are rounded one by one and may not add up.';

/** Classifies the stored customers, or a sample of them, by both models, and counts. */
export async function previewModel(read: PopulationRead, question: PreviewQuestion, sampling: Sampling) {
  const { draft, current, as_of } = question;
  const basis = await basisOf(read.trx, EVERYBODY, as_of, sampling);
  const pairs: PositionPairs = new Map();
  let seen = 0;
  const models = [draft.compiled.model, current.compiled.model];
  await read.each(basis.choice, { models, place: { pointer: '/model' } }, (days) => {
    const to = positionOn(draft, days, as_of);
    if (to === UNKNOWN) return;
    seen += 1;
    notePair(pairs, positionOn(current, days, as_of), to);
  });
  const population = basis.choice.sample === null ? seen : basis.known;
  const { counts, moves, changed } = previewOf(models[1]!, models[0]!, pairs, { seen, population });
  return { as_of: formatDay(as_of), basis: showBasis(basis, seen, FIGURES), counts, changed, moves };
}
