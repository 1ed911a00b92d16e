import type { Rng } from './rng.ts';

/** As much of JSON Schema as the document of the API uses to describe a model. */
export interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

export interface SchemaDrawerOptions {
  /** Schemas by the name that a `$ref` ends with. */
  readonly schemas: Readonly<Record<string, Schema>>;
  /** Texts for the property of a name, where a pattern alone would give texts that mean nothing. */
  readonly texts: Readonly<Record<string, () => string>>;
  /** References that may lie within references. */
  readonly depth: number;
}

/** Numbers that random histories come near, the small ones more often. */
const USUAL = [0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7, 8, 9, 10, 14, 30, 31, 60, 90, 180, 365];
const MOST_ITEMS = 3;

/** Draws values that a JSON schema allows, whatever it says: what is added to the schema is drawn from then on. Numbers stay small. */
export class SchemaDrawer {
  readonly #rng: Rng;
  readonly #options: SchemaDrawerOptions;

  constructor(rng: Rng, options: SchemaDrawerOptions) {
    this.#rng = rng;
    this.#options = options;
  }

  /** A value of the schema; `name` is that of the property it is for. */
  draw(schema: Schema, name = '', depth = this.#options.depth): unknown {
    const rng = this.#rng;
    if (schema.$ref !== undefined) return this.draw(this.#named(schema.$ref), name, depth - 1);
    if (schema.anyOf !== undefined) return this.draw(this.#alternative(schema.anyOf, depth), name, depth);
    if (schema.enum !== undefined) return rng.pick(schema.enum);
    switch (schema.type) {
      case 'boolean':
        return rng.chance(0.5);
      case 'integer':
        return this.#integer(schema);
      case 'string':
        return this.#text(name);
      case 'array':
        return this.#list(schema, name, depth);
      case 'object':
        return this.#object(schema, depth);
      default:
        throw new Error(`no way to draw ${JSON.stringify(schema)}`);
    }
  }

  #named(reference: string): Schema {
    const schema = this.#options.schemas[reference.split('/').at(-1) ?? ''];
    if (schema === undefined) throw new Error(`no schema ${reference}`);
    return schema;
  }

  /** Alternatives with more to them are drawn more often; too deep, only those that end here. */
  #alternative(schemas: readonly Schema[], depth: number): Schema {
    const ending = schemas.filter((schema) => !JSON.stringify(schema).includes('"$ref"'));
    const weight = (schema: Schema): number => Object.keys(schema.properties ?? {}).length || 1;
    const weighted = (depth > 0 ? schemas : ending).map((schema) => [weight(schema), schema] as const);
    return this.#rng.weighted(weighted);
  }

  #integer({ minimum = 0, maximum = Number.POSITIVE_INFINITY }: Schema): number {
    return this.#rng.pick(USUAL.filter((number) => number >= minimum && number <= maximum));
  }

  #text(name: string): string {
    const text = this.#options.texts[name];
    if (text === undefined) throw new Error(`no texts for ${name}`);
    return text();
  }

  #list(
    { minItems = 0, maxItems = MOST_ITEMS, uniqueItems, items = {} }: Schema,
    name: string,
    depth: number,
  ): unknown[] {
    const most = Math.max(minItems, Math.min(maxItems, minItems + MOST_ITEMS - 1));
    const drawn = Array.from({ length: this.#rng.between(minItems, most) }, () => this.draw(items, name, depth));
    return uniqueItems === true ? [...new Set(drawn)] : drawn;
  }

  #object({ properties = {}, required = [] }: Schema, depth: number): Record<string, unknown> {
    const present = Object.entries(properties).filter(([name]) => required.includes(name) || this.#rng.chance(0.5));
    return Object.fromEntries(present.map(([name, schema]) => [name, this.draw(schema, name, depth)]));
  }
}
