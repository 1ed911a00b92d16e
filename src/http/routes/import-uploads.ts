import type { Readable } from 'node:stream';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem, parameterProblem } from '../../problems.ts';
import { oneOf } from '../../reports/fields.ts';
import type { ImportFormat } from '../../store/imports.ts';
import { requireEngine } from '../context.ts';
import { requireImport } from '../import-answer.ts';
import { readMap } from '../import-columns.ts';
import type { Metrics } from '../metrics.ts';
import { MAX_OPEN, newReception, receiveImport } from '../receive-import.ts';
import { mount } from '../route.ts';
import { IMPORT_EXAMPLE } from '../schemas/imports.ts';
import { ITEM_KINDS } from '../schemas/items.ts';

const FORMATS: Readonly<Record<string, ImportFormat>> = { 'application/x-ndjson': 'ndjson', 'text/csv': 'csv' };
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
/** What receiving needs besides the engine. */
interface Receiving {
  /** How long nothing may arrive of an upload. */
  readonly idle_ms: number;
  readonly metrics: Metrics;
}

/** The upload of files of any length. */
export async function importUploadRoute(
  app: FastifyInstance,
  source: EngineSource,
  receiving: Receiving,
): Promise<void> {
  // Streams are for this path only: everywhere else these content types are refused.
  await app.register(async (uploads) => {
    uploads.removeAllContentTypeParsers();
    for (const type of Object.keys(FORMATS))
      uploads.addContentTypeParser(type, async (_: unknown, body: Readable) => body);
    mountPost(uploads, source, receiving);
  });
}

function mountPost(app: FastifyInstance, source: EngineSource, { idle_ms, metrics }: Receiving): void {
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
        const reception = newReception();
        const importId = await receiveImport(engine, uploadOf(request, idle_ms), reception);
        for (const [kind, items] of reception.invalid) metrics.ingested(kind, 'invalid', items);
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
    if (!raw.complete) raw.destroy();
  }, within_ms);
  timer.unref();
  raw.once('end', () => clearTimeout(timer));
  // A listener keeps it flowing also once the reader, who is still leaving, has let go of it.
  raw.on('data', () => undefined).resume();
}
