import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { formatInstant } from '../src/domain/instant.ts';
import { formatMoney } from '../src/domain/money.ts';
import { receiveImport } from '../src/http/receive-import.ts';
import type { Change } from '../src/ingest/change.ts';
import { storeImports } from '../src/ingest/store-imports.ts';
import { readImport } from '../src/store/imports.ts';
import { type BenchCase, type Figure, timed } from './case.ts';
import type { BenchServer } from './database.ts';
import { copy } from './ingest-copy.ts';
import { startService } from './service-process.ts';
import { purchasesInOrder } from './shop.ts';

const MIB = 1_048_576;
/** Of the purchases in time order: those before are the first load, those after come on top of it. */
const FIRST_LOAD = 0.8;

/** Imports against plain COPY of the same rows into the same indexed table, and what a long one keeps in memory. */
export const importCase: BenchCase = async (server, { quick }) => {
  const changes = purchasesInOrder(quick ? 1_000 : 100_000, 1);
  const cut = Math.floor(changes.length * FIRST_LOAD);
  const parts = [changes.slice(0, cut), changes.slice(cut)] as const;
  return [
    ...(await againstCopy(server, parts)),
    ...(await overHttp(server, parts[0])),
    await memory(server, quick ? 32 : 1_024),
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
  return figures;
}

async function overHttp(server: BenchServer, part: readonly Change[]): Promise<Figure[]> {
  const shop = await server.shop('import_http');
  const service = await startService(shop);
  try {
    const file = fileOf(part);
    const ms = await timed(async () => {
      const location = await send(service.url, Readable.from(file));
      while (((await (await fetch(location)).json()) as { state: string }).state === 'storing') await delay(100);
    });
    const what = `${number(part.length)} purchases into an empty database over HTTP, until the last is stored`;
    return [{ case: 'import', what, figure: rate(part, ms) }];
  } finally {
    await service.stop();
  }
}

/** The most that a service held while so many MiB arrived and the first of them were stored. */
async function memory(server: BenchServer, mib: number): Promise<Figure> {
  const shop = await server.shop('import_memory');
  const service = await startService(shop, { watched: true });
  try {
    const location = await send(service.url, Readable.from(endless(mib * MIB)));
    const received = service.peak_mib();
    await delay(20_000);
    await fetch(location, { method: 'DELETE' });
    const what = `resident memory at most while ${number(mib)} MiB arrive (${received} MiB) and are stored for 20 s`;
    return { case: 'import', what, figure: `${service.peak_mib()} MiB`, target: '≤ 300 MiB' };
  } finally {
    await service.stop();
  }
}

function* endless(bytes: number): Generator<Buffer> {
  for (let index = 0, sent = 0; sent < bytes; ) {
    let text = '';
    for (const end = index + 500; index < end; index += 1) {
      text += `{"customer_id":"customer-${(index * 7_919) % 1_000_003}","purchase_id":"o-${index}","purchased_at":"2024-03-01T09:30:00Z","amount":"39.90"}\n`;
    }
    sent += text.length;
    yield Buffer.from(text);
  }
}

/** Sends a file, and returns the address of the import once it has been taken. */
async function send(url: string, body: Readable): Promise<string> {
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await fetch(`${url}/v1/imports`, {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as unknown as RequestInit);
  if (answer.status !== 202) throw new Error(`the import was answered with ${answer.status}: ${await answer.text()}`);
  return `${url}${answer.headers.get('location')}`;
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
