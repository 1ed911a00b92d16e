import type { SideBySide } from '../laws/side-by-side.ts';
import { formatDay, parseDay } from '../oracle/calendar.ts';

/** A row as the list must show it. */
export type NaiveRow = Readonly<Record<string, unknown>> & { readonly customer_id: string };

/** What is asked for: the parameters of the list, by name. */
export type Asked = Readonly<Record<string, string | number>>;

interface Known {
  readonly row: NaiveRow;
  readonly spells: readonly { stage: string; activity: string; from: string; to: string | null }[];
  readonly open_complaint_day: string | null;
}

/**
 * The list by brute force: everybody is looked at, day by day where time matters. Positions and figures are the oracle's, which walks every history; what
 * it does not know is counted from the interactions as they are listed.
 */
export class NaiveList {
  private readonly both: SideBySide;
  private readonly known = new Map<string, Known[]>();

  constructor(both: SideBySide) {
    this.both = both;
  }

  /** Ids of all customers that fit, in order, with their rows. */
  async rows(asked: Asked): Promise<NaiveRow[]> {
    const everybody = await this.everybody(String(asked.model ?? 'lifecycle'));
    const fitting = everybody.filter((one) => this.fits(one, asked)).map(({ row }) => row);
    return fitting.sort((one, other) => compare(one, other, String(asked.sort ?? 'revenue')));
  }

  private fits({ row, spells, open_complaint_day }: Known, asked: Asked): boolean {
    const { today } = this.both;
    const silent = (day: unknown, least: unknown): boolean =>
      least === undefined || (typeof day === 'string' && today - parseDay(day) >= Number(least));
    const standsOn = (day: number): boolean => {
      const spell = spells.findLast(({ from }) => from <= formatDay(day));
      return (
        spell !== undefined &&
        (asked.stage ?? spell.stage) === spell.stage &&
        (asked.activity ?? spell.activity) === spell.activity
      );
    };
    const stands =
      asked.entered_from === undefined
        ? asked.stage === undefined && asked.activity === undefined
          ? true
          : standsOn(today)
        : entersWithin(parseDay(String(asked.entered_from)), parseDay(String(asked.entered_to)), today, standsOn);
    return (
      stands &&
      (asked.group === undefined || (row.groups as string[]).includes(String(asked.group))) &&
      silent(row.last_purchase_day, asked.days_since_last_purchase) &&
      silent(row.last_interaction_day, asked.days_since_last_interaction) &&
      silent(open_complaint_day, asked.open_complaint_days_at_least)
    );
  }

  private async everybody(modelId: string): Promise<Known[]> {
    const key = `${modelId} ${this.both.today}`;
    let known = this.known.get(key);
    if (known === undefined) {
      known = [];
      for (const customer_id of this.both.oracle.customerIds()) known.push(await this.look(modelId, customer_id));
      this.known.set(key, known);
    }
    return known;
  }

  private async look(modelId: string, customer_id: string): Promise<Known> {
    const { oracle, today, service } = this.both;
    const day = formatDay(today);
    const position = oracle.position(modelId, customer_id, day);
    const spells = oracle.timeline(modelId, customer_id)!;
    const next = spells.find(({ from }) => from > day);
    const { purchases, purchase_days, revenue, profit, last_purchase_day, groups } = oracle.customer(customer_id)!;
    const { body } = await service.call(
      'GET',
      `/v1/customers/${encodeURIComponent(customer_id)}/interactions?limit=1000`,
    );
    const told = body.items as { day: string; kind: string }[];
    const last = (kind?: string): string | null =>
      told.findLast((one) => kind === undefined || one.kind === kind)?.day ?? null;
    const resolved = last('resolution') ?? '';
    return {
      spells,
      open_complaint_day: told.find((one) => one.kind === 'complaint' && one.day > resolved)?.day ?? null,
      row: {
        customer_id,
        stage: position?.stage ?? null,
        activity: position?.activity ?? null,
        since: position?.since ?? null,
        groups: [...groups].sort(),
        purchases,
        purchase_days,
        revenue,
        profit,
        last_purchase_day,
        last_interaction_day: last(),
        next_move: next === undefined ? null : { on: next.from, stage: next.stage, activity: next.activity },
      },
    };
  }
}

/** Whether a day of [from, to) is one on which they come to stand there, and if it is past, whether they have stood there since. */
function entersWithin(from: number, to: number, today: number, standsOn: (day: number) => boolean): boolean {
  for (let day = from; day < to; day += 1) {
    if (!standsOn(day) || standsOn(day - 1)) continue;
    let lasts = true;
    for (let later = day; later <= today && lasts; later += 1) lasts = standsOn(later);
    if (lasts) return true;
  }
  return false;
}

function compare(one: NaiveRow, other: NaiveRow, sort: string): number {
  const byId = one.customer_id < other.customer_id ? -1 : 1;
  if (sort === 'customer_id') return byId;
  const worth = (row: NaiveRow): number => {
    const value = row[sort];
    if (value === null) return Number.NEGATIVE_INFINITY;
    return sort === 'last_purchase_day' ? parseDay(String(value)) : Number(value);
  };
  const difference = worth(other) - worth(one);
  return Number.isNaN(difference) || difference === 0 ? byId : difference;
}
