import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';
import { escapePointer } from '../domain/text.ts';
import { Problem, type ProblemDetail } from '../problems.ts';
import { SHARED_SCHEMAS } from './schemas.ts';

// One error at a time: collecting all of them would let a hostile body cost as much as it likes. Verbose: the sentence of an error quotes the schema around it.
const common = {
  strict: false,
  allErrors: false,
  verbose: true,
  validateFormats: false,
  removeAdditional: false,
} as const;
// A body means what it says: nothing is coerced, filled in or dropped. Queries are text, so numbers and booleans are read from it.
const bodies = new Ajv({ ...common, coerceTypes: false, useDefaults: false, schemas: [...SHARED_SCHEMAS] });
const parameters = new Ajv({ ...common, coerceTypes: true, useDefaults: true, schemas: [...SHARED_SCHEMAS] });

/** Compiles a body schema, strictly. */
export function compileBody(schema: object): ValidateFunction {
  return bodies.compile(schema);
}

/** Validates each part of a request; a refusal is a `Problem` that names the place and the remedy. */
export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) => {
  const validate = (httpPart === 'body' ? bodies : parameters).compile(schema);
  return (data: unknown) => {
    if (validate(data)) return { value: data };
    const fault = validate.errors![0]!;
    const error = httpPart === 'body' ? bodyFault(fault) : parameterFault(fault);
    return { error: new Problem('invalid_request', { errors: [error] }) };
  };
};

/** What a failed body check says, with the place under `base`. */
export function bodyFault(fault: ErrorObject, base = ''): ProblemDetail {
  const field = namedField(fault);
  const pointer = `${base}${fault.instancePath}${field === null ? '' : `/${escapePointer(field)}`}`;
  return { pointer, ...wordFault(fault) };
}

function parameterFault(fault: ErrorObject): ProblemDetail {
  const parameter = namedField(fault) ?? fault.instancePath.split('/')[1] ?? '';
  return { parameter: parameter.slice(0, 64).toWellFormed(), ...wordFault(fault) };
}

function namedField(fault: ErrorObject): string | null {
  if (fault.keyword === 'required') return String(fault.params.missingProperty);
  return fault.keyword === 'additionalProperties' ? String(fault.params.additionalProperty) : null;
}

/** A code for programs and a sentence for people. The sentence repeats the schema, never the value. */
function wordFault({ keyword, params, parentSchema, schema }: ErrorObject): { code: string; detail: string } {
  switch (keyword) {
    case 'required':
      return { code: 'required', detail: 'This field is missing.' };
    case 'additionalProperties':
      return { code: 'unknown_field', detail: 'There is no such field here; remove it.' };
    case 'type':
      return { code: 'wrong_type', detail: `Must be of type ${String(params.type)}.` };
    case 'enum':
      return { code: 'unknown_value', detail: `Must be one of ${(params.allowedValues as unknown[]).join(', ')}.` };
    case 'pattern':
      return { code: 'wrong_format', detail: `Must match ${String(params.pattern)}.` };
    case 'minLength':
    case 'maxLength':
      return { code: 'wrong_length', detail: `Must have ${lengths(parentSchema, schema, 'Length')} characters.` };
    case 'minItems':
    case 'maxItems':
      return { code: 'wrong_length', detail: `Must have ${lengths(parentSchema, schema, 'Items')} entries.` };
    case 'minimum':
    case 'maximum':
      return { code: 'out_of_range', detail: `Must be ${String(params.comparison)} ${String(params.limit)}.` };
    default:
      return { code: 'invalid', detail: 'Does not fit the schema in /openapi.json.' };
  }
}

function lengths(parentSchema: object | undefined, schema: unknown, kind: 'Length' | 'Items'): string {
  const limits = (parentSchema ?? {}) as Record<string, unknown>;
  return `${String(limits[`min${kind}`] ?? 0)} to ${String(limits[`max${kind}`] ?? schema)}`;
}
