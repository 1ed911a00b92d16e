/** One thing wrong with a request: in the body (`pointer`, JSON Pointer) or in a parameter. Never holds a value that was sent. */
export interface ProblemDetail {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly code: string;
  readonly detail: string;
}

interface CatalogueEntry {
  readonly status: number;
  readonly title: string;
  /** What the caller can do, unless the refusal says it better. */
  readonly detail: string;
  /** True if the same request may succeed later. */
  readonly retryable: boolean;
}

/** Every refusal of the service. The key is the problem's `code`, and with hyphens the end of its `type`. */
export const PROBLEMS = {
  invalid_request: entry(400, 'The request is not valid', 'Correct what `errors` names and send it again.'),
  malformed_json: entry(400, 'The body is not valid JSON', 'Send one JSON object, encoded in UTF-8.'),
  malformed_csv: entry(400, 'The body is not readable CSV', 'Send CSV by RFC 4180 with a header line, in UTF-8.'),
  upload_interrupted: entry(400, 'The upload broke off', 'Nothing of it is stored; send it again.', true),
  model_too_costly: entry(
    400,
    'Folding customers by this model would take too long',
    'Use fewer conditions with `within_days` or distinct_products, or shorter windows.',
  ),
  invalid_cursor: entry(
    400,
    'The cursor does not belong to this list',
    'Start again without a cursor; a cursor holds only for the same path and filters.',
  ),
  unknown_group: entry(
    400,
    'No customer has ever carried this group',
    'Send a group that POST /v1/customers has stored.',
  ),
  unknown_model: entry(400, 'There is no such lifecycle model', 'GET /v1/models lists the models.'),
  unknown_stage: entry(400, 'The model has no such stage', 'GET /v1/models lists the stages of every model.'),
  range_too_wide: entry(400, 'The answer would be too long', 'Narrow the range or widen the interval.'),
  unauthorized: entry(401, 'A valid key is needed', 'Send `Authorization: Bearer <key>`.'),
  forbidden: entry(403, 'The key lacks the scope', 'Use a key that has the scope this operation declares.'),
  not_found: entry(404, 'There is nothing here', 'Check the path; /openapi.json lists all of them.'),
  customer_not_found: entry(404, 'The customer is not known', 'Check the customer_id; ids are compared exactly.'),
  import_not_found: entry(
    404,
    'There is no such import',
    'GET /v1/imports lists them; ended ones are kept for 90 days.',
  ),
  item_not_found: entry(404, 'The customer has no such item', 'Check the id; ids are compared exactly.'),
  method_not_allowed: entry(405, 'The path does not take this method', 'The Allow header names the methods it takes.'),
  not_acceptable: entry(406, 'None of the accepted forms can be answered', 'Correct the Accept header.'),
  request_timeout: entry(408, 'The request took too long to arrive', 'Send it again over a faster connection.', true),
  customer_erased: entry(
    409,
    'The customer was erased',
    'Only items dated after the day of erasure start the customer anew.',
  ),
  import_cancelled: entry(409, 'The import was cancelled', 'Nothing of it is stored; send it again if it is wanted.'),
  import_ended: entry(409, 'The import has ended', 'There is nothing left to cancel.'),
  item_refused: entry(409, 'The item cannot be stored', '`errors` says why.'),
  last_model: entry(
    409,
    'The only model cannot be retired',
    'Publish another model and wait until it answers, then retire this one.',
  ),
  too_many_models: entry(409, 'There are as many models as possible', 'Retire a model that is not needed.'),
  customer_merged: entry(
    409,
    'The customer was merged into another one already',
    'GET /v1/customers/{customer_id} names the customer this id stands for; merge that one.',
  ),
  merge_conflict: entry(
    409,
    'The two histories contradict each other',
    'PUT the same content under both customers where `errors` names an item, then merge again. Nothing was changed.',
  ),
  merge_refused: entry(409, 'The customers cannot be merged', '`errors` says why. Nothing was changed.'),
  precondition_failed: entry(
    412,
    'The model is not as the request expects it',
    'GET it, and send its ETag in If-Match.',
  ),
  payload_too_large: entry(413, 'The body is too large', 'Send fewer items in one request.'),
  uri_too_long: entry(414, 'The path is too long', 'Ids have at most 128 characters.'),
  unsupported_media_type: entry(
    415,
    'The body has an unsupported content type or encoding',
    'Send application/json in UTF-8, without Content-Encoding.',
  ),
  precondition_required: entry(
    428,
    'The request must say which version it replaces',
    'GET the model, and send its ETag in If-Match.',
  ),
  too_many_imports: entry(
    429,
    'Too many imports are open',
    'Wait until one has ended; GET /v1/imports lists them.',
    true,
  ),
  headers_too_large: entry(431, 'The headers are too large', 'Send fewer or shorter headers.'),
  internal_error: entry(
    500,
    'The service failed',
    'The cause is in the log under the request id. Nothing of the request was stored.',
  ),
  not_ready: entry(503, 'The service is starting or stopping', 'Send the request again.', true),
  database_unavailable: entry(
    503,
    'The database cannot be reached',
    'Send the request again; what was stored meanwhile is then reported as duplicate.',
    true,
  ),
  busy: entry(
    503,
    'The database did not answer in time',
    'Send the request again later; what was stored meanwhile is then reported as duplicate.',
    true,
  ),
  too_busy: entry(
    503,
    'Too many writes are waiting',
    'Nothing of the request was stored. Send it again after the time that Retry-After gives, or fewer at once.',
    true,
  ),
  rebuilding: entry(
    503,
    'What this report reads is being built',
    'Send the request again later; GET /v1/status says how far it is. Everything else goes on.',
    true,
  ),
  version_mismatch: entry(
    503,
    'Another version of the service changed the database',
    'This process must be replaced by the newer version; another instance may answer.',
    true,
  ),
} as const satisfies Record<string, CatalogueEntry>;

/** Code of a refusal. */
export type ProblemCode = keyof typeof PROBLEMS;

function entry(status: number, title: string, detail: string, retryable = false): CatalogueEntry {
  return { status, title, detail, retryable };
}

/** A refusal on its way to the caller. Its message is public; the cause, if any, goes to the log only. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly ProblemDetail[];

  constructor(
    code: ProblemCode,
    options: { detail?: string; errors?: readonly ProblemDetail[]; cause?: unknown } = {},
  ) {
    super(options.detail ?? PROBLEMS[code].detail, { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.errors = options.errors ?? [];
  }
}

/** A refused parameter. */
export function parameterProblem(parameter: string, code: string, detail: string): Problem {
  return new Problem('invalid_request', { errors: [{ parameter, code, detail: `\`${parameter}\` ${detail}.` }] });
}

/** An RFC 9457 body. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly request_id: string;
  readonly retryable: boolean;
  readonly errors: readonly ProblemDetail[];
}

/** Writes a refusal as `application/problem+json` says it. */
export function problemBody(problem: Problem, requestId: string): ProblemBody {
  const { status, title, retryable } = PROBLEMS[problem.code];
  return {
    type: `/problems/${problem.code.replaceAll('_', '-')}`,
    title,
    status,
    detail: problem.message,
    instance: `urn:request:${requestId}`,
    code: problem.code,
    request_id: requestId,
    retryable,
    errors: problem.errors,
  };
}
