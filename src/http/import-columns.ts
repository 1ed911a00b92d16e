import { parse } from 'csv-parse/sync';
import { Problem, parameterProblem } from '../problems.ts';
import { ITEM_SCHEMAS } from './item-kinds.ts';
import { ITEM_KINDS, type ItemKind } from './schemas/items.ts';

/** Which column of a CSV file is which field: column names by field. */
export type ColumnMap = ReadonlyMap<string, string>;

/** Fields that hold several texts; in a cell they are joined by `;`. */
const LISTS = new Set(['products', 'groups']);
const SEPARATORS = [',', ';', '\t'] as const;

/** Reads `field=column,field=column`; a pair that holds a comma is put into quotes, as in CSV. Throws a `Problem` that names the parameter. */
export function readMap(text: string | undefined, kind: ItemKind | null): ColumnMap | null {
  if (text === undefined) return null;
  const map = new Map<string, string>();
  const fields = fieldsOf(kind);
  for (const pair of pairsOf(text)) {
    const at = pair.indexOf('=');
    const field = pair.slice(0, Math.max(at, 0)).trim();
    const column = pair.slice(at + 1).trim();
    if (at < 0 || column === '') throw wrongMap('malformed', 'is a list of field=column, separated by commas');
    if (!fields.includes(field)) throw wrongMap('unknown_field', `knows these fields: ${fields.join(', ')}`);
    if (map.has(field)) throw wrongMap('twice', `names \`${field}\` twice`);
    if ([...map.values()].includes(column)) throw wrongMap('twice', 'names one column twice');
    map.set(field, column);
  }
  return map;
}

function pairsOf(text: string): string[] {
  try {
    return (parse(text, { relax_column_count: true })[0] as string[] | undefined) ?? [];
  } catch {
    throw wrongMap(
      'malformed',
      'is a list of field=column, separated by commas; put a pair that holds a comma into quotes',
    );
  }
}

function wrongMap(code: string, detail: string): Problem {
  return parameterProblem('map', code, detail);
}

/** The fields of a kind; of all kinds if each row says itself what it is. */
function fieldsOf(kind: ItemKind | null): string[] {
  const kinds = kind === null ? ITEM_KINDS : [kind];
  return [...new Set(kinds.flatMap((one) => Object.keys(ITEM_SCHEMAS[one].properties)))];
}

/** The separator that the header line holds most often. */
export function separatorOf(header: string): string {
  const count = (separator: string): number => header.split(separator).length;
  return SEPARATORS.reduce((best, separator) => (count(separator) > count(best) ? separator : best));
}

/**
 * The field that each column of a header holds; null for a column that is left out. Without a map every column must be called as a field; with one, columns that
 * neither the map names nor any field is called are left out. Throws a `Problem` that names the place, never a name out of the file.
 */
export function fieldsOfColumns(
  header: readonly string[],
  map: ColumnMap | null,
  kind: ItemKind | null,
): (string | null)[] {
  const names = header.map((name) => name.trim());
  const fields = fieldsOf(kind);
  const mapped = new Map([...(map ?? [])].map(([field, column]) => [column, field]));
  for (const [field, column] of map ?? [])
    if (!names.includes(column))
      throw wrongMap('unknown_column', `names a column for \`${field}\` that the file does not have`);
  const found = names.map((name) => mapped.get(name) ?? (fields.includes(name) && !map?.has(name) ? name : null));
  const given = found.filter((field) => field !== null);
  if (new Set(given).size < given.length) throw wrongHeader('two_columns', 'Two columns hold the same field.');
  const unknown = found.indexOf(null);
  if (map === null && unknown !== -1) {
    const detail = `Column ${unknown + 1} is not called as any of ${fields.join(', ')}. Rename it, or say with map= which columns are meant; then others are left out.`;
    throw wrongHeader('unknown_column', detail);
  }
  if (!given.includes('customer_id'))
    throw wrongHeader(
      'no_customer_id',
      'No column is called customer_id; say with map=customer_id=<column> which one it is.',
    );
  return found;
}

function wrongHeader(code: string, detail: string): Problem {
  return new Problem('invalid_request', {
    detail: 'The header line of the CSV file does not say what the columns are.',
    errors: [{ pointer: '', code, detail }],
  });
}

/** The item that a record means: empty cells are absent fields. */
export function itemOf(record: readonly string[], fields: readonly (string | null)[]): Record<string, unknown> {
  const item: Record<string, unknown> = {};
  for (const [column, field] of fields.entries()) {
    const cell = record[column]!;
    if (field === null || cell === '') continue;
    if (LISTS.has(field)) item[field] = cell.split(';');
    else if (field === 'score' && /^\d{1,3}$/.test(cell)) item[field] = Number(cell);
    else item[field] = cell;
  }
  return item;
}
