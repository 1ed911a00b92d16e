import type { FastifyRequest } from 'fastify';
import type { Expected } from '../ingest/publish.ts';
import { Problem } from '../problems.ts';

/** The strong tag of a model whose newest version is this one. */
export function modelTag(version: number): string {
  return `"${version}"`;
}

/** What `If-Match` and `If-None-Match` say of a model. A condition that is none of `modelTag`'s tags and not `*` is a 400: it could never hold. */
export function expectedOf(request: FastifyRequest): Expected {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (noneMatch !== undefined) {
    if (noneMatch.trim() !== '*' || match !== undefined)
      throw refused('If-None-Match', 'must be * and stand alone: it creates a model, If-Match replaces one');
    return { type: 'nothing' };
  }
  if (match === undefined) return { type: 'unsaid' };
  if (match.trim() === '*') return { type: 'anything' };
  const versions = match.split(',').map((tag) => Number(/^\s*"([1-9]\d{0,8})"\s*$/.exec(tag)?.[1]));
  if (versions.some(Number.isNaN)) throw refused('If-Match', 'must be an ETag of this model, such as "3", or *');
  return { type: 'versions', versions };
}

function refused(parameter: string, says: string): Problem {
  return new Problem('invalid_request', {
    errors: [{ parameter, code: 'invalid_precondition', detail: `The header ${says}.` }],
  });
}
