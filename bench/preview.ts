import { BUILT_IN_MODELS } from '../src/domain/models.ts';
import { SAMPLING } from '../src/http/population-basis.ts';
import { type BenchCase, type Figure, median, timed } from './case.ts';
import type { BenchServer } from './database.ts';
import { startService } from './service-process.ts';

/** A draft whose thresholds are all others: core from the third purchase day on, lapsed after 120 days, important with 500 in a year. */
const DRAFT = {
  ...BUILT_IN_MODELS.lifecycle,
  lapse: { policy: 'fixed', at_risk_after_days: 60, lapsed_after_days: 120 },
  stages: [
    ...BUILT_IN_MODELS.lifecycle.stages,
    {
      ...BUILT_IN_MODELS.lifecycle.stages[0]!,
      stage: 'important',
      when: { feature: 'revenue', at_least: '500', within_days: 365 },
    },
  ],
};
const MOST_READ = SAMPLING.above;

/** A preview and a calibration over HTTP: of the big shop, which is sampled, and of the largest shop of which everybody is read. */
export const previewCase: BenchCase = async (server, { customers, quick }) => {
  const whole = Math.min(MOST_READ, Math.ceil(customers / 2));
  return [...(await measure(server, customers, quick ? 3 : 20)), ...(await measure(server, whole, quick ? 3 : 10))];
};

async function measure(server: BenchServer, customers: number, rounds: number): Promise<Figure[]> {
  const shop = await server.bigShop(customers);
  const service = await startService(shop, { watched: true });
  try {
    const read = customers > SAMPLING.above ? `a sample of ${SAMPLING.size.toLocaleString('en')}` : 'everybody read';
    const name = `${customers.toLocaleString('en')} customers, ${shop.filled.purchases.toLocaleString('en')} purchases, ${read}`;
    const questions = {
      'preview of a draft': () => ask(`${service.url}/v1/models/preview`, { model: DRAFT }),
      calibration: () => ask(`${service.url}/v1/models/lifecycle/calibration`),
    };
    const figures: Figure[] = [];
    for (const [what, question] of Object.entries(questions)) {
      const first = await timed(question);
      const times: number[] = [];
      for (let round = 0; round < rounds; round += 1) times.push(await timed(question));
      const livez = await whileRunning(service.url, async () => {
        for (let round = 0; round < rounds; round += 1) await question();
      });
      const spread = `first ${first.toFixed(0)} ms, slowest ${Math.max(...times).toFixed(0)} ms; at most ${service.peak_mib()} MiB resident`;
      const figure = `median ${median(times).toFixed(0)} ms`;
      figures.push({ case: name, what: `${what} (${spread})`, figure, target: '≤ 2,000 ms' });
      const others = `the slowest of ${livez.length} other requests meanwhile, their median ${median(livez).toFixed(1)} ms`;
      figures.push({ case: name, what: `${what}: ${others}`, figure: `${Math.max(...livez).toFixed(0)} ms` });
    }
    return figures;
  } finally {
    await service.stop();
  }
}

async function ask(url: string, body?: object): Promise<void> {
  const sent = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(url, body === undefined ? {} : sent);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** How long the sign of life takes, asked every ten milliseconds while something runs, in milliseconds. */
async function whileRunning(url: string, run: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  const asked: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    asked.push(timed(() => ask(`${url}/livez`)).then((time) => times.push(time)));
  }, 10);
  await run().finally(() => clearInterval(timer));
  await Promise.all(asked);
  return times;
}
