import type { TObject, TProperties, TSchema } from '@sinclair/typebox';
import type { QueryExecutorProvider } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import type { CompiledModel } from '../domain/compile-model.ts';
import type { Projection } from '../domain/projection.ts';
import type { Micros } from '../domain/time-zone.ts';

/** What a report's numbers mean, in words; `GET /v1/definitions/{report}` answers it. */
export interface ReportDefinition {
  readonly report: string;
  /** Raised when a number would come out differently. */
  readonly definition_version: number;
  readonly question: string;
  readonly formula: string;
  readonly denominator: string;
  readonly window: string;
  readonly exclusions: string;
  /** A row of the report read aloud. */
  readonly reading: string;
}

/** What a report may ask of the world. All of one answer is read in one snapshot. */
export interface ReportContext {
  readonly trx: QueryExecutorProvider;
  /** The model asked about; the first of the plan for a report that depends on none. */
  readonly model: CompiledModel;
  /** Id of the group asked for; 0 is everybody. */
  readonly group_id: number;
  readonly today: Day;
  /** Decimals of the currency. */
  readonly decimals: number;
}

/** What was read over all customers, and when. */
export interface ExactRead<Found> {
  readonly found: Found;
  /** Microseconds since 1970-01-01T00:00:00Z. */
  readonly computed_at: Micros;
}

/**
 * Reads something exactly that is too dear to be read with every answer, or gives what the same read found a short while ago. The key names the
 * report and everything the read depends on besides the stored events: the day, the group, the model, the parameters.
 */
export type ExactReads = <Found>(
  key: readonly (string | number | boolean)[],
  read: () => Promise<Found>,
) => Promise<ExactRead<Found>>;

/** An active model, and its version as published. */
export interface ActiveModel {
  readonly compiled: CompiledModel;
  readonly published: number;
}

/** What a report may ask of the world if it does not only add up roll-ups. */
export interface ExactContext extends ReportContext {
  readonly exact: ExactReads;
  /** All active models. */
  readonly models: readonly ActiveModel[];
}

/** A parameter a report refuses: which, why, and what to do. Becomes a 400 problem. */
export interface ReportFault {
  readonly parameter: string;
  readonly code:
    | 'range_too_wide'
    | 'unknown_model'
    | 'unknown_stage'
    | 'invalid_range'
    | 'invalid_value'
    | 'not_a_day'
    | 'not_a_period';
  readonly detail: string;
}

/** What a report answers: its rows, and what stands beside them. */
export interface ReportAnswer {
  readonly as_of: Day;
  /** True if the answer reaches beyond today, where only scheduled moves are known. */
  readonly projected: boolean;
  readonly items: readonly unknown[];
  /** Single figures beside the rows, by the names in `summary`. */
  readonly summary?: Readonly<Record<string, unknown>>;
  /** Further tables of the answer, by the names in `tables`. */
  readonly tables?: Readonly<Record<string, readonly unknown[]>>;
}

/** A report: its words, its parameters, its rows, and how it is read. Adding one is one file and one line in the registry. */
export interface Report<Query = never, Context extends ReportContext = ReportContext> {
  readonly definition: ReportDefinition;
  readonly operation_id: string;
  /** False if the numbers are the same in every model: the answer's model is then null. */
  readonly per_model: boolean;
  /** The projections whose roll-ups it reads: while one of them is being built, it is refused. */
  readonly reads: readonly Projection[];
  readonly query: TObject<TProperties>;
  readonly row: TSchema;
  /** Schemas of the single figures beside the rows. */
  readonly summary: TProperties;
  /** Row schemas of further tables. */
  readonly tables: Readonly<Record<string, TSchema>>;
  /** Example of `items`, of the summary and of the tables, for the document. */
  readonly example: Readonly<Record<string, unknown>>;
  readonly read: (context: Context, query: Query) => Promise<ReportAnswer | ReportFault>;
}

/** Most rows in one answer. */
export const MAX_ROWS = 10_000;
/** Most points in one series. */
export const MAX_POINTS = 400;
