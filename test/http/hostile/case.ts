/** A request nobody should send, and the one refusal it must get. */
export interface HostileCase {
  /** What is sent: a sentence's subject. */
  readonly what: string;
  readonly method: string;
  readonly path: string;
  /** An object is sent as JSON; a string or bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** 200 inside a batch, where the item is refused and the request is not. */
  readonly status: number;
  /** Code of the fault; for a refusal without a place, that of the problem. */
  readonly code: string;
  /** The place it names: a JSON Pointer, or `?name` for a parameter; null if the request as a whole is at fault. */
  readonly at: string | null;
  /** Text that must not come back. */
  readonly secret?: string;
}

/** An object of any fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** Items that are valid as they stand. The tests' clock says noon of 2026-06-15, UTC; the currency is the euro. */
export const VALID = {
  customers: { customer_id: 'c', known_since: '2026-01-01', groups: ['g'] },
  purchases: {
    customer_id: 'c',
    purchase_id: 'p',
    purchased_at: '2026-01-05T10:00:00Z',
    amount: '10.00',
    products: ['tea'],
  },
  refunds: { customer_id: 'c', refund_id: 'r', purchase_id: 'p', refunded_at: '2026-01-07', amount: '2.00' },
  interactions: { customer_id: 'c', interaction_id: 'i', occurred_at: '2026-01-06', kind: 'visit' },
} as const;
type Kind = keyof typeof VALID;

export const NUL = '\0';
/** Half of a surrogate pair. */
export const LONE = '\ud83d';

/** Writes an object as JSON with `"@raw"` replaced by text that only looks like JSON of that kind. */
export function withRaw(value: unknown, raw: string): string {
  return JSON.stringify(value).replace('"@raw"', raw);
}

function secretOf(value: unknown): { secret?: string } {
  return typeof value === 'string' && value.length > 2 ? { secret: JSON.stringify(value).slice(1, -1) } : {};
}

/** One wrong field of an item in a batch: 200, and the item is refused by name. */
export function inBatch(kind: Kind, field: string, value: unknown, code: string, place = field): HostileCase {
  const shown = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'nothing');
  return {
    what: `${field} ${shown.slice(0, 60)} in a batch of ${kind}`,
    method: 'POST',
    path: `/v1/${kind}`,
    body: { items: [{ ...VALID[kind], [field]: value }] },
    status: 200,
    code,
    at: `/items/0/${place}`,
    ...(field.endsWith('_id') || field === 'kind' ? {} : secretOf(value)),
  };
}

/** The same in a single item: 400, and the field is named. */
export function inPut(
  kind: 'purchases' | 'refunds' | 'interactions',
  field: string,
  value: unknown,
  code: string,
  place = field,
): HostileCase {
  return {
    what: `${field} ${JSON.stringify(value)?.slice(0, 60)} in a PUT of ${kind}`,
    method: 'PUT',
    path: `/v1/customers/c/${kind}/x`,
    body: { ...bodyOf(kind), [field]: value },
    status: 400,
    code,
    at: `/${place}`,
    ...(field === 'kind' ? {} : secretOf(value)),
  };
}

/** A valid single body: the item without the ids that its path holds. */
function bodyOf(kind: 'purchases' | 'refunds' | 'interactions'): Fields {
  const own = { purchases: 'purchase_id', refunds: 'refund_id', interactions: 'interaction_id' }[kind];
  return Object.fromEntries(Object.entries(VALID[kind]).filter(([field]) => field !== 'customer_id' && field !== own));
}
