import { setTimeout as delay } from 'node:timers/promises';
import { compareText } from '../domain/activity-day.ts';
import { limitStatements, type Trx } from '../store/connect.ts';
import { standingOn } from '../store/customer-figures.ts';
import { deleteCustomers, lockCustomers } from '../store/customers.ts';
import { classifyFailure } from '../store/failures.ts';
import {
  type Advance,
  advanceCustomers,
  limitLocks,
  type ModelSpells,
  pageRipe,
  type RipeKey,
  readRipe,
} from '../store/ripe-customers.ts';
import { shareVersions } from '../store/versions.ts';
import { type Engine, todayOf } from './engine.ts';
import { type StartingEngine, withEngine } from './start.ts';

/** Customers of one transaction: among 1 M customers, on two busy cores, it held their rows for some 200 ms. */
const CHUNK = 500;
/** A chunk of which somebody else holds a row for longer is left for the next time. */
const LOCK_WAIT_MS = 250;
/** Positions end with a day; a list that meets them before they are advanced is right too, only slower. */
const INTERVAL_MS = 300_000;

/**
 * Brings the stored positions of all customers up to today, chunk by chunk, and returns how many customers were advanced. Nothing depends on it but the
 * speed of lists. Safe beside ingest and beside itself: a chunk takes its locks in the order of ingest, and goes past rows that others have advanced.
 */
export async function ripen(engine: Engine, signal?: AbortSignal): Promise<number> {
  let advanced = 0;
  let after: RipeKey | null = null;
  while (!signal?.aborted) {
    const chunk = await engine.db.transaction().execute(async (trx) => await readChunk(trx, engine, after));
    if (chunk.length === 0) break;
    advanced += await advanceChunk(engine, chunk);
    after = chunk.at(-1)!;
  }
  if (advanced > 0) engine.log.info({ customers: advanced }, 'positions advanced');
  return advanced;
}

async function readChunk(trx: Trx, engine: Engine, after: RipeKey | null): Promise<RipeKey[]> {
  await limitStatements(trx, engine.statement_timeout_ms);
  return await pageRipe(trx, todayOf(engine), after, CHUNK);
}

async function advanceChunk(engine: Engine, chunk: readonly RipeKey[]): Promise<number> {
  const ids = chunk.map((ripe) => ripe.customer_id).sort(compareText);
  try {
    return await engine.db.transaction().execute(async (trx) => {
      await limitStatements(trx, engine.statement_timeout_ms);
      await limitLocks(trx, LOCK_WAIT_MS);
      await shareVersions(trx, engine.versions);
      return await advanceLocked(trx, engine, ids);
    });
  } catch (error) {
    if (classifyFailure(error) === 'timeout') return 0;
    throw error;
  }
}

async function advanceLocked(trx: Trx, engine: Engine, ids: readonly string[]): Promise<number> {
  const today = todayOf(engine);
  const created = await lockCustomers(trx, ids, today);
  // Erased since the chunk was read: the lock must not bring them back.
  await deleteCustomers(trx, [...created]);
  const spells = new Map<string, ModelSpells[]>();
  const model_versions = engine.plan.models.map(({ version }) => version);
  for (const one of await readRipe(trx, { customer_ids: ids, model_versions, today })) {
    spells.set(one.customer_id, [...(spells.get(one.customer_id) ?? []), one]);
  }
  const advances = [...spells].map(([customer_id, models]): Advance => {
    return { customer_id, model_versions: models.map((one) => one.model_version), ...standingOn(models, today) };
  });
  if (advances.length > 0) await advanceCustomers(trx, advances);
  return advances.length;
}

/**
 * Advances positions as soon as the engine is there and every few minutes from then on, until it is stopped; `stop` waits for the chunk that is being
 * written.
 */
export function startRipening(source: StartingEngine, interval_ms = INTERVAL_MS): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  source.started.then(
    () => {
      running = keepRipening(source, interval_ms, stopping.signal);
    },
    () => undefined,
  );
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function keepRipening(source: StartingEngine, interval_ms: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await withEngine(source, async (engine) => await ripen(engine, signal)).catch((error: unknown) => {
      const reason = (error as { code?: string }).code ?? (error as Error).name;
      source.current()?.log.warn({ reason }, 'positions could not be advanced; lists are right all the same');
    });
    await delay(interval_ms, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
