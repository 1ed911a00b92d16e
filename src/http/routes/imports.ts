import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem } from '../../problems.ts';
import { nullable } from '../../reports/fields.ts';
import { moveImport, pageFaults, pageImports, readImport } from '../../store/imports.ts';
import { requireEngine, snapshot } from '../context.ts';
import { isInteger, readCursor, writeCursor } from '../cursor.ts';
import { requireImport, showImport } from '../import-answer.ts';
import { mount } from '../route.ts';
import { IMPORT_EXAMPLE, IMPORT_FAULT_EXAMPLE } from '../schemas/imports.ts';

const DEFAULT_LIMIT = 50;

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

/** How far imports are, what was wrong with their rows, and their end before its time. */
export function importRoutes(app: FastifyInstance, source: EngineSource): void {
  mountReads(app, source);
  mountFaults(app, source);
  mountCancel(app, source);
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
