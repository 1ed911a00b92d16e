import type { Differences } from '../domain/differences.ts';
import { activityDays, type History } from '../domain/history.ts';
import { encodeFold } from '../domain/saved-fold.ts';
import type { Trx } from '../store/connect.ts';
import { figuresOf } from '../store/customer-figures.ts';
import type { CustomerSave } from '../store/customer-saves.ts';
import { yearsOf } from '../store/customer-years.ts';
import { type CustomerDates, type ListedCustomer, pageCustomers } from '../store/customers.ts';
import { type EventsById, noEvents, readEvents } from '../store/histories.ts';
import { turnoverOf } from './customer-work.ts';
import type { Folding } from './foldings.ts';
import { emitInto, foldWhole } from './refold.ts';

/** Customers folded at once. */
const PAGE = 2_000;

/** Gives every customer with all events, page by page in order of the ids. */
export async function* eachPage(
  trx: Trx,
): AsyncGenerator<readonly { readonly customer: ListedCustomer; readonly events: EventsById }[]> {
  for (let after = ''; ; ) {
    const customers = await pageCustomers(trx, after, PAGE);
    if (customers.length === 0) return;
    const events = await readEvents(
      trx,
      customers.map((customer) => customer.customer_id),
    );
    yield customers.map((customer) => ({ customer, events: events.get(customer.customer_id) ?? noEvents() }));
    after = customers.at(-1)!.customer_id;
  }
}

/** What folding from the events alone needs to know of a folding. */
export type FoldingPlan = Pick<Folding, 'plan' | 'layout' | 'model_versions' | 'talliesOf'>;

/** Folds a customer from the whole history alone: adds the whole contribution, and returns what should be saved. */
export function foldStored(
  { plan, layout, model_versions, talliesOf }: FoldingPlan,
  customer: CustomerDates,
  history: History,
  differences: Differences,
): CustomerSave {
  const days = activityDays(history);
  const { saved, spells, facts } = foldWhole(plan, days, talliesOf(emitInto(differences, 1, customer.group_ids)));
  const stored = [...history.purchases, ...history.refunds, ...history.interactions];
  return {
    ...customer,
    events: stored.length,
    turnover: stored.reduce((sum, event) => sum + turnoverOf(event), 0),
    pending_refunds: days.reduce((sum, day) => sum + day.pending_refunds, 0),
    fold: encodeFold(saved),
    layout,
    model_versions,
    spells,
    figures: figuresOf(facts),
    years: { whole: true, figures: yearsOf(days) },
  };
}
