import '@fastify/swagger';
import { type TSchema, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchemaCompiler } from 'fastify';
import { PROBLEMS, type ProblemCode } from '../problems.ts';
import type { Scope } from './keys.ts';
import { answerConditionally } from './representations.ts';
import { validatorCompiler } from './validation.ts';

/** An operation as its route file writes it. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly scope: Scope | 'none';
  readonly params?: TSchema;
  readonly query?: TSchema;
  /** Headers that the operation reads, for the document. */
  readonly headers?: TSchema;
  readonly body?: TSchema;
  readonly bodyExample?: unknown;
  /** The list in the body whose entries the handler checks one by one; `checkBody` then replaces the check of the whole body. */
  readonly each?: 'items' | 'histories';
  readonly checkBody?: (body: unknown) => { value: unknown } | { error: Error };
  /** For bodies that are streams, by content type; they are read by the handler, and may take any time while something arrives. */
  readonly upload?: Readonly<Record<string, { readonly schema: TSchema; readonly example: string }>>;
  readonly success: Success[];
  /** True if the answer carries a weak tag, and a repeated request for the same is answered with 304. */
  readonly conditional?: true;
  /** Refusals beyond those every operation of its kind can give. */
  readonly problems?: readonly ProblemCode[];
  readonly handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

/** An answer that is no refusal. */
interface Success {
  readonly status: number;
  readonly description: string;
  readonly schema: TSchema;
  readonly example?: unknown;
  /** `application/json` if absent. */
  readonly content_type?: string;
  /** Other forms of the same, by content type. */
  readonly also?: Readonly<Record<string, { readonly schema: TSchema; readonly example: unknown }>>;
}

/** Mounts an operation with its full description: what it takes, gives and refuses, and the scope it needs. */
export function mount(app: FastifyInstance, operation: Operation): void {
  const { checkBody } = operation;
  app.route({
    method: operation.method,
    url: operation.url,
    config: {
      scope: operation.scope,
      ...(operation.each === undefined ? {} : { each: operation.each }),
      ...(operation.upload === undefined ? {} : { upload: true }),
    },
    schema: {
      operationId: operation.operationId,
      tags: [operation.tag],
      summary: operation.summary,
      ...(operation.description === undefined ? {} : { description: operation.description }),
      security: operation.scope === 'none' ? [] : [{ key: [] }],
      ...(operation.params === undefined ? {} : { params: operation.params }),
      querystring: operation.query ?? Type.Object({}, { additionalProperties: false }),
      ...(operation.headers === undefined ? {} : { headers: operation.headers }),
      ...(operation.body === undefined ? {} : { body: withExample(operation.body, operation.bodyExample) }),
      ...(operation.upload === undefined ? {} : { body: { content: uploads(operation.upload) } }),
      response: {
        ...successes(operation),
        ...(operation.conditional === undefined ? {} : { 304: NOT_MODIFIED }),
        ...refusals(operation),
      },
      ...({ 'x-scope': operation.scope } as object),
    },
    // A check of its own replaces that of the body only; parameters are checked as everywhere.
    ...(operation.upload === undefined ? {} : { validatorCompiler: checkParameters }),
    ...(checkBody === undefined
      ? {}
      : { validatorCompiler: (route) => (route.httpPart === 'body' ? checkBody : validatorCompiler(route as never)) }),
    ...(operation.conditional === undefined ? {} : { onSend: answerConditionally }),
    handler: operation.handler,
  });
}

/** A stream is checked by whoever reads it. */
const checkParameters: FastifySchemaCompiler<object> = (route) =>
  route.httpPart === 'body' ? (value: unknown) => ({ value }) : validatorCompiler(route);

const NOT_MODIFIED = { type: 'null', description: 'The answer is what If-None-Match names.' };

function withExample(schema: TSchema, example: unknown): TSchema {
  return example === undefined ? schema : { ...schema, examples: [example] };
}

function uploads(types: NonNullable<Operation['upload']>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(types).map(([type, { schema, example }]) => [type, { schema: { ...schema, examples: [example] } }]),
  );
}

function successes({ success }: Operation): Record<number, object> {
  return Object.fromEntries(
    success.map(({ status, description, schema, example, content_type = 'application/json', also = {} }) => [
      status,
      // Beside the schema, not in it: a reference takes no other members along.
      status === 204
        ? { type: 'null', description }
        : {
            description,
            content: { [content_type]: { schema, ...(example === undefined ? {} : { example }) }, ...also },
          },
    ]),
  );
}

/** The problems an operation can answer with, by status. */
function refusals(operation: Operation): Record<number, object> {
  const always: ProblemCode[] = ['invalid_request', 'headers_too_large', 'internal_error', 'not_ready'];
  if (operation.scope !== 'none')
    always.push('unauthorized', 'forbidden', 'database_unavailable', 'busy', 'version_mismatch');
  // Whoever names a model may name one whose first version is being built.
  if (operation.problems?.includes('unknown_model')) always.push('rebuilding');
  if (operation.params !== undefined) always.push('uri_too_long');
  if (operation.success.some(({ also }) => also !== undefined)) always.push('not_acceptable');
  if (operation.body !== undefined) always.push('malformed_json');
  if (operation.body !== undefined || operation.upload !== undefined)
    always.push('payload_too_large', 'unsupported_media_type', 'request_timeout');
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of [...always, ...(operation.problems ?? [])]) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
        content: {
          'application/problem+json': { schema: Type.Ref('Problem') },
        },
      },
    ]),
  );
}
