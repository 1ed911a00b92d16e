import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { FOLD_VERSION } from '../domain/fold.ts';
import type { Model } from '../domain/model.ts';
import { PROJECTIONS } from '../reports/registry.ts';
import type { Database, Trx } from './connect.ts';

/** What is fixed in the database at first start. */
export interface Deployment {
  /** IANA name of the reporting time zone. */
  readonly reporting_time_zone: string;
  /** ISO 4217 code. */
  readonly currency: string;
  readonly currency_decimals: number;
}

/** What every running process must agree on. */
export interface Versions extends Deployment {
  readonly code_versions: string;
  readonly models_revision: number;
  readonly erasure_salt: Buffer;
}

/** A published model as stored. */
export interface StoredModel {
  /** The small integer that roll-ups are keyed by. */
  readonly model_version: number;
  /** The version of this model, counted from 1. */
  readonly version: number;
  readonly model: Model;
}

/** The versions of the fold and of every projection of this code: roll-ups written by other versions are not its own. */
export const CODE_VERSIONS = [
  `fold:${FOLD_VERSION}`,
  ...PROJECTIONS.map(({ name, version }) => `${name}:${version}`),
].join(' ');

/** Another process changed code or models: this one must not write. */
export class VersionMismatchError extends Error {
  override readonly name = 'VersionMismatchError';
}

/** Writes the one row and the first models into an empty database; does nothing to one that has them. Several processes may call it at once. */
export async function seedVersions(db: Database, deployment: Deployment, models: readonly Model[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const inserted = await trx
      .insertInto('versions')
      .values({ ...deployment, code_versions: CODE_VERSIONS, erasure_salt: randomBytes(32) })
      .onConflict((conflict) => conflict.doNothing())
      .returning('only_row')
      .execute();
    if (inserted.length === 0) return;
    for (const model of models) {
      const document = JSON.stringify(model);
      await trx.insertInto('models').values({ model_id: model.model_id, version: 1, document, active: true }).execute();
    }
  });
}

/** Reads the one row; undefined before the first start. */
export async function readVersions(db: Database): Promise<Versions | undefined> {
  return await db.selectFrom('versions').selectAll().executeTakeFirst();
}

/** The active models, in the order in which they were published. */
export async function readModels(db: Database | Trx): Promise<StoredModel[]> {
  const rows = await db.selectFrom('models').selectAll().where('active', '=', true).orderBy('model_version').execute();
  return rows.map(({ model_version, version, document }) => ({ model_version, version, model: document }));
}

/**
 * The fence in front of every write: holds the versions row for the transaction, and refuses with `VersionMismatchError` if code or models are no
 * longer those this process was started with.
 */
export async function shareVersions(trx: Trx, expected: Versions): Promise<void> {
  const { rows } = await sql<Versions>`select * from versions for share`.execute(trx);
  if (!areSame(rows[0], expected))
    throw new VersionMismatchError('the database was changed by another version of the code or of the models');
}

/** Whether the fence would let a write through now. */
export async function versionsHold(db: Database, expected: Versions): Promise<boolean> {
  return areSame(await readVersions(db), expected);
}

/** As `shareVersions`, but alone: waits for running writes and holds back new ones. */
export async function holdVersions(trx: Trx): Promise<Versions> {
  const { rows } = await sql<Versions>`select * from versions for update`.execute(trx);
  if (rows[0] === undefined) throw new Error('the database has not been started once yet');
  return rows[0];
}

function areSame(found: Versions | undefined, expected: Versions): boolean {
  return (
    found !== undefined &&
    found.code_versions === CODE_VERSIONS &&
    found.models_revision === expected.models_revision &&
    found.reporting_time_zone === expected.reporting_time_zone &&
    found.currency === expected.currency
  );
}
