import { type Facts, NEVER } from './facts.ts';
import {
  ACTIVITIES,
  type Activity,
  type Comparison,
  type Condition,
  type Days,
  type LapsePolicy,
  type ModelDocument,
  type Threshold,
} from './model-document.ts';
import { parseMoney } from './money.ts';

/** Unbroken days in one stage and activity. `from` is a day number; the spell lasts to the next one's `from`. */
export interface Spell {
  readonly stage: string;
  readonly activity: Activity;
  readonly from: number;
}

/** One day of the walk: what its conditions may look at. */
interface Today {
  readonly facts: Facts;
  day: number;
  activity: Activity;
  /** Whether each stage's `when` has held at the end of this or any earlier day. */
  readonly reached: boolean[];
}

type Test = (today: Today) => boolean;

/**
 * A model made ready: walks every calendar day of a history, tests every stage on each, and lists the spells.
 * Nothing is skipped and nothing is foreseen: the scheduled moves are found by walking to them.
 */
export function prepareWalk(model: ModelDocument, decimals: number): (facts: Facts) => Spell[] {
  const names = model.stages.map((stage) => stage.stage);
  const tests = model.stages.map((stage) =>
    stage.when === undefined ? () => true : testOf(stage.when, names, decimals),
  );
  return (facts) => {
    const today: Today = { facts, day: 0, activity: 'none', reached: names.map(() => false) };
    const spells: Spell[] = [];
    let last: Spell | undefined;
    for (let day = 0; day < facts.length; day += 1) {
      today.day = day;
      today.activity = activityOn(facts, model.lapse, day);
      let standing = 0;
      for (const [place, test] of tests.entries()) {
        if (!test(today)) continue;
        today.reached[place] = true;
        standing = place;
      }
      const stage = names[standing] ?? '';
      if (last?.stage === stage && last.activity === today.activity) continue;
      last = { stage, activity: today.activity, from: facts.start + day };
      spells.push(last);
    }
    return spells;
  };
}

/** Activity at the end of a day: `none` without a purchase day, lapsed after a departure or long silence. */
function activityOn(facts: Facts, lapse: LapsePolicy, day: number): Activity {
  const last = facts.lastPurchase[day] ?? NEVER;
  if (last === NEVER) return 'none';
  const departed = facts.lastDeparture[day] ?? NEVER;
  if (departed !== NEVER && last <= departed) return 'lapsed';
  const [isAtRisk, isLapsed] = silenceOn(facts, lapse, day, day - last);
  if (isLapsed) return 'lapsed';
  return isAtRisk ? 'at_risk' : 'active';
}

/**
 * Whether so many days of silence are past each threshold. Nothing is divided: silence > ⌊k·g⌋ just when silence > k·g, so with g a fraction
 * both sides are multiplied by its denominator.
 */
function silenceOn(facts: Facts, lapse: LapsePolicy, day: number, silence: number): [atRisk: boolean, lapsed: boolean] {
  if (lapse.policy === 'fixed') return [silence > lapse.at_risk_after_days, silence > lapse.lapsed_after_days];
  const between = (facts.lastPurchase[day] ?? 0) - (facts.firstPurchase[day] ?? 0);
  const numerator = lapse.weight * lapse.prior_days + between;
  const denominator = lapse.weight + (facts.purchaseDays[day] ?? 0) - 1;
  const past = (range: Days, isPastOwn: boolean): boolean =>
    silence > range.at_most || (silence > range.at_least && isPastOwn);
  return [
    past(lapse.at_risk_after_days, 2 * silence * denominator > 3 * numerator),
    past(lapse.lapsed_after_days, silence * denominator > 3 * numerator),
  ];
}

function testOf(condition: Condition, names: readonly string[], decimals: number): Test {
  if ('all' in condition) {
    const tests = condition.all.map((part) => testOf(part, names, decimals));
    return (today) => tests.every((test) => test(today));
  }
  if ('any' in condition) {
    const tests = condition.any.map((part) => testOf(part, names, decimals));
    return (today) => tests.some((test) => test(today));
  }
  if ('not' in condition) {
    const test = testOf(condition.not, names, decimals);
    return (today) => !test(today);
  }
  if ('stage_reached' in condition) {
    const place = names.indexOf(condition.stage_reached);
    return (today) => today.reached[place] === true;
  }
  if ('activity' in condition) {
    const wanted = ACTIVITIES.filter((activity) => condition.activity.includes(activity));
    return (today) => wanted.includes(today.activity);
  }
  return comparisonTest(condition, decimals);
}

/** A value that does not exist is NaN, and every comparison with NaN is false. */
function comparisonTest(comparison: Comparison, decimals: number): Test {
  const limit = (threshold: Threshold | undefined): number | null => {
    if (threshold === undefined) return null;
    return typeof threshold === 'number' ? threshold : parseMoney(threshold, decimals);
  };
  const atLeast = limit(comparison.at_least);
  const atMost = limit(comparison.at_most);
  const moreThan = limit(comparison.more_than);
  const lessThan = limit(comparison.less_than);
  const kinds = [...new Set(comparison.kinds)];
  return ({ facts, day }) => {
    const value = featureValue(comparison, kinds, facts, day);
    if (atLeast !== null && !(value >= atLeast)) return false;
    if (atMost !== null && !(value <= atMost)) return false;
    if (moreThan !== null && !(value > moreThan)) return false;
    return lessThan === null || value < lessThan;
  };
}

function featureValue(comparison: Comparison, kinds: readonly string[], facts: Facts, day: number): number {
  const within = comparison.within_days;
  switch (comparison.feature) {
    case 'purchase_days':
      return during(facts.purchaseDays, day, within);
    case 'revenue':
      return during(facts.revenue, day, within);
    case 'profit':
      return during(facts.revenue, day, within) - during(facts.costs, day, within);
    case 'distinct_products': {
      let distinct = 0;
      for (const purchases of facts.products.values()) if (during(purchases, day, within) > 0) distinct += 1;
      return distinct;
    }
    case 'interactions': {
      let count = 0;
      for (const kind of kinds) {
        const total = facts.interactions.get(kind);
        if (total !== undefined) count += during(total, day, within);
      }
      return count;
    }
    case 'tenure_days':
      return since(facts.firstPurchase, day);
    case 'days_since_last_purchase':
      return since(facts.lastPurchase, day);
    case 'days_since_last_interaction':
      return since(facts.lastInteraction, day);
    case 'days_since_open_complaint':
      return since(facts.oldestOpenComplaint, day);
    case 'latest_score':
      return facts.latestScore[day] === NEVER ? Number.NaN : (facts.latestScore[day] ?? Number.NaN);
  }
}

/** The total of all days up to this one, or of the days (day − within, day]. */
function during(totals: Float64Array, day: number, within: number | undefined): number {
  const now = totals[day] ?? 0;
  return within === undefined || day < within ? now : now - (totals[day - within] ?? 0);
}

function since(days: Float64Array, day: number): number {
  const then = days[day] ?? NEVER;
  return then === NEVER ? Number.NaN : day - then;
}
