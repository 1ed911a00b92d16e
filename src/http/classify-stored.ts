import type { ActivityDay } from '../domain/activity-day.ts';
import { classify, foldUntil } from '../domain/classify.ts';
import type { FoldPlan } from '../domain/fold.ts';
import { activityDays } from '../domain/history.ts';
import type { Engine } from '../ingest/engine.ts';
import type { Trx } from '../store/connect.ts';
import { resolveCustomers } from '../store/customer-reads.ts';
import { historyOf, noEvents, readEvents } from '../store/histories.ts';
import { type AnswerContext, stageAnswer } from './stage-answer.ts';

/** Most product codes an explanation counts. */
const SHOWN_PRODUCTS = 1_001;

/** The plan for reading: the models without reports, and with enough memory to show what a rule saw. */
export function readingPlan({ memory, models }: FoldPlan): FoldPlan {
  return { memory: { ...memory, products: memory.products === 0 ? 0 : SHOWN_PRODUCTS }, models, folds: [] };
}

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

/** Where a history stands in one model of the plan at the end of a day. */
export function answerOn(
  plan: FoldPlan,
  index: number,
  customerId: string | null,
  days: readonly ActivityDay[],
  context: AnswerContext,
) {
  const state = foldUntil(plan, days, context.as_of);
  const found = state === null ? null : classify(plan, index, state, context.as_of, context.decimals);
  return stageAnswer(customerId, found, context);
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
