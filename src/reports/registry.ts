import type { Projection } from '../domain/projection.ts';
import { buyerPeriodsRollup } from './buyer-periods-rollup.ts';
import { cashFlow } from './cash-flow.ts';
import { cashFlowRollup } from './cash-flow-rollup.ts';
import { cohortRetention } from './cohort-retention.ts';
import { cohortsRollup } from './cohorts-rollup.ts';
import { customerFlow } from './customer-flow.ts';
import { customerValuesRollup } from './customer-values-rollup.ts';
import { dailyTotalsRollup } from './daily-totals-rollup.ts';
import { defections } from './defections.ts';
import { defectionsRollup } from './defections-rollup.ts';
import { loyaltyEconomics } from './loyalty-economics.ts';
import { modelCrosswalk } from './model-crosswalk.ts';
import { periodMovesRollup } from './period-moves-rollup.ts';
import { purchaseGapsRollup } from './purchase-gaps-rollup.ts';
import { purchaseNumbersRollup } from './purchase-numbers-rollup.ts';
import { repeatPurchases } from './repeat-purchases.ts';
import type { ExactContext, Report } from './report.ts';
import { revenueMovements } from './revenue-movements.ts';
import { stageMoves } from './stage-moves.ts';
import { stageMovesRollup } from './stage-moves-rollup.ts';
import { stagePopulation } from './stage-population.ts';
import { stageRetention } from './stage-retention.ts';
import { timeInStage } from './time-in-stage.ts';
import { timeInStageRollup } from './time-in-stage-rollup.ts';
import { valueSegments } from './value-segments.ts';

/** Every roll-up, in the order in which they are written and so locked. Append only. */
export const PROJECTIONS = [
  dailyTotalsRollup,
  stageMovesRollup,
  periodMovesRollup,
  cashFlowRollup,
  timeInStageRollup,
  defectionsRollup,
  buyerPeriodsRollup,
  cohortsRollup,
  purchaseNumbersRollup,
  purchaseGapsRollup,
  customerValuesRollup,
] as readonly Projection[];

/** Every report, each with its own route. */
export const REPORTS = [
  stagePopulation,
  stageMoves,
  stageRetention,
  timeInStage,
  customerFlow,
  cohortRetention,
  revenueMovements,
  repeatPurchases,
  valueSegments,
  defections,
  loyaltyEconomics,
  cashFlow,
  modelCrosswalk,
] as readonly unknown[] as readonly Report<Record<string, unknown>, ExactContext>[];
