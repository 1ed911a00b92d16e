import { sql } from 'kysely';
import type { Day } from '../domain/calendar.ts';
import type { Micros } from '../domain/time-zone.ts';
import type { Database, Trx } from './connect.ts';

/** How far the build is that runs. */
export interface Build {
  /** Of the models that it builds. */
  readonly models_revision: number;
  /** Somebody has undertaken to look at everybody up to this id. */
  readonly after_id: string;
  /** Customers folded into what is being built, and how many lacked it when it began. */
  readonly customers_done: number;
  readonly customers_total: number;
  readonly started_at: Micros;
}

/** What a build is to be begun with. */
export interface NewBuild extends Pick<Build, 'models_revision' | 'started_at'> {
  /** Layouts of saved folds that lack nothing. */
  readonly complete: readonly number[];
}

/** Begins a build, unless it was begun before; one of other models begins again from the first customer. */
export async function beginBuild(db: Database, { models_revision, started_at, complete }: NewBuild): Promise<void> {
  const known = await readBuild(db);
  if (known?.models_revision === models_revision) return;
  const { rows } = await sql<{ lacking: number }>`
    select count(*)::int4 as lacking from customer_states where layout <> all(${complete}::int2[])`.execute(db);
  await sql`
    insert into builds (models_revision, after_id, customers_done, customers_total, started_at)
    values (${models_revision}, '', 0, ${rows[0]!.lacking}, ${started_at})
    on conflict (only_row) do update set models_revision = excluded.models_revision, after_id = '', customers_done = 0,
      customers_total = excluded.customers_total, started_at = excluded.started_at
    where builds.models_revision < excluded.models_revision`.execute(db);
}

/** The build that runs; undefined if none does. */
export async function readBuild(db: Database | Trx): Promise<Build | undefined> {
  const { rows } = await sql<Omit<Build, 'started_at'> & { started_at: bigint }>`
    select models_revision, after_id, customers_done, customers_total, started_at from builds`.execute(db);
  return rows[0] && { ...rows[0], started_at: Number(rows[0].started_at) };
}

/** How much is built at once: the customers have no more events than that together, unless one alone does. */
export interface BuildPage {
  readonly customers: number;
  readonly events: number;
}

/** What to take. */
export interface Claim extends Pick<Build, 'models_revision'> {
  readonly complete: readonly number[];
  readonly page: BuildPage;
}

/**
 * Takes the next customers, in order of their ids, whose saved folds lack something; empty if there are no more, null if no build of these models runs. Whoever dies with
 * what was taken leaves it to be found lacking in the end.
 */
export async function claimCustomers(db: Database, claim: Claim): Promise<string[] | null> {
  return await db.transaction().execute(async (trx) => {
    const { rows: builds } = await sql<Pick<Build, 'after_id'>>`
      select after_id from builds where models_revision = ${claim.models_revision}::int4 for update`.execute(trx);
    const after = builds[0]?.after_id;
    if (after === undefined) return null;
    const found = await pageLacking(trx, claim, after);
    const last = found.at(-1);
    if (last !== undefined) await sql`update builds set after_id = ${last}`.execute(trx);
    return found;
  });
}

async function pageLacking(trx: Trx, { complete, page }: Claim, after: string): Promise<string[]> {
  const { rows } = await sql<{ customer_id: string; events: number }>`
    select customer_id, events from customer_states where customer_id > ${after} and layout <> all(${complete}::int2[])
    order by customer_id limit ${page.customers}`.execute(trx);
  const found: string[] = [];
  let events = 0;
  for (const row of rows) {
    events += row.events;
    if (events > page.events && found.length > 0) break;
    found.push(row.customer_id);
  }
  return found;
}

/** Counts customers that lack nothing any more, if the build of these models still runs. */
export async function countBuilt(db: Database, modelsRevision: number, customers: number): Promise<void> {
  await sql`
    update builds set customers_done = customers_done + ${customers}::int4 where models_revision = ${modelsRevision}::int4`.execute(
    db,
  );
}

/** Lets the build look through all customers again. */
export async function restartBuild(trx: Trx): Promise<void> {
  await sql`update builds set after_id = ''`.execute(trx);
}

/** Ends the build, or begins it anew with whatever is to be built next. */
export async function dropBuild(trx: Trx): Promise<void> {
  await sql`delete from builds`.execute(trx);
}

/** Whether anybody's saved fold lacks something. */
export async function isAnybodyLacking(trx: Trx, complete: readonly number[]): Promise<boolean> {
  const { rows } = await sql<{ lacking: boolean }>`
    select exists (select from customer_states where layout <> all(${complete}::int2[])) as lacking`.execute(trx);
  return rows[0]!.lacking;
}

/** Where a customer stands as stored. */
export interface StoredPlace {
  readonly customer_id: string;
  readonly next_change: Day | null;
  /** The positions in one text (`writeStanding`). */
  readonly standing: string;
}

/** Reads where customers stand as stored. */
export async function readPlaces(trx: Trx, customerIds: readonly string[]): Promise<Map<string, StoredPlace>> {
  const { rows } = await sql<StoredPlace>`
    select customer_id, next_change, standing from customer_states where customer_id = any(${customerIds}::text[])`.execute(
    trx,
  );
  return new Map(rows.map((row) => [row.customer_id, row]));
}

/** A saved fold to which something was added. */
export interface ExtendedFold extends StoredPlace {
  readonly fold: Uint8Array;
}

/** Writes saved folds to which something was added, now of this layout, and nothing else of the customers. Their rows in `customers` must be locked. */
export async function extendFolds(trx: Trx, layout: number, rows: readonly ExtendedFold[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    update customer_states set fold = given.fold, layout = ${layout}::int2, next_change = given.next_change, standing = given.standing
    from unnest(${rows.map((row) => row.customer_id)}::text[], ${rows.map((row) => row.fold)}::bytea[],
      ${rows.map((row) => row.next_change)}::int4[], ${rows.map((row) => row.standing)}::text[])
      as given (customer_id, fold, next_change, standing)
    where customer_states.customer_id = given.customer_id`.execute(trx);
}

/**
 * The next customers, in order of their ids after one, of whom it is stored where they stand in a model version. Not in the order of an index by position: there every page
 * would pass by all that was removed before.
 */
export async function pageStanding(trx: Trx, modelVersion: number, after: string, limit: number): Promise<string[]> {
  const { rows } = await sql<{ customer_id: string }>`
    select customer_id from customer_stages where customer_id > ${after} and model_version = ${modelVersion}
    order by customer_id limit ${limit}`.execute(trx);
  return rows.map((row) => row.customer_id);
}

/** Removes where customers stand in a model version. Their rows in `customers` must be locked. */
export async function dropStages(trx: Trx, modelVersion: number, customerIds: readonly string[]): Promise<void> {
  await sql`
    delete from customer_stages where customer_id = any(${customerIds}::text[]) and model_version = ${modelVersion}`.execute(
    trx,
  );
}
