import type { ActivityDay } from '../domain/activity-day.ts';
import { type Classifier, classify } from '../domain/classify.ts';
import { activityDays } from '../domain/history.ts';
import type { Engine } from '../ingest/engine.ts';
import type { Trx } from '../store/connect.ts';
import { resolveCustomers } from '../store/customer-reads.ts';
import { historyOf, noEvents, readEvents } from '../store/histories.ts';
import { type AnswerContext, stageAnswer } from './stage-answer.ts';

/** The activity days of a stored customer. */
export interface StoredDays {
  /** The survivor's, if the id asked for was merged. */
  readonly customer_id: string;
  readonly days: readonly ActivityDay[];
}

/** The activity days of the customers these ids stand for, by the id asked for; unknown ids are absent. */
export async function readDays(trx: Trx, customerIds: readonly string[]): Promise<Map<string, StoredDays>> {
  const customers = await resolveCustomers(trx, customerIds);
  const events = await readEvents(trx, [...new Set([...customers.values()].map((customer) => customer.customer_id))]);
  return new Map(
    [...customers].map(([id, customer]) => {
      const { customer_id } = customer;
      return [id, { customer_id, days: activityDays(historyOf(customer, events.get(customer_id) ?? noEvents())) }];
    }),
  );
}

/** Where a history stands by a classifier at the end of a day. */
export function answerOn(
  classifier: Classifier,
  customerId: string | null,
  days: readonly ActivityDay[],
  context: AnswerContext,
) {
  return stageAnswer(customerId, classify(classifier, days, context.as_of), context);
}

/** What the answers of one stored model are about. */
export function contextOf(
  engine: Engine,
  index: number,
  rest: Pick<AnswerContext, 'as_of' | 'today' | 'language'>,
): AnswerContext {
  const { model, version } = engine.models[index]!;
  return { model, model_version: version, decimals: engine.decimals, ...rest };
}
