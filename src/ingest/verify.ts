import { LAST_DAY } from '../domain/calendar.ts';
import { Differences } from '../domain/differences.ts';
import { type Spells, spellOn } from '../domain/fold.ts';
import type { Projection } from '../domain/projection.ts';
import { encodeFold } from '../domain/saved-fold.ts';
import { positionIn, writeStanding } from '../domain/standing.ts';
import { PROJECTIONS } from '../reports/registry.ts';
import { inSnapshot, type Trx } from '../store/connect.ts';
import {
  type CustomerSave,
  listedFigures,
  readFigures,
  readStandings,
  type StoredFigures,
  type StoredStanding,
  standingKey,
} from '../store/customer-saves.ts';
import { readYears } from '../store/customer-years.ts';
import { type CustomerRow, type ListedCustomer, readCustomers, readOrphans } from '../store/customers.ts';
import { historyOf } from '../store/histories.ts';
import { pageAliases } from '../store/merges.ts';
import { keyColumns, readRollup, type StoredRow } from '../store/rollups.ts';
import { type EngineParts, readEngineIn } from './engine.ts';
import { eachPage, foldStored } from './fold-all.ts';
import type { Folding } from './foldings.ts';

/** What a verification found. */
export interface Verification {
  readonly customers: number;
  readonly rollup_rows: number;
  /** The first differences in words, and how many there are in all. */
  readonly differences: readonly string[];
  readonly difference_count: number;
}

const MAX_LISTED = 100;
/** Merged ids checked at once. */
const PAGE = 2_000;

/**
 * Folds every history from its stored events, without saved states or differences, in one snapshot, and compares the result with every roll-up row,
 * every saved state, every stored spell and year; and who was merged into whom, in both directions. Changes nothing; ingest goes on meanwhile.
 */
export async function verify(parts: EngineParts): Promise<Verification> {
  return await inSnapshot(parts.db, 0, async (trx) => {
    const engine = await readEngineIn(trx, parts);
    const found = new Findings();
    const expected = new Differences(engine.plan);
    let customers = 0;
    for await (const page of eachPage(trx)) {
      const ids = page.map(({ customer }) => customer.customer_id);
      const saved = await readCustomers(trx, ids);
      const figures = await readFigures(trx, ids);
      const standings = await readStandings(trx, ids);
      const years = await readYears(trx, ids);
      for (const { customer, events } of page) {
        const { customer_id } = customer;
        const state = saved.customers.get(customer_id);
        const folding = state === undefined ? engine.foldings.whole : engine.foldings.of(state.layout);
        const versions = folding.model_versions;
        const fresh = foldStored(folding, customer, historyOf(customer, events), expected);
        compareState(found, fresh, state, folding);
        const stored = versions.map((version) => standings.get(standingKey(customer_id, version)));
        compareStandings(found, fresh, versions, stored);
        const derived = { next_change: earliest(stored), standing: standingOf(versions, stored) };
        const listed = figures.get(customer_id);
        found.compare(
          `figures of ${customer_id}`,
          { ...fresh.figures, ...derived },
          listed && { ...listed, ...stillSaid(listed, derived, state?.layout === folding.layout ? null : versions) },
        );
        found.compare(`years of ${customer_id}`, fresh.years.figures, years.get(customer_id) ?? []);
      }
      await requireAliases(
        trx,
        found,
        page.map(({ customer }) => customer),
      );
      customers += page.length;
    }
    await requireSurvivors(trx, found);
    for (const [table, count] of await readOrphans(trx)) found.add(`${table}: ${count} rows belong to no customer`);
    const leaving = new Set(engine.published.flatMap((one) => (one.state === 'retiring' ? [one.model_version] : [])));
    let rollup_rows = 0;
    for (const projection of PROJECTIONS) {
      const stored = (await readRollup(trx, projection)).filter(({ key }) => !leaving.has(key[0]!));
      compareRollup(found, projection, expected, stored);
      rollup_rows += stored.length;
    }
    return { customers, rollup_rows, differences: found.listed, difference_count: found.count };
  });
}

class Findings {
  readonly listed: string[] = [];
  count = 0;

  add(text: string): void {
    this.count += 1;
    if (this.listed.length < MAX_LISTED) this.listed.push(text);
  }

  compare(what: string, expected: unknown, stored: unknown): void {
    const [want, have] = [JSON.stringify(expected), JSON.stringify(stored)];
    if (want !== have) this.add(`${what}: stored ${have ?? 'nothing'}, the events give ${want ?? 'nothing'}`);
  }
}

/** A fold that holds what is folded no longer must be what is left of it without that. */
function compareState(found: Findings, fresh: CustomerSave, stored: CustomerRow | undefined, folding: Folding): void {
  for (const field of ['events', 'turnover', 'pending_refunds'] as const) {
    found.compare(`${field} of ${fresh.customer_id}`, fresh[field], stored?.[field]);
  }
  const fold = stored && (stored.layout === folding.layout ? stored.fold : refolded(folding, stored.fold));
  found.compare(`fold of ${fresh.customer_id}`, hex(fresh.fold), fold && hex(fold));
}

/** Damaged bytes are compared as they are, and so found. */
function refolded(folding: Folding, fold: Uint8Array): Uint8Array {
  try {
    return encodeFold(folding.read(fold));
  } catch {
    return fold;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** `position` and `until` may be those of any day, for they ripen: they must say what holds on the eve of `until`. */
function compareStandings(
  found: Findings,
  { customer_id, spells, figures }: CustomerSave,
  versions: readonly number[],
  stored: readonly (StoredStanding | undefined)[],
): void {
  for (const [index, version] of versions.entries()) {
    const fresh = spells[index]!;
    const standing = stored[index];
    const where = `${customer_id} in model version ${version}`;
    found.compare(`spells of ${where}`, spellsIn(fresh), standing && spellsIn(standing));
    if (standing === undefined) continue;
    const { position, until } = standing;
    const current = { ...spellOn(fresh, until - 1), ...listedFigures(figures) };
    const { revenue, profit, last_purchase_day } = standing;
    found.compare(`position of ${where}`, current, { position, until, revenue, profit, last_purchase_day });
  }
}

function spellsIn({ positions, first_days, stage_since, activity_since }: Spells): Spells {
  return { positions, first_days, stage_since, activity_since };
}

/** The earliest day on which one of the stored positions is over; null if that never comes. */
function earliest(stored: readonly (StoredStanding | undefined)[]): number | null {
  const until = Math.min(...stored.map((standing) => standing?.until ?? LAST_DAY + 1));
  return until > LAST_DAY ? null : until;
}

/** The stored positions in one text; a model version without any is left out. */
function standingOf(versions: readonly number[], stored: readonly (StoredStanding | undefined)[]): string {
  const there = versions.filter((_, index) => stored[index] !== undefined);
  return writeStanding(
    there,
    stored.flatMap((standing) => standing?.position ?? []),
  );
}

/**
 * What is stored of the next change and the positions, as far as it matters: the day may come too soon, for it only finds who is to be looked at; and positions in
 * models that are gone may still be named. `versions` are those that are not, null if all are there.
 */
function stillSaid(
  { next_change, standing }: StoredFigures,
  derived: Pick<StoredFigures, 'next_change'>,
  versions: readonly number[] | null,
): Pick<StoredFigures, 'next_change' | 'standing'> {
  const sooner = (next_change ?? LAST_DAY + 1) <= (derived.next_change ?? LAST_DAY + 1);
  const positions = versions?.map((version) => positionIn(standing, version));
  return {
    next_change: sooner ? derived.next_change : next_change,
    standing: versions === null ? standing : writeStanding(versions, positions!),
  };
}

/** Whoever lists other ids must be whom they were merged into. */
async function requireAliases(trx: Trx, found: Findings, customers: readonly ListedCustomer[]): Promise<void> {
  const listed = customers.flatMap(({ customer_id, merged_ids }) => merged_ids.map((id) => ({ id, customer_id })));
  const { survivors } = await readCustomers(
    trx,
    listed.map(({ id }) => id),
  );
  for (const { id, customer_id } of listed) found.compare(`whom ${id} was merged into`, customer_id, survivors.get(id));
}

/** Whom an id was merged into must be a customer that lists it. */
async function requireSurvivors(trx: Trx, found: Findings): Promise<void> {
  for (let after = ''; ; ) {
    const aliases = await pageAliases(trx, after, PAGE);
    if (aliases.length === 0) return;
    const { customers } = await readCustomers(trx, [...new Set(aliases.map(({ merged_into }) => merged_into))]);
    for (const { customer_id, merged_into } of aliases) {
      if (customers.get(merged_into)?.merged_ids.includes(customer_id)) continue;
      found.add(`${customer_id} was merged into ${merged_into}, which does not list it`);
    }
    after = aliases.at(-1)!.customer_id;
  }
}

function compareRollup(
  found: Findings,
  projection: Projection,
  expected: Differences,
  rows: readonly StoredRow[],
): void {
  const names = keyColumns(projection);
  const textOf = (values: readonly (number | bigint)[]): string => values.map(String).join();
  const stored = new Map(rows.map((row) => [textOf(row.key), textOf(row.measures)]));
  const where = (key: string): string =>
    `${projection.name} at ${key
      .split(',')
      .map((value, index) => `${names[index]}=${value}`)
      .join(' ')}`;
  for (const row of expected.rows(projection)) {
    const key = textOf([row.model_version, row.group, ...row.key]);
    found.compare(where(key), textOf(row.measures), stored.get(key));
    stored.delete(key);
  }
  for (const [key, measures] of stored) found.compare(where(key), undefined, measures);
}
