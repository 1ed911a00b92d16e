import { type Static, Type } from '@sinclair/typebox';
import type { CompiledModel } from '../domain/compile-model.ts';
import type { Model } from '../domain/model.ts';
import { count, day, fraction, maybeFraction, nullable, stage } from './fields.ts';
import { modelParameter, readDay } from './parameters.ts';
import { MAX_ROWS, type Report, type ReportFault } from './report.ts';
import { kaplanMeier, type SurvivalStep } from './survival.ts';
import {
  EXIT_LAPSED,
  EXIT_STAGE,
  type ObservedSpells,
  readObservedSpells,
  timeInStageRollup,
} from './time-in-stage-rollup.ts';

const query = Type.Object(
  {
    model: modelParameter,
    stage: Type.Optional(
      stage('The stage whose spells are asked for; the second of the model if absent, or its only one.'),
    ),
    as_of: Type.Optional(day('Spells are followed up to the end of this day; today if absent.')),
  },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

const exitField = (description: string) => Type.String({ maxLength: 64, description });

const row = Type.Object({
  weeks: Type.Integer({ minimum: 0, description: 'Completed weeks from the beginning of a spell to its end.' }),
  at_risk: count('Spells under observation that had not ended in an earlier week.'),
  exit: exitField('How spells ended: the stage moved to, or `lapsed`.'),
  exits: count('Spells at risk that ended in this week by this exit.'),
  incidence: fraction('Share of all spells that have ended by this exit up to this week.'),
  survival: fraction('Share of all spells that go on after this week, whatever the exits.'),
  lower: maybeFraction('Lower bound of the 95 % interval of `survival`; null where none is defined.'),
  upper: maybeFraction('Upper bound of the 95 % interval of `survival`; null where none is defined.'),
});

const exitRow = Type.Object({
  exit: exitField('The stage moved to, or `lapsed`.'),
  exits: count('Spells that ended by this exit, in any of the weeks.'),
  incidence: fraction('Its incidence after the last week; all of them and the last survival add up to 1.'),
});

/** How long customers stay in a stage, and where they go from it. */
export const timeInStage: Report<Query> = {
  definition: {
    report: 'time-in-stage',
    definition_version: 1,
    question: 'How long do customers stay in a stage, and do they move to another one or lapse?',
    formula:
      'A spell is unbroken time in the stage while activity is not lapsed; it ends on the day of a move into lapsed (exit `lapsed`, whatever the stage) or else to another stage (exit: that stage), after ⌊days / 7⌋ completed weeks. With r spells at risk in a week and d of them ending in it: survival S = Π(1 − d/r) over the weeks so far; incidence of an exit = Σ S before the week · d of that exit / r. S + the incidences of all exits = 1. Bounds: Greenwood, 95 %, on the scale of log(−log S). median = the first week after which S ≤ 0.5.',
    denominator:
      'Spells at risk: those of months followed for more than that many weeks, which have not ended in an earlier week.',
    window:
      'Spells that began in a month whose last day is on or before `as_of`. All spells of a month are followed equally long, for ⌊(as_of − last day of the month) / 7⌋ whole weeks; an exit in a later week does not count yet. An `as_of` after today takes in the moves that are scheduled if nothing more happens.',
    exclusions:
      'Time while lapsed: a win-back begins a new spell. Changes of activity among none, active and at_risk neither end a spell nor begin one. Spells of months that end after `as_of`. There are no groups.',
    reading:
      '412 spells as early repeat buyer were still under observation after 3 weeks; 21 of them ended before the fourth was over by becoming core customer. By then 14 % of all spells had ended so, and 83 % went on.',
  },
  operation_id: 'getTimeInStage',
  per_model: true,
  reads: [timeInStageRollup],
  query,
  row,
  summary: {
    stage: stage('The stage whose spells are shown.'),
    spells: count('Spells that began in the months of the window.'),
    median: nullable(Type.Integer({ minimum: 0 }), {
      description: 'First week after which at most half of the spells go on; null if more than half always do.',
    }),
  },
  tables: { exits: exitRow },
  example: {
    stage: 'early_repeat_buyer',
    spells: 900,
    median: 25,
    items: [
      {
        weeks: 3,
        at_risk: 412,
        exit: 'core_customer',
        exits: 21,
        incidence: 0.142,
        survival: 0.831,
        lower: 0.803,
        upper: 0.855,
      },
    ],
    exits: [
      { exit: 'core_customer', exits: 301, incidence: 0.418 },
      { exit: 'lapsed', exits: 377, incidence: 0.571 },
    ],
  },
  async read(context, request) {
    const asOf = readDay('as_of', request.as_of, context.today);
    if (typeof asOf !== 'number') return asOf;
    const index = stageAsked(context.model, request.stage);
    if (typeof index !== 'number') return index;
    const observed = await readObservedSpells(context, index, asOf);
    const { items, totals } = incidences(context.model, observed);
    if (items.length > MAX_ROWS)
      return {
        parameter: 'as_of',
        code: 'range_too_wide',
        detail: `the answer exceeds ${MAX_ROWS} rows; ask for an earlier day`,
      };
    return {
      as_of: asOf,
      projected: asOf > context.today,
      summary: {
        stage: context.model.model.stages[index]!.stage,
        spells: observed.spells,
        median: items.find(({ survival }) => survival <= HALF)?.weeks ?? null,
      },
      items,
      tables: { exits: totals },
    };
  },
};

/** A product of fractions that is a half may miss it by its last digits. */
const HALF = 0.5 + 1e-12;

function stageAsked({ model }: CompiledModel, name: string | undefined): number | ReportFault {
  const names = model.stages.map((one) => one.stage);
  const index = name === undefined ? Math.min(1, names.length - 1) : names.indexOf(name);
  if (index !== -1) return index;
  return {
    parameter: 'stage',
    code: 'unknown_stage',
    detail: `The model ${model.model_id} has no such stage; its stages are ${names.join(', ')}`,
  };
}

/** The product-limit estimate week by week, and how each exit adds up to what it leaves. */
function incidences({ model }: CompiledModel, { spells, exits, left }: ObservedSpells) {
  const ended = Map.groupBy(exits, ({ weeks }) => weeks);
  const points = kaplanMeier(stepsOf(spells, ended, left));
  const incidence = new Map<number, number>();
  const counted = new Map<number, number>();
  let before = 1;
  const items = points.flatMap(({ time: weeks, at_risk, survival, lower, upper }) => {
    const rows = ended.get(weeks)!.map(({ exit, spells: exiting }) => {
      // Rounding must not lead beyond a whole.
      incidence.set(exit, Math.min(1, (incidence.get(exit) ?? 0) + (before * exiting) / at_risk));
      counted.set(exit, (counted.get(exit) ?? 0) + exiting);
      const shown = { weeks, at_risk, exit: exitName(model, exit), exits: exiting };
      return { ...shown, incidence: incidence.get(exit)!, survival, lower, upper };
    });
    before = survival;
    return rows;
  });
  const inOrder = [...model.stages.keys()].map((index) => EXIT_STAGE + index).concat(EXIT_LAPSED);
  const totals = inOrder
    .filter((exit) => counted.has(exit))
    .map((exit) => ({ exit: exitName(model, exit), exits: counted.get(exit)!, incidence: incidence.get(exit)! }));
  return { items, totals };
}

/** The weeks in which spells ended, with those still at risk then: neither ended earlier nor followed for so many weeks only. */
function stepsOf(
  spells: number,
  ended: ReadonlyMap<number, readonly { readonly spells: number }[]>,
  left: ObservedSpells['left'],
): SurvivalStep[] {
  let at_risk = spells;
  let next = 0;
  return [...ended].map(([time, rows]) => {
    for (; next < left.length && left[next]!.followed <= time; next += 1) at_risk -= left[next]!.spells;
    const events = rows.reduce((sum, row) => sum + row.spells, 0);
    const step = { time, at_risk, events };
    at_risk -= events;
    return step;
  });
}

function exitName(model: Model, exit: number): string {
  return exit === EXIT_LAPSED ? 'lapsed' : model.stages[exit - EXIT_STAGE]!.stage;
}
