import cliProgress from 'cli-progress';
import Table from 'cli-table3';
import { formatDay, parseDay } from '../domain/calendar.ts';
import { timeZone } from '../domain/time-zone.ts';
import { machineClock } from '../ingest/machine-clock.ts';
import { startService } from '../service.ts';
import type { CommandContext } from './command.ts';
import type { DemoBatch } from './demo-items.ts';
import { demoShop } from './demo-shop.ts';
import { endingCode } from './serve.ts';

const SEED = 7;
const CUSTOMERS = 3_000;

interface StageRow {
  readonly stage: string;
  readonly activity: string;
  readonly customers: number;
  readonly revenue: string;
}

/**
 * Serves with a generated shop: loads it over HTTP as any caller would, prints where its customers stand, and keeps serving. Arguments: how many customers
 * (3,000), and the day it is told on (today); the same two give the same shop, whenever.
 */
export async function demo({ config, log, args }: CommandContext): Promise<number> {
  const today = timeZone(config.reporting_time_zone).dayOf(machineClock());
  const told = args[1] === undefined ? today : parseDay(args[1]);
  if (told === null || told > today) {
    console.error(`The second argument must be a day as YYYY-MM-DD, ${formatDay(today)} at the latest.`);
    return 1;
  }
  const service = await startService(config, log);
  const { ended, fail } = endingCode(() => service.close(), log);
  const loaded = (async () => {
    await service.ready;
    const stored = await storedCustomers(service.url);
    if (stored > 0)
      console.log(
        `The database already holds ${stored} customers; nothing is loaded. Remove ${config.data_dir} to begin anew.`,
      );
    else await load(service.url, told, Number(args[0] ?? CUSTOMERS));
    await present(service.url);
  })();
  loaded.catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    fail();
  });
  return await ended;
}

async function storedCustomers(url: string): Promise<number> {
  const status = (await (await fetch(`${url}/v1/status`)).json()) as { stored: { customers: number } };
  return status.stored.customers;
}

async function load(url: string, today: number, customers: number): Promise<void> {
  const shop = demoShop({ seed: SEED, customers, today });
  console.log(`Loading a shop of ${customers} customers over HTTP …`);
  const bar = new cliProgress.SingleBar(
    {
      format: '{bar} {percentage}% | {value} of {total} items | {duration_formatted}',
      noTTYOutput: true,
      notTTYSchedule: 2_000,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(shop.items, 0);
  for (const batch of shop) {
    await send(url, batch);
    bar.increment(batch.items.length);
  }
  bar.stop();
}

async function send(url: string, { route, items }: DemoBatch): Promise<void> {
  const answer = await fetch(`${url}/v1/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ items }),
  });
  const body = (await answer.json()) as { summary?: { conflict: number; invalid: number }; detail?: string };
  if (!answer.ok || body.summary === undefined) throw new Error(`loading failed: ${body.detail ?? answer.status}`);
  const { conflict, invalid } = body.summary;
  if (conflict + invalid > 0) throw new Error(`loading failed: ${conflict} conflicts and ${invalid} invalid items`);
}

async function present(url: string): Promise<void> {
  const answer = (await (await fetch(`${url}/v1/reports/stage-population`)).json()) as {
    as_of: string;
    currency: string;
    items: StageRow[];
  };
  const table = new Table({
    head: ['stage', 'activity', 'customers', `revenue ${answer.currency}`],
    colAligns: ['left', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const row of answer.items)
    if (row.customers > 0) table.push([row.stage, row.activity, row.customers, row.revenue]);
  console.log(`\nWhere they stand at the end of ${answer.as_of}:\n${table.toString()}`);
  console.log(`
Try:
  curl ${url}/v1/customers/customer-00001/stages
  curl '${url}/v1/reports/stage-moves?model=loyalty_ladder'
  curl '${url}/v1/reports/stage-population?from=${answer.as_of.slice(0, 4)}-01-01&to=${answer.as_of}&interval=month'
All operations: ${url}/docs
Serving until Ctrl-C.`);
}
