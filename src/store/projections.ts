import { sql } from 'kysely';
import type { Projection } from '../domain/projection.ts';
import type { Trx } from './connect.ts';

/** A projection in the version whose rows its roll-up holds. */
export interface StoredProjection extends Pick<Projection, 'name' | 'version'> {
  /** False while customers are still being folded into it: its sums are those of some of them. */
  readonly ready: boolean;
}

/** The projections as the database holds them. */
export async function readProjections(trx: Trx): Promise<StoredProjection[]> {
  return await trx.selectFrom('projections').selectAll().orderBy('name').execute();
}

/** Writes which version of projections the roll-ups hold, and whether of all customers. The versions row must be held. */
export async function saveProjections(trx: Trx, rows: readonly StoredProjection[]): Promise<void> {
  await sql`
    insert into projections (name, version, ready)
    select * from unnest(${rows.map(({ name }) => name)}::text[], ${rows.map(({ version }) => version)}::int4[], ${rows.map(({ ready }) => ready)}::bool[])
    on conflict (name) do update set version = excluded.version, ready = excluded.ready`.execute(trx);
}
