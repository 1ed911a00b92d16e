import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** Where the committed document is. */
export const DOCUMENT_FILE = fileURLToPath(new URL('../../openapi/openapi.json', import.meta.url));

/** What a body, an answer or a parameter looks like. */
export interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
}
export type Schema = Readonly<Record<string, unknown>>;
export interface Parameter {
  readonly in: 'path' | 'query';
  readonly name: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
  readonly example?: unknown;
}
interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, Media>>;
}

/** An operation as the document describes it, with its place. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly 'x-scope': string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Omit<Operation, 'method' | 'path'>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The committed document as text. */
export function documentText(): string {
  return readFileSync(DOCUMENT_FILE, 'utf8');
}

/** The committed document, and what its schemas say of a value. */
export class ApiDocument {
  readonly document: Document = JSON.parse(documentText()) as Document;
  /** All operations, in the order of the document. */
  readonly operations: readonly Operation[] = Object.entries(this.document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  private readonly compiled = new Map<Schema, ValidateFunction>();

  constructor() {
    // A field that the document does not declare is a fault of the document, though JSON Schema would let it pass.
    this.ajv.addSchema({ $id: 'api', components: closed(this.document.components) as object });
  }

  operation(operationId: string): Operation {
    const found = this.operations.find((operation) => operation.operationId === operationId);
    if (found === undefined) throw new Error(`no operation ${operationId}`);
    return found;
  }

  /** What is wrong with a value by a schema of this document; empty if nothing is. */
  faults(schema: Schema, value: unknown): string {
    const validate = this.compiled.get(schema) ?? this.ajv.compile(rooted(closed(schema)) as Schema);
    this.compiled.set(schema, validate);
    return validate(value) ? '' : this.ajv.errorsText(validate.errors, { dataVar: '' });
  }

  /** Examples of a schema: beside it, in it, or in the one it refers to. */
  examplesOf({ schema, example }: Media): readonly unknown[] {
    if (example !== undefined) return [example];
    const name = /^#\/components\/schemas\/(\w+)$/.exec(String(schema.$ref))?.[1];
    const resolved = name === undefined ? schema : this.document.components.schemas[name]!;
    return (resolved.examples as unknown[] | undefined) ?? [];
  }

  /** A valid request of an operation, made of the document's own examples. */
  sampleOf(operation: Operation): { readonly url: string; readonly body: unknown } {
    const example = (name: string): string => {
      const found = operation.parameters?.find((parameter) => parameter.name === name)?.example;
      return String(found ?? (name === 'model_id' ? 'lifecycle' : 'stage-population'));
    };
    const media = operation.requestBody?.content['application/json'];
    return {
      url: operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(example(name))),
      body: media === undefined ? undefined : this.examplesOf(media)[0],
    };
  }
}

/** The schema with every object that names its fields closed to other ones. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [
    key,
    key === 'example' || key === 'examples' ? value : closed(value),
  ]);
  const copy = Object.fromEntries(entries) as Record<string, unknown>;
  return copy.type === 'object' && 'properties' in copy ? { additionalProperties: false, ...copy } : copy;
}

/** The schema with its references led to the registered components. */
function rooted(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(rooted);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, key === '$ref' ? `api${String(value)}` : rooted(value)]),
  );
}
