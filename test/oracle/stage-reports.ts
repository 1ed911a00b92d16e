import { isComplete, type PeriodAsk } from './buyers-reports.ts';
import { ACTIVITIES, type Activity } from './model-document.ts';
import { formatMoney } from './money.ts';
import { buysIn, isIn, type Person, share, sumIn } from './people.ts';
import type { Period } from './periods.ts';
import { type BalanceRow, type MoveRow, type StageMoves, spellOn } from './reports.ts';
import type { Spell } from './walk.ts';

/** A period report about a model, whose stages are given in their order. */
export interface StageAsk extends PeriodAsk {
  readonly stages: readonly string[];
}

/** Customers by the position on the eve of each period; those first known inside it come last, as stage null. */
export function stageRetention({ people, periods, today, decimals, stages }: StageAsk) {
  return periods.flatMap((period) => {
    const rows = stages.flatMap((stage) =>
      ACTIVITIES.map((activity) => {
        const standing = people.filter(({ spells }) => isAt(spellOn(spells, period.from - 1), stage, activity));
        return retentionRow(standing, period, today, decimals, stage, activity);
      }),
    );
    const arriving = people.filter(({ known }) => isIn(known, period));
    rows.push(retentionRow(arriving, period, today, decimals, null, null));
    return rows.filter((row) => row.customers > 0);
  });
}

function isAt(spell: Spell | null, stage: string, activity: Activity): boolean {
  return spell !== null && spell.stage === stage && spell.activity === activity;
}

function retentionRow(
  people: readonly Person[],
  period: Period,
  today: number,
  decimals: number,
  stage: string | null,
  activity: Activity | null,
) {
  const complete = isComplete(period, today);
  const total = (of: (person: Person) => number): number => people.reduce((sum, person) => sum + of(person), 0);
  const buyers = people.filter((person) => buysIn(person, period)).length;
  const lapsed = people.filter(({ spells }) => spellOn(spells, period.to - 1)?.activity === 'lapsed').length;
  const purchases = total(
    ({ purchases: own }) => own.filter(({ counts, at }) => counts && isIn(at.day, period)).length,
  );
  const revenue = total((person) => sumIn(person.revenue, period));
  const scores = people.flatMap(({ interactions }) =>
    interactions.flatMap(({ score, at }) => (score !== null && isIn(at.day, period) ? [score] : [])),
  );
  return {
    period: period.name,
    complete,
    stage,
    activity,
    customers: people.length,
    buyers,
    retention: complete ? share(buyers, people.length) : null,
    lapsed: complete ? lapsed : null,
    lapse_rate: complete ? share(lapsed, people.length) : null,
    purchases,
    purchase_days: total(({ purchaseDays }) => purchaseDays.filter((day) => isIn(day, period)).length),
    revenue: formatMoney(revenue, decimals),
    average_purchase: share(revenue / 10 ** decimals, purchases),
    purchases_per_buyer: share(purchases, buyers),
    scores: scores.length,
    average_score: share(
      scores.reduce((sum, score) => sum + score, 0),
      scores.length,
    ),
  };
}

/** Opening by closing position of [from, to), each customer once, and only those whose position differs. */
export function netMoves(people: readonly Person[], stages: readonly string[], from: number, to: number): StageMoves {
  const ends = people.map(({ spells }) => ({ opening: spellOn(spells, from - 1), closing: spellOn(spells, to - 1) }));
  const moves: MoveRow[] = [];
  const places = stages.flatMap((stage) => ACTIVITIES.map((activity) => ({ stage, activity })));
  for (const before of [null, ...places]) {
    for (const after of places) {
      if (before !== null && isAt({ ...before, from: 0 }, after.stage, after.activity)) continue;
      const customers = ends.filter(({ opening, closing }) => {
        const began = before === null ? opening === null : isAt(opening, before.stage, before.activity);
        return began && isAt(closing, after.stage, after.activity);
      }).length;
      if (customers === 0) continue;
      moves.push({
        from_stage: before?.stage ?? null,
        from_activity: before?.activity ?? null,
        to_stage: after.stage,
        to_activity: after.activity,
        customers,
      });
    }
  }
  const balance = stages.map((stage): BalanceRow => {
    const count = (wanted: (began: boolean, ended: boolean) => boolean): number =>
      ends.filter(({ opening, closing }) => wanted(opening?.stage === stage, closing?.stage === stage)).length;
    return {
      stage,
      opening: count((began) => began),
      entered: count((began, ended) => !began && ended),
      left: count((began, ended) => began && !ended),
      closing: count((_, ended) => ended),
    };
  });
  return { moves, balance };
}

/** What came in and went out in each period, by the stage on the eve of each event's own day; stage null comes first. */
export function cashFlow({ people, periods, today, decimals, stages }: StageAsk) {
  const rows = [];
  for (const period of periods) {
    for (const stage of [null, ...stages]) {
      const sums = { receipts: 0, refunds: 0, costs: 0 };
      for (const { spells, purchases, refunds, costs } of people) {
        const here = (day: number): boolean => isIn(day, period) && (spellOn(spells, day - 1)?.stage ?? null) === stage;
        for (const { at, amount } of purchases) if (here(at.day)) sums.receipts += amount;
        for (const { day, amount } of refunds) if (here(day)) sums.refunds += amount;
        for (const { day, amount } of costs) if (here(day)) sums.costs += amount;
      }
      if (sums.receipts === 0 && sums.refunds === 0 && sums.costs === 0) continue;
      rows.push({
        period: period.name,
        complete: isComplete(period, today),
        stage,
        receipts: formatMoney(sums.receipts, decimals),
        refunds: formatMoney(sums.refunds, decimals),
        costs: formatMoney(sums.costs, decimals),
        net: formatMoney(sums.receipts - sums.refunds - sums.costs, decimals),
      });
    }
  }
  return rows;
}

/** Stage of one model by stage of another at the end of today. People hold their spells in the first, `others` in the second. */
export function modelCrosswalk(
  people: readonly Person[],
  others: readonly Person[],
  stages: readonly string[],
  otherStages: readonly string[],
  today: number,
) {
  const pairs = people.map(({ id, spells }) => ({
    stage: spellOn(spells, today)?.stage,
    other: spellOn(others.find((other) => other.id === id)?.spells ?? [], today)?.stage,
  }));
  const rows = stages.flatMap((stage) =>
    otherStages.map((other_stage) => ({
      stage,
      other_stage,
      customers: pairs.filter((pair) => pair.stage === stage && pair.other === other_stage).length,
    })),
  );
  return rows.filter((row) => row.customers > 0);
}
