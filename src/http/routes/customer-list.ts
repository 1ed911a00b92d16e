import { Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { formatDay } from '../../domain/calendar.ts';
import type { Engine } from '../../ingest/engine.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { parameterProblem } from '../../problems.ts';
import { day, nullable } from '../../reports/fields.ts';
import type { Trx } from '../../store/connect.ts';
import { keyOf, pageList } from '../../store/customer-lists.ts';
import { readGroupNames } from '../../store/groups.ts';
import { requireEngine, snapshot } from '../context.ts';
import {
  type CustomerList,
  type CustomerQuery,
  customerQuery,
  readList,
  readListCursor,
  writeListCursor,
} from '../customer-query.ts';
import { CSV_COLUMNS, CSV_HEADER, type RowContext, showCustomer, writeCsv, writeNdjson } from '../customer-rows.ts';
import { type ListStreams, listStreams, type StreamedList } from '../customer-stream.ts';
import { LISTED_CUSTOMER_EXAMPLE } from '../examples.ts';
import { CSV_TYPE, JSON_TYPE, negotiate } from '../representations.ts';
import { mount } from '../route.ts';

const DEFAULT_LIMIT = 50;

const STREAMS = {
  'application/x-ndjson': { head: '', write: writeNdjson },
  [CSV_TYPE]: { head: CSV_HEADER, write: writeCsv },
} as const;
type StreamType = keyof typeof STREAMS;
const STREAM_TYPES = Object.keys(STREAMS) as StreamType[];

const DESCRIPTION = `Filters hold together. Who stands where is as of today, money and counts are as of all stored events.

Pages come as \`application/json\`. With \`Accept: application/x-ndjson\` or \`text/csv\` the whole list is streamed in one snapshot: no \`limit\`, no \`cursor\`. A stream that is cut off ends the connection; one that is complete ends as HTTP says. A reader who takes nothing for as long as a statement may take is let go.

A page of stage and activity sorted by revenue is read from an index, whether common or rare. Other combinations look at every customer of the stage and activity, or at all, and end with \`busy\` if that takes too long.`;

const answer = Type.Object({
  model: Type.String(),
  model_version: Type.Integer({ minimum: 1 }),
  as_of: day('Today: where customers stand is said of the end of this day.'),
  items: Type.Array(Type.Ref('ListedCustomer')),
  next_cursor: nullable(Type.String()),
});

const also = {
  'application/x-ndjson': {
    schema: Type.String({ description: 'The whole list: one ListedCustomer as JSON a line.' }),
    example: writeNdjson([LISTED_CUSTOMER_EXAMPLE]),
  },
  [CSV_TYPE]: {
    schema: Type.String({
      description: `The whole list by RFC 4180, with the header ${CSV_COLUMNS.join(',')}. Null is empty; groups are joined by \`;\`.`,
    }),
    example: CSV_HEADER + writeCsv([LISTED_CUSTOMER_EXAMPLE]),
  },
};

/** Lists of customers by where they stand and what they are worth; at most `streams` of them are streamed at once. */
export function customerListRoutes(app: FastifyInstance, source: EngineSource, streams: number): void {
  const streaming = listStreams(streams);
  app.addHook('preClose', async () => streaming.end());
  mount(app, {
    method: 'GET',
    url: '/v1/customers',
    operationId: 'listCustomers',
    tag: 'customers',
    summary: 'Customers by stage, activity, silence, complaints and groups, the most valuable first',
    description: DESCRIPTION,
    scope: 'read',
    query: customerQuery,
    success: [
      {
        status: 200,
        description: 'One page; next_cursor is null on the last. Or the whole list as a stream.',
        schema: answer,
        example: {
          model: 'lifecycle',
          model_version: 1,
          as_of: '2025-06-30',
          items: [LISTED_CUSTOMER_EXAMPLE],
          next_cursor: null,
        },
        also,
      },
    ],
    problems: ['unknown_model', 'unknown_group', 'invalid_cursor'],
    handler: async (request, reply) => {
      const engine = requireEngine(source);
      const query = request.query as CustomerQuery;
      const type = streamTypeOf(request);
      reply.header('cache-control', 'private, no-cache').header('vary', 'accept');
      if (type !== null) return await stream(reply, engine, query, { type, streaming });
      return await snapshot(engine, async (trx) => await readPage(trx, engine, query));
    },
  });
}

/** The form of a stream that is preferred to JSON; null if none is. */
function streamTypeOf(request: FastifyRequest): StreamType | null {
  const type = negotiate(request, [JSON_TYPE, ...STREAM_TYPES]);
  return type === JSON_TYPE ? null : type;
}

async function readPage(trx: Trx, engine: Engine, query: CustomerQuery) {
  const list = await readList(trx, engine, query);
  const { filter, sort, model } = list;
  const limit = query.limit ?? DEFAULT_LIMIT;
  const rows = await pageList(trx, { filter, sort, after: readListCursor(query, sort), limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const context = await rowContext(trx, engine, list);
  return {
    model: context.model.model_id,
    model_version: engine.models[model]!.version,
    as_of: formatDay(filter.today),
    items: shown.map((row) => showCustomer(row, context)),
    next_cursor: rows.length > limit ? writeListCursor(query, keyOf(shown.at(-1)!, sort)) : null,
  };
}

async function rowContext(trx: Trx, engine: Engine, { model, filter }: CustomerList): Promise<RowContext> {
  const groups = await readGroupNames(trx);
  return { model: engine.models[model]!.model, today: filter.today, decimals: engine.decimals, groups };
}

async function stream(
  reply: FastifyReply,
  engine: Engine,
  query: CustomerQuery,
  { type, streaming }: { type: StreamType; streaming: ListStreams },
) {
  for (const parameter of ['limit', 'cursor'] as const) {
    if (query[parameter] !== undefined)
      throw parameterProblem(parameter, 'not_for_streams', 'is for pages; a stream gives the whole list');
  }
  const { head, write } = STREAMS[type];
  const opened = await streaming.open(engine, async (trx): Promise<StreamedList> => {
    const list = await readList(trx, engine, query);
    const context = await rowContext(trx, engine, list);
    return { list, head, write: (rows) => write(rows.map((row) => showCustomer(row, context))) };
  });
  return reply.type(`${type}; charset=utf-8`).send(opened);
}
