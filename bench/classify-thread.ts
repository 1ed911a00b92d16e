import { parentPort, workerData } from 'node:worker_threads';
import { classify, compileClassifier } from '../src/domain/classify.ts';
import { activityDays, type History } from '../src/domain/history.ts';
import { BUILT_IN_MODELS } from '../src/domain/models.ts';
import { median } from './case.ts';
import { seededHistories } from './histories.ts';

// Classifies histories of five purchases by one model, nothing stored, in a thread and so in a heap of its own: where other cases have kept days and
// answers before, V8 makes new ones in the old generation, which no service does.

/** How many histories to make; about two in five are long enough. */
export interface ClassifyOrder {
  readonly customers: number;
}

/** Microseconds a history. */
export interface ClassifyReport {
  readonly from_events: number;
  readonly from_days: number;
}

/** Answers kept at once, as many as a request has. */
const KEPT = 1_000;
const ROUNDS = 15;

parentPort?.postMessage(measure(workerData as ClassifyOrder));

function measure({ customers }: ClassifyOrder): ClassifyReport {
  const classifier = compileClassifier(BUILT_IN_MODELS.lifecycle, 1, 2);
  const histories = seededHistories(customers, 2)
    .filter(({ purchases }) => purchases.length >= 5)
    .map((history): History => ({ ...history, purchases: history.purchases.slice(0, 5), refunds: [] }));
  const asOf = histories[0]!.received_on + 1_200;
  const from_events = each(histories, (history) => classify(classifier, activityDays(history), asOf));
  const from_days = each(histories.map(activityDays), (days) => classify(classifier, days, asOf));
  return { from_events, from_days };
}

function each<Item>(items: readonly Item[], answer: (item: Item) => unknown): number {
  const round = (): number => {
    const started_at = performance.now();
    for (let from = 0; from < items.length; from += KEPT) items.slice(from, from + KEPT).map(answer);
    return ((performance.now() - started_at) * 1_000) / items.length;
  };
  round();
  return median(Array.from({ length: ROUNDS }, round));
}
