import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEMS, Problem, type ProblemCode, problemBody } from '../problems.ts';
import { classifyFailure } from '../store/failures.ts';
import { VersionMismatchError } from '../store/versions.ts';

const RETRY_AFTER_S = 1;

const BY_FASTIFY_CODE: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
  FST_ERR_VALIDATION: 'invalid_request',
};

/** Answers every failure as problem+json, whatever it was thrown by. Causes go to the log, once. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(request, reply, toProblem(error)));
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, new Problem('not_found')));
}

/** The refusal that an error means for the caller. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof VersionMismatchError) return new Problem('version_mismatch', { cause: error });
  const code = (error as { code?: unknown } | null)?.code;
  const known = typeof code === 'string' ? BY_FASTIFY_CODE[code] : undefined;
  if (known !== undefined)
    return new Problem(
      known,
      code === 'FST_ERR_BAD_URL' ? { detail: 'The path holds a malformed percent escape.' } : {},
    );
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  // Before the database is blamed: a client that goes away in the midst of an upload is an ECONNRESET too.
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem('invalid_request', { cause: error });
  switch (classifyFailure(error)) {
    case 'unavailable':
      return new Problem('database_unavailable', { cause: error });
    case 'serialization':
    case 'timeout':
      return new Problem('busy', { cause: error });
    case 'unexpected':
      return new Problem('internal_error', { cause: error });
  }
}

/** Sends a refusal; what failed on our side is logged here, once. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, retryable } = PROBLEMS[problem.code];
  // Not to be ready is no failure: probes ask for it, and the log says by itself what is awaited.
  if (status >= 500 && problem.code !== 'not_ready') {
    const cause = problem.cause as { name?: string; code?: string; stack?: string } | undefined;
    const trace = status === 500 ? { stack: stackOf(cause) } : {};
    request.log.error({ code: problem.code, cause: cause?.code ?? cause?.name, ...trace }, 'request failed');
  }
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (retryable) reply.header('retry-after', String(RETRY_AFTER_S));
  return reply.code(status).type('application/problem+json').send(problemBody(problem, request.id));
}

/** The stack of a failure of ours; without its message if that comes from the server and is about data (SQLSTATE class 22), for then it quotes them. */
function stackOf(cause: { code?: string; stack?: string } | undefined): string | undefined {
  const stack = cause?.stack;
  return /^(22|P0)...$/.test(cause?.code ?? '') ? stack?.slice(stack.indexOf('\n    at ')) : stack;
}

const BY_SOCKET_CODE: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers what is not even HTTP, or too slow, on the bare socket. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const known = BY_SOCKET_CODE[error.code ?? ''];
  const problem =
    known === undefined
      ? new Problem('invalid_request', { detail: 'The request is not well-formed HTTP/1.1.' })
      : new Problem(known);
  const { status, title, retryable } = PROBLEMS[problem.code];
  const requestId = randomUUID();
  const body = JSON.stringify(problemBody(problem, requestId));
  const headers = [
    `HTTP/1.1 ${status} ${title}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...(retryable ? [`retry-after: ${RETRY_AFTER_S}`] : []),
    'connection: close',
  ];
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
