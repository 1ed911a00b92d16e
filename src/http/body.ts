import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems.ts';
import { checkTexts, decodeUtf8, textFault } from './text.ts';

/** Accepts JSON bodies only, decoded strictly; refuses texts that cannot be stored, in bodies and in parameters. */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // `__proto__` and `constructor.prototype` are refused, not dropped.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
    const text = decodeUtf8(bytes);
    const body = await new Promise<unknown>((resolve, reject) => {
      void parse(request, text, (error, value) => (error === null ? resolve(value) : reject(new Problem('malformed_json', { cause: error }))));
    });
    const fault = checkTexts(body);
    if (fault !== null) throw new Problem('invalid_request', { errors: [fault] });
    return body;
  });
  app.addHook('onRequest', async (request) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') throw new Problem('unsupported_media_type');
  });
  app.addHook('preValidation', async (request) => {
    for (const given of [request.params, request.query] as (Record<string, unknown> | undefined)[]) {
      for (const [parameter, value] of Object.entries(given ?? {})) {
        const fault = typeof value === 'string' ? textFault(value) : null;
        if (fault !== null) throw new Problem('invalid_request', { errors: [{ parameter, ...fault }] });
      }
    }
  });
}
