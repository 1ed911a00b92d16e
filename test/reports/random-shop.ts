import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Differences } from '../../src/domain/differences.ts';
import { closeDays, reopenDays, settleTail } from '../../src/domain/fold.ts';
import { activityDays, type History } from '../../src/domain/history.ts';
import type { Packable } from '../../src/domain/packed.ts';
import type { Projection } from '../../src/domain/projection.ts';
import type { Rng } from '../oracle/rng.ts';
import { date, day, history, planOf } from '../support/notation.ts';
import { RowRecorder } from '../support/row-recorder.ts';
import type { TestService } from '../support/service.ts';

/** The seed of a random test: `--seed=…` replays one that was printed. */
export function seedOf(): number {
  const { values } = parseArgs({ options: { seed: { type: 'string' } }, strict: false });
  return Number(values.seed ?? randomInt(1_000_000_000));
}

/** What one customer did on a day, as the definitions say it, counted event by event. */
export interface PlainDay {
  purchases: number;
  revenue: number;
  costs: number;
}

/** A life of some purchases, refunds in part, whole and in excess, voided events and interactions that cost, at random within so many days. */
export function randomLife(rng: Rng, first: string, days: number): History {
  const on = (): string => date(day(first) + rng.between(0, days - 1));
  const lines = [`received ${first}`];
  const purchases = rng.weighted([
    [1, 0],
    [4, rng.between(1, 4)],
    [3, rng.between(5, 30)],
    [1, rng.between(40, 80)],
  ]);
  for (let purchase = 1; purchase <= purchases; purchase += 1) {
    const amount = rng.pick([0, 1, 5, 20, rng.between(1, 99)]);
    lines.push(`${on()} ${amount} cost=${rng.pick([0, 0, 3])}${rng.chance(0.1) ? ' void' : ''}`);
    if (rng.chance(0.15)) lines.push(`${on()} refund ${rng.pick([1, amount, amount + 2])} p${purchase}`);
    if (rng.chance(0.02)) lines.push(`${on()} refund ${amount} p${purchase} void`);
  }
  for (let contact = rng.between(0, 4); contact > 0; contact -= 1) {
    lines.push(`${on()} contact cost=${rng.pick([0, 1, 7])}${rng.chance(0.2) ? ' void' : ''}`);
  }
  return history(...lines);
}

/** The days on which anything of the history counts, ascending. */
export function plainDays({ purchases, refunds, interactions }: History): Map<number, PlainDay> {
  const days = new Map<number, PlainDay>();
  const at = (number: number): PlainDay => {
    const found = days.get(number) ?? { purchases: 0, revenue: 0, costs: 0 };
    days.set(number, found);
    return found;
  };
  for (const { purchase_id, moment, amount, cost, voided } of purchases) {
    if (voided) continue;
    const back = refunds.filter((refund) => refund.purchase_id === purchase_id && !refund.voided);
    const refunded = back.reduce((sum, refund) => sum + refund.amount, 0);
    const on = at(moment.day);
    if (amount === 0 || back.length === 0 || refunded < amount) on.purchases += 1;
    on.revenue += amount - refunded;
    on.costs += cost;
  }
  for (const { moment, cost, voided } of interactions) if (!voided) at(moment.day).costs += cost;
  return new Map([...days].sort(([one], [other]) => one - other));
}

/** The days with a purchase that counts, ascending. */
export function purchaseDays(life: History): number[] {
  return [...plainDays(life)].filter(([, { purchases }]) => purchases > 0).map(([on]) => on);
}

/** A roll-up as a map from its key to its measures, both as texts; rows that are zero throughout are left out. */
export type PlainRollup = Map<string, string>;

/**
 * What the histories add to the roll-up of a projection without model, each sent in several pieces: before every piece the tail of what was saved is taken
 * back, as ingest does.
 */
export function rollupOf<State extends Packable>(
  projection: Projection<State>,
  lives: readonly History[],
  rng: Rng,
): PlainRollup {
  const plan = planOf([], [projection as Projection]);
  const differences = new Differences(plan);
  const [added, taken] = [new RowRecorder(projection), new RowRecorder(projection)];
  for (const life of lives) {
    const days = activityDays(life);
    const cut = rng.between(1, days.length);
    let saved = closeDays(plan, null, days.slice(0, cut), [added]);
    if (cut < days.length) {
      settleTail(plan, saved, [added]);
      settleTail(plan, saved, [taken]);
      saved = closeDays(plan, saved.closed, reopenDays(saved, days.slice(cut)), [added]);
    }
    settleTail(plan, saved, [added]);
  }
  for (const { rows, sign } of [
    { rows: added.rows, sign: 1 },
    { rows: taken.rows, sign: -1 },
  ] as const) {
    for (const { key, measures } of rows) {
      check(projection, key, measures);
      differences.add(0, 0, sign, key, measures);
    }
  }
  return new Map(
    differences.rows(projection as Projection).map(({ key, measures }) => [key.join(' '), measures.join(' ')]),
  );
}

function check({ key: columns }: Pick<Projection, 'key'>, key: readonly number[], measures: readonly number[]): void {
  if (measures.every((measure) => measure === 0)) throw new Error(`a row of zeros for ${key.join(' ')}`);
  columns.forEach(({ name, least, size }, index) => {
    const value = key[index]!;
    if (!(value >= least && value < least + size)) throw new Error(`${name} ${value} is out of range`);
  });
}

/** Adds up a roll-up by hand. */
export class Adder {
  readonly #sums = new Map<string, number[]>();

  add(key: readonly (string | number)[], measures: readonly number[]): void {
    const sums = this.#sums.get(key.join(' '));
    if (sums === undefined) this.#sums.set(key.join(' '), [...measures]);
    else
      measures.forEach((measure, index) => {
        sums[index]! += measure;
      });
  }

  rollup(): PlainRollup {
    const full = [...this.#sums].filter(([, sums]) => sums.some((sum) => sum !== 0));
    return new Map(full.map(([key, sums]) => [key, sums.join(' ')]));
  }
}

/** Where two roll-ups differ: `key: found, not wanted`. */
export function differing(found: PlainRollup, wanted: PlainRollup): string[] {
  return [...new Set([...found.keys(), ...wanted.keys()])]
    .filter((key) => found.get(key) !== wanted.get(key))
    .map((key) => `${key}: ${found.get(key)}, not ${wanted.get(key)}`);
}

/** Sends what counts of the lives, by customer, to a service. */
export async function tell({ call }: TestService, lives: ReadonlyMap<string, History>): Promise<void> {
  const sent: Record<string, object[]> = { purchases: [], refunds: [], interactions: [] };
  for (const [customer_id, { purchases, refunds, interactions }] of lives) {
    for (const { purchase_id, moment, amount, cost, voided } of purchases) {
      const money = { amount: (amount / 100).toFixed(2), cost: (cost / 100).toFixed(2) };
      if (!voided) sent.purchases!.push({ customer_id, purchase_id, purchased_at: date(moment.day), ...money });
    }
    for (const { refund_id, purchase_id, moment, amount, voided } of refunds) {
      const money = { refunded_at: date(moment.day), amount: (amount / 100).toFixed(2) };
      if (!voided && amount > 0) sent.refunds!.push({ customer_id, refund_id, purchase_id, ...money });
    }
    for (const { interaction_id, moment, kind, cost, voided } of interactions) {
      const rest = { occurred_at: date(moment.day), kind, cost: (cost / 100).toFixed(2) };
      if (!voided) sent.interactions!.push({ customer_id, interaction_id, ...rest });
    }
  }
  for (const [route, items] of Object.entries(sent)) await send(call, route, items);
}

/** Posts items, 1,000 at a time; each must be created. */
export async function send(call: TestService['call'], route: string, items: readonly object[]): Promise<void> {
  for (let begin = 0; begin < items.length; begin += 1_000) {
    const { status, text, body } = await call('POST', `/v1/${route}`, { items: items.slice(begin, begin + 1_000) });
    const created = status === 200 && body.items.every((item: { status: string }) => item.status === 'created');
    if (!created) throw new Error(`POST /v1/${route}: ${status} ${text}`);
  }
}
