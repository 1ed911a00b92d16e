import type { Person } from './people.ts';
import { periodOf } from './periods.ts';
import { estimate, type Step } from './survival.ts';

const HORIZONS = [30, 90, 180, 365];
const PERCENTILES = [10, 25, 50, 75, 90];
/** The last purchase number that is reported, and the last one with survival and gaps. */
const MOST = 50;
const MOST_DETAILED = 20;

/** How one customer went on from their n-th purchase day: the day, and the days to the next one, or null. */
interface Episode {
  readonly day: number;
  readonly gap: number | null;
}

/** Who went on from each purchase day; survival and gaps are those of the number asked for, or of the first. */
export function repeatPurchases(people: readonly Person[], today: number, purchaseNumber: number | null) {
  const every = Array.from({ length: MOST }, (_, place) => place + 1);
  const asked = every.filter((n) =>
    purchaseNumber === null ? n === 1 || episodesOf(people, n).length > 0 : n === purchaseNumber,
  );
  const detailed = purchaseNumber ?? 1;
  const episodes = detailed > MOST_DETAILED ? [] : episodesOf(people, detailed);
  return {
    items: asked.flatMap((n) => rowsOf(n, episodesOf(people, n), today)),
    survival: survivalOf(episodes, today),
    gaps: gapsOf(episodes),
  };
}

function episodesOf(people: readonly Person[], n: number): Episode[] {
  const episodes: Episode[] = [];
  for (const { purchaseDays } of people) {
    const [day, next] = [purchaseDays[n - 1], purchaseDays[n]];
    if (day !== undefined) episodes.push({ day, gap: next === undefined ? null : next - day });
  }
  return episodes;
}

function rowsOf(n: number, episodes: readonly Episode[], today: number) {
  const again = episodes.filter(({ gap }) => gap !== null).length;
  return HORIZONS.map((within) => {
    // Matured: the last day of the purchase's calendar month lies at least the horizon back.
    const matured = episodes.filter(({ day }) => today - (periodOf(day, 'month').to - 1) >= within);
    const went = matured.filter(({ gap }) => gap !== null && gap <= within).length;
    return {
      purchase_number: n,
      customers: episodes.length,
      bought_again: again,
      share: episodes.length === 0 ? null : again / episodes.length,
      within_days: within,
      matured: matured.length,
      bought_again_within: went,
      matured_share: matured.length === 0 ? null : went / matured.length,
    };
  });
}

function survivalOf(episodes: readonly Episode[], today: number) {
  const times = episodes.map(({ day, gap }) => ({ time: gap ?? Math.max(0, today - day), event: gap !== null }));
  const days = [...new Set(times.filter(({ event }) => event).map(({ time }) => time))].sort((a, b) => a - b);
  const steps: Step[] = days.map((day) => ({
    atRisk: times.filter(({ time }) => time >= day).length,
    events: times.filter(({ time, event }) => event && time === day).length,
  }));
  return days.map((day, place) => ({
    days: day,
    at_risk: steps[place]?.atRisk ?? 0,
    events: steps[place]?.events ?? 0,
    ...estimate(steps.slice(0, place + 1)),
  }));
}

/** Nearest rank: the ⌈p/100 · N⌉-th smallest of N gaps. No rows without a gap. */
function gapsOf(episodes: readonly Episode[]) {
  const gaps = episodes.flatMap(({ gap }) => (gap === null ? [] : [gap])).sort((one, other) => one - other);
  if (gaps.length === 0) return [];
  return PERCENTILES.map((percentile) => {
    const rank = Math.ceil((percentile * gaps.length) / 100);
    return { percentile, days: gaps[rank - 1] ?? null, gaps: gaps.length };
  });
}
