import { formatDay } from './calendar.ts';
import type { Facts } from './facts.ts';
import { ACTIVITIES, type Activity } from './model-document.ts';
import { formatMoney } from './money.ts';
import type { Spell } from './walk.ts';

/** One customer of a report: their spells in its model, and their facts for the money. */
export interface Walked {
  readonly spells: readonly Spell[];
  readonly facts: Facts;
}

export interface PopulationRow {
  readonly stage: string;
  readonly activity: Activity;
  readonly customers: number;
  /** Lifetime revenue up to the end of the day, of those standing there. */
  readonly revenue: string;
}

export interface MoveRow {
  readonly from_stage: string | null;
  readonly from_activity: Activity | null;
  readonly to_stage: string;
  readonly to_activity: Activity;
  readonly customers: number;
}

export interface BalanceRow {
  readonly stage: string;
  readonly opening: number;
  readonly entered: number;
  readonly left: number;
  readonly closing: number;
}

export interface StageMoves {
  readonly moves: MoveRow[];
  readonly balance: BalanceRow[];
}

/** The spell of a customer at the end of a day, or null before they existed. */
export function spellOn(spells: readonly Spell[], day: number): Spell | null {
  return spells.findLast((spell) => spell.from <= day) ?? null;
}

/** How many stand in each stage and activity at the end of a day; only rows with somebody in them. */
export function stagePopulation(walked: readonly Walked[], stages: readonly string[], day: number, decimals: number) {
  const rows: PopulationRow[] = [];
  const standing = walked.map(({ spells, facts }) => ({ spell: spellOn(spells, day), facts }));
  for (const stage of stages) {
    for (const activity of ACTIVITIES) {
      const here = standing.filter(({ spell }) => spell?.stage === stage && spell.activity === activity);
      if (here.length === 0) continue;
      const revenue = here.reduce((sum, { facts }) => sum + revenueUpTo(facts, day), 0);
      rows.push({ stage, activity, customers: here.length, revenue: formatMoney(revenue, decimals) });
    }
  }
  return rows;
}

/** Who moved where on the days [from, to), and the balance of each stage. Rows from stage null come first. */
export function stageMoves(walked: readonly Walked[], stages: readonly string[], from: number, to: number): StageMoves {
  const moves = new Map<string, MoveRow>();
  const balance = stages.map((stage) => ({
    stage,
    opening: standingIn(walked, stage, from - 1),
    entered: 0,
    left: 0,
    closing: standingIn(walked, stage, to - 1),
  }));
  for (const { spells } of walked) {
    for (const [place, now] of spells.entries()) {
      if (now.from < from || now.from >= to) continue;
      const before = spells[place - 1] ?? null;
      count(moves, before, now);
      if (before?.stage === now.stage) continue;
      for (const row of balance) {
        if (row.stage === now.stage) row.entered += 1;
        if (row.stage === before?.stage) row.left += 1;
      }
    }
  }
  return { moves: [...moves.values()].sort((one, other) => compareMoves(one, other, stages)), balance };
}

/** The spells with their ends: `to` is exclusive, and null for the one that lasts. */
export function timeline(spells: readonly Spell[]) {
  return spells.map(({ stage, activity, from }, place) => {
    const next = spells[place + 1];
    return { stage, activity, from: formatDay(from), to: next === undefined ? null : formatDay(next.from) };
  });
}

function revenueUpTo(facts: Facts, day: number): number {
  return facts.revenue[Math.min(day - facts.start, facts.length - 1)] ?? 0;
}

function standingIn(walked: readonly Walked[], stage: string, day: number): number {
  return walked.filter(({ spells }) => spellOn(spells, day)?.stage === stage).length;
}

function count(moves: Map<string, MoveRow>, before: Spell | null, now: Spell): void {
  const move = {
    from_stage: before?.stage ?? null,
    from_activity: before?.activity ?? null,
    to_stage: now.stage,
    to_activity: now.activity,
  };
  const key = JSON.stringify(move);
  moves.set(key, { ...move, customers: (moves.get(key)?.customers ?? 0) + 1 });
}

function compareMoves(one: MoveRow, other: MoveRow, stages: readonly string[]): number {
  const place = (stage: string | null): number => (stage === null ? -1 : stages.indexOf(stage));
  const rank = (activity: Activity | null): number => (activity === null ? -1 : ACTIVITIES.indexOf(activity));
  return (
    place(one.from_stage) - place(other.from_stage) ||
    rank(one.from_activity) - rank(other.from_activity) ||
    place(one.to_stage) - place(other.to_stage) ||
    rank(one.to_activity) - rank(other.to_activity)
  );
}
