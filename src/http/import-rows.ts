import { isUtf8 } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';
import { CsvError, type Info, type Parser, parse } from 'csv-parse';
import { Problem } from '../problems.ts';
import { type ColumnMap, fieldsOfColumns, itemOf, separatorOf } from './import-columns.ts';
import type { ItemKind } from './schemas/items.ts';

/** Bytes of a line, or of a CSV record, at most: a hundred products of 64 characters, each written as an escape, are 40 kB. */
export const MAX_LINE_BYTES = 262_144;
/** Records that are handed on at once, or fewer that have so many bytes. */
const BUNDLE = 500;
const BUNDLE_BYTES = 262_144;

/** A row of a file: the item that it holds, of whatever shape, or why it holds none. */
export type FoundRow =
  | { readonly line: number; readonly item: unknown }
  | { readonly line: number; readonly code: string; readonly detail: string };

type Chunks = AsyncIterable<Buffer>;

/** Reads JSON texts separated by line ends; empty lines are left out. Lines are counted from 1. */
export async function* ndjsonRows(chunks: Chunks): AsyncGenerator<FoundRow[]> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  let tooLong = false;
  for await (const chunk of chunks) {
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const rows: FoundRow[] = [];
    let from = 0;
    for (let to = text.indexOf(10); to !== -1; to = text.indexOf(10, from)) {
      const row = tooLong || to === from ? null : readLine(text.subarray(from, to), line);
      if (row !== null) rows.push(row);
      tooLong = false;
      line += 1;
      from = to + 1;
    }
    rest = text.subarray(from);
    if (rest.length > MAX_LINE_BYTES) {
      if (!tooLong) rows.push(tooLongLine(line));
      tooLong = true;
      rest = Buffer.alloc(0);
    }
    if (rows.length > 0) yield rows;
  }
  const last = tooLong ? null : readLine(rest, line);
  if (last !== null) yield [last];
}

function tooLongLine(line: number): FoundRow {
  return { line, code: 'line_too_long', detail: `A line has at most ${MAX_LINE_BYTES} bytes.` };
}

function readLine(bytes: Buffer, line: number): FoundRow | null {
  if (bytes.length > MAX_LINE_BYTES) return tooLongLine(line);
  if (!isUtf8(bytes)) return { line, code: 'not_utf8', detail: 'The line is not UTF-8; encode the file in UTF-8.' };
  let text = bytes.toString('utf8');
  if (line === 1 && text.startsWith('\ufeff')) text = text.slice(1);
  if (text.trim() === '') return null;
  try {
    return { line, item: JSON.parse(text) as unknown };
  } catch {
    return { line, code: 'malformed_json', detail: 'The line is not one JSON text; write one object a line.' };
  }
}

/** How a CSV file is to be understood. */
export interface CsvReading {
  readonly map: ColumnMap | null;
  readonly kind: ItemKind | null;
}

/**
 * Reads CSV by RFC 4180, with a header line. The separator is a comma, a semicolon or a tab, whichever the header holds most often; lines end in any way; a byte
 * order mark is dropped; lines without any content are left out. What leaves open where the next record begins is a `Problem`: the file cannot be understood.
 */
export async function* csvRows(chunks: Chunks, { map, kind }: CsvReading): AsyncGenerator<FoundRow[]> {
  let fields: (string | null)[] | null = null;
  let rows: FoundRow[] = [];
  let handedOn = 0;
  for await (const { record, info } of records(chunks)) {
    if (fields === null) {
      fields = fieldsOfColumns(record, map, kind);
      continue;
    }
    rows.push(readRecord(record, info.lines - lineEnds(record), fields));
    if (rows.length < BUNDLE && info.bytes - handedOn < BUNDLE_BYTES) continue;
    yield rows;
    rows = [];
    handedOn = info.bytes;
  }
  if (fields === null)
    throw new Problem('malformed_csv', { detail: 'The file is empty; send a header line and rows.' });
  if (rows.length > 0) yield rows;
}

function readRecord(record: readonly string[], line: number, fields: readonly (string | null)[]): FoundRow {
  if (record.length === fields.length) return { line, item: itemOf(record, fields) };
  const detail = `The row has ${record.length} columns, the header has ${fields.length}.`;
  return { line, code: 'wrong_number_of_columns', detail };
}

function lineEnds(record: readonly string[]): number {
  let ends = 0;
  for (const cell of record) for (let at = cell.indexOf('\n'); at !== -1; at = cell.indexOf('\n', at + 1)) ends += 1;
  return ends;
}

interface CsvRecord {
  readonly record: string[];
  readonly info: Info;
}

async function* records(chunks: Chunks): AsyncGenerator<CsvRecord> {
  const { header, all } = await withHeader(utf8(chunks));
  const parser: Parser = parse({
    bom: true,
    delimiter: separatorOf(header),
    info: true,
    max_record_size: MAX_LINE_BYTES,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
  });
  // What breaks off the reading is thrown by the parser to whoever reads from it.
  pipeline(Readable.from(all, { objectMode: false }), parser, () => undefined);
  try {
    for await (const found of parser) yield found as CsvRecord;
  } catch (error) {
    throw error instanceof CsvError ? csvProblem(error) : error;
  }
}

function csvProblem(error: CsvError): Problem {
  const line = Number(error.lines);
  const tooLong = error.code === 'CSV_MAX_RECORD_SIZE';
  const detail = tooLong
    ? `The record at line ${line} has more than ${MAX_LINE_BYTES} bytes; is a quote missing?`
    : `A quote at line ${line} is out of place: a cell that holds one is put into quotes, and the quote is written twice.`;
  return new Problem('malformed_csv', { detail });
}

/** Passes on what is UTF-8. */
async function* utf8(chunks: Chunks): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const check = (bytes?: Buffer): void => {
    try {
      decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new Problem('malformed_csv', { detail: 'The file is not UTF-8; save it as CSV UTF-8.' });
    }
  };
  for await (const chunk of chunks) {
    check(chunk);
    yield chunk;
  }
  check();
}

/** The first line, and all chunks, those of the first line included. */
async function withHeader(chunks: AsyncGenerator<Buffer>): Promise<{ header: string; all: AsyncIterable<Buffer> }> {
  const first: Buffer[] = [];
  let length = 0;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    first.push(next.value);
    length += next.value.length;
    if (length > MAX_LINE_BYTES || next.value.includes(10) || next.value.includes(13)) break;
  }
  const header =
    Buffer.concat(first)
      .toString('utf8')
      .split(/[\r\n]/, 1)[0] ?? '';
  const all = async function* (): AsyncGenerator<Buffer> {
    yield* first;
    yield* chunks;
  };
  return { header, all: all() };
}
