import { stringify } from 'csv-stringify/sync';
import etag from 'etag';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fresh from 'fresh';
import Negotiator from 'negotiator';
import { Problem } from '../problems.ts';

/** Content type of rows in JSON. */
export const JSON_TYPE = 'application/json';
/** Content type of rows in CSV. */
export const CSV_TYPE = 'text/csv';

/** The one of `types` that the caller likes best, the first of them if they do not care; a 406 problem if none will do. */
export function negotiate<const Type extends string>(request: FastifyRequest, types: readonly Type[]): Type {
  const chosen = new Negotiator(request.raw).mediaType([...types]);
  if (chosen !== undefined) return chosen as Type;
  throw new Problem('not_acceptable', { detail: `This operation answers ${types.join(' and ')}.` });
}

/** Rows as CSV (RFC 4180), with a header line unless it stands above already: columns are the members of the JSON rows, null is an empty cell, and what holds members itself is JSON text. */
export function csvOf(columns: readonly string[], rows: readonly unknown[], header = true): string {
  return stringify(rows as object[], {
    header,
    columns: [...columns],
    record_delimiter: 'windows',
    cast: { boolean: String },
  });
}

/** Adds the weak tag of the answer's body, and answers 304 without a body to whoever has it already. */
export async function answerConditionally(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (reply.statusCode !== 200 || typeof payload !== 'string') return payload;
  // Node would write a long text more slowly than its bytes: 0.2 ms of 160 kB.
  const bytes = Buffer.from(payload);
  const tag = etag(bytes, { weak: true });
  reply.header('etag', tag).header('cache-control', 'private, no-cache').header('vary', 'Accept');
  if (!fresh(request.headers, { etag: tag })) return bytes;
  reply.code(304).removeHeader('content-type');
  return '';
}
