import { readFileSync } from 'node:fs';
import { type Day, monthNumber, monthStart } from '../src/domain/calendar.ts';

/** A cell of a rival's answer, as its client gives it. */
export type Cell = string | number | bigint | boolean | null;
/** A row of an answer, without names: the columns of the rival's query in their order. */
export type Row = readonly Cell[];

/** Something else that can answer a report's question from the stored events. */
export interface Rival {
  readonly name: 'PostgreSQL' | 'DuckDB';
  /** Runs the query of a report and gives all of its rows. Throws `TooSlowError` after `LIMIT_MS`. */
  answer(report: string): Promise<readonly Row[]>;
  stop(): Promise<void>;
}

/** What one query of a rival may take, in milliseconds. */
export const LIMIT_MS = 120_000;

/** A rival's query was stopped after `LIMIT_MS`. */
export class TooSlowError extends Error {}

/** The text of a query (or of the `views` they all rest on) that answers with the report's own defaults as of a day. */
export function rivalQuery(name: string, today: Day): string {
  const text = readFileSync(new URL(`rivals/${name}.sql`, import.meta.url), 'utf8');
  const month = monthNumber(today);
  const asked: Readonly<Record<string, number>> = {
    today,
    year: Math.floor(month / 12),
    month,
    first_month: month - 11,
    month_first: monthStart(today),
  };
  // A colon before the colon makes it a cast.
  return text.replaceAll(/(?<!:):([a-z_]+)/g, (_, parameter: string) => String(asked[parameter]!));
}
