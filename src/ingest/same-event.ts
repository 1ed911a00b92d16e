import type { Moment } from '../domain/instant.ts';
import type { EventKind, Events } from '../store/histories.ts';

/** True if two events of one id say the same: amounts and instants are normalised, and being voided is not content. */
export function sameEvent<Kind extends EventKind>(kind: Kind, a: Events[Kind], b: Events[Kind]): boolean {
  return contentOf(kind, a) === contentOf(kind, b);
}

function contentOf(kind: EventKind, event: Events[EventKind]): string {
  if (kind === 'purchases') {
    const { moment, amount, cost, discount, products } = event as Events['purchases'];
    return JSON.stringify([momentOf(moment), amount, cost, discount, products]);
  }
  if (kind === 'refunds') {
    const { moment, amount, purchase_id } = event as Events['refunds'];
    return JSON.stringify([momentOf(moment), amount, purchase_id]);
  }
  const { moment, kind: name, score, reason, cost } = event as Events['interactions'];
  return JSON.stringify([momentOf(moment), name, score, reason, cost]);
}

function momentOf(moment: Moment): readonly number[] {
  return [moment.at, moment.day];
}
