import { type SchemaOptions, type TSchema, Type } from '@sinclair/typebox';
import { ACTIVITIES } from '../domain/model.ts';

/** A text that must be one of the values: a plain JSON Schema enum, which client generators turn into a union. */
export function oneOf<const Values extends readonly string[]>(values: Values, options: SchemaOptions = {}) {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], ...options });
}

/** The schema, or null. */
export function nullable<Schema extends TSchema>(schema: Schema, options: SchemaOptions = {}) {
  return Type.Union([schema, Type.Null()], options);
}

/** A calendar day of the reporting time zone, `YYYY-MM-DD`, from 1900-01-01 to 2199-12-31. */
export function day(description: string) {
  return Type.String({ format: 'date', pattern: '^(19|20|21)\\d{2}-\\d{2}-\\d{2}$', description });
}

/** A decimal string with all of the currency's decimals; may be negative. */
export function money(description: string) {
  return Type.String({ pattern: '^-?\\d+(\\.\\d+)?$', description });
}

/** A number of things, 0 or more. */
export function count(description: string) {
  return Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });
}

/** A fraction between 0 and 1. */
export function fraction(description: string) {
  return Type.Number({ minimum: 0, maximum: 1, description });
}

/** A fraction between 0 and 1, or null where it is not defined or not over yet. */
export function maybeFraction(description: string) {
  return nullable(fraction(description), { description });
}

/** Name of a stage of the model. */
export function stage(description = 'Stage of the model.') {
  return Type.String({ maxLength: 64, description });
}

/** Activity of a customer. */
export function activity(
  description = 'Whether the customers are still there: none (never bought), active, at_risk or lapsed.',
) {
  return oneOf(ACTIVITIES, { description });
}
