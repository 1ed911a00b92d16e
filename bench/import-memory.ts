import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Figure } from './case.ts';
import type { BenchServer } from './database.ts';
import { cancelImport, sendImport, storedWhole } from './import-client.ts';
import { startService } from './service-process.ts';
import { verified } from './verified.ts';

const MIB = 1_048_576;
const STORED_MS = 20_000;
/** Instants of four years, one a day. */
const INSTANTS = Array.from({ length: 1_461 }, (_, day) => new Date(Date.UTC(2022, 0, 1 + day, 9, 30)).toISOString());

/** A file that is sent, and what of it is stored. */
interface Load {
  readonly name: string;
  readonly mib: number;
  readonly rowOf: (index: number) => object;
  /** What the rows are like. */
  readonly rows: string;
  /** True: to the last row. False: for twenty seconds. */
  readonly whole: boolean;
}

/** The most that the service holds of a long import, and of one whose rows have the longest fields that a row may have. */
export async function importMemory(
  server: BenchServer,
  { quick, whole }: { readonly quick: boolean; readonly whole: boolean },
): Promise<Figure[]> {
  const long: Load = {
    name: 'import_memory',
    mib: quick ? 2 : 1_024,
    rowOf: shortRow,
    rows: 'purchases',
    whole: whole || quick,
  };
  const wide: Load = {
    name: 'import_wide',
    mib: quick ? 4 : 256,
    rowOf: longestRow,
    rows: 'purchases with the longest fields',
    whole: true,
  };
  return [...(await memory(server, long)), ...(await memory(server, wide))];
}

async function memory(server: BenchServer, { name, mib, rowOf, rows, whole }: Load): Promise<Figure[]> {
  const shop = await server.shop(name);
  const service = await startService(shop, { watched: true });
  let figure: Figure;
  try {
    const location = await sendImport(service.url, Readable.from(endless(mib * MIB, rowOf)));
    const arrived = service.peak_mib();
    if (!whole) await delay(STORED_MS);
    const { created } = await (whole ? storedWhole(location) : cancelImport(location));
    const stored = `are stored ${whole ? 'to the last' : `for ${STORED_MS / 1_000} s`}, ${created.toLocaleString('en')} rows`;
    const what = `resident memory at most while ${mib.toLocaleString('en')} MiB of ${rows} arrive (${arrived} MiB) and ${stored}`;
    figure = { case: 'import', what, figure: `${service.peak_mib()} MiB`, target: '≤ 300 MiB' };
  } finally {
    await service.stop();
  }
  return [figure, await verified(shop, `an import of ${mib.toLocaleString('en')} MiB of ${rows}`)];
}

/** As many rows as have so many bytes, in pieces of some ten thousands. */
function* endless(bytes: number, rowOf: (index: number) => object): Generator<Buffer> {
  for (let index = 0, sent = 0; sent < bytes; ) {
    let text = '';
    for (; text.length < 65_536; index += 1) text += `${JSON.stringify(rowOf(index))}\n`;
    const piece = Buffer.from(text);
    sent += piece.length;
    yield piece;
  }
}

/** A purchase of one of a million customers on any day. */
function shortRow(index: number): object {
  return {
    customer_id: `customer-${(index * 7_919) % 1_000_003}`,
    purchase_id: `o-${index}`,
    purchased_at: INSTANTS[(index * 379) % INSTANTS.length],
    amount: '39.90',
  };
}

/** Ids of 128 characters, a hundred products of 64, each character of four bytes but for the numbers that tell them apart. */
function longestRow(index: number): object {
  const number = String(index).padStart(8, '0');
  const products = Array.from({ length: 100 }, (_, nth) => `${'𝄞'.repeat(62)}${String(nth).padStart(2, '0')}`);
  return {
    ...shortRow(index),
    customer_id: `${'𝄞'.repeat(120)}${number}`,
    purchase_id: `${'𝄞'.repeat(120)}${number}`,
    products,
  };
}
