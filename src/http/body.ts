import type { FastifyInstance, FastifyRequest } from 'fastify';
import { textFault } from '../domain/text.ts';
import { Problem } from '../problems.ts';
import { checkTextsAround, decodeUtf8 } from './text.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The list in the body whose entries the handler checks one by one. */
    each?: string;
    /** The body is a stream that the handler reads: it may be encoded, and take any time while something arrives. */
    upload?: true;
  }
}

/** Accepts JSON bodies only, decoded strictly; refuses texts that cannot be stored, in bodies and in parameters. */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // `__proto__` and `constructor.prototype` are refused, not dropped.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: Buffer) => {
      requireUtf8(request);
      // Many clients name a content type even where they send nothing.
      if (bytes.length === 0 && request.method === 'DELETE') return undefined;
      const text = decodeUtf8(bytes);
      const body = await new Promise<unknown>((resolve, reject) => {
        void parse(request, text, (error, value) =>
          error === null ? resolve(value) : reject(new Problem('malformed_json', { cause: error })),
        );
      });
      const fault = checkTextsAround(body, request.routeOptions.config.each);
      if (fault !== null) throw new Problem('invalid_request', { errors: [fault] });
      return body;
    },
  );
  app.addHook('onRequest', async (request) => {
    const encoding = request.headers['content-encoding'];
    if (request.routeOptions.config.upload) return;
    if (encoding !== undefined && encoding !== 'identity') throw new Problem('unsupported_media_type');
  });
  app.addHook('preValidation', async (request) => {
    for (const given of [request.params, request.query] as (Record<string, unknown> | undefined)[]) {
      for (const [parameter, value] of Object.entries(given ?? {})) {
        const wrongName = textFault(parameter);
        if (wrongName !== null)
          throw new Problem('invalid_request', {
            errors: [{ code: wrongName.code, detail: `In the name of a parameter: ${wrongName.detail}` }],
          });
        const fault = typeof value === 'string' ? textFault(value) : null;
        if (fault !== null) throw new Problem('invalid_request', { errors: [{ parameter, ...fault }] });
      }
    }
  });
}

/** Refuses a body that says it is encoded otherwise; one that says nothing is UTF-8, as JSON is. */
function requireUtf8({ headers }: FastifyRequest): void {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw new Problem('unsupported_media_type');
}
