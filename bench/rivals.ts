import { todayOf } from '../src/ingest/engine.ts';
import { REPORTS } from '../src/reports/registry.ts';
import { ANSWER_SHAPES, differences } from './answer-rows.ts';
import { type BenchCase, type Figure, median, timed } from './case.ts';
import type { BenchShop, FilledShop } from './database.ts';
import { duckdbRival } from './duckdb-rival.ts';
import { postgresRival } from './postgres-rival.ts';
import { EXACT } from './reports.ts';
import { LIMIT_MS, type Rival, type Row, TooSlowError } from './rival.ts';
import { fillRoughShop } from './rough-shop.ts';
import { serveShop } from './served-shop.ts';

/** Times asked after once to warm up: of the service, of a rival. */
const ROUNDS = { ours: 50, exact: 3, rival: 3 };
const TARGETS = { PostgreSQL: 100, DuckDB: 50 } as const;

/**
 * Every report with its defaults over HTTP, against queries that answer the same from the stored events: SQL in the same PostgreSQL, and DuckDB. All three
 * answer about a small shop full of exceptions first, and must agree in every cell; again about the big shop, on which they are timed.
 */
export const rivalsCase: BenchCase = async (server, { quick, customers }) => {
  const rough = await server.shop('rough');
  await fillRoughShop(rough, quick ? 500 : 2_000);
  await withRivals(rough, async (rivals) => {
    for (const { report, ask } of questionsTo(rough)) {
      const answer = await ask();
      for (const rival of rivals) await timeOf(rival, report, answer, 0);
    }
  });
  const shop = await server.bigShop(customers);
  return withRivals(shop, (rivals) => timeAll(shop, rivals));
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
  /** Median milliseconds of the service; of exact reads with nothing remembered. */
  readonly time: () => Promise<number>;
}

function questionsTo(shop: BenchShop): Question[] {
  return REPORTS.map(({ definition: { report } }) => {
    const path = `/v1/reports/${report}`;
    const ask = async (times: number): Promise<{ ms: number; body: ArrayBuffer }> => {
      const served = await serveShop(shop);
      try {
        const all: number[] = [];
        let body = new ArrayBuffer();
        for (let round = 0; round < times; round += 1)
          all.push(
            await timed(async () => {
              body = await served.ask(path);
            }),
          );
        return { ms: median(all.slice(Math.min(1, times - 1))), body };
      } finally {
        await served.close();
      }
    };
    return {
      report,
      ask: async () => ANSWER_SHAPES[report]!.rows(JSON.parse(new TextDecoder().decode((await ask(1)).body))),
      time: async () => {
        if (!EXACT.includes(report)) return (await ask(1 + ROUNDS.ours)).ms;
        const cold: number[] = [];
        for (let round = 0; round < ROUNDS.exact; round += 1) cold.push((await ask(1)).ms);
        return median(cold);
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
  const ratios = new Map<string, number[]>(rivals.map(({ name }) => [name, []]));
  for (const { report, ask, time } of questionsTo(shop)) {
    const ours_ms = await time();
    const answer = await ask();
    const shown: { readonly what: string; readonly figure: string }[] = [];
    for (const rival of rivals) {
      const ms = await timeOf(rival, report, answer, ROUNDS.rival);
      const more = ms === null ? '> ' : '';
      const times = (ms ?? LIMIT_MS) / ours_ms;
      ratios.get(rival.name)!.push(times);
      shown.push({
        what: `${rival.name} ${more}${(ms ?? LIMIT_MS).toFixed(0)} ms`,
        figure: `${more}${times.toFixed(0)}×`,
      });
    }
    const exact = EXACT.includes(report) ? ', nothing remembered' : '';
    figures.push({
      case: size,
      what: [`${report}${exact}: ${ours_ms.toFixed(1)} ms`, ...shown.map(({ what }) => what)].join(', '),
      figure: shown.map(({ figure }) => figure).join(', '),
      target: rivals.map(({ name }) => `≥ ${TARGETS[name]}×`).join(', '),
    });
  }
  return [
    ...figures,
    {
      case: size,
      what: `median over reports against ${rivals.map(({ name }) => name).join(', ')}`,
      figure: [...ratios.values()].map((all) => `${median(all).toFixed(0)}×`).join(', '),
      target: '≥ 500×',
    },
  ];
}
