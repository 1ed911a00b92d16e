import { type Day, formatDay } from '../domain/calendar.ts';
import type { Classifier } from '../domain/classify.ts';
import { activityOf } from '../domain/compile-model.ts';
import { adviseCore, repeatShares } from '../domain/core-advice.ts';
import { type Advised, adviseLapse } from '../domain/lapse-advice.ts';
import { type JudgedBuyer, type LapseScore, scoreCandidates } from '../domain/lapse-calibration.ts';
import { GAP_PERCENTILES, lapseCandidates } from '../domain/lapse-candidates.ts';
import { ACTIVITIES } from '../domain/model.ts';
import { type Horizon, observeBuyer } from '../domain/observed-buyer.ts';
import { positionOn } from '../domain/position-on.ts';
import { gapPercentiles, readGaps } from '../reports/purchase-gaps-rollup.ts';
import { readRepeatCounts } from '../reports/purchase-numbers-rollup.ts';
import type { ReportContext } from '../reports/report.ts';
import { survivalAt } from '../reports/survival-at.ts';
import { basisOf, type PopulationBasis, type Sampling, showBasis } from './population-basis.ts';
import type { PopulationRead } from './population-reads.ts';

/** A model to calibrate, on whom, and by what came after which day. */
export interface CalibrationQuestion {
  readonly classifier: Classifier;
  readonly group_id: number;
  readonly horizon: Horizon;
  /** The latest day of which anything is known; null if nothing is stored. */
  readonly data_through: Day | null;
  /** The share of those who go on from which a purchase day makes a core customer. */
  readonly core_share: number;
}

const SURVIVAL_NUMBERS = [1, 2, 3, 4, 5];
const SURVIVAL_DAYS = [30, 60, 90, 120, 180, 270, 365];
const LAPSED = ACTIVITIES.indexOf('lapsed');
const FIGURES =
  'Numerators and denominators are those of the sample, not scaled up; survival and repeat are read from everybody. Bounds: Wilson score intervals, without the finite population factor.';

/** Tries lapse policies on what the buyers of a past day did afterwards. */
export async function calibrateModel(
  read: PopulationRead,
  question: CalibrationQuestion,
  context: Pick<ReportContext, 'trx' | 'group_id'>,
  sampling: Sampling,
) {
  const { horizon, data_through, classifier } = question;
  const basis = await basisOf(read.trx, question.group_id, horizon.at, sampling);
  const { buyers, gaps, seen } = await observe(read, question, basis);
  const percentiles = gapPercentiles({ completed: gaps, waiting: { days: [], customers: [] } }, GAP_PERCENTILES);
  const over = data_through !== null && horizon.until <= data_through;
  const present = { source: 'current' as const, percentile: null, policy: classifier.compiled.model.lapse };
  const scores = over ? scoreCandidates(buyers, [present, ...lapseCandidates(percentiles)]) : [];
  const returners = over ? buyers.filter(({ returned }) => returned).length : null;
  const repeat = repeatShares(await readRepeatCounts(context));
  return {
    basis: showBasis(basis, seen, FIGURES),
    buyers: buyers.length,
    returners,
    silent: returners === null ? null : buyers.length - returners,
    candidates: scores.map(showScore),
    ...showAdvice(over ? adviseLapse(scores) : { missing: tooEarly(horizon, data_through) }),
    gaps: percentiles,
    survival: data_through === null ? [] : await readSurvival(context, data_through),
    repeat,
    core: { core_share: question.core_share, ...adviseCore(repeat, question.core_share) },
  };
}

async function observe(
  read: PopulationRead,
  { classifier, horizon }: CalibrationQuestion,
  { choice }: PopulationBasis,
) {
  const buyers: JudgedBuyer[] = [];
  const gaps = new Map<number, number>();
  let seen = 0;
  const { model } = classifier.compiled;
  await read.each(choice, { models: [model], place: { parameter: 'model_id' } }, (days) => {
    if (days[0]!.day <= horizon.at) seen += 1;
    const buyer = observeBuyer(days, horizon, gaps);
    if (buyer === null) return;
    const lapsed_now = activityOf(positionOn(classifier, days, horizon.at)) === LAPSED;
    buyers.push({ ...buyer, lapsed_now });
  });
  const shortestFirst = [...gaps].sort(([a], [b]) => a - b);
  const counts = { days: shortestFirst.map(([days]) => days), customers: shortestFirst.map(([, count]) => count) };
  return { buyers, gaps: counts, seen };
}

function tooEarly({ until }: Horizon, data_through: Day | null): string {
  return data_through === null
    ? 'Nothing is stored yet.'
    : `The window ends on ${formatDay(until)}, but what is stored ends on ${formatDay(data_through)}: who is silent is not known yet. Ask for an earlier day or a shorter horizon.`;
}

function showScore({ candidate, false_lapse, caught, balanced_accuracy }: LapseScore) {
  const { lapsed_after_days: days } = candidate.policy;
  return {
    ...candidate,
    lapsed_after_days: typeof days === 'number' ? days : null,
    false_lapse,
    caught,
    balanced_accuracy,
  };
}

function showAdvice(advised: Advised) {
  return 'missing' in advised
    ? { recommendation: null, missing: advised.missing }
    : { recommendation: advised.recommendation, missing: null };
}

async function readSurvival(context: Pick<ReportContext, 'trx' | 'group_id'>, until: Day) {
  const rows = [];
  for (const purchase_number of SURVIVAL_NUMBERS) {
    const gaps = await readGaps(context, purchase_number);
    rows.push(...survivalAt(gaps, until, SURVIVAL_DAYS).map((row) => ({ purchase_number, ...row })));
  }
  return rows;
}
