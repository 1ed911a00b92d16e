import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import cliProgress from 'cli-progress';
import { newReception, receiveImport } from '../http/receive-import.ts';
import type { Engine } from '../ingest/engine.ts';
import { type KeepStoringOptions, startStoring } from '../ingest/keep-storing.ts';
import { startEngine } from '../ingest/start.ts';
import { Problem } from '../problems.ts';
import { openDatabase, startOptions } from '../service.ts';
import { pageFaults, ROW_RESULTS, readImport, type StoredImport } from '../store/imports.ts';
import type { CommandContext } from './command.ts';
import { type ImportFile, importFile } from './import-file.ts';
import { previewFile } from './import-preview.ts';

const LOOK_MS = 250;
const FAULTS_SHOWN = 20;

/**
 * Imports a file into the configured database: shows how the first rows are understood, asks, and then how far it is. Works beside a running service as well as
 * without one. Returns 1 if any row could not be stored.
 */
export async function importCommand({ config, log, args }: CommandContext): Promise<number> {
  const abort = new AbortController();
  let database: Awaited<ReturnType<typeof openDatabase>> | null = null;
  try {
    const file = await importFile(args);
    database = await openDatabase(config, log);
    const engine = await startEngine(startOptions(config, database, log), abort.signal).started;
    if (!(await agreed(engine, file))) return 0;
    return await run(engine, file, { database: database.options, page_rows: config.import_page_rows });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error([error.message, ...error.errors.map(({ detail }) => detail)].join('\n'));
    return 1;
  } finally {
    await database?.close();
  }
}

async function agreed(engine: Engine, file: ImportFile): Promise<boolean> {
  const { table, invalid } = await previewFile(engine, file.open());
  console.log(`The first rows as they are understood:\n${table}`);
  if (invalid > 0) console.log(`${invalid} of them would not be stored.`);
  if (file.dry_run) return false;
  if (file.yes) return true;
  if (!process.stdin.isTTY) {
    console.log('Nothing is stored yet; add --yes to import the file.');
    return false;
  }
  const questions = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await questions.question('Import the file? [y/N] ');
  questions.close();
  return /^y(es)?$/i.test(answer.trim());
}

async function run(engine: Engine, file: ImportFile, storing: KeepStoringOptions): Promise<number> {
  const started_at = performance.now();
  const importId = await receive(engine, file);
  const stored = await store(engine, importId, storing);
  const seconds = (performance.now() - started_at) / 1_000;
  const counts = ROW_RESULTS.filter((result) => stored[result] > 0).map((result) => `${stored[result]} ${result}`);
  const rate = Math.round(stored.rows_read / seconds);
  console.log(
    `${stored.rows_read} rows in ${seconds.toFixed(1)} s (${rate}/s): ${counts.join(', ') || 'nothing to do'}`,
  );
  for (const fault of await pageFaults(engine.db, importId, 0, FAULTS_SHOWN))
    console.log(`line ${fault.line}: ${fault.pointer === null ? '' : `${fault.pointer.slice(1)}: `}${fault.detail}`);
  const faulty = stored.conflict + stored.invalid;
  if (faulty > FAULTS_SHOWN) console.log(`… and ${faulty - FAULTS_SHOWN} more: GET /v1/imports/${importId}/faults`);
  return stored.state === 'done' && faulty === 0 ? 0 : 1;
}

async function receive(engine: Engine, file: ImportFile): Promise<number> {
  const bar = progressBar('reading');
  const reception = newReception();
  bar.start(file.bytes, 0, { rows: 0, rate: 0 });
  const started_at = performance.now();
  const timer = setInterval(() => bar.update(reception.bytes, shown(reception.rows, started_at)), LOOK_MS);
  try {
    const importId = await receiveImport(engine, file.open(), reception);
    bar.update(file.bytes, shown(reception.rows, started_at));
    return importId;
  } finally {
    clearInterval(timer);
    bar.stop();
  }
}

/** Stores, and watches: a running service may be storing it too. */
async function store(engine: Engine, importId: number, storing: KeepStoringOptions): Promise<StoredImport> {
  const bar = progressBar('storing');
  const running = startStoring(Promise.resolve(engine), storing);
  const started_at = performance.now();
  try {
    for (let begun = false; ; begun = true) {
      const found = (await readImport(engine.db, importId))!;
      const left = ROW_RESULTS.reduce((rest, result) => rest - found[result], found.rows_read);
      const done = found.rows_read - left - found.dropped;
      if (!begun) bar.start(found.rows_read, done, { rows: done, rate: 0 });
      bar.update(done, shown(done, started_at));
      if (found.state !== 'storing') return found;
      await delay(LOOK_MS);
    }
  } finally {
    bar.stop();
    await running.stop();
  }
}

function progressBar(what: string): cliProgress.SingleBar {
  const format = `${what} {bar} {percentage}% | {rows} rows | {rate} rows/s | {eta_formatted} left`;
  const etaBuffer = 40;
  const options = { format, etaBuffer, noTTYOutput: true, notTTYSchedule: 2_000, hideCursor: true };
  return new cliProgress.SingleBar(options, cliProgress.Presets.shades_classic);
}

function shown(rows: number, started_at: number): { rows: number; rate: number } {
  return { rows, rate: Math.round((rows / Math.max(1, performance.now() - started_at)) * 1_000) };
}
