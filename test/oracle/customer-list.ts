import { formatDay } from './calendar.ts';
import { formatMoney } from './money.ts';
import { byBytes, oldestOpenComplaint, type Person, sumAll } from './people.ts';
import { spellOn } from './reports.ts';
import { rankByValue, segmentsOf, type Value } from './value-report.ts';
import type { Spell } from './walk.ts';

/** The filters of a customer list. Days are day numbers; absent means everybody. */
export interface CustomerFilter {
  readonly stage?: string | undefined;
  readonly activity?: string | undefined;
  readonly group?: string | undefined;
  readonly segment?: 'top' | 'middle' | 'bottom' | undefined;
  /** What segments are ranked by. */
  readonly value?: Value | undefined;
  readonly silentDays?: number | undefined;
  readonly daysSincePurchase?: number | undefined;
  readonly openComplaintDays?: number | undefined;
  /** Half-open: the current or a scheduled time in the stage and activity begins in it. */
  readonly entered?: { readonly from: number; readonly to: number } | undefined;
}

/** Orders of a list: all descending but `customer_id`, which also decides ties. */
export type CustomerSort = 'revenue' | 'profit' | 'last_purchase_day' | 'customer_id';

/** The rows of the list in their order. Everything but the position is said of all stored events; the position is that of today. */
export function customerList(
  people: readonly Person[],
  filter: CustomerFilter,
  sort: CustomerSort,
  today: number,
  decimals: number,
) {
  const segment =
    filter.segment && segmentsOf(rankByValue(people, filter.value ?? 'revenue', 'lifetime'))[filter.segment];
  const chosen = people.filter(
    (person) => passes(person, filter, today) && (segment === undefined || segment.some(({ id }) => id === person.id)),
  );
  const profit = (person: Person): number => sumAll(person.revenue) - sumAll(person.costs);
  const key = (person: Person): number => {
    if (sort === 'revenue') return sumAll(person.revenue);
    if (sort === 'profit') return profit(person);
    return sort === 'last_purchase_day' ? (person.purchaseDays.at(-1) ?? Number.MIN_SAFE_INTEGER) : 0;
  };
  chosen.sort((one, other) => key(other) - key(one) || byBytes(one.id, other.id));
  return chosen.map((person) => {
    const spell = spellOn(person.spells, today);
    const day = (wanted: number | undefined): string | null => (wanted === undefined ? null : formatDay(wanted));
    return {
      customer_id: person.id,
      stage: spell?.stage ?? null,
      activity: spell?.activity ?? null,
      since: day(spell?.from),
      groups: [...person.groups],
      purchases: person.purchases.filter(({ counts }) => counts).length,
      purchase_days: person.purchaseDays.length,
      revenue: formatMoney(sumAll(person.revenue), decimals),
      profit: formatMoney(profit(person), decimals),
      last_purchase_day: day(person.purchaseDays.at(-1)),
      last_interaction_day: day(lastInteraction(person)),
      next_move: nextMove(person, today),
    };
  });
}

function lastInteraction({ interactions }: Person): number | undefined {
  return interactions.length === 0 ? undefined : Math.max(...interactions.map(({ at }) => at.day));
}

function nextMove({ spells }: Person, today: number) {
  const next = spells.find(({ from }) => from > today);
  return next === undefined ? null : { on: formatDay(next.from), stage: next.stage, activity: next.activity };
}

function passes(person: Person, filter: CustomerFilter, today: number): boolean {
  const here = ({ stage, activity }: Spell): boolean =>
    (filter.stage === undefined || stage === filter.stage) &&
    (filter.activity === undefined || activity === filter.activity);
  const now = spellOn(person.spells, today);
  const located = filter.stage !== undefined || filter.activity !== undefined;
  if (filter.entered !== undefined) {
    if (!entersIn(person.spells, here, filter.entered, today)) return false;
  } else if (located && (now === null || !here(now))) return false;
  if (filter.group !== undefined && !person.groups.includes(filter.group)) return false;
  const since = (day: number | null | undefined, least: number | undefined): boolean =>
    least === undefined || (day !== undefined && day !== null && today - day >= least);
  return (
    since(lastInteraction(person), filter.silentDays) &&
    since(person.purchaseDays.at(-1), filter.daysSincePurchase) &&
    since(oldestOpenComplaint(person, Number.POSITIVE_INFINITY), filter.openComplaintDays)
  );
}

/** Whether unbroken time in the place, going on today or still to come, begins in the range. */
function entersIn(
  spells: readonly Spell[],
  here: (spell: Spell) => boolean,
  { from, to }: { readonly from: number; readonly to: number },
  today: number,
): boolean {
  for (const [place, spell] of spells.entries()) {
    const before = spells[place - 1];
    if (!here(spell) || (before !== undefined && here(before))) continue;
    const after = spells.find((later, index) => index > place && !here(later));
    const isOver = after !== undefined && after.from <= today;
    if (!isOver && spell.from >= from && spell.from < to) return true;
  }
  return false;
}
