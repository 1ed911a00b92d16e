import { FIRST_DAY, LAST_DAY } from '../domain/calendar.ts';
import { type Position, stageOf, UNKNOWN } from '../domain/compile-model.ts';
import { MODEL_LIMITS } from '../domain/model.ts';
import type { FoldedDay, Projection } from '../domain/projection.ts';

/** The stage of customers who were not known on the eve. */
export const NOT_KNOWN = 0;

// Measures.
const RECEIPTS = 0;
const REFUNDS = 1;
const COSTS = 2;

/**
 * Money by its own day and by the stage on the eve of that day: `NOT_KNOWN`, else 1 + the index of the stage. Receipts are amounts before refunds, refunds
 * those paid on the day whatever they refund, costs those of purchases and interactions. Cash-flow reads it.
 */
export const cashFlowRollup: Projection<null> = {
  name: 'cash-flow',
  version: 1,
  per_model: true,
  key: [
    { name: 'day', least: FIRST_DAY, size: LAST_DAY - FIRST_DAY + 1 },
    { name: 'stage', least: NOT_KNOWN, size: 1 + MODEL_LIMITS.stages },
  ],
  measures: ['receipts', 'refunds', 'costs'],
  start: null,
  advance(state, folded, tally) {
    const { day, receipts, refunds_paid, costs } = folded.day;
    if (receipts !== 0 || refunds_paid !== 0 || costs !== 0) {
      const eve = positionOnEve(folded);
      const row = tally.at(day, eve === UNKNOWN ? NOT_KNOWN : 1 + stageOf(eve));
      row.add(RECEIPTS, receipts).add(REFUNDS, refunds_paid).add(COSTS, costs);
    }
    return state;
  },
  settle() {},
};

/** Where the customer stood at the end of the day before: only the last move can be dated on the day itself. */
function positionOnEve({ day, moves, position }: FoldedDay): Position {
  const last = moves[moves.length - 1];
  return last !== undefined && last.day === day.day ? last.from : position;
}
