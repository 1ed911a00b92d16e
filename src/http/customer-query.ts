import { type Static, Type } from '@sinclair/typebox';
import { type Day, FIRST_DAY, LAST_DAY, parseDay } from '../domain/calendar.ts';
import { type Position, positionOf } from '../domain/compile-model.ts';
import { EVERYBODY } from '../domain/differences.ts';
import { ACTIVITIES, type Model } from '../domain/model.ts';
import { type Engine, todayOf } from '../ingest/engine.ts';
import { parameterProblem } from '../problems.ts';
import { activity, day, oneOf } from '../reports/fields.ts';
import { groupParameter, modelParameter } from '../reports/parameters.ts';
import { readSegmentRange, SEGMENTS, VALUES } from '../reports/value-classes.ts';
import type { Trx } from '../store/connect.ts';
import {
  type CustomerFilter,
  type Entered,
  LIST_SORTS,
  type ListKey,
  type ListSort,
} from '../store/customer-filter.ts';
import { requireGroup, requireModel } from './context.ts';
import { isInteger, readCursor, writeCursor } from './cursor.ts';

function days(what: string) {
  return Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: LAST_DAY - FIRST_DAY,
      description: `Only customers whose ${what} was at least so many days ago, as of today; those without any are left out.`,
    }),
  );
}

/** What a list of customers can be asked for. */
export const customerQuery = Type.Object(
  {
    model: modelParameter,
    stage: Type.Optional(
      Type.String({ maxLength: 64, description: 'Only customers who are in this stage of the model today.' }),
    ),
    activity: Type.Optional(
      activity('Only customers of this activity today: none (never bought), active, at_risk or lapsed.'),
    ),
    entered_from: Type.Optional(
      day(
        'With `entered_to` and with `stage`, `activity` or both: instead of those who stand there today, customers whose current or scheduled unbroken time there begins on or after this day. Days after today ask who will come there if nothing more happens.',
      ),
    ),
    entered_to: Type.Optional(day('That time begins before this day (the range is half-open).')),
    group: groupParameter,
    segment: Type.Optional(
      oneOf(SEGMENTS, {
        description:
          'Only customers of this segment of value-segments, lifetime, as of all stored events; with `group`, of the segment among its members.',
      }),
    ),
    value: Type.Optional(oneOf(VALUES, { description: 'What `segment` is ranked by; `revenue` if absent.' })),
    days_since_last_purchase: days('last purchase day'),
    days_since_last_interaction: days('last interaction, of any kind,'),
    open_complaint_days_at_least: days('oldest open complaint'),
    sort: Type.Optional(
      oneOf(LIST_SORTS, {
        default: 'revenue',
        description:
          'Lifetime revenue, lifetime profit or last purchase day from the greatest down (whoever never bought last), equal ones by customer_id; or by customer_id alone.',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000, description: 'Customers on a page; 50 if absent. Not for streams.' }),
    ),
    cursor: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1_024,
        description: '`next_cursor` of the page before. Not for streams.',
      }),
    ),
  },
  { additionalProperties: false },
);
/** The parameters of a list, checked one by one. */
export type CustomerQuery = Static<typeof customerQuery>;

/** Which customers are asked for, in which order, and of which model they are shown. */
export interface CustomerList {
  /** Index of the model in the plan. */
  readonly model: number;
  readonly filter: CustomerFilter;
  readonly sort: ListSort;
}

/** Reads the parameters together; what contradicts the model or itself is a 400 that names the parameter. */
export async function readList(trx: Trx, engine: Engine, query: CustomerQuery): Promise<CustomerList> {
  const model = requireModel(engine, query.model ?? 'lifecycle');
  const today = todayOf(engine);
  const ago = (days: number | undefined): Day | null => (days === undefined ? null : today - days);
  const group_id = await requireGroup(trx, query.group);
  const filter: CustomerFilter = {
    model_version: engine.plan.models[model]!.version,
    today,
    positions: positionsOf(engine.models[model]!.model, query),
    entered: enteredOf(query),
    group_id: group_id === EVERYBODY ? null : group_id,
    last_purchase_by: ago(query.days_since_last_purchase),
    last_interaction_by: ago(query.days_since_last_interaction),
    open_complaint_by: ago(query.open_complaint_days_at_least),
    ranked: await rankedBy(trx, group_id, query),
  };
  return { model, filter, sort: query.sort ?? 'revenue' };
}

/** Where the segment asked for lies among the customers ranked. */
async function rankedBy(
  trx: Trx,
  group_id: number,
  { segment, value }: CustomerQuery,
): Promise<CustomerFilter['ranked']> {
  if (segment === undefined) {
    if (value === undefined) return null;
    throw parameterProblem('value', 'not_allowed', 'says what a segment is ranked by; name a `segment` too');
  }
  const by = value ?? 'revenue';
  const range = await readSegmentRange({ trx, group_id }, by, segment);
  return range === null ? 'nobody' : { by, after: range.after, through: range.last };
}

/** The positions of a stage, of an activity, or of both together; null if neither is asked for. */
function positionsOf({ stages }: Model, query: CustomerQuery): Position[] | null {
  if (query.stage === undefined && query.activity === undefined) return null;
  const names = stages.map(({ stage }) => stage);
  if (query.stage !== undefined && !names.includes(query.stage)) {
    throw parameterProblem('stage', 'unknown_stage', `is no stage of this model; there are ${names.join(', ')}`);
  }
  return names.flatMap((name, stage) =>
    ACTIVITIES.flatMap((activity, index) =>
      (query.stage ?? name) === name && (query.activity ?? activity) === activity ? [positionOf(stage, index)] : [],
    ),
  );
}

function enteredOf(query: CustomerQuery): Entered | null {
  const { entered_from, entered_to, stage, activity } = query;
  if (entered_from === undefined && entered_to === undefined) return null;
  if (stage === undefined && activity === undefined) {
    throw parameterProblem('entered_from', 'invalid_range', 'needs `stage`, `activity` or both: entered what?');
  }
  const from = enteredDay('entered_from', entered_from);
  const to = enteredDay('entered_to', entered_to);
  if (to <= from) {
    throw parameterProblem('entered_to', 'invalid_range', 'must be after entered_from: the range ends before it');
  }
  return { from, to, unbroken: activity === undefined ? 'stage' : stage === undefined ? 'activity' : 'both' };
}

function enteredDay(parameter: string, text: string | undefined): Day {
  if (text === undefined) {
    throw parameterProblem(parameter, 'invalid_range', 'is missing; a range needs both entered_from and entered_to');
  }
  const found = parseDay(text);
  if (found !== null) return found;
  throw parameterProblem(parameter, 'not_a_day', 'is not a day of the calendar between 1900-01-01 and 2199-12-31');
}

/** Where a cursor of this list stands; an `invalid_cursor` problem if it is one of other filters or of another order. */
export function readListCursor(query: CustomerQuery, sort: ListSort): ListKey | null {
  const fits = { revenue: isInteger, profit: isInteger, last_purchase_day: isDayOrNull, customer_id: isNull }[sort];
  const key = readCursor(boundTo(query), query.cursor, fits as (value: unknown) => value is number | null);
  return key && { value: key.value, customer_id: key.id };
}

/** The cursor of the page after this place. */
export function writeListCursor(query: CustomerQuery, { value, customer_id }: ListKey): string {
  return writeCursor(boundTo(query), { value, id: customer_id });
}

/** Everything that decides what is on the list, and in which order. */
function boundTo({ limit: _, cursor: __, model = 'lifecycle', sort = 'revenue', ...filters }: CustomerQuery): string[] {
  const named = Object.entries({ ...filters, model, sort }).map(([name, value]) => `${name}=${value}`);
  return ['customers', ...named.sort()];
}

function isDayOrNull(value: unknown): value is number | null {
  return value === null || (isInteger(value) && value >= FIRST_DAY && value <= LAST_DAY);
}

function isNull(value: unknown): value is null {
  return value === null;
}
