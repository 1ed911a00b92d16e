import { sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import type { Spells } from '../domain/fold.ts';
import { writeStanding } from '../domain/standing.ts';
import { type Pipeline, pipelined, type Trx } from './connect.ts';
import { type CustomerFigures, FIGURE_COLUMNS, type Standing, standingOn } from './customer-figures.ts';
import { type CustomerYears, saveYears } from './customer-years.ts';
import { type CustomerRow, numberArray } from './customers.ts';

/** What is saved of a customer after an ingest. */
export interface CustomerSave extends CustomerRow {
  /** The models of the layout. */
  readonly model_versions: readonly number[];
  /** One for each of them. */
  readonly spells: readonly Spells[];
  readonly figures: CustomerFigures;
  readonly years: CustomerYears;
}

/** How customers are saved. */
export interface Saving {
  /** The day of which `position` and `until` are. */
  readonly today: Day;
}

/** Writes the saved states with the figures, the years, and where the customers stand in every model. */
export async function saveCustomers(trx: Trx, rows: readonly CustomerSave[], saving: Saving): Promise<void> {
  await pipelined(trx, (pipeline) => sendCustomers(pipeline, rows, saving));
}

/** As `saveCustomers`, among other statements. */
export async function sendCustomers(trx: Pipeline, rows: readonly CustomerSave[], saving: Saving): Promise<void> {
  if (rows.length === 0) return;
  const standings = rows.map((row) => standingOn(row.spells, saving.today));
  await Promise.all([saveStates(trx, rows, standings), saveStages(trx, rows, standings), saveYears(trx, rows)]);
}

async function saveStates(trx: Pipeline, rows: readonly CustomerSave[], standings: readonly Standing[]): Promise<void> {
  const names = STATE_COLUMNS.slice(1).map((name) => sql.ref(name));
  const texts = standings.map((standing, index) => standingText(standing, rows[index]!.model_versions));
  const figures = FIGURE_COLUMNS.map(
    ([name, type]) => sql`${rows.map((row) => row.figures[name])}::${sql.raw(type)}[]`,
  );
  await sql`
    insert into customer_states (customer_id, ${sql.join(names)})
    select customer_id, ${sql.join(names)}
    from unnest(${rows.map((row) => row.customer_id)}::text[], ${rows.map((row) => row.layout)}::int2[], ${rows.map((row) => row.events)}::int4[],
      ${rows.map((row) => row.turnover)}::int8[], ${rows.map((row) => row.pending_refunds)}::int4[],
      ${rows.map((row) => row.fold)}::bytea[], ${standings.map((standing) => standing.next_change)}::int4[],
      ${texts}::text[], ${sql.join(figures)})
      as given (customer_id, ${sql.join(names)})
    on conflict (customer_id) do update set ${sql.join(names.map((name) => sql`${name} = excluded.${name}`))}`.execute(
    trx,
  );
}

async function saveStages(trx: Pipeline, rows: readonly CustomerSave[], standings: readonly Standing[]): Promise<void> {
  const stages = rows.flatMap((row, index) =>
    row.spells.map((spells, model) => ({
      customer_id: row.customer_id,
      model_version: row.model_versions[model]!,
      positions: numberArray(spells.positions),
      first_days: numberArray(spells.first_days),
      ...standings[index]!.places[model]!,
      stage_since: spells.stage_since,
      activity_since: spells.activity_since,
      ...listedFigures(row.figures),
    })),
  );
  const names = STAGE_COLUMNS.map(([name]) => sql.ref(name));
  const values = STAGE_COLUMNS.map(([name, type]) => sql`${stages.map((stage) => stage[name])}::${sql.raw(type)}[]`);
  const arrays = sql`positions::int2[], first_days::int4[]`;
  await sql`
    insert into customer_stages (customer_id, model_version, positions, first_days, ${sql.join(names.slice(4))})
    select customer_id, model_version, ${arrays}, ${sql.join(names.slice(4))} from unnest(${sql.join(values)}) as given (${sql.join(names)})
    on conflict (customer_id, model_version) do update
      set ${sql.join(names.slice(2).map((name) => sql`${name} = excluded.${name}`))}`.execute(trx);
}

/** The columns of `customer_states`, in the order in which they are written. */
export const STATE_COLUMNS: readonly string[] = [
  'customer_id',
  'layout',
  'events',
  'turnover',
  'pending_refunds',
  'fold',
  'next_change',
  'standing',
  ...FIGURE_COLUMNS.map(([name]) => name),
];

/** The columns of `customer_stages`, in the order in which they are written, with the types of their unnested lists. */
export const STAGE_COLUMNS = [
  ['customer_id', 'text'],
  ['model_version', 'int2'],
  ['positions', 'text'],
  ['first_days', 'text'],
  ['position', 'int2'],
  ['until', 'int4'],
  ['stage_since', 'int4'],
  ['activity_since', 'int4'],
  ['revenue', 'int8'],
  ['profit', 'int8'],
  ['last_purchase_day', 'int4'],
] as const;

/** Where a customer stands in every model, as `customer_states` says it. */
export function standingText({ places }: Standing, modelVersions: readonly number[]): string {
  return writeStanding(
    modelVersions,
    places.map(({ position }) => position),
  );
}

/** What is stored beside the events, as `verify` compares it. */
export interface StoredStanding extends Spells, Pick<CustomerFigures, 'revenue' | 'profit' | 'last_purchase_day'> {
  readonly position: number;
  readonly until: Day;
}

/** The figures that are kept beside every position, for lists in their order. */
export function listedFigures({ revenue, profit, last_purchase_day }: CustomerFigures) {
  return { revenue, profit, last_purchase_day };
}

/** Where customers are stored to stand, by customer and model version (`standingKey`). */
export async function readStandings(trx: Trx, customerIds: readonly string[]): Promise<Map<string, StoredStanding>> {
  const rows = await trx
    .selectFrom('customer_stages')
    .selectAll()
    .where('customer_id', '=', sql<string>`any(${customerIds}::text[])`)
    .execute();
  return new Map(
    rows.map(({ customer_id, model_version, revenue, profit, ...row }) => [
      standingKey(customer_id, model_version),
      { ...row, revenue: Number(revenue), profit: Number(profit) },
    ]),
  );
}

/** Key of one customer and model version in the map of `readStandings`. */
export function standingKey(customerId: string, modelVersion: number): string {
  return `${modelVersion} ${customerId}`;
}

/** A customer's figures as stored, with the day on which one of their positions ends, and all of these in one text (`writeStanding`). */
export interface StoredFigures extends CustomerFigures {
  readonly next_change: Day | null;
  readonly standing: string;
}

/** The stored figures of customers. */
export async function readFigures(trx: Trx, customerIds: readonly string[]): Promise<Map<string, StoredFigures>> {
  const names = ['next_change', 'standing', ...FIGURE_COLUMNS.map(([name]) => name)].map((name) => sql.ref(name));
  const { rows } = await sql<Record<string, number | bigint | string | null>>`
    select customer_id, ${sql.join(names)} from customer_states where customer_id = any(${customerIds}::text[])`.execute(
    trx,
  );
  return new Map(
    rows.map(({ customer_id, next_change, standing, ...row }) => {
      const figures = Object.fromEntries(
        FIGURE_COLUMNS.map(([name]) => [name, row[name] === null ? null : Number(row[name])]),
      );
      return [
        customer_id as string,
        {
          ...(figures as unknown as CustomerFigures),
          next_change: next_change as Day | null,
          standing: standing as string,
        },
      ];
    }),
  );
}
