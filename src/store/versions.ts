import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { FOLD_VERSION } from '../domain/fold.ts';
import type { Model } from '../domain/model.ts';
import type { Projection } from '../domain/projection.ts';
import type { Micros } from '../domain/time-zone.ts';
import { PROJECTIONS } from '../reports/registry.ts';
import type { Database, SnapshotCheck, Trx } from './connect.ts';
import { completeLayouts } from './fold-layouts.ts';
import { insertModel } from './models.ts';
import { saveProjections } from './projections.ts';
import type { Tables } from './tables.ts';

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

const FOLD = 'fold';

/** The versions of the fold and of every projection of this code: roll-ups written by other versions are not its own. */
export const CODE_VERSIONS = [
  `${FOLD}:${FOLD_VERSION}`,
  ...PROJECTIONS.map(({ name, version }) => `${name}:${version}`),
].join(' ');

/** What a process must do before it may write a database that rows of these versions fill. */
export type Takeover =
  /** Nothing: they are its own. */
  | 'none'
  /** Projections have changed: they are built in the background. */
  | 'build'
  /** The fold has changed: everything is folded anew. */
  | 'rebuild'
  /** Newer code fills it: this one must stay away. */
  | 'newer';

/** What this code must do before it may write rows beside those of the versions stored. */
export function takeoverOf(stored: string): Takeover {
  if (stored === CODE_VERSIONS) return 'none';
  const own = versionsIn(CODE_VERSIONS);
  const theirs = versionsIn(stored);
  if ([...theirs].some(([name, version]) => version > (own.get(name) ?? 0))) return 'newer';
  return theirs.get(FOLD) === FOLD_VERSION ? 'build' : 'rebuild';
}

function versionsIn(text: string): Map<string, number> {
  return new Map(
    text.split(' ').map((one) => {
      const [name = '', version] = one.split(':');
      return [name, Number(version)] as const;
    }),
  );
}

/** Another version of the code, or another configuration, changed the database: this process must not write, nor read what was changed. */
export class VersionMismatchError extends Error {
  override readonly name = 'VersionMismatchError';
}

/** Models were published, switched or retired since the engine was made: with a new one everything goes on. */
export class ModelsChangedError extends Error {
  override readonly name = 'ModelsChangedError';
}

/** Writes the one row and the first models into an empty database; does nothing to one that has them. Several processes may call it at once. */
export async function seedVersions(
  db: Database,
  deployment: Deployment,
  models: readonly Model[],
  published_at: Micros,
): Promise<void> {
  // Looked at first: inserting, though it would do nothing, waits for a rebuild.
  if ((await readVersions(db)) !== undefined) return;
  await db.transaction().execute(async (trx) => {
    const inserted = await trx
      .insertInto('versions')
      .values({ ...deployment, code_versions: CODE_VERSIONS, erasure_salt: randomBytes(32) })
      .onConflict((conflict) => conflict.doNothing())
      .returning('only_row')
      .execute();
    if (inserted.length === 0) return;
    for (const model of models) await insertModel(trx, { version: 1, model, state: 'active', published_at });
    await saveProjections(
      trx,
      PROJECTIONS.map(({ name, version }) => ({ name, version, ready: true })),
    );
    await completeLayouts(trx);
  });
}

/** Reads the one row; undefined before the first start. */
export async function readVersions(db: Database | Trx): Promise<Versions | undefined> {
  return await (db as Kysely<Tables>).selectFrom('versions').selectAll().executeTakeFirst();
}

/**
 * The fence in front of every write: holds the versions row for the transaction. Refuses with `VersionMismatchError` if the code is no longer the one that
 * writes this database, and with `ModelsChangedError` if the models are others than those the engine was made of.
 */
export async function shareVersions(trx: Trx, expected: Versions): Promise<void> {
  const { rows } = await sql<Versions>`select * from versions for share`.execute(trx);
  requireVersions(rows[0], expected);
}

/**
 * Looks whether a process with an engine of these versions may read a snapshot: with other models it needs a new engine (`ModelsChangedError`), and rows of these
 * projections must be as its own code writes them (`VersionMismatchError`).
 */
export function readableBy(expected: Versions, reads: readonly Projection[] = []): SnapshotCheck {
  return async (trx) => {
    const { rows } = await sql<Versions>`select * from versions`.execute(trx);
    const found = rows[0];
    if (found?.models_revision !== expected.models_revision)
      throw new ModelsChangedError('the models were changed meanwhile');
    if (isSameCode(found, expected)) return;
    const versions = versionsIn(found.code_versions);
    if (reads.some(({ name, version }) => versions.get(name) !== version))
      throw new VersionMismatchError('newer code has changed what these roll-ups mean');
  };
}

/** What the versions row must say for a process that expects these versions; throws as `shareVersions` does. */
export function requireVersions(found: Versions | undefined, expected: Versions): void {
  if (!isSameCode(found, expected))
    throw new VersionMismatchError('the database was changed by another version of the code');
  if (found!.models_revision !== expected.models_revision)
    throw new ModelsChangedError('the models were changed meanwhile');
}

/** Whether the fence would let a process with an engine of these versions go on, be it with other models. */
export async function versionsHold(db: Database, expected: Versions): Promise<boolean> {
  return isSameCode(await readVersions(db), expected);
}

/**
 * As `shareVersions`, but alone: waits for running writes and holds back new ones; reads go on. A lock of the table, for those of rows are not fair: whoever shares
 * one goes past who waits for it alone, and while writes overlap that is for ever.
 */
export async function holdVersions(trx: Trx): Promise<Versions> {
  await sql`lock table versions in exclusive mode`.execute(trx);
  const { rows } = await sql<Versions>`select * from versions`.execute(trx);
  if (rows[0] === undefined) throw new Error('the database has not been started once yet');
  return rows[0];
}

/** Says whose rows the roll-ups hold from now on. The versions row must be held. */
export async function writeCodeVersions(trx: Trx, code_versions: string): Promise<void> {
  await trx.updateTable('versions').set({ code_versions }).execute();
}

/** Tells every process that the models are others now. The versions row must be held. */
export async function raiseRevision(trx: Trx): Promise<void> {
  await sql`update versions set models_revision = models_revision + 1`.execute(trx);
}

function isSameCode(found: Versions | undefined, expected: Versions): boolean {
  return (
    found !== undefined &&
    found.code_versions === CODE_VERSIONS &&
    found.reporting_time_zone === expected.reporting_time_zone &&
    found.currency === expected.currency
  );
}
