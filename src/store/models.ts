import { type Kysely, sql } from 'kysely';
import type { Model } from '../domain/model.ts';
import type { Micros } from '../domain/time-zone.ts';
import type { Database, Trx } from './connect.ts';
import type { ModelState, Tables } from './tables.ts';

/** A published model as stored. */
export interface StoredModel {
  /** The small integer that roll-ups are keyed by. */
  readonly model_version: number;
  /** The version of this model, counted from 1. */
  readonly version: number;
  readonly model: Model;
  readonly state: ModelState;
  readonly published_at: Micros;
}

/** Every version of every model that was ever published, in the order of publishing. */
export async function readModels(db: Database | Trx): Promise<StoredModel[]> {
  const rows = await (db as Kysely<Tables>).selectFrom('models').selectAll().orderBy('model_version').execute();
  return rows.map(({ document, published_at, model_id: _, ...row }) => ({
    ...row,
    model: document,
    published_at: Number(published_at),
  }));
}

/** A version to be published. */
export interface NewModel extends Pick<StoredModel, 'version' | 'model' | 'published_at'> {
  readonly state: 'building' | 'active';
}

/** Stores a version. The versions row must be held. */
export async function insertModel(trx: Trx, { version, model, state, published_at }: NewModel): Promise<void> {
  const row = { model_id: model.model_id, version, state, published_at: BigInt(published_at) };
  await trx
    .insertInto('models')
    .values({ ...row, document: JSON.stringify(model) })
    .execute();
}

/** Moves versions on to another state. The versions row must be held, except for `retired`, which nobody asks for. */
export async function moveModels(trx: Trx, modelVersions: readonly number[], state: ModelState): Promise<void> {
  if (modelVersions.length === 0) return;
  await sql`update models set state = ${state} where model_version = any(${modelVersions}::int2[])`.execute(trx);
}
