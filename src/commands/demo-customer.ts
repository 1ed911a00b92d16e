import { type Day, formatDay } from '../domain/calendar.ts';
import { formatMoney } from '../domain/money.ts';
import { DAY_SECONDS, type Product, RANGES } from './demo-catalogue.ts';
import type { Log } from './demo-items.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';

/** The shop as its customers find it. */
export interface Shop {
  readonly seed: number;
  readonly first: Day;
  readonly today: Day;
  /** How busy the shop was up to the start of each day since the first; an average day adds about 1. */
  readonly busyUntil: readonly number[];
  readonly catalogue: readonly Product[];
  readonly log: Log;
}

/** One customer while their story is invented: what they are like, and how much of it is written. */
interface Life {
  readonly shop: Shop;
  readonly random: SeededRandom;
  readonly number: string;
  readonly newsletter: boolean;
  /** Purchases per average day while they stay. */
  readonly pace: number;
  /** Chance of dropping out after a purchase. */
  readonly dropout: number;
  readonly purse_minor: number;
  /** The score they tend to give. */
  readonly content: number;
  readonly bargainHunter: number;
  readonly sendsBack: number;
  readonly taste: readonly (readonly [Product, number])[];
  readonly written: { purchases: number; refunds: number; interactions: number };
}

/** Invents one customer's whole story and writes it into the shop's log. */
export function liveThrough(shop: Shop, number: number, known: Day): void {
  const random = seededRandom(shop.seed, 0x10000 + number);
  const life = meet(shop, random, String(number).padStart(5, '0'), known);
  if (random.chance(0.19)) {
    court(life, known, shop.today);
    return;
  }
  const firstPurchase = known + (random.chance(0.45) ? 0 : Math.ceil(random.exponential(25)));
  court(life, known, Math.min(firstPurchase, shop.today));
  keepBuying(life, firstPurchase);
}

/** Makes up a person and writes the record and, mostly, the first sign of them. */
function meet(shop: Shop, random: SeededRandom, number: string, known: Day): Life {
  const channel = random.weighted([
    ['search', 0.5],
    ['store', 0.28],
    ['referral', 0.22],
  ]);
  const content = Math.min(9.6, random.normal(channel === 'referral' ? 8.5 : 8, 1.1));
  const favourite = random.weighted(RANGES.map(([range]) => [range, 1] as const));
  const newsletter = random.chance(0.45);
  const life: Life = {
    shop,
    random,
    number,
    newsletter,
    pace: random.gamma(1.8, 1 / 65),
    dropout: Math.min(0.95, random.beta(0.6, 1.75) + 0.04 * Math.max(0, 7.5 - content)),
    purse_minor: Math.round(random.logNormal(4_200, 1.05)),
    content,
    bargainHunter: random.chance(0.12) ? 0.7 : 0.12,
    sendsBack: random.chance(0.03) ? 0.45 : 0.04,
    taste: shop.catalogue.map(
      (product) => [product, product.popularity * (product.range === favourite ? 8 : 1)] as const,
    ),
    written: { purchases: 0, refunds: 0, interactions: 0 },
  };
  const groups = [`channel:${channel}`, `country:${random.chance(0.57) ? 'es' : 'de'}`];
  if (newsletter) groups.push('newsletter');
  const item = { customer_id: `customer-${number}`, known_since: formatDay(known), groups };
  shop.log.customers.push({ at: known * DAY_SECONDS, item });
  const sign = channel === 'referral' ? 'signup' : 'visit';
  if (random.chance(0.8))
    interact(life, known, sign, channel === 'search' ? { cost: euros(random.integer(60, 240)) } : {});
  return life;
}

/** Letters and calls before the first purchase, some of them answered. */
function court(life: Life, known: Day, until: Day): void {
  const { random } = life;
  if (random.chance(0.2)) interact(life, Math.max(known, Math.min(known + random.integer(0, 3), until - 1)), 'inquiry');
  let day = known + 2 + Math.floor(random.exponential(12));
  for (let left = 3; left > 0 && day < until; left -= 1) {
    approach(life, day, random.integer(180, 900));
    day += 15 + Math.floor(random.exponential(60));
  }
}

/** We turn to the customer; one in six answers within days. */
function approach(life: Life, day: Day, cost_minor: number): void {
  interact(life, day, 'contact', { cost: euros(cost_minor) });
  if (life.random.chance(0.17)) interact(life, day + life.random.integer(1, 4), 'response');
}

function keepBuying(life: Life, firstPurchase: Day): void {
  const { random, shop } = life;
  let day = firstPurchase;
  while (day < shop.today) {
    buy(life, day);
    if (random.chance(0.02)) buy(life, day);
    const open = complain(life, day);
    speak(life, day, open);
    const doubt = life.written.purchases === 1 ? 0.2 : 0;
    if (random.chance(life.dropout + doubt + (open ? 0.35 : 0))) {
      sayGoodbye(life, day, open);
      if (!random.chance(0.13)) return;
      day += 185 + Math.floor(random.exponential(110));
      if (random.chance(0.6)) approach(life, day - random.integer(3, 12), random.integer(300, 900));
    } else {
      const next = dayAfter(shop, day, random.exponential(1 / life.pace));
      lookAfter(life, day, next);
      day = next;
    }
  }
}

/** One order: a basket of about what this customer spends at a time, now and then at a discount, seldom sent back. */
function buy(life: Life, day: Day): void {
  const { random, shop, written } = life;
  const budget = random.gamma(4, life.purse_minor / 4);
  const basket = new Map<string, number>();
  let [list, cost] = [0, 0];
  while (basket.size < 8 && list < 0.85 * budget) {
    const product = random.weighted(life.taste);
    const price = product.price_minor * Math.max(1, Math.round(budget / 3 / product.price_minor));
    basket.set(product.code, price);
    list += price;
    cost += Math.round(price * product.cost_share);
  }
  const discount = random.chance(life.bargainHunter) ? Math.round(list * 0.05 * random.integer(2, 5)) : 0;
  written.purchases += 1;
  const at = momentOf(random, day);
  const item = {
    customer_id: `customer-${life.number}`,
    purchase_id: `order-${life.number}-${String(written.purchases).padStart(3, '0')}`,
    purchased_at: instant(at),
    amount: euros(list - discount),
    cost: euros(cost),
    ...(discount > 0 ? { discount: euros(discount) } : {}),
    products: [...basket.keys()],
  };
  shop.log.purchases.push({ at, item });
  if (random.chance(life.sendsBack)) sendBack(life, day, item.purchase_id, list - discount);
}

/** All of it or a part, some days to some weeks later. */
function sendBack(life: Life, bought: Day, purchase_id: string, amount_minor: number): void {
  const { random, shop, written } = life;
  const day = bought + 3 + Math.floor(random.gamma(2, 5));
  const refund_minor = random.chance(0.5) ? amount_minor : Math.ceil(amount_minor * (0.15 + 0.55 * random.fraction()));
  if (day >= shop.today) return;
  written.refunds += 1;
  const at = momentOf(random, day);
  const item = {
    customer_id: `customer-${life.number}`,
    refund_id: `refund-${life.number}-${written.refunds}`,
    purchase_id,
    refunded_at: instant(at),
    amount: euros(refund_minor),
  };
  shop.log.refunds.push({ at, item });
}

/** Perhaps a complaint about the purchase. True if it was left open for more than three weeks: that loses customers. */
function complain(life: Life, bought: Day): boolean {
  const { random, shop } = life;
  const badWeeks = bought >= shop.today - 430 && bought < shop.today - 370;
  if (!random.chance(badWeeks ? 0.13 : 0.03)) return false;
  const day = bought + random.integer(1, 18);
  const days = random.weighted([
    [random.integer(1, 9), badWeeks ? 0.45 : 0.72],
    [random.integer(25, 120), 0.16],
    [Number.POSITIVE_INFINITY, badWeeks ? 0.39 : 0.12],
  ]);
  interact(life, day, 'complaint');
  interact(life, day + days, 'resolution', { cost: euros(random.integer(150, 1_200)) });
  return days > 21;
}

/** What customers say when asked for a score, and what the happy ones say of themselves. */
function speak(life: Life, bought: Day, open: boolean): void {
  const { random, content } = life;
  if (random.chance(0.14)) {
    const score = Math.round(random.normal(content - (open ? 3.5 : 0), 1.2));
    interact(life, bought + random.integer(2, 12), 'survey', { score: Math.max(0, Math.min(10, score)) });
  }
  if (open || content < 8) return;
  const practice = Math.min(1, life.written.purchases / 5);
  if (random.chance(0.05 * practice)) interact(life, bought + random.integer(3, 30), 'testimonial');
  if (random.chance(0.05 * practice)) interact(life, bought + random.integer(3, 40), 'referral');
}

/** Between two purchases: a look around, and a letter to readers of the newsletter. */
function lookAfter(life: Life, bought: Day, next: Day): void {
  const { random } = life;
  const gap = next - bought;
  if (gap > 10 && random.chance(0.18)) interact(life, next - random.integer(1, 5), 'visit');
  if (gap > 45 && random.chance(life.newsletter ? 0.5 : 0.12)) {
    approach(life, bought + random.integer(25, 44), random.integer(60, 260));
  }
}

/** Few say that they leave; repeat buyers do so more often, and whoever waited in vain says why. */
function sayGoodbye(life: Life, bought: Day, open: boolean): void {
  const { random } = life;
  if (!random.chance(open ? 0.45 : life.written.purchases > 1 ? 0.14 : 0.04)) return;
  const reason = open
    ? 'unresolved_defect'
    : random.weighted([
        ['competitor', 0.32],
        ['price', 0.24],
        ['boredom', 0.18],
        ['unattended_service', 0.16],
        ['other', 0.1],
      ]);
  interact(life, bought + random.integer(20, 110), 'departure', { reason });
}

/** Writes an interaction, unless its day has not come yet. */
function interact(
  { shop, random, number, written }: Life,
  day: Day,
  kind: string,
  more: { score?: number; reason?: string; cost?: string } = {},
): void {
  if (day >= shop.today) return;
  written.interactions += 1;
  const at = momentOf(random, day);
  const interaction_id = `interaction-${number}-${written.interactions}`;
  const item = { customer_id: `customer-${number}`, interaction_id, occurred_at: instant(at), kind, ...more };
  shop.log.interactions.push({ at, item });
}

/** Between 06:00 and 20:00 UTC, so that it is the same day in and around Europe. */
function momentOf(random: SeededRandom, day: Day): number {
  return day * DAY_SECONDS + random.integer(6 * 3_600, 20 * 3_600 - 1);
}

function instant(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

function euros(minor: number): string {
  return formatMoney(minor, 2);
}

/** The day on which so much more busyness has gone by, at least one day later; `today` if that is not over yet. */
function dayAfter(shop: Shop, day: Day, busy: number): Day {
  const until = (shop.busyUntil[day - shop.first] ?? 0) + busy;
  let later = day + 1;
  while (later < shop.today && (shop.busyUntil[later - shop.first + 1] ?? 0) <= until) later += 1;
  return later;
}
