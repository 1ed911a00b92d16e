import type { Projection } from '../domain/projection.ts';
import { customerValuesRollup } from './customer-values-rollup.ts';
import { modelCrosswalk } from './model-crosswalk.ts';
import type { ExactContext, Report } from './report.ts';
import { stageMoves } from './stage-moves.ts';
import { stageMovesRollup } from './stage-moves-rollup.ts';
import { stagePopulation } from './stage-population.ts';
import { storedEvents } from './stored-events.ts';
import { valueSegments } from './value-segments.ts';

/** Every roll-up, in the order in which they are written and so locked. Append only. */
export const PROJECTIONS = [storedEvents, stageMovesRollup, customerValuesRollup] as readonly Projection[];

/** Every report, each with its own route. */
export const REPORTS = [
  stagePopulation,
  stageMoves,
  valueSegments,
  modelCrosswalk,
] as readonly unknown[] as readonly Report<Record<string, unknown>, ExactContext>[];
