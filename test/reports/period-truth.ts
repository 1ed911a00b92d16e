import { dailyFacts, settledPurchases } from '../oracle/facts.ts';
import { ACTIVITIES, longestReachDays, type ModelDocument } from '../oracle/model-document.ts';
import { formatMoney } from '../oracle/money.ts';
import { spellOn } from '../oracle/reports.ts';
import type { StoredCustomer } from '../oracle/store.ts';
import { prepareWalk, type Spell } from '../oracle/walk.ts';

// What stage-retention, the net moves and cash-flow must say, by looking at every customer and every event for every row. Shares no code with the
// service.

export const GRAINS = ['week', 'month', 'quarter', 'year'] as const;
export type Grain = (typeof GRAINS)[number];

/** One customer in one model. */
export interface Life {
  readonly customer: StoredCustomer;
  readonly spells: readonly Spell[];
}

/** A period with its first and last day. */
export interface Period {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/** What a period says, and what of it is known. */
export interface Asked {
  readonly stages: readonly string[];
  readonly today: number;
  readonly decimals: number;
}

export function livesOf(customers: Iterable<StoredCustomer>, model: ModelDocument, decimals: number): Life[] {
  const walk = prepareWalk(model, decimals);
  const reach = longestReachDays(model);
  return [...customers].map((customer) => ({ customer, spells: walk(dailyFacts(customer, reach)) }));
}

/** The name of the period that holds a day; a week belongs to the year of its Thursday. */
export function nameOf(day: number, grain: Grain): string {
  const date = new Date(day * 86_400_000);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
  if (grain === 'year') return `${year}`;
  if (grain === 'quarter') return `${year}-Q${Math.ceil(month / 3)}`;
  if (grain === 'month') return `${year}-${String(month).padStart(2, '0')}`;
  const thursday = new Date((day - ((date.getUTCDay() + 6) % 7) + 3) * 86_400_000);
  const dayOfYear = (thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 86_400_000;
  return `${thursday.getUTCFullYear()}-W${String(Math.floor(dayOfYear / 7) + 1).padStart(2, '0')}`;
}

/** The periods that hold the days from `first` to `last`, found by naming one day after the other. */
export function periodsOf(first: number, last: number, grain: Grain): Period[] {
  let begin = first;
  while (nameOf(begin - 1, grain) === nameOf(first, grain)) begin -= 1;
  const periods: Period[] = [];
  for (let day = begin; ; day += 1) {
    if (nameOf(day + 1, grain) === nameOf(day, grain)) continue;
    periods.push({ name: nameOf(day, grain), first: begin, last: day });
    if (day >= last) return periods;
    begin = day + 1;
  }
}

/** What some customers did in a period. */
export function didIn(lives: readonly Life[], { first, last }: Period) {
  const within = (row: { readonly at: { readonly day: number } }): boolean => row.at.day >= first && row.at.day <= last;
  const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);
  const purchases = lives.map(({ customer }) => settledPurchases(customer).filter(within));
  const counting = purchases.map((own) => own.filter(({ counts }) => counts));
  const surveys = lives.flatMap(({ customer }) => [...customer.interactions.values()].filter(within));
  const scores = surveys.filter((survey) => !survey.void).flatMap(({ score }) => (score === null ? [] : [score]));
  return {
    buyers: counting.filter((own) => own.length > 0).length,
    purchases: counting.flat().length,
    purchase_days: sum(counting.map((own) => new Set(own.map(({ at }) => at.day)).size)),
    revenue: sum(purchases.flat().map(({ amount, refunded }) => amount - refunded)),
    scores: scores.length,
    score_sum: sum(scores),
  };
}

/** Customers by where they stood at the end of a day, as `stage activity`; those not known yet are left out. */
function standing(lives: readonly Life[], day: number): Map<string, Life[]> {
  const places = Map.groupBy(lives, ({ spells }) => {
    const spell = spellOn(spells, day);
    return spell === null ? '' : `${spell.stage} ${spell.activity}`;
  });
  places.delete('');
  return places;
}

const quotient = (numerator: number, denominator: number): number | null =>
  denominator === 0 ? null : numerator / denominator;

/** The rows of stage-retention for one period. */
export function retentionRows(lives: readonly Life[], period: Period, { stages, today, decimals }: Asked) {
  const complete = period.last < today;
  const eve = standing(lives, period.first - 1);
  const places = stages.flatMap((stage) => ACTIVITIES.map((activity) => ({ stage, activity })));
  const groups = places.map((place) => ({ ...place, of: eve.get(`${place.stage} ${place.activity}`) ?? [] }));
  const appeared = lives.filter(({ spells: [born] }) => born!.from >= period.first && born!.from <= period.last);
  return [...groups, { stage: null, activity: null, of: appeared }].flatMap(({ stage, activity, of }) => {
    if (of.length === 0) return [];
    const { score_sum, revenue, ...did } = didIn(of, period);
    const lapsed = of.filter(({ spells }) => spellOn(spells, period.last)?.activity === 'lapsed').length;
    const row = {
      period: period.name,
      stage,
      activity,
      customers: of.length,
      buyers: did.buyers,
      retention: complete ? did.buyers / of.length : null,
      lapsed: complete ? lapsed : null,
      lapse_rate: complete ? lapsed / of.length : null,
      purchases: did.purchases,
      purchase_days: did.purchase_days,
      revenue: formatMoney(revenue, decimals),
      average_purchase: quotient(Number(formatMoney(revenue, decimals)), did.purchases),
      purchases_per_buyer: quotient(did.purchases, did.buyers),
      scores: did.scores,
      average_score: quotient(score_sum, did.scores),
      complete,
    };
    return [row];
  });
}

/** The net moves of a period, with those who made them, in the order of the stages and activities; from `''` are those who became known. */
export function netMoves(lives: readonly Life[], period: Period, stages: readonly string[]) {
  const places = ['', ...stages.flatMap((stage) => ACTIVITIES.map((activity) => `${stage} ${activity}`))];
  const eve = standing(lives, period.first - 1);
  const end = standing(lives, period.last);
  return places.flatMap((from) =>
    places.flatMap((to) => {
      const before = new Set(from === '' ? lives.filter((life) => !isIn(eve, life)) : eve.get(from));
      const customers = from === to ? 0 : (end.get(to) ?? []).filter((life) => before.has(life)).length;
      return customers === 0 ? [] : [{ from, to, customers }];
    }),
  );
}

function isIn(places: ReadonlyMap<string, readonly Life[]>, life: Life): boolean {
  return [...places.values()].some((there) => there.includes(life));
}

interface CashEvent {
  readonly day: number;
  readonly receipts?: number;
  readonly refunds?: number;
  readonly costs: number;
}

/** Every event of a customer that moved money, on its own day. */
export function cashEvents(customer: StoredCustomer): CashEvent[] {
  const purchases = settledPurchases(customer);
  const paidBack = [...customer.refunds.values()].filter((refund) => {
    return !refund.void && purchases.some(({ id }) => id === refund.purchaseId);
  });
  const interactions = [...customer.interactions.values()].filter((interaction) => !interaction.void);
  return [
    ...purchases.map(({ at, amount, cost }) => ({ day: at.day, receipts: amount, costs: cost })),
    ...paidBack.map(({ at, amount }) => ({ day: at.day, refunds: amount, costs: 0 })),
    ...interactions.map(({ at, cost }) => ({ day: at.day, costs: cost })),
  ];
}

/** The rows of cash-flow for one period. */
export function cashRows(lives: readonly Life[], period: Period, { stages, today, decimals }: Asked) {
  return [null, ...stages].flatMap((stage) => {
    const sum = { receipts: 0, refunds: 0, costs: 0 };
    for (const { customer, spells } of lives) {
      for (const event of cashEvents(customer)) {
        if (event.day < period.first || event.day > period.last) continue;
        if ((spellOn(spells, event.day - 1)?.stage ?? null) !== stage) continue;
        sum.receipts += event.receipts ?? 0;
        sum.refunds += event.refunds ?? 0;
        sum.costs += event.costs;
      }
    }
    if (sum.receipts === 0 && sum.refunds === 0 && sum.costs === 0) return [];
    const written = Object.entries({ ...sum, net: sum.receipts - sum.refunds - sum.costs });
    const money = Object.fromEntries(written.map(([name, minor]) => [name, formatMoney(minor, decimals)]));
    return [{ period: period.name, stage, ...money, complete: period.last < today }];
  });
}
