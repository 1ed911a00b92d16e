import type { History } from '../../src/domain/history.ts';
import type { StoredCustomer } from '../oracle/store.ts';

/** A customer of the oracle's store as the service stores one. */
export function historyOf(customer: StoredCustomer): History {
  const row = ({ at, void: voided }: { at: { micros: number; day: number }; void: boolean }) => {
    return { moment: { at: at.micros, day: at.day, plain: false }, voided };
  };
  return {
    known_since: customer.knownSince,
    received_on: customer.received,
    purchases: [...customer.purchases.values()].map((one) => {
      return {
        ...row(one),
        purchase_id: one.id,
        amount: one.amount,
        cost: one.cost,
        discount: 0,
        products: one.products,
      };
    }),
    refunds: [...customer.refunds.values()].map((one) => {
      return { ...row(one), refund_id: one.id, purchase_id: one.purchaseId, amount: one.amount };
    }),
    interactions: [...customer.interactions.values()].map((one) => {
      return { ...row(one), interaction_id: one.id, kind: one.kind, score: one.score, reason: null, cost: one.cost };
    }),
  };
}
