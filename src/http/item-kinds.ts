import type { TObject } from '@sinclair/typebox';
import type { Change, CustomerChange, EventChange } from '../ingest/change.ts';
import type { Engine } from '../ingest/engine.ts';
import type { ProblemDetail } from '../problems.ts';
import type { EventKind } from '../store/histories.ts';
import { FieldFault, readCustomer, readInteraction, readPurchase, readRefund } from './read-items.ts';
import { CustomerItem, InteractionItem, type ItemKind, PurchaseItem, RefundItem } from './schemas/items.ts';
import { checkTexts } from './text.ts';
import { bodyFault, compileBody } from './validation.ts';

/** The schema of each kind. */
export const ITEM_SCHEMAS: Readonly<Record<ItemKind, TObject>> = {
  customers: CustomerItem,
  purchases: PurchaseItem,
  refunds: RefundItem,
  interactions: InteractionItem,
};

/** What an item means, or what is wrong with it. */
export type ReadItem =
  | { readonly change: EventChange | CustomerChange }
  | (ProblemDetail & { readonly pointer: string });

/** Reads one item of whatever shape; a fault is placed under `base`. */
export type ItemReader = (item: unknown, engine: Engine, base: string) => ReadItem;

/** The reader of items of a kind: the same rules and the same words, however they were sent. */
export function itemReader(kind: ItemKind): ItemReader {
  const validate = compileBody(ITEM_SCHEMAS[kind]);
  const read = READERS[kind] as (item: unknown, engine: Engine) => EventChange | CustomerChange;
  return (item, engine, base) => {
    const wrongText = checkTexts(item, base, 2);
    if (wrongText !== null) return { ...wrongText, pointer: wrongText.pointer ?? base };
    if (!validate(item)) {
      const fault = bodyFault(validate.errors![0]!, base);
      return { ...fault, pointer: fault.pointer ?? base };
    }
    try {
      return { change: read(item, engine) };
    } catch (error) {
      if (!(error instanceof FieldFault)) throw error;
      return { ...error.fault, pointer: `${base}${error.fault.pointer}` };
    }
  };
}

const post = <Kind extends EventKind>(kind: Kind, customer_id: string, event: unknown): Change =>
  ({ type: 'event', mode: 'post', kind, customer_id, event }) as Change;

const READERS: { readonly [Kind in ItemKind]: (item: never, engine: Engine) => Change } = {
  customers: readCustomer,
  purchases: (item: PurchaseItem, engine) =>
    post('purchases', item.customer_id, readPurchase(item.purchase_id, item, engine)),
  refunds: (item: RefundItem, engine) => post('refunds', item.customer_id, readRefund(item.refund_id, item, engine)),
  interactions: (item: InteractionItem, engine) =>
    post('interactions', item.customer_id, readInteraction(item.interaction_id, item, engine)),
};
