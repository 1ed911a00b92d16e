import { digits, POWERS_OF_TEN } from './digits.ts';

/** An amount in integer minor units (cents) of the deployment's one currency; a safe integer within one customer. */
export type Minor = number;

/** Largest magnitude of one amount: 10¹³ minor units. */
export const AMOUNT_LIMIT: Minor = 10_000_000_000_000;

const DECIMAL = /^(?:0|[1-9]\d{0,13})(?:\.\d{1,4})?$/;

/** Why an amount was refused. */
export type MoneyFault = 'malformed' | 'too_many_decimals' | 'out_of_range';

/** Reads a decimal string of zero or more, such as `12.5`, as minor units of a currency with so many decimals. */
export function parseMoney(text: string, decimals: number): Minor | MoneyFault {
  if (!DECIMAL.test(text)) return 'malformed';
  const point = text.indexOf('.');
  const end = point === -1 ? text.length : point;
  const places = Math.max(0, text.length - end - 1);
  if (places > decimals) return 'too_many_decimals';
  const fraction = digits(text, end + 1, text.length) * POWERS_OF_TEN[decimals - places]!;
  const minor = digits(text, 0, end) * POWERS_OF_TEN[decimals]! + fraction;
  return minor > AMOUNT_LIMIT ? 'out_of_range' : minor;
}

/** Reads a decimal string that may be negative, as conditions on revenue and profit use. */
export function parseSignedMoney(text: string, decimals: number): Minor | MoneyFault {
  if (!text.startsWith('-')) return parseMoney(text, decimals);
  const minor = parseMoney(text.slice(1), decimals);
  return typeof minor === 'number' && minor !== 0 ? -minor : minor;
}

/** Writes minor units as a decimal string with all of the currency's decimals: `-12.30`. Exact for integers of any size. */
export function formatMoney(minor: number | bigint, decimals: number): string {
  const negative = minor < 0;
  const figures = String(minor)
    .replace('-', '')
    .padStart(decimals + 1, '0');
  const whole = figures.slice(0, figures.length - decimals);
  const text = decimals === 0 ? whole : `${whole}.${figures.slice(-decimals)}`;
  return negative ? `-${text}` : text;
}
