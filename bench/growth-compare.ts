import type { Change } from '../src/ingest/change.ts';
import { ingest } from '../src/ingest/ingest.ts';
import { type Figure, median, ratio, timed } from './case.ts';
import type { BenchShop } from './database.ts';
import type { FoldRun } from './growth-shops.ts';
import { verified } from './verified.ts';

/** One line of a comparison. */
export interface Side {
  readonly what: string;
  readonly shop: BenchShop;
  /** The purchases of a round. */
  readonly batch: (round: number) => readonly Change[];
  /** The fold alone, of so many purchases and without any database, where that says more. */
  readonly fold?: FoldRun;
}

/** Stores a batch of each side in turns, after a round that warms up, and gives a line for each against the first; then verifies their shops. */
export async function compare(name: string, sides: readonly Side[], rounds: number): Promise<Figure[]> {
  const measured = sides.map((): Measured[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (let turn = 0; turn < sides.length; turn += 1) {
      const index = (turn + round) % sides.length;
      const found = await measure(sides[index]!, round);
      if (round > 0) measured[index]!.push(found);
    }
  }
  const middle = (index: number, of: (one: Measured) => number): number => median(measured[index]!.map(of));
  const figures = sides.map(({ what, fold }, index): Figure => {
    const [us, first_us] = [middle(index, (one) => one.us), middle(0, (one) => one.us)];
    const [fold_us, first_fold_us] = [middle(index, (one) => one.fold_us), middle(0, (one) => one.fold_us)];
    const rows = `${middle(index, (one) => one.rows).toFixed(1)} roll-up rows`;
    const wal = `${(middle(index, (one) => one.wal_bytes) / 1_024).toFixed(1)} KiB of WAL a purchase`;
    const alone = fold && `, the fold alone ${fold_us.toFixed(1)} µs (${ratio(fold_us / first_fold_us)})`;
    const figure = `${us.toFixed(0)} µs a purchase, ${ratio(us / first_us)}`;
    return { case: name, what: `${what}: ${rows}, ${wal}${alone ?? ''}`, figure };
  });
  for (const [shop, own] of Map.groupBy(sides, (side) => side.shop))
    figures.push(await verified(shop, own.length === sides.length ? name : `${name}, ${own[0]!.what}`));
  return figures;
}

/** What a purchase of a batch took. */
interface Measured {
  readonly us: number;
  readonly rows: number;
  readonly wal_bytes: number;
  readonly fold_us: number;
}

async function measure({ shop, batch, fold }: Side, round: number): Promise<Measured> {
  const changes = batch(round);
  const before = await walPosition(shop);
  const ms = await timed(() => ingest(shop.engine, changes));
  const wal_bytes = (await walPosition(shop)) - before;
  const fold_us = fold === undefined ? 0 : (timedNow(fold.run) * 1_000) / fold.times;
  const { length } = changes;
  return { us: (ms * 1_000) / length, rows: shop.lastRollupRows() / length, wal_bytes: wal_bytes / length, fold_us };
}

/** Bytes that the server has logged ahead so far. */
async function walPosition({ pool }: BenchShop): Promise<number> {
  const { rows } = await pool.query<{ bytes: number }>(
    `select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as bytes`,
  );
  return rows[0]!.bytes;
}

function timedNow(run: () => unknown): number {
  const started_at = performance.now();
  run();
  return performance.now() - started_at;
}
