import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ConfigError } from '../config.ts';
import { readMap } from '../http/import-columns.ts';
import type { Upload } from '../http/receive-import.ts';
import { ITEM_KINDS } from '../http/schemas/items.ts';
import { IMPORT_FORMATS, type ImportFormat } from '../store/imports.ts';

const USAGE = `Usage: npm run import -- FILE [--map FIELD=COLUMN,...] [--kind ${ITEM_KINDS.join('|')}] [--format ${IMPORT_FORMATS.join('|')}] [--dry-run] [--yes]
FILE is NDJSON or CSV, as its name says, or gzip of either. --dry-run only shows how the first rows are understood; --yes does not ask after it.`;

/** A file to be imported, and how. */
export interface ImportFile {
  readonly path: string;
  readonly bytes: number;
  readonly dry_run: boolean;
  readonly yes: boolean;
  /** Opens the file from its beginning. */
  readonly open: () => Upload;
}

/** Reads the arguments of the command and looks at the file; throws `ConfigError` with what is wrong and how it is used. */
export async function importFile(args: readonly string[]): Promise<ImportFile> {
  const { values, positionals } = parse(args);
  const [path, ...others] = positionals;
  if (path === undefined || others.length > 0) throw new ConfigError(USAGE);
  const kind = ITEM_KINDS.find((one) => one === values.kind) ?? null;
  if (values.kind !== undefined && kind === null) throw new ConfigError(`--kind is one of ${ITEM_KINDS.join(', ')}.`);
  const format = formatOf(path, values.format);
  const map = readMap(values.map, kind);
  if (map !== null && format !== 'csv') throw new ConfigError('--map is for CSV.');
  const { bytes, gzip } = await lookAt(path);
  return {
    path,
    bytes,
    dry_run: values['dry-run'] ?? false,
    yes: values.yes ?? false,
    open: () => ({ stream: createReadStream(path), gzip, format, kind, map, idle_ms: null }),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { map: text, kind: text, format: text, 'dry-run': flag, yes: flag };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
}

function formatOf(path: string, named: string | undefined): ImportFormat {
  const ending = path.toLowerCase().replace(/\.gz$/, '').split('.').at(-1)!;
  const guessed = /^(csv|tsv|txt)$/.test(ending) ? 'csv' : /^(ndjson|jsonl|json)$/.test(ending) ? 'ndjson' : undefined;
  const format = IMPORT_FORMATS.find((one) => one === (named ?? guessed));
  if (format === undefined)
    throw new ConfigError(`Say with --format whether the file is ${IMPORT_FORMATS.join(' or ')}.`);
  return format;
}

async function lookAt(path: string): Promise<{ bytes: number; gzip: boolean }> {
  try {
    const { size } = await stat(path);
    const file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    await file.close();
    return { bytes: size, gzip: buffer.readUInt16BE() === 0x1f8b };
  } catch (error) {
    throw new ConfigError(`The file cannot be read: ${(error as Error).message}`);
  }
}
