import {
  type ActivityDay,
  compareText,
  type Departure,
  emptyDay,
  noteKind,
  noteProducts,
  productsOn,
} from './activity-day.ts';
import type { Day } from './calendar.ts';
import type { Place } from './compile-model.ts';
import type { Facts, RecentDay } from './facts.ts';
import { FOLD_VERSION, type FoldState, type SavedFold } from './fold.ts';

type RecentTuple = readonly [Day, number, number, number, readonly number[]];
type FactsTuple = readonly [
  numbers: readonly [Day, Day, number, number, number, number, number, number],
  days: readonly [Day | null, Day | null, Day | null, Day | null, Day | null],
  latest_score: number | null,
  kinds: readonly number[],
  recent: readonly RecentTuple[],
  products: Facts['products'],
];
type PlaceTuple = readonly [position: number, stage_since: Day, activity_since: Day, reached: number];
type StateTuple = readonly [FactsTuple, readonly PlaceTuple[], readonly unknown[]];
type DayTuple = readonly [
  numbers: readonly [day: Day, ...totals: number[]],
  products: readonly string[],
  kinds: readonly (readonly [string, number])[],
  score: readonly [number, string, number] | null,
  departure: readonly [number, string, Departure['reason']] | null,
];
type SavedTuple = readonly [version: number, closed: StateTuple | null, open: DayTuple];

/** The totals of an activity day, in the order in which they are written after its day. */
const DAY_TOTALS = [
  'purchases',
  'revenue',
  'costs',
  'discounted_purchases',
  'product_lines',
  'receipts',
  'refunds_paid',
  'interaction_costs',
  'interactions',
  'scores',
  'score_sum',
  'stored_purchases',
  'stored_refunds',
  'stored_interactions',
  'pending_refunds',
] as const;

/** Writes a saved fold as one compact JSON text. Equal folds give equal texts. */
export function encodeFold(saved: SavedFold): string {
  const tuple: SavedTuple = [
    FOLD_VERSION,
    saved.closed === null ? null : encodeState(saved.closed),
    encodeDay(saved.open),
  ];
  return JSON.stringify(tuple);
}

/** Reads what `encodeFold` wrote. A text of another version is a broken invariant: the versions row keeps such processes out. */
export function decodeFold(text: string): SavedFold {
  const [version, closed, open] = JSON.parse(text) as SavedTuple;
  if (version !== FOLD_VERSION) throw new Error(`saved state has version ${version}, this code reads ${FOLD_VERSION}`);
  return { closed: closed === null ? null : decodeState(closed), open: decodeDay(open) };
}

function encodeState({ facts, places, states }: FoldState): StateTuple {
  return [encodeFacts(facts), places.map(encodePlace), states];
}

function decodeState([facts, places, states]: StateTuple): FoldState {
  return { facts: decodeFacts(facts), places: places.map(decodePlace), states };
}

function encodePlace({ position, stage_since, activity_since, reached }: Place): PlaceTuple {
  return [position, stage_since, activity_since, reached];
}

function decodePlace([position, stage_since, activity_since, reached]: PlaceTuple): Place {
  return { position, since: Math.max(stage_since, activity_since), stage_since, activity_since, reached };
}

function encodeFacts(facts: Facts): FactsTuple {
  const { day, known_on, purchases, purchase_days, revenue, costs, discounted_purchases, product_lines } = facts;
  return [
    [day, known_on, purchases, purchase_days, revenue, costs, discounted_purchases, product_lines],
    [
      facts.first_purchase_day,
      facts.last_purchase_day,
      facts.last_interaction_day,
      facts.open_complaint_day,
      facts.departure_day,
    ],
    facts.latest_score,
    facts.kinds,
    facts.recent.map((recent) => [recent.day, recent.purchases, recent.revenue, recent.costs, recent.kinds]),
    facts.products,
  ];
}

function decodeFacts([numbers, days, latest_score, kinds, recent, products]: FactsTuple): Facts {
  const [day, known_on, purchases, purchase_days, revenue, costs, discounted_purchases, product_lines] = numbers;
  const [first_purchase_day, last_purchase_day, last_interaction_day, open_complaint_day, departure_day] = days;
  return {
    day,
    known_on,
    purchases,
    purchase_days,
    revenue,
    costs,
    discounted_purchases,
    product_lines,
    first_purchase_day,
    last_purchase_day,
    last_interaction_day,
    open_complaint_day,
    departure_day,
    latest_score,
    kinds,
    recent: recent.map(([on, bought, money, spent, counts]): RecentDay => {
      return { day: on, purchases: bought, revenue: money, costs: spent, kinds: counts };
    }),
    products,
  };
}

function encodeDay(day: ActivityDay): DayTuple {
  return [
    [day.day, ...DAY_TOTALS.map((name) => day[name])],
    productsOn(day),
    [...day.kinds].sort(([a], [b]) => compareText(a, b)),
    day.score === null ? null : [day.score.at, day.score.id, day.score.score],
    day.departure === null ? null : [day.departure.at, day.departure.id, day.departure.reason],
  ];
}

function decodeDay([[on, ...totals], products, kinds, score, departure]: DayTuple): ActivityDay {
  const day = emptyDay(on);
  for (let index = 0; index < DAY_TOTALS.length; index += 1) day[DAY_TOTALS[index]!] = totals[index]!;
  noteProducts(day, products);
  for (const [kind, count] of kinds) noteKind(day, kind, count);
  if (score !== null) day.score = { at: score[0], id: score[1], score: score[2] };
  if (departure !== null) day.departure = { at: departure[0], id: departure[1], reason: departure[2] };
  return day;
}
