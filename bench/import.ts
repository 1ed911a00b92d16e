import { Readable } from 'node:stream';
import { formatInstant } from '../src/domain/instant.ts';
import { formatMoney } from '../src/domain/money.ts';
import { receiveImport } from '../src/http/receive-import.ts';
import type { Change } from '../src/ingest/change.ts';
import { storeImports } from '../src/ingest/store-imports.ts';
import { readImport } from '../src/store/imports.ts';
import { type BenchCase, type Figure, timed } from './case.ts';
import type { BenchServer } from './database.ts';
import { sendImport, storedWhole } from './import-client.ts';
import { importMemory } from './import-memory.ts';
import { copy } from './ingest-copy.ts';
import { startService } from './service-process.ts';
import { purchasesInOrder } from './shop.ts';
import { verified } from './verified.ts';

/** Of the purchases in time order: those before are the first load, those after come on top of it. */
const FIRST_LOAD = 0.8;

/** Imports against plain COPY of the same rows into the same indexed table, and what a long one keeps in memory. */
export const importCase: BenchCase = async (server, { quick, whole }) => {
  const changes = purchasesInOrder(quick ? 1_000 : 100_000, 1);
  const cut = Math.floor(changes.length * FIRST_LOAD);
  const parts = [changes.slice(0, cut), changes.slice(cut)] as const;
  return [
    ...(await againstCopy(server, parts)),
    ...(await overHttp(server, parts[0])),
    ...(await importMemory(server, { quick, whole })),
  ];
};

async function againstCopy(server: BenchServer, parts: readonly (readonly Change[])[]): Promise<Figure[]> {
  const shop = await server.shop('import_direct');
  await shop.pool.query('create table copied (like purchases including all)');
  const figures: Figure[] = [];
  for (const [index, part] of parts.entries()) {
    const file = fileOf(part);
    let importId = 0;
    const receive_ms = await timed(async () => {
      importId = await receiveImport(shop.engine, upload(file));
    });
    const store_ms = await timed(() => storeImports(shop.engine));
    const stored = (await readImport(shop.engine.db, importId))!;
    if (stored.created !== part.length) throw new Error(`${stored.created} of ${part.length} purchases were stored`);
    const copy_ms = await timed(() => copy(shop, part));
    const what = `${number(part.length)} purchases ${index === 0 ? 'into an empty database' : 'in time order on top of them'}`;
    const rates = `${rate(part, receive_ms + store_ms)}: read ${rate(part, receive_ms)}, stored ${rate(part, store_ms)}; COPY ${rate(part, copy_ms)}`;
    const figure = `${(copy_ms / (receive_ms + store_ms)).toFixed(3)} of COPY`;
    figures.push({ case: 'import', what: `${what} (${rates})`, figure, target: index === 0 ? '≥ 0.35' : '≥ 0.25' });
  }
  return [...figures, await verified(shop, 'both imports')];
}

async function overHttp(server: BenchServer, part: readonly Change[]): Promise<Figure[]> {
  const shop = await server.shop('import_http');
  const service = await startService(shop);
  try {
    const file = fileOf(part);
    const ms = await timed(async () => storedWhole(await sendImport(service.url, Readable.from(file))));
    const what = `${number(part.length)} purchases into an empty database over HTTP, until the last is stored`;
    return [{ case: 'import', what, figure: rate(part, ms) }, await verified(shop, 'the import over HTTP')];
  } finally {
    await service.stop();
  }
}

function upload(file: readonly Buffer[]) {
  return { stream: Readable.from(file), gzip: false, format: 'ndjson', kind: null, map: null, idle_ms: null } as const;
}

/** The changes as an NDJSON file, in pieces as they come out of a socket. */
function fileOf(changes: readonly Change[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0; from < changes.length; from += 500)
    pieces.push(
      Buffer.from(
        changes
          .slice(from, from + 500)
          .map(lineOf)
          .join(''),
      ),
    );
  return pieces;
}

function lineOf(change: Change): string {
  if (change.type !== 'event' || change.kind !== 'purchases') return '';
  const { purchase_id, moment, amount, cost } = change.event;
  const item = { customer_id: change.customer_id, purchase_id, purchased_at: formatInstant(moment.at) };
  return `${JSON.stringify({ ...item, amount: formatMoney(amount, 2), cost: formatMoney(cost, 2) })}\n`;
}

function rate(part: readonly Change[], ms: number): string {
  return `${number(Math.round((part.length / ms) * 1_000))}/s`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
