import t from 'tap';
import type {
  DemoBatch,
  DemoCustomer,
  DemoInteraction,
  DemoPurchase,
  DemoRefund,
} from '../../src/commands/demo-items.ts';
import { demoShop } from '../../src/commands/demo-shop.ts';

const DAY_MS = 86_400_000;
const TODAY = Date.UTC(2026, 2, 17) / DAY_MS;
const OPTIONS = { seed: 7, customers: 3_000, today: TODAY };

/** Everything a shop tells, route by route, in the order told. */
function collect(batches: Iterable<DemoBatch>) {
  const customers: DemoCustomer[] = [];
  const purchases: DemoPurchase[] = [];
  const refunds: DemoRefund[] = [];
  const interactions: DemoInteraction[] = [];
  for (const batch of batches) {
    if (batch.route === 'customers') customers.push(...batch.items);
    else if (batch.route === 'purchases') purchases.push(...batch.items);
    else if (batch.route === 'refunds') refunds.push(...batch.items);
    else interactions.push(...batch.items);
  }
  return { customers, purchases, refunds, interactions };
}

const shop = demoShop(OPTIONS);
const story = collect(shop);
const minor = (amount: string): number => Number(amount.replace('.', ''));
const dayOf = (instant: string): number => Math.floor(Date.parse(instant) / DAY_MS);

/** Minor units refunded, by purchase. */
const refunded = new Map<string, number>();
for (const refund of story.refunds) {
  refunded.set(refund.purchase_id, (refunded.get(refund.purchase_id) ?? 0) + minor(refund.amount));
}

/** Days with a purchase that was not wholly refunded, ascending, by customer; empty for those who never bought. */
const purchaseDays = new Map(story.customers.map(({ customer_id }) => [customer_id, [] as number[]]));
for (const { customer_id, purchase_id, purchased_at, amount } of story.purchases) {
  const days = purchaseDays.get(customer_id);
  const day = dayOf(purchased_at);
  if ((refunded.get(purchase_id) ?? 0) < minor(amount) && !days?.includes(day)) days?.push(day);
}
for (const days of purchaseDays.values()) days.sort((one, other) => one - other);

const departed = new Map<string, number>();
for (const { customer_id, kind, occurred_at } of story.interactions) {
  if (kind === 'departure') departed.set(customer_id, dayOf(occurred_at));
}

function stageToday(customer_id: string): string {
  const days = purchaseDays.get(customer_id) ?? [];
  const last = days.at(-1);
  if (last === undefined) return 'prospect';
  if (days.length < 4) return days.length === 1 ? 'first_time_buyer' : 'early_repeat_buyer';
  const gone = TODAY - last > 180 || (departed.get(customer_id) ?? Number.NEGATIVE_INFINITY) >= last;
  return gone ? 'core_defector' : 'core_customer';
}

t.test('the same seed and day tell the same story, byte for byte, as often as asked', async (t) => {
  const once = JSON.stringify([...shop]);
  t.equal(JSON.stringify([...shop]), once);
  t.equal(JSON.stringify([...demoShop({ ...OPTIONS })]), once);
});

t.test('another seed tells another story', async (t) => {
  const other = collect(demoShop({ ...OPTIONS, seed: 8 }));
  t.notSame(other.purchases.slice(0, 20), story.purchases.slice(0, 20));
  const groups = (customers: readonly DemoCustomer[]) => customers.slice(0, 50).map((item) => item.groups);
  t.notSame(groups(other.customers), groups(story.customers));
});

t.test('sizes are announced before the story is told, and no body holds more than 1,000 items', async (t) => {
  t.equal(shop.counts.customers, 3_000);
  for (const route of ['customers', 'purchases', 'refunds', 'interactions'] as const) {
    t.equal(shop.counts[route], story[route].length, route);
  }
  t.equal(shop.items, 3_000 + story.purchases.length + story.refunds.length + story.interactions.length);
  t.ok(shop.items > 20_000 && shop.items < 30_000, `${shop.items} items`);
  const large = [...demoShop({ ...OPTIONS, customers: 30_000 })].map((batch) => batch.items.length);
  t.equal(Math.max(...large), 1_000);
  t.ok(large.every((items) => items > 0));
});

t.test('every item falls into the three years before today', async (t) => {
  const instants = [
    ...story.purchases.map((item) => item.purchased_at),
    ...story.refunds.map((item) => item.refunded_at),
    ...story.interactions.map((item) => item.occurred_at),
  ];
  t.same(
    instants.filter((at) => !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(at)),
    [],
  );
  const days = [...instants, ...story.customers.map((item) => item.known_since ?? '')].map(dayOf);
  t.ok(
    days.every((day) => day >= TODAY - 1_096 && day < TODAY),
    'no day is missing, too early or in the future',
  );
  t.ok(days.includes(TODAY - 1), 'the story goes on until yesterday');
});

t.test('bodies come in the order of time, and nobody buys before being known', async (t) => {
  for (const instants of [
    story.purchases.map((item) => item.purchased_at),
    story.refunds.map((item) => item.refunded_at),
    story.interactions.map((item) => item.occurred_at),
    story.customers.map((item) => item.known_since ?? ''),
  ]) {
    t.same(instants, instants.toSorted());
  }
  const known = new Map(story.customers.map((item) => [item.customer_id, dayOf(item.known_since ?? '')]));
  const early = [
    ...story.purchases.map((item) => [item.customer_id, item.purchased_at] as const),
    ...story.interactions.map((item) => [item.customer_id, item.occurred_at] as const),
  ].filter(([customer_id, at]) => !(dayOf(at) >= (known.get(customer_id) ?? Number.NaN)));
  t.same(early, []);
});

t.test('no id is given twice', async (t) => {
  const ids = [
    story.customers.map((item) => item.customer_id),
    story.purchases.map((item) => item.purchase_id),
    story.refunds.map((item) => item.refund_id),
    story.interactions.map((item) => item.interaction_id),
  ];
  for (const list of ids) t.equal(new Set(list).size, list.length);
});

t.test('amounts are positive decimal strings with two decimals, and cost about 60 % of them', async (t) => {
  const amounts = [...story.purchases, ...story.refunds].map((item) => item.amount);
  const others = [...story.purchases, ...story.interactions].flatMap((item) => item.cost ?? []);
  const discounts = story.purchases.flatMap((item) => item.discount ?? []);
  t.same(
    [...amounts, ...others, ...discounts].filter((text) => !/^(0|[1-9]\d*)\.\d\d$/.test(text) || minor(text) === 0),
    [],
  );
  const sum = (texts: string[]): number => texts.reduce((total, text) => total + minor(text), 0);
  const share = sum(story.purchases.map((item) => item.cost)) / sum(story.purchases.map((item) => item.amount));
  t.ok(share > 0.55 && share < 0.65, `cost is ${share} of the amounts`);
  t.ok(discounts.length > 0.1 * story.purchases.length && discounts.length < 0.3 * story.purchases.length);
});

t.test('refunds give back a part or all of an earlier purchase of the same customer, never more', async (t) => {
  const purchases = new Map(story.purchases.map((item) => [item.purchase_id, item]));
  const kinds = { whole: 0, part: 0, wrong: 0 };
  for (const refund of story.refunds) {
    const purchase = purchases.get(refund.purchase_id);
    const back = refunded.get(refund.purchase_id) ?? 0;
    if (purchase === undefined || purchase.customer_id !== refund.customer_id) kinds.wrong += 1;
    else if (refund.refunded_at <= purchase.purchased_at || back > minor(purchase.amount)) kinds.wrong += 1;
    else kinds[back === minor(purchase.amount) ? 'whole' : 'part'] += 1;
  }
  t.equal(kinds.wrong, 0);
  t.ok(kinds.whole > 50 && kinds.part > 50, JSON.stringify(kinds));
});

t.test('every stage of the lifecycle is peopled in believable proportions', async (t) => {
  const customers: Record<string, number> = {};
  for (const { customer_id } of story.customers) {
    const stage = stageToday(customer_id);
    customers[stage] = (customers[stage] ?? 0) + 1;
  }
  const expected = {
    prospect: [0.2, 0.25],
    first_time_buyer: [0.3, 0.4],
    early_repeat_buyer: [0.15, 0.2],
    core_customer: [0.12, 0.18],
    core_defector: [0.08, 0.12],
  } as const;
  for (const [stage, [least, most]] of Object.entries(expected)) {
    const share = (customers[stage] ?? 0) / 3_000;
    t.ok(share >= least && share <= most, `${stage}: ${share}`);
  }
});

t.test('the best 20 % of the buyers bring 70 to 80 % of the revenue', async (t) => {
  const revenue = new Map<string, number>();
  for (const { customer_id, purchase_id, amount } of story.purchases) {
    const net = minor(amount) - (refunded.get(purchase_id) ?? 0);
    revenue.set(customer_id, (revenue.get(customer_id) ?? 0) + net);
  }
  const ranked = [...revenue.values()].sort((one, other) => other - one);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const share = sum(ranked.slice(0, Math.ceil(0.2 * ranked.length))) / sum(ranked);
  t.ok(share >= 0.7 && share <= 0.8, `${share}`);
});

t.test('some customers come back after more than 180 days of silence', async (t) => {
  const returned = [...purchaseDays.values()].filter((days) =>
    days.some((day, index) => day - (days[index - 1] ?? day) > 180),
  );
  t.ok(returned.length > 100, `${returned.length} customers`);
});

t.test('every year brings more than the one before, and December more than any month near it', async (t) => {
  const purchases = (from: string, to: string): number =>
    story.purchases.filter((item) => item.purchased_at >= from && item.purchased_at < to).length;
  const years = [2023, 2024, 2025].map((year) => purchases(`${year}-03-17`, `${year + 1}-03-17`));
  t.ok((years[0] ?? 0) < (years[1] ?? 0) && (years[1] ?? 0) < (years[2] ?? 0), years.join(' < '));
  const december = purchases('2025-12-01', '2026-01-01');
  t.ok(december > purchases('2025-11-01', '2025-12-01') && december > purchases('2026-01-01', '2026-02-01'));
});

t.test('interactions of every kind occur, with scores, reasons, and complaints that stay open', async (t) => {
  const kinds = new Set(story.interactions.map((item) => item.kind));
  t.same([...kinds].sort(), [
    'complaint',
    'contact',
    'departure',
    'inquiry',
    'referral',
    'resolution',
    'response',
    'signup',
    'survey',
    'testimonial',
    'visit',
  ]);
  const scores = story.interactions.filter((item) => item.kind === 'survey').map((item) => item.score ?? -1);
  t.ok(scores.every((score) => Number.isInteger(score) && score >= 0 && score <= 10));
  t.ok(scores.some((score) => score < 7) && scores.some((score) => score >= 9));
  t.same([...new Set(story.interactions.flatMap((item) => item.reason ?? []))].sort(), [
    'boredom',
    'competitor',
    'other',
    'price',
    'unattended_service',
    'unresolved_defect',
  ]);
  const resolved = new Map(
    story.interactions
      .filter((item) => item.kind === 'resolution')
      .map((item) => [item.customer_id, dayOf(item.occurred_at)]),
  );
  const open = story.interactions.filter(
    (item) =>
      item.kind === 'complaint' &&
      dayOf(item.occurred_at) < TODAY - 90 &&
      (resolved.get(item.customer_id) ?? Number.NEGATIVE_INFINITY) < dayOf(item.occurred_at),
  );
  t.ok(open.length > 20, `${open.length} complaints open for more than 90 days`);
});

t.test('some customers never buy, of whom some have never turned to us either', async (t) => {
  const silent = new Set([...purchaseDays].filter(([, days]) => days.length === 0).map(([customer_id]) => customer_id));
  for (const { customer_id, kind } of story.interactions) {
    if (kind !== 'contact' && kind !== 'departure' && kind !== 'resolution') silent.delete(customer_id);
  }
  t.ok(silent.size > 20, `${silent.size} customers known by their record or our letters alone`);
});

t.test('about 120 products sell, the favourites many times as often as the slow ones', async (t) => {
  const sold = new Map<string, number>();
  for (const code of story.purchases.flatMap((item) => item.products)) sold.set(code, (sold.get(code) ?? 0) + 1);
  const ranked = [...sold.values()].sort((one, other) => other - one);
  t.equal(ranked.length, 120);
  t.ok((ranked[0] ?? 0) > 10 * (ranked.at(-1) ?? 0), `${ranked[0]} and ${ranked.at(-1)}`);
  t.ok(
    story.purchases.every((item) => new Set(item.products).size === item.products.length && item.products.length > 0),
  );
});

t.test('groups name a channel, a country and the readers of the newsletter', async (t) => {
  const groups = new Set(story.customers.flatMap((item) => item.groups));
  const expected = ['channel:referral', 'channel:search', 'channel:store', 'country:de', 'country:es', 'newsletter'];
  t.same([...groups].sort(), expected);
  t.ok(story.customers.every((item) => item.groups.length === 2 || item.groups.length === 3));
});
