import t from 'tap';
import { formatDay, parseDay } from '../oracle/calendar.ts';
import { Rng } from '../oracle/random.ts';
import { compareAll } from './reads.ts';
import { PLAIN_SHOP, type PostStep, type Shop, SideBySide } from './side-by-side.ts';

// Shops at the edges, each told to the service and to the oracle: every report, list and answer of both must be alike, and verify must find nothing.

t.setTimeout(600_000);

type Item = Readonly<Record<string, unknown>> & { readonly customer_id: string };

const TODAY = '2026-06-15';
const today = parseDay(TODAY);

function post(route: PostStep['route'], items: readonly Item[]): PostStep[] {
  const steps: PostStep[] = [];
  for (let at = 0; at < items.length; at += 1_000)
    steps.push({ kind: 'post', route, items: items.slice(at, at + 1_000) } as never);
  return steps;
}

/** A purchase: of ten euros and without costs, unless said otherwise. */
function purchase(customer_id: string, number: number, purchased_at: string, more: object = {}): Item {
  return { customer_id, purchase_id: `p${number}`, purchased_at, amount: '10.00', ...more };
}

/** Purchases of one customer on these days. */
function buys(customer_id: string, ...days: readonly string[]): Item[] {
  return days.map((day, number) => purchase(customer_id, number, day));
}

function numbered<Made>(count: number, make: (number: number) => Made): Made[] {
  return Array.from({ length: count }, (_, number) => make(number));
}

const SHOPS: Readonly<Record<string, { readonly steps: readonly PostStep[]; readonly shop?: Partial<Shop> }>> = {
  'an empty database': { steps: [] },
  'one customer who never bought': { steps: post('customers', [{ customer_id: 'ana', known_since: '2026-01-01' }]) },
  'one customer with one purchase': { steps: post('purchases', buys('ana', '2026-03-01')) },
  'one day: everybody bought today for the first time': {
    steps: post(
      'purchases',
      numbered(40, (number) => purchase(`c${number}`, number, TODAY, { amount: `${number}.50` })),
    ),
  },
  'a customer with 5,000 purchases on 2,500 days': {
    steps: post(
      'purchases',
      numbered(5_000, (number) =>
        purchase('ana', number, formatDay(today - 2_499 + Math.floor(number / 2)), { amount: `${number % 97}.01` }),
      ),
    ),
  },
  'a customer with 5,000 purchases, all on one day': {
    steps: post(
      'purchases',
      numbered(5_000, (number) => purchase('ana', number, '2026-02-28', { amount: `${number % 89}.99`, cost: '7' })),
    ),
  },
  'negative profit everywhere': {
    steps: post(
      'purchases',
      numbered(60, (number) =>
        purchase(`c${number % 17}`, number, formatDay(today - 11 * number), { cost: `${20 + (number % 7)}` }),
      ),
    ),
  },
  'all values equal: ties at every border': {
    steps: post(
      'purchases',
      numbered(53, (number) => purchase(`c${number}`, 1, formatDay(today - (number % 9) * 30))),
    ),
  },
  'leap days': {
    steps: post('purchases', [
      ...buys('ana', '2020-02-29', '2021-02-28', '2024-02-29', '2025-02-28'),
      ...buys('ben', '2024-02-29', '2024-05-29', '2024-08-27'),
      ...buys('cai', '2023-03-01', '2024-02-29', '2024-12-31'),
    ]),
  },
  'ISO week 53': {
    steps: post('purchases', [
      ...buys('ana', '2020-12-27', '2020-12-28', '2021-01-03', '2021-01-04'),
      ...buys('ben', '2020-12-31', '2021-01-01', '2021-01-10'),
      ...buys('cai', '2015-12-31', '2016-01-01', '2016-01-03', '2021-01-31'),
    ]),
    shop: { startDay: '2021-02-01' },
  },
  'a zone with daylight saving: the hours around both changes': {
    steps: post('purchases', [
      ...buys('ana', '2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'),
      ...buys('ben', '2025-10-26T00:30:00+02:00', '2025-10-26T02:30:00+01:00', '2025-10-26T22:59:59Z'),
      ...buys('cai', '2025-10-25T22:00:00Z', '2025-10-26T23:00:00Z', '2026-06-14T22:30:00Z'),
    ]),
    shop: { timeZone: 'Europe/Madrid' },
  },
};

for (const [name, { steps, shop = {} }] of Object.entries(SHOPS)) {
  t.test(`every answer is the oracle's: ${name}`, async (t) => {
    const both = await SideBySide.start(t, { ...PLAIN_SHOP, startDay: TODAY, ...shop });
    await both.post(steps);
    const compared = await compareAll(both, new Rng(1));
    t.ok(compared > 20, `${compared} answers alike`);
    await both.verify();
  });
}
