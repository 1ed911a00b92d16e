import type { Projection } from '../domain/projection.ts';
import { cashFlow } from './cash-flow.ts';
import { cashFlowRollup } from './cash-flow-rollup.ts';
import { periodMovesRollup } from './period-moves-rollup.ts';
import type { Report } from './report.ts';
import { stageMoves } from './stage-moves.ts';
import { stageMovesRollup } from './stage-moves-rollup.ts';
import { stagePopulation } from './stage-population.ts';
import { stageRetention } from './stage-retention.ts';
import { storedEvents } from './stored-events.ts';

/** Every roll-up, in the order in which they are written and so locked. Append only. */
export const PROJECTIONS = [storedEvents, stageMovesRollup, periodMovesRollup, cashFlowRollup] as readonly Projection[];

/** Every report, each with its own route. */
export const REPORTS = [stagePopulation, stageMoves, stageRetention, cashFlow] as readonly unknown[] as readonly Report<
  Record<string, unknown>
>[];
