import {
  type ActivityDay,
  compareText,
  DEPARTURE_REASONS,
  type DepartureReason,
  emptyDay,
  noteKind,
  noteProducts,
  productsOn,
} from './activity-day.ts';
import type { Place } from './compile-model.ts';
import type { Facts, RecentDay } from './facts.ts';
import { FOLD_VERSION, type FoldState, type SavedFold } from './fold.ts';
import { damaged, PackedReader } from './packed-reader.ts';
import { PackedWriter } from './packed-writer.ts';

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

/** What a departure's reason is written as: its place here. */
const REASONS = [null, ...DEPARTURE_REASONS] as const;

// One for all, so that they share its memory.
const writer = new PackedWriter();

/** Packs a saved fold. Equal folds give equal bytes. Throws a `TypeError` if a state of a projection is not `Packable`. */
export function encodeFold({ closed, open }: SavedFold): Uint8Array<ArrayBuffer> {
  writer.begin(FOLD_VERSION);
  writer.value(open.day);
  writer.day = open.day;
  writeDay(writer, open);
  writer.value(closed === null ? null : closed.facts.day);
  if (closed !== null) {
    writer.day = closed.facts.day;
    writeState(writer, closed);
  }
  return writer.end();
}

/**
 * Reads what `encodeFold` wrote. Bytes of another version, or with anything changed, are a broken invariant: the versions row keeps processes of another
 * version out.
 */
export function decodeFold(bytes: Uint8Array): SavedFold {
  const reader = new PackedReader(bytes, FOLD_VERSION);
  reader.day = reader.integer();
  const open = readDay(reader);
  const day = reader.integerOrNull();
  let closed: FoldState | null = null;
  if (day !== null) {
    reader.day = day;
    closed = readState(reader);
  }
  reader.end();
  return { closed, open };
}

function writeState(into: PackedWriter, { facts, places, states }: FoldState): void {
  writeFacts(into, facts);
  into.list(places, ({ position, stage_since, activity_since, reached }) => {
    into.integer(position);
    into.integer(stage_since);
    into.integer(activity_since);
    into.integer(reached);
  });
  into.runs(states);
}

function readState(from: PackedReader): FoldState {
  const facts = readFacts(from);
  const places = from.list((): Place => {
    const position = from.integer();
    const stage_since = from.integer();
    const activity_since = from.integer();
    const since = Math.max(stage_since, activity_since);
    return { position, since, stage_since, activity_since, reached: from.integer() };
  });
  return { facts, places, states: from.runs(() => from.value()) };
}

function writeFacts(into: PackedWriter, facts: Facts): void {
  into.integer(facts.known_on);
  into.integer(facts.purchases);
  into.integer(facts.purchase_days);
  into.integer(facts.revenue);
  into.integer(facts.costs);
  into.integer(facts.discounted_purchases);
  into.integer(facts.product_lines);
  into.value(facts.first_purchase_day);
  into.value(facts.last_purchase_day);
  into.value(facts.last_interaction_day);
  into.value(facts.open_complaint_day);
  into.value(facts.departure_day);
  into.value(facts.latest_score);
  into.runs(facts.kinds);
  into.list(facts.recent, ({ day, purchases, revenue, costs, kinds }) => {
    into.integer(day);
    into.integer(purchases);
    into.integer(revenue);
    into.integer(costs);
    into.runs(kinds);
  });
  into.list(facts.products, ([code, day]) => {
    into.text(code);
    into.integer(day);
  });
}

/** The properties are read in the order in which they are listed, as they were written. */
function readFacts(from: PackedReader): Facts {
  const integer = (): number => from.integer();
  return {
    day: from.day,
    known_on: from.integer(),
    purchases: from.integer(),
    purchase_days: from.integer(),
    revenue: from.integer(),
    costs: from.integer(),
    discounted_purchases: from.integer(),
    product_lines: from.integer(),
    first_purchase_day: from.integerOrNull(),
    last_purchase_day: from.integerOrNull(),
    last_interaction_day: from.integerOrNull(),
    open_complaint_day: from.integerOrNull(),
    departure_day: from.integerOrNull(),
    latest_score: from.integerOrNull(),
    kinds: from.runs(integer),
    recent: from.list(
      (): RecentDay => ({
        day: from.integer(),
        purchases: from.integer(),
        revenue: from.integer(),
        costs: from.integer(),
        kinds: from.runs(integer),
      }),
    ),
    products: from.list(() => [from.text(), from.integer()] as const),
  };
}

function writeDay(into: PackedWriter, day: ActivityDay): void {
  for (const name of DAY_TOTALS) into.integer(day[name]);
  into.list(productsOn(day), (code) => into.text(code));
  into.list(
    [...day.kinds].sort(([a], [b]) => compareText(a, b)),
    ([kind, count]) => {
      into.text(kind);
      into.integer(count);
    },
  );
  into.value(day.score === null ? null : day.score.at);
  if (day.score !== null) {
    into.text(day.score.id);
    into.integer(day.score.score);
  }
  into.value(day.departure === null ? null : day.departure.at);
  if (day.departure !== null) {
    into.text(day.departure.id);
    into.integer(REASONS.indexOf(day.departure.reason));
  }
}

function readDay(from: PackedReader): ActivityDay {
  const day = emptyDay(from.day);
  for (const name of DAY_TOTALS) day[name] = from.integer();
  noteProducts(
    day,
    from.list(() => from.text()),
  );
  for (const [kind, count] of from.list(() => [from.text(), from.integer()] as const)) noteKind(day, kind, count);
  const scored_at = from.integerOrNull();
  if (scored_at !== null) day.score = { at: scored_at, id: from.text(), score: from.integer() };
  const departed_at = from.integerOrNull();
  if (departed_at !== null) day.departure = { at: departed_at, id: from.text(), reason: reasonAt(from.integer()) };
  return day;
}

function reasonAt(place: number): DepartureReason | null {
  const reason = REASONS[place];
  if (reason === undefined) throw damaged('a reason that there is not');
  return reason;
}
