import { setImmediate as otherRequests } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type pg from 'pg';
import type { ActivityDay } from '../domain/activity-day.ts';
import { conditionsOf, foldSteps } from '../domain/compile-model.ts';
import { activityDays, type History } from '../domain/history.ts';
import type { Model } from '../domain/model.ts';
import type { Projection } from '../domain/projection.ts';
import type { Engine } from '../ingest/engine.ts';
import { Problem } from '../problems.ts';
import { type Choice, readChosenHistories } from '../store/chosen-histories.ts';
import { inSnapshot, onConnection, type Trx } from '../store/connect.ts';
import { ModelsChangedError, readableBy } from '../store/versions.ts';
import { requireReady } from './context.ts';

/** Questions to the whole population that one process answers at once: each holds a connection and takes its share of the processor. */
export const POPULATION_READS = 2;

/** Steps of folding in one answer at most: five to ten seconds, in slices. */
const MAX_STEPS = 500_000_000;
/** Steps after which other requests are let through: some ten milliseconds. */
const SLICE_STEPS = 1_000_000;
/** What a history takes beside the folding, in steps: some twenty microseconds. */
const HISTORY_STEPS = 2_000;

/** A question to the whole population on its way. */
export interface PopulationRead {
  /** The snapshot that everything is read in. */
  readonly trx: Trx;
  /**
   * Visits the activity days of every chosen customer, and lets other requests through meanwhile. Refuses models, found at `place` in the request, whose windowed
   * conditions would keep the process busy for long.
   */
  each(
    choice: Choice,
    asked: { readonly models: readonly Model[]; readonly place: Place },
    visit: (days: ActivityDay[]) => void,
  ): Promise<void>;
}

type Place = { readonly pointer: string } | { readonly parameter: string };

/** Those of one process. */
export interface PopulationReads {
  /**
   * Runs one in a snapshot, in which the models are those of the engine; `reads` are the projections whose roll-ups it reads. It is refused as `busy` if as many as
   * possible are running or it takes longer than a statement may, and ends early, without an answer, when the caller goes away.
   */
  run<Found>(
    engine: Engine,
    { reply, reads }: { readonly reply: FastifyReply; readonly reads: readonly Projection[] },
    read: (read: PopulationRead) => Promise<Found>,
  ): Promise<unknown>;
}

/** At most so many at once. */
export function populationReads(most: number): PopulationReads {
  let running = 0;
  return {
    async run(engine, { reply, reads }, read) {
      requireReady(engine, reads);
      if (running >= most)
        throw new Problem('busy', {
          detail: 'As many previews and calibrations as possible are being computed already; ask again later.',
        });
      running += 1;
      try {
        return await answered(engine, { pace: new Pace(reply, engine.statement_timeout_ms), reads }, read);
      } catch (error) {
        if (!(error instanceof CallerGone)) throw error;
        return reply.hijack();
      } finally {
        running -= 1;
      }
    },
  };
}

/** The caller has closed the connection. */
class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

async function answered<Found>(
  { pool, versions, statement_timeout_ms }: Engine,
  { pace, reads }: { readonly pace: Pace; readonly reads: readonly Projection[] },
  read: (read: PopulationRead) => Promise<Found>,
) {
  const outcome = await onConnection(pool, async (db, client) => {
    const whole = async (trx: Trx): Promise<Found> => await read(reading(trx, client, pace));
    try {
      return { found: await inSnapshot(db, statement_timeout_ms, whole, readableBy(versions, reads)) };
    } catch (error) {
      // Thrown between two statements: the connection is as good as before, and is not given up.
      if (error instanceof Problem || error instanceof CallerGone || error instanceof ModelsChangedError)
        return { refusal: error };
      throw error;
    }
  });
  if ('refusal' in outcome) throw outcome.refusal;
  return outcome.found;
}

function reading(trx: Trx, client: pg.PoolClient, pace: Pace): PopulationRead {
  return {
    trx,
    async each(choice, { models, place }, visit) {
      const stepsOf = foldSteps(conditionsOf(models));
      for await (const page of readChosenHistories(client, choice)) {
        for (const history of page) {
          if (pace.take(HISTORY_STEPS + stepsOf(1 + eventsOf(history)), place)) await pace.pause();
          visit(activityDays(history));
        }
        await pace.pause();
      }
    },
  };
}

function eventsOf({ purchases, refunds, interactions }: History): number {
  return purchases.length + refunds.length + interactions.length;
}

/** How far one answer has come, and when others are let through. */
class Pace {
  private readonly reply: FastifyReply;
  private readonly limit_ms: number;
  private readonly started_at = performance.now();
  private steps = 0;
  private sincePause = 0;

  constructor(reply: FastifyReply, limit_ms: number) {
    this.reply = reply;
    this.limit_ms = limit_ms;
  }

  /** Counts steps that are about to be taken; true if it is time for a pause before them. */
  take(steps: number, place: Place): boolean {
    this.steps += steps;
    this.sincePause += steps;
    if (this.steps > MAX_STEPS) {
      const detail = 'The model has too many windowed conditions for so many customers with histories of this length.';
      throw new Problem('invalid_request', { errors: [{ ...place, code: 'too_complex', detail }] });
    }
    return this.sincePause > SLICE_STEPS;
  }

  async pause(): Promise<void> {
    this.sincePause = 0;
    await otherRequests();
    if (this.reply.raw.destroyed) throw new CallerGone();
    if (performance.now() - this.started_at > this.limit_ms)
      throw new Problem('busy', { detail: 'The answer took longer than a statement may; ask again later.' });
  }
}
