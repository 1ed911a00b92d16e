import type { ActivityDay } from '../../src/domain/activity-day.ts';
import {
  type Classification,
  type Classifier,
  classify,
  compileClassifier,
  type Spell,
  timeline,
} from '../../src/domain/classify.ts';
import { compileModel, memoryOfModels } from '../../src/domain/compile-model.ts';
import { type FoldPlan, planFold } from '../../src/domain/fold.ts';
import { activityDays, type History, type Interaction, type Purchase, type Refund } from '../../src/domain/history.ts';
import type { Moment } from '../../src/domain/instant.ts';
import type { Condition, Model, Stage } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import type { Projection } from '../../src/domain/projection.ts';

const DAY_MS = 86_400_000;

/** Day number of `YYYY-MM-DD`. */
export function day(text: string): number {
  return Date.parse(`${text}T00:00:00Z`) / DAY_MS;
}

/** `YYYY-MM-DD` of a day number. */
export function date(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}

/** Microseconds of an instant such as `2025-01-01T10:00:00Z`; at most milliseconds. */
export function instant(text: string): number {
  return Date.parse(text) * 1_000;
}

/**
 * A history in UTC and cents, one event a line, ids counted from 1 (`p1`, `r1`, `i1`):
 *
 *     history(
 *       'known 1996-12-24',
 *       '1997-01-05 12.00',                          // purchase p1
 *       '1997-01-05T09:30 0 cost=1 products=a,b',    // purchase p2
 *       '1997-01-20 refund 12.00 p1',
 *       '1997-02-01 survey 9',
 *       '1997-03-01 complaint cost=2.50 void',
 *       '1997-04-01 departure price',
 *     )
 */
export function history(...lines: readonly string[]): History {
  const purchases: Purchase[] = [];
  const refunds: Refund[] = [];
  const interactions: Interaction[] = [];
  let known_since: number | null = null;
  let received_on = 0;
  for (const line of lines) {
    const [when = '', what = '', ...rest] = line.split(' ');
    const options = new Map(
      rest.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string]),
    );
    const plain = rest.filter((word) => !word.includes('=') && word !== 'void');
    const common = { moment: moment(when), voided: rest.includes('void') };
    const cost = cents(options.get('cost') ?? '0');
    if (when === 'known') known_since = day(what);
    else if (when === 'received') received_on = day(what);
    else if (/^\d/.test(what)) {
      const products = options.get('products')?.split(',') ?? [];
      const discount = cents(options.get('discount') ?? '0');
      const purchase_id = options.get('id') ?? `p${purchases.length + 1}`;
      purchases.push({ ...common, purchase_id, amount: cents(what), cost, discount, products });
    } else if (what === 'refund') {
      const refund_id = options.get('id') ?? `r${refunds.length + 1}`;
      refunds.push({ ...common, refund_id, amount: cents(plain[0]!), purchase_id: plain[1]! });
    } else {
      const interaction_id = options.get('id') ?? `i${interactions.length + 1}`;
      const score = what === 'survey' ? Number(plain[0]) : null;
      const reason = what === 'departure' ? (plain[0] as NonNullable<Interaction['reason']>) : null;
      interactions.push({ ...common, interaction_id, kind: what, score, reason, cost });
    }
  }
  return { known_since, received_on, purchases, refunds, interactions };
}

/** The activity days of a history in the same notation. */
export function days(...lines: readonly string[]): ActivityDay[] {
  return activityDays(history(...lines));
}

function moment(text: string): Moment {
  const [on = '', time] = text.split('T');
  const at = (day(on) * DAY_MS + (time === undefined ? 0 : Date.parse(`1970-01-01T${time}Z`))) * 1_000;
  return { at, day: day(on), plain: time === undefined };
}

function cents(text: string): number {
  const [whole = '', decimals = ''] = text.split('.');
  return Number(`${whole}${decimals.padEnd(2, '0')}`);
}

/** One text in every language. */
export const WORDS = { en: 'words', es: 'palabras', de: 'Worte' };

/** A model whose stages hold by these conditions, in order; the first stage is `known`. 90 and 180 days of silence unless given. */
export function modelOf(
  whens: Readonly<Record<string, Condition>>,
  { at_risk = 90, lapsed = 180 }: { readonly at_risk?: number; readonly lapsed?: number } = {},
): Model {
  const first: Stage = { stage: 'known', title: WORDS, description: WORDS };
  const later = Object.entries(whens).map(
    ([stage, when]): Stage => ({ stage, title: WORDS, description: WORDS, when }),
  );
  const lapse = { policy: 'fixed', at_risk_after_days: at_risk, lapsed_after_days: lapsed } as const;
  return { model_id: 'own', title: WORDS, description: WORDS, lapse, stages: [first, ...later] };
}

/** A model with the stages `known` and `there`, the latter by the given rule. */
export function there(when: Condition): Model {
  return modelOf({ there: when });
}

/** A plan that folds the models, counted from version 1, with cents. */
export function planOf(models: readonly Model[], projections: readonly Projection[] = []): FoldPlan {
  const memory = memoryOfModels(models);
  return planFold(
    models.map((model, index) => compileModel(model, index + 1, memory, 2)),
    memory,
    projections,
  );
}

/** A classifier by the model, its version 1, with cents. */
export function classifierOf(model: Model): Classifier {
  return compileClassifier(model, 1, 2);
}

/** The spells of a history in one model, past and scheduled: `1997-01-05 first_time_buyer active`. */
export function spells(model: Model, ...lines: readonly string[]): string[] {
  return timeline(classifierOf(model), days(...lines)).map(
    ({ from, stage, activity }) => `${date(from)} ${stage} ${activity}`,
  );
}

/** The days a history spends in the stage `there`, as `from..to` with `to` excluded. */
export function daysThere(when: Condition, ...lines: readonly string[]): string {
  return joined(timeline(classifierOf(there(when)), days(...lines)));
}

/** Spells of one stage that follow each other without a gap, whatever the activity, become one. */
function joined(all: readonly Spell[]): string {
  const ranges: { from: string; to: string }[] = [];
  for (const { from, to, stage } of all) {
    if (stage !== 'there') continue;
    const last = ranges.at(-1);
    const end = to === null ? '' : date(to);
    if (last !== undefined && last.to === date(from)) last.to = end;
    else ranges.push({ from: date(from), to: end });
  }
  return ranges.map(({ from, to }) => `${from}..${to}`).join(' ');
}

/** Where a history stands in a model at the end of a day; null before it is known. */
export function standing(model: Model, on: string, ...lines: readonly string[]): Classification | null {
  return classify(classifierOf(model), days(...lines), day(on));
}

/** Stage and activity at the end of a day in the built-in lifecycle: `core_customer at_risk`. */
export function lifecycleOn(on: string, ...lines: readonly string[]): string | null {
  const found = standing(BUILT_IN_MODELS.lifecycle, on, ...lines);
  return found === null ? null : `${found.stage} ${found.activity}`;
}
