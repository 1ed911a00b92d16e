import { seededRandom } from '../src/commands/seeded-random.ts';
import { DEPARTURE_REASONS } from '../src/domain/activity-day.ts';
import { dayOf } from '../src/domain/calendar.ts';
import type { History, Interaction, Purchase, Refund } from '../src/domain/history.ts';
import type { Moment } from '../src/domain/instant.ts';

const FIRST_DAY = dayOf(2023, 1, 1);
const DAYS = 1_095;
const KINDS = ['inquiry', 'complaint', 'survey', 'referral', 'departure'];

/**
 * Seeded histories of three years in memory, as unequal as those of `fillBigShop`: about six purchases a customer, most have few, some up to a hundred; a
 * tenth have talked to the shop, one purchase in fifty was refunded by half.
 */
export function seededHistories(customers: number, seed: number): History[] {
  const random = seededRandom(seed);
  const moment = (day: number): Moment => ({
    at: day * 86_400_000_000 + random.integer(0, 86_399) * 1_000_000,
    day,
    plain: false,
  });
  return Array.from({ length: customers }, (): History => {
    const first = random.integer(0, DAYS - 1);
    const orders = Math.min(100, 1 + Math.floor(random.exponential(5.5)));
    const purchases: Purchase[] = [];
    const refunds: Refund[] = [];
    for (let nth = 1; nth <= orders; nth += 1) {
      const day = FIRST_DAY + (nth === 1 ? first : random.integer(first, DAYS - 1));
      const amount = Math.round(random.logNormal(4_000, 0.8));
      purchases.push({
        purchase_id: `o-${nth}`,
        moment: moment(day),
        amount,
        cost: Math.round(amount * 0.6),
        discount: random.chance(0.2) ? Math.round(amount * 0.1) : 0,
        products: [`sku-${random.integer(0, 399)}`],
        voided: false,
      });
      if (random.chance(0.02)) {
        const refund = { refund_id: `r-${nth}`, purchase_id: `o-${nth}`, amount: Math.ceil(amount / 2), voided: false };
        refunds.push({ ...refund, moment: moment(day + 1) });
      }
    }
    const interactions: Interaction[] = [];
    if (random.chance(0.1)) {
      const kind = KINDS[random.integer(0, KINDS.length - 1)]!;
      interactions.push({
        interaction_id: `i-${kind}`,
        moment: moment(FIRST_DAY + random.integer(0, DAYS - 1)),
        kind,
        score: kind === 'survey' ? random.integer(0, 10) : null,
        reason: kind === 'departure' ? DEPARTURE_REASONS[random.integer(0, DEPARTURE_REASONS.length - 1)]! : null,
        cost: 150,
        voided: false,
      });
    }
    return { known_since: null, received_on: FIRST_DAY, purchases, refunds, interactions };
  });
}
