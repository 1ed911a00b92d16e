import { Type } from '@sinclair/typebox';
import { nullable } from './fields.ts';

/** Where a row's customers are listed. */
export const customersLinkField = nullable(Type.String({ maxLength: 1_024 }), {
  description:
    'Path and query of the list of these customers; null if there is none: lists are as of today, and of lifetime values.',
});

/** The list of customers that these filters of `GET /v1/customers` choose; absent ones are left out. */
export function customersLink(filters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(filters).filter((filter): filter is [string, string] => filter[1] !== undefined);
  return `/v1/customers?${new URLSearchParams(given)}`;
}
