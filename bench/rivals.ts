import { todayOf } from '../src/ingest/engine.ts';
import { REPORTS } from '../src/reports/registry.ts';
import { ANSWER_SHAPES } from './answer-rows.ts';
import { type BenchCase, type Figure, median, timed } from './case.ts';
import type { BenchShop, FilledShop } from './database.ts';
import { differences } from './differences.ts';
import { duckdbRival } from './duckdb-rival.ts';
import { postgresRival } from './postgres-rival.ts';
import { coldTarget } from './reports.ts';
import { LIMIT_MS, type Rival, type Row, TooSlowError } from './rival.ts';
import { fillRoughShop } from './rough-shop.ts';
import { serveShop } from './served-shop.ts';
import { verified } from './verified.ts';

/** Times asked: of the service after once to warm up, of a service just started, of a rival after once. */
const ROUNDS = { ours: 50, first: 3, rival: 3 };
const TARGETS = { PostgreSQL: 100, DuckDB: 50 } as const;

/**
 * Every report with its defaults over HTTP, against queries that answer the same from the stored events: SQL in the same PostgreSQL, and DuckDB. All three
 * answer about a small shop full of exceptions first, and must agree in every cell; again about the big shop, on which they are timed.
 */
export const rivalsCase: BenchCase = async (server, { quick, customers }) => {
  const rough = await server.shop('rough');
  await fillRoughShop(rough, quick ? 500 : 2_000);
  const found = await verified(rough, 'filling the shop of exceptions');
  await withRivals(rough, async (rivals) => {
    for (const { report, ask } of questionsTo(rough)) {
      const answer = await ask();
      for (const rival of rivals) await timeOf(rival, report, answer, 0);
    }
  });
  const shop = await server.bigShop(customers);
  return [...(await withRivals(shop, (rivals) => timeAll(shop, rivals))), found, shop.verified];
};

async function withRivals<Result>(
  shop: BenchShop,
  run: (rivals: readonly Rival[]) => Promise<Result>,
): Promise<Result> {
  const today = todayOf(shop.engine);
  const rivals: Rival[] = [];
  try {
    for (const open of [postgresRival, duckdbRival]) rivals.push(await open(shop, today));
    return await run(rivals);
  } finally {
    for (const rival of rivals) await rival.stop();
  }
}

interface Question {
  readonly report: string;
  /** Asks the service once, over HTTP, and gives the answer as rows. */
  readonly ask: () => Promise<readonly Row[]>;
  /** Median milliseconds of the service, asked again and again. */
  readonly time: () => Promise<number>;
  /** Median milliseconds of its first answer, of exact reads with nothing remembered. */
  readonly timeFirst: () => Promise<number>;
}

function questionsTo(shop: BenchShop): Question[] {
  return REPORTS.map(({ definition: { report } }) => {
    const answers = async (times: number): Promise<{ all: readonly number[]; body: ArrayBuffer }> => {
      const served = await serveShop(shop);
      let body = new ArrayBuffer();
      const ask = async (): Promise<void> => {
        body = await served.ask(`/v1/reports/${report}`);
      };
      try {
        const all: number[] = [];
        for (let round = 0; round < times; round += 1) all.push(await timed(ask));
        return { all, body };
      } finally {
        await served.close();
      }
    };
    return {
      report,
      ask: async () => ANSWER_SHAPES[report]!.rows(JSON.parse(new TextDecoder().decode((await answers(1)).body))),
      time: async () => median((await answers(1 + ROUNDS.ours)).all.slice(1)),
      timeFirst: async () => {
        const firsts: number[] = [];
        for (let round = 0; round < ROUNDS.first; round += 1) firsts.push((await answers(1)).all[0]!);
        return median(firsts);
      },
    };
  });
}

/** Median milliseconds of a rival, whose answer must be ours; null if it takes longer than `LIMIT_MS`. */
async function timeOf(rival: Rival, report: string, ours: readonly Row[], rounds: number): Promise<number | null> {
  const times: number[] = [];
  try {
    const found = differences(report, ours, await rival.answer(report));
    if (found.length > 0) throw new Error(`${report}: the service and ${rival.name} differ: ${found.join('; ')}`);
    for (let round = 0; round < rounds; round += 1) times.push(await timed(() => rival.answer(report)));
    return rounds === 0 ? 0 : median(times);
  } catch (error) {
    if (error instanceof TooSlowError) return null;
    throw error;
  }
}

async function timeAll(shop: FilledShop, rivals: readonly Rival[]): Promise<Figure[]> {
  const { customers, purchases } = shop.filled;
  const size = `${customers.toLocaleString('en')} customers, ${purchases.toLocaleString('en')} purchases`;
  const figures: Figure[] = [];
  const all: Compared[][] = [];
  for (const question of questionsTo(shop)) {
    const again_ms = await question.time();
    // What is remembered for a minute was computed once: that is what a rival has to compute.
    const exact = coldTarget(question.report) !== undefined;
    const ours_ms = exact ? await question.timeFirst() : again_ms;
    const answer = await question.ask();
    const compared: Compared[] = [];
    for (const rival of rivals) {
      const ms = await timeOf(rival, question.report, answer, ROUNDS.rival);
      compared.push(compareWith(rival, ms, ours_ms));
    }
    all.push(compared);
    const remembered = exact ? ` (${again_ms.toFixed(1)} ms remembered)` : '';
    figures.push({
      case: size,
      what: [`${question.report}: ${ours_ms.toFixed(1)} ms${remembered}`, ...compared.map(({ what }) => what)].join(
        ', ',
      ),
      figure: compared.map(({ figure }) => figure).join(', '),
      target: rivals.map(({ name }) => `≥ ${TARGETS[name]}×`).join(', '),
    });
  }
  const medians = rivals.map((_, index) => `${median(all.map((compared) => compared[index]!.times)).toFixed(0)}×`);
  const names = rivals.map(({ name }) => name).join(', ');
  return [
    ...figures,
    { case: size, what: `median over reports against ${names}`, figure: medians.join(', '), target: '≥ 500×, ≥ 50×' },
  ];
}

interface Compared {
  /** How many times as long the rival takes, or at least takes. */
  readonly times: number;
  readonly what: string;
  readonly figure: string;
}

function compareWith({ name }: Rival, ms: number | null, ours_ms: number): Compared {
  const more = ms === null ? '> ' : '';
  const least_ms = ms ?? LIMIT_MS;
  const times = least_ms / ours_ms;
  return { times, what: `${name} ${more}${least_ms.toFixed(0)} ms`, figure: `${more}${times.toFixed(0)}×` };
}
