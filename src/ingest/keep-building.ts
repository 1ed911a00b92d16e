import { setTimeout as delay } from 'node:timers/promises';
import { type Build, readBuild } from '../store/builds.ts';
import type { PoolOptions } from '../store/connect.ts';
import { readModels, type StoredModel } from '../store/models.ts';
import { readVersions } from '../store/versions.ts';
import { isBuilding } from './build.ts';
import type { Engine } from './engine.ts';
import { serviceThread } from './service-thread.ts';
import type { StartingEngine } from './start.ts';

/** How soon a process notices that models were published or switched by another one, if no request tells it before. */
const POLL_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const REPORT_MS = 5_000;

/** How far a build is. */
export interface Progress {
  /** Share of the customers, from 0 to 1. */
  readonly share: number;
  /** When it will be done, in microseconds since 1970-01-01T00:00:00Z; null until that can be said. */
  readonly expected_at: number | null;
}

/** How far a build is, at the rate of its customers so far. */
export function progressOf({ customers_done, customers_total, started_at }: Build, now: number): Progress {
  const share = customers_total === 0 ? 1 : Math.min(1, customers_done / customers_total);
  const expected_at = customers_done === 0 ? null : Math.round(started_at + (now - started_at) / share);
  return { share, expected_at };
}

/** Builds models and projections in the background from when the engine is there until it is stopped; `stop` waits for the transaction that is running. */
export function startBuilding(
  source: StartingEngine,
  options: { readonly database: PoolOptions /** Of one transaction. */; readonly customers: number },
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  source.started.then(
    () => {
      if (!stopping.signal.aborted) running = keepBuilding(source, options, stopping.signal);
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

async function keepBuilding(
  source: StartingEngine,
  { database, customers }: { readonly database: PoolOptions; readonly customers: number },
  signal: AbortSignal,
): Promise<void> {
  const thread = serviceThread<number, void>(source.current()!, database, {
    file: new URL('build-thread.ts', import.meta.url),
  });
  signal.addEventListener('abort', thread.halt, { once: true });
  let wait_ms = POLL_MS;
  while (!signal.aborted) {
    const failed = await round(source, () => thread.run(customers)).catch((error: unknown) => error);
    wait_ms = failed === undefined ? POLL_MS : Math.min(LONGEST_WAIT_MS, wait_ms * 2);
    if (failed !== undefined) {
      const reason = (failed as { code?: string }).code ?? (failed as Error).name;
      source.current()!.log.warn({ reason, wait_ms }, 'models could not be built; it is tried again');
    }
    await delay(wait_ms, undefined, { signal, ref: false }).catch(() => undefined);
  }
  await thread.close();
}

async function round(source: StartingEngine, run: () => Promise<void>): Promise<void> {
  const engine = await newest(source);
  if (!isBuilding(engine) && !(await isRetiring(engine))) return;
  const reports = new AbortController();
  const reporting = reportProgress(engine, reports.signal);
  try {
    await run();
  } finally {
    reports.abort();
    await reporting;
  }
  await newest(source);
}

/** Whether anything is to be removed. That it has been raises no revision: an engine from before goes on saying so. */
async function isRetiring({ published, db }: Engine): Promise<boolean> {
  const retiring = ({ state }: StoredModel): boolean => state === 'retiring';
  return published.some(retiring) && (await readModels(db)).some(retiring);
}

async function newest(source: StartingEngine): Promise<Engine> {
  const engine = source.current()!;
  const versions = await readVersions(engine.db);
  return versions?.models_revision === engine.versions.models_revision ? engine : await source.renew(engine);
}

async function reportProgress(engine: Engine, signal: AbortSignal): Promise<void> {
  const pause = () => delay(REPORT_MS, true, { signal, ref: false }).catch(() => false);
  while (await pause()) {
    const found = await readBuild(engine.db).catch(() => undefined);
    if (found === undefined) continue;
    const { share, expected_at } = progressOf(found, engine.now());
    const { customers_done, customers_total } = found;
    const expected = expected_at === null ? null : new Date(expected_at / 1_000).toISOString();
    engine.log.info({ share, customers_done, customers_total, expected_at: expected }, 'building models');
  }
}
