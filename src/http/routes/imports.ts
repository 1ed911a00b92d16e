import type { Readable } from 'node:stream';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { formatInstant } from '../../domain/instant.ts';
import type { Engine } from '../../ingest/engine.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem, parameterProblem } from '../../problems.ts';
import { nullable, oneOf } from '../../reports/fields.ts';
import {
  type ImportFormat,
  moveImport,
  pageFaults,
  pageImports,
  ROW_RESULTS,
  readImport,
  type StoredImport,
} from '../../store/imports.ts';
import { requireEngine, snapshot } from '../context.ts';
import { isInteger, readCursor, writeCursor } from '../cursor.ts';
import { readMap } from '../import-columns.ts';
import { MAX_OPEN, receiveImport } from '../receive-import.ts';
import { mount } from '../route.ts';
import { IMPORT_EXAMPLE, IMPORT_FAULT_EXAMPLE } from '../schemas/imports.ts';
import { ITEM_KINDS } from '../schemas/items.ts';

const FORMATS: Readonly<Record<string, ImportFormat>> = { 'application/x-ndjson': 'ndjson', 'text/csv': 'csv' };
const DEFAULT_LIMIT = 50;

const DESCRIPTION = `For files of any length; they are read as fast as they can be kept. 202 means that the whole file has arrived and is committed: it will be stored, whatever happens to the service. After any other answer nothing of it is stored. Without an answer, send it again: what is stored already is then a duplicate.

\`application/x-ndjson\`: one item a line, with the fields of POST /v1/purchases, /v1/refunds, /v1/interactions and /v1/customers, and by the same rules. \`text/csv\` (RFC 4180, UTF-8): the header names the fields, or \`map\` says which column is which; comma, semicolon or tab; empty cells are absent fields; several products or groups in a cell are joined by \`;\`. With \`Content-Encoding: gzip\` either may be compressed.

One bad row never harms the others: it is counted, and GET /v1/imports/{import_id}/faults says what was wrong with the first 1,000. Every customer's rows are stored together, so an import is far faster than batches. At most ${MAX_OPEN} imports are open at once. An upload of which nothing arrives for as long as any other request may take is given up.`;

const query = Type.Object(
  {
    kind: Type.Optional(
      oneOf(ITEM_KINDS, {
        description:
          'What every row is. If absent, each row says so itself: by refund_id or refunded_at, interaction_id or occurred_at, purchase_id or purchased_at; a row without any of them is a customer.',
      }),
    ),
    map: Type.Optional(
      Type.String({
        minLength: 3,
        maxLength: 4_096,
        description:
          'For CSV: which column is which field, as field=column, separated by commas (`customer_id=Email,amount=Total`); a pair that holds a comma is put into quotes. Fields that it does not name are read from columns of their name, other columns are left out.',
      }),
    ),
  },
  { additionalProperties: false },
);
const params = Type.Object({
  import_id: Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'Id of the import.', examples: [1] }),
});
const paging = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000, description: `Entries a page; ${DEFAULT_LIMIT} if absent.` }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 1_024, description: 'next_cursor of the page before.' })),
  },
  { additionalProperties: false },
);
type Paging = Static<typeof paging>;

/** Imports: files of any length, and how far they are. */
export async function importRoutes(app: FastifyInstance, source: EngineSource, idle_ms: number): Promise<void> {
  // Streams are for this path only: everywhere else these content types are refused.
  await app.register(async (uploads) => {
    uploads.removeAllContentTypeParsers();
    for (const type of Object.keys(FORMATS))
      uploads.addContentTypeParser(type, async (_: unknown, body: Readable) => body);
    mountPost(uploads, source, idle_ms);
  });
  mountReads(app, source);
  mountFaults(app, source);
  mountCancel(app, source);
}

function mountPost(app: FastifyInstance, source: EngineSource, idle_ms: number): void {
  mount(app, {
    method: 'POST',
    url: '/v1/imports',
    operationId: 'postImport',
    tag: 'ingest',
    summary: 'Import a file',
    description: DESCRIPTION,
    scope: 'write',
    query,
    upload: {
      'application/x-ndjson': {
        schema: Type.String({ description: 'One item a line, as JSON.' }),
        example:
          '{"customer_id":"c-1","purchase_id":"o-1","purchased_at":"2025-03-01","amount":"42.50"}\n{"customer_id":"c-1","refund_id":"r-1","purchase_id":"o-1","refunded_at":"2025-03-09","amount":"12.50"}\n',
      },
      'text/csv': {
        schema: Type.String({ description: 'A header line and rows.' }),
        example: 'customer_id,purchase_id,purchased_at,amount,products\nc-1,o-1,2025-03-01,42.50,tea;cup\n',
      },
    },
    success: [
      {
        status: 202,
        description: 'The whole file has arrived and is being stored; Location names the import.',
        schema: Type.Ref('Import'),
        example: IMPORT_EXAMPLE,
      },
    ],
    problems: ['malformed_csv', 'upload_interrupted', 'import_cancelled', 'too_many_imports'],
    handler: async (request, reply) => {
      const engine = requireEngine(source);
      try {
        const importId = await receiveImport(engine, uploadOf(request, idle_ms));
        reply.code(202).header('location', `/v1/imports/${importId}`);
        return await requireImport(engine, importId);
      } catch (error) {
        letGoOfRest(request, idle_ms);
        throw error;
      }
    },
  });
}

function uploadOf(request: FastifyRequest, idle_ms: number) {
  const { kind: named, map } = request.query as Static<typeof query>;
  const kind = ITEM_KINDS.find((one) => one === named) ?? null;
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  const format = FORMATS[type.trim()];
  const charset = /charset\s*=\s*"?([^\s;"]*)/.exec(parameters.join(';'))?.[1] ?? 'utf-8';
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (format === undefined || !/^utf-?8$/.test(charset) || !/^(x-)?gzip$|^identity$/.test(encoding)) {
    const detail = 'Send application/x-ndjson or text/csv in UTF-8, as it is or with Content-Encoding: gzip.';
    throw new Problem('unsupported_media_type', { detail });
  }
  if (map !== undefined && format !== 'csv') throw parameterProblem('map', 'only_for_csv', 'is for CSV');
  const stream = request.body as Readable;
  return { stream, gzip: encoding !== 'identity', format, kind, map: readMap(map, kind), idle_ms };
}

/** After a refusal the rest of the upload is let in and forgotten, so that the caller, who is still sending, comes to read the answer; not for ever. */
function letGoOfRest({ raw }: FastifyRequest, within_ms: number): void {
  const timer = setTimeout(() => {
    if (!raw.complete) raw.socket?.destroy();
  }, within_ms);
  timer.unref();
  raw.once('end', () => clearTimeout(timer));
  // A listener keeps it flowing also once the reader, who is still leaving, has let go of it.
  raw.on('data', () => undefined).resume();
}

function mountReads(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'GET',
    url: '/v1/imports/:import_id',
    operationId: 'getImport',
    tag: 'ingest',
    summary: 'How far an import is',
    scope: 'read',
    params,
    success: [{ status: 200, description: 'State and counts.', schema: Type.Ref('Import'), example: IMPORT_EXAMPLE }],
    problems: ['import_not_found'],
    handler: async (request) => await requireImport(requireEngine(source), idOf(request)),
  });
  mount(app, {
    method: 'GET',
    url: '/v1/imports',
    operationId: 'listImports',
    tag: 'ingest',
    summary: 'Imports, the latest first',
    description: 'Open ones, and those that ended within 90 days.',
    scope: 'read',
    query: paging,
    success: [
      {
        status: 200,
        description: 'One page; next_cursor is null on the last.',
        schema: Type.Object({ items: Type.Array(Type.Ref('Import')), next_cursor: nullable(Type.String()) }),
        example: { items: [IMPORT_EXAMPLE], next_cursor: null },
      },
    ],
    problems: ['invalid_cursor'],
    handler: async (request) => {
      const { limit = DEFAULT_LIMIT, cursor } = request.query as Paging;
      const list = ['imports'];
      const before = readCursor(list, cursor, isInteger)?.value ?? null;
      const rows = await snapshot(requireEngine(source), async (trx) => await pageImports(trx, before, limit + 1));
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      const more = rows.length > limit && last !== undefined;
      return {
        items: items.map(showImport),
        next_cursor: more ? writeCursor(list, { value: last.import_id, id: '' }) : null,
      };
    },
  });
}

function mountFaults(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'GET',
    url: '/v1/imports/:import_id/faults',
    operationId: 'listImportFaults',
    tag: 'ingest',
    summary: 'Rows of an import that were not stored, and why',
    description: 'In the order of the lines. The first 1,000 that were found are kept; all of them are counted.',
    scope: 'read',
    params,
    query: paging,
    success: [
      {
        status: 200,
        description: 'One page; next_cursor is null on the last.',
        schema: Type.Object({ items: Type.Array(Type.Ref('ImportFault')), next_cursor: nullable(Type.String()) }),
        example: { items: [IMPORT_FAULT_EXAMPLE], next_cursor: null },
      },
    ],
    problems: ['import_not_found', 'invalid_cursor'],
    handler: async (request) => {
      const importId = idOf(request);
      const { limit = DEFAULT_LIMIT, cursor } = request.query as Paging;
      const list = ['faults', String(importId)];
      const after = readCursor(list, cursor, isInteger)?.value ?? 0;
      const rows = await snapshot(requireEngine(source), async (trx) => {
        if ((await readImport(trx, importId)) === undefined) throw new Problem('import_not_found');
        return await pageFaults(trx, importId, after, limit + 1);
      });
      const items = rows.slice(0, limit);
      const more = rows.length > limit;
      return { items, next_cursor: more ? writeCursor(list, { value: items.at(-1)!.line, id: '' }) : null };
    },
  });
}

function mountCancel(app: FastifyInstance, source: EngineSource): void {
  mount(app, {
    method: 'DELETE',
    url: '/v1/imports/:import_id',
    operationId: 'cancelImport',
    tag: 'ingest',
    summary: 'Cancel an import',
    description: 'What is stored of it stays; the other rows are dropped, and counted so. Repeating it is safe.',
    scope: 'write',
    params,
    success: [
      { status: 200, description: 'Cancelled, now or before.', schema: Type.Ref('Import'), example: CANCELLED },
    ],
    problems: ['import_not_found', 'import_ended'],
    handler: async (request) => {
      const engine = requireEngine(source);
      const importId = idOf(request);
      const cancelled = { from: ['receiving', 'storing'], to: 'cancelled', at: engine.now() } as const;
      await moveImport(engine.db, importId, cancelled);
      const shown = await requireImport(engine, importId);
      if (shown.state !== 'cancelled') throw new Problem('import_ended');
      return shown;
    },
  });
}

const CANCELLED = { ...IMPORT_EXAMPLE, state: 'cancelled', finished_at: '2025-06-30T09:00:20Z' };

function idOf(request: FastifyRequest): number {
  return (request.params as Static<typeof params>).import_id;
}

async function requireImport(engine: Engine, importId: number) {
  const found = await snapshot(engine, async (trx) => await readImport(trx, importId));
  if (found === undefined) throw new Problem('import_not_found');
  return showImport(found);
}

/** An import as answers show it. */
function showImport(one: StoredImport) {
  const { import_id, state, format, kind, failure, bytes_read, rows_read } = one;
  const instant = (at: number | null): string | null => (at === null ? null : formatInstant(at));
  const counts = Object.fromEntries(ROW_RESULTS.map((result) => [result, one[result]]));
  const waiting = ROW_RESULTS.reduce((rest, result) => rest - one[result], rows_read);
  return {
    import_id,
    state,
    format,
    kind,
    failure,
    bytes_read,
    rows_read,
    ...counts,
    waiting,
    started_at: instant(one.started_at),
    received_at: instant(one.received_at),
    finished_at: instant(one.finished_at),
  };
}
