import { BUILT_IN_MODELS } from '../../src/domain/models.ts';

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

type Fields = Readonly<Record<string, unknown>>;

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

const NUL = '\0';
const LONE = '\ud83d';

/** Writes an object as JSON with `"@raw"` replaced by text that only looks like JSON of that kind. */
export function withRaw(value: unknown, raw: string): string {
  return JSON.stringify(value).replace('"@raw"', raw);
}

function secretOf(value: unknown): { secret?: string } {
  return typeof value === 'string' && value.length > 2 ? { secret: JSON.stringify(value).slice(1, -1) } : {};
}

/** One wrong field of an item in a batch: 200, and the item is refused by name. */
function inBatch(kind: Kind, field: string, value: unknown, code: string, place = field): HostileCase {
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
function inPut(
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
export function bodyOf(kind: 'purchases' | 'refunds' | 'interactions'): Fields {
  const own = { purchases: 'purchase_id', refunds: 'refund_id', interactions: 'interaction_id' }[kind];
  return Object.fromEntries(Object.entries(VALID[kind]).filter(([field]) => field !== 'customer_id' && field !== own));
}

/** Moments that are none, or lie where nothing may. */
const MOMENTS: readonly (readonly [value: unknown, code: string])[] = [
  ['0000-01-01', 'out_of_range'],
  ['0000-01-01T00:00:00Z', 'out_of_range'],
  ['0001-01-01T00:00:00Z', 'out_of_range'],
  ['1899-12-31', 'out_of_range'],
  ['1899-12-31T23:59:59Z', 'out_of_range'],
  ['1900-01-01T00:00:00+14:00', 'out_of_range'],
  ['2200-01-01', 'out_of_range'],
  ['2200-01-01T00:00:00Z', 'out_of_range'],
  ['2199-12-31T23:59:59-01:00', 'out_of_range'],
  ['9999-12-31T23:59:59Z', 'out_of_range'],
  ['2026-06-17', 'in_the_future'],
  ['2026-06-16T12:00:00.000001Z', 'in_the_future'],
  ['2199-12-31', 'in_the_future'],
  ['2026-02-30', 'not_a_moment'],
  ['2025-02-29T10:00:00Z', 'not_a_moment'],
  ['2000-02-30', 'not_a_moment'],
  ['2026-13-01', 'not_a_moment'],
  ['2026-00-10', 'not_a_moment'],
  ['2026-01-00', 'not_a_moment'],
  ['2026-04-31T00:00:00Z', 'not_a_moment'],
  ['2026-01-01T00:00:60Z', 'not_a_moment'],
  ['2016-12-31T23:59:60Z', 'not_a_moment'],
  ['2026-01-01T00:60:00Z', 'not_a_moment'],
  ['2026-01-01T24:00:00Z', 'not_a_moment'],
  ['2026-01-01T00:00:00+05', 'not_a_moment'],
  ['2026-01-01T00:00:00+0500', 'not_a_moment'],
  ['2026-01-01T00:00:00+25:00', 'not_a_moment'],
  ['2026-01-01T00:00:00+05:60', 'not_a_moment'],
  ['2026-01-01T00:00:00', 'not_a_moment'],
  ['2026-01-01T00:00Z', 'not_a_moment'],
  ['2026-01-01T00:00:00.1234567Z', 'not_a_moment'],
  ['2026-01-01T00:00:00.Z', 'not_a_moment'],
  ['2026-01-01t00:00:00Z', 'not_a_moment'],
  ['2026-01-01T00:00:00z', 'not_a_moment'],
  ['2026-01-01 00:00:00Z', 'not_a_moment'],
  [' 2026-01-01', 'not_a_moment'],
  ['2026-01-01\n', 'not_a_moment'],
  ['20260101T000000Z', 'not_a_moment'],
  ['+002026-01-01T00:00:00Z', 'not_a_moment'],
  ['٢٠٢٦-٠١-٠١', 'not_a_moment'],
  ['1767225600000', 'not_a_moment'],
  ['2026-1-1', 'wrong_length'],
  ['2026-01-01T00:00:00.000000000000000000Z', 'wrong_length'],
  ['', 'wrong_length'],
  [1_767_225_600, 'wrong_type'],
  [null, 'wrong_type'],
  [true, 'wrong_type'],
  [['2026-01-01'], 'wrong_type'],
  [{}, 'wrong_type'],
];

/** Amounts that are none. */
const AMOUNTS: readonly (readonly [value: unknown, code: string])[] = [
  ['1e3', 'wrong_format'],
  ['+1', 'wrong_format'],
  [' 1', 'wrong_format'],
  ['1 ', 'wrong_format'],
  ['1\n', 'wrong_format'],
  ['01', 'wrong_format'],
  ['.5', 'wrong_format'],
  ['5.', 'wrong_format'],
  ['-1', 'wrong_format'],
  ['-0', 'wrong_format'],
  ['1,50', 'wrong_format'],
  ['1_000', 'wrong_format'],
  ['0x10', 'wrong_format'],
  ['NaN', 'wrong_format'],
  ['Infinity', 'wrong_format'],
  ['１０', 'wrong_format'],
  ['€10', 'wrong_format'],
  ['', 'wrong_format'],
  ['9'.repeat(40), 'wrong_format'],
  ['1.23456', 'wrong_format'],
  ['1.234', 'too_many_decimals'],
  ['0.0000', 'too_many_decimals'],
  ['100000000000.01', 'out_of_range'],
  ['99999999999999', 'out_of_range'],
  [10, 'wrong_type'],
  [null, 'wrong_type'],
  [true, 'wrong_type'],
  [['1'], 'wrong_type'],
  [{ amount: '1' }, 'wrong_type'],
];

/** Numbers that JSON can write and the service cannot mean. */
const NUMBERS = ['1e400', '-1e400', '9007199254740993', '-0', '1.0000000000000000000000001', '1E5', '0.1'];

function fieldCases(): HostileCase[] {
  const cases: HostileCase[] = [];
  for (const [value, code] of MOMENTS) {
    cases.push(inBatch('purchases', 'purchased_at', value, code), inPut('purchases', 'purchased_at', value, code));
  }
  for (const [value, code] of MOMENTS.filter((_, index) => index % 5 === 0)) {
    cases.push(inBatch('refunds', 'refunded_at', value, code), inPut('interactions', 'occurred_at', value, code));
  }
  for (const [value, code] of AMOUNTS)
    cases.push(inBatch('purchases', 'amount', value, code), inPut('refunds', 'amount', value, code));
  for (const [value, code] of AMOUNTS.filter((_, index) => index % 4 === 0)) {
    cases.push(
      inBatch('purchases', 'cost', value, code),
      inPut('purchases', 'discount', value, code),
      inBatch('interactions', 'cost', value, code),
    );
  }
  for (const raw of NUMBERS) {
    const place =
      raw === '-0' || raw === '1.0000000000000000000000001' ? [] : [rawNumber('interactions', 'score', raw)];
    cases.push(rawNumber('purchases', 'amount', raw), ...place);
  }
  return cases;
}

function rawNumber(kind: 'purchases' | 'interactions', field: string, raw: string): HostileCase {
  const item = { ...VALID[kind], ...(kind === 'interactions' ? { kind: 'survey' } : {}), [field]: '@raw' };
  // 1e400 becomes infinite; what is compared first is the range.
  const whole = raw !== '0.1' && raw !== '-0' && !raw.startsWith('1.');
  const code = field === 'score' && whole ? 'out_of_range' : 'wrong_type';
  return {
    what: `${field} ${raw} as a number in a batch of ${kind}`,
    method: 'POST',
    path: `/v1/${kind}`,
    body: withRaw({ items: [item] }, raw),
    status: 200,
    code,
    at: `/items/0/${field}`,
  };
}

/** Ids, tags, codes and kinds that break a limit. */
function textCases(): HostileCase[] {
  const long = 'x'.repeat(129);
  return [
    ...(['customers', 'purchases', 'refunds', 'interactions'] as const).flatMap((kind) => [
      inBatch(kind, 'customer_id', '', 'wrong_length'),
      inBatch(kind, 'customer_id', long, 'wrong_length'),
      inBatch(kind, 'customer_id', '😀'.repeat(129), 'wrong_length'),
      inBatch(kind, 'customer_id', 7, 'wrong_type'),
      inBatch(kind, 'customer_id', null, 'wrong_type'),
      inBatch(kind, 'customer_id', undefined, 'required'),
      inBatch(kind, 'customer_id', `a${NUL}b`, 'nul_character'),
      inBatch(kind, 'customer_id', `a${LONE}`, 'lone_surrogate'),
    ]),
    inBatch('purchases', 'purchase_id', '', 'wrong_length'),
    inBatch('refunds', 'refund_id', long, 'wrong_length'),
    inBatch('interactions', 'interaction_id', ['i'], 'wrong_type'),
    inBatch('refunds', 'purchase_id', undefined, 'required'),
    inBatch('refunds', 'purchase_id', NUL, 'nul_character'),
    inBatch('refunds', 'amount', '0', 'out_of_range'),
    inBatch('refunds', 'amount', '0.00', 'out_of_range'),
    inBatch('purchases', 'currency', 'USD', 'other_currency'),
    inBatch('purchases', 'currency', 'eur', 'wrong_format'),
    inBatch('purchases', 'currency', 'EURO', 'wrong_format'),
    inBatch('purchases', 'currency', 978, 'wrong_type'),
    inPut('purchases', 'currency', 'USD', 'other_currency'),
    inBatch(
      'purchases',
      'products',
      Array.from({ length: 101 }, (_, index) => `p${index}`),
      'wrong_length',
    ),
    inBatch('purchases', 'products', [''], 'wrong_length', 'products/0'),
    inBatch('purchases', 'products', ['tea', 'x'.repeat(65)], 'wrong_length', 'products/1'),
    inBatch('purchases', 'products', [7], 'wrong_type', 'products/0'),
    inBatch('purchases', 'products', 'tea', 'wrong_type'),
    inBatch('purchases', 'products', null, 'wrong_type'),
    inBatch('purchases', 'products', ['tea', `x${NUL}`], 'nul_character', 'products/1'),
    inBatch('purchases', 'products', [`tea ${LONE}`], 'lone_surrogate', 'products/0'),
    inPut('purchases', 'products', [`tea ${LONE}`], 'lone_surrogate', 'products/0'),
    inBatch(
      'customers',
      'groups',
      Array.from({ length: 17 }, (_, index) => `g${index}`),
      'wrong_length',
    ),
    inBatch('customers', 'groups', [''], 'wrong_length', 'groups/0'),
    inBatch('customers', 'groups', ['x'.repeat(65)], 'wrong_length', 'groups/0'),
    inBatch('customers', 'groups', [null], 'wrong_type', 'groups/0'),
    inBatch('customers', 'groups', 'g', 'wrong_type'),
    inBatch('customers', 'groups', ['g', `${LONE}g`], 'lone_surrogate', 'groups/1'),
    inBatch('customers', 'known_since', '2026-02-30', 'out_of_range'),
    inBatch('customers', 'known_since', '2026-06-17', 'in_the_future'),
    inBatch('customers', 'known_since', '1899-12-31', 'wrong_format'),
    inBatch('customers', 'known_since', '2026-01-01T00:00:00Z', 'wrong_format'),
    inBatch('customers', 'known_since', null, 'wrong_type'),
    ...interactionCases(),
  ];
}

function interactionCases(): HostileCase[] {
  const survey = (score: unknown, code: string): HostileCase => ({
    ...inBatch('interactions', 'score', score, code),
    body: { items: [{ ...VALID.interactions, kind: 'survey', score }] },
  });
  return [
    inBatch('interactions', 'kind', 'Survey', 'wrong_format'),
    inBatch('interactions', 'kind', '', 'wrong_format'),
    inBatch('interactions', 'kind', '1st', 'wrong_format'),
    inBatch('interactions', 'kind', 'phone-call', 'wrong_format'),
    inBatch('interactions', 'kind', 'k'.repeat(33), 'wrong_format'),
    inBatch('interactions', 'kind', `visit${NUL}`, 'nul_character'),
    inBatch('interactions', 'kind', 'survey', 'required', 'score'),
    inBatch('interactions', 'kind', 'departure', 'required', 'reason'),
    inBatch('interactions', 'score', 7, 'not_allowed'),
    inBatch('interactions', 'reason', 'price', 'not_allowed'),
    inBatch('interactions', 'reason', 'moved away', 'unknown_value'),
    inPut('interactions', 'kind', 'survey', 'required', 'score'),
    survey(11, 'out_of_range'),
    survey(-1, 'out_of_range'),
    survey(5.5, 'wrong_type'),
    survey('9', 'wrong_type'),
    survey(null, 'wrong_type'),
  ];
}

/** Fields that do not exist, on every level, and names that every object inherits. */
function unknownFieldCases(): HostileCase[] {
  const batch = (what: string, body: unknown, at: string, status = 200): HostileCase => ({
    what: `an unknown field ${what}`,
    method: 'POST',
    path: '/v1/purchases',
    body,
    status,
    code: 'unknown_field',
    at,
  });
  const item = VALID.purchases;
  return [
    batch('beside items', { items: [item], mode: 'upsert' }, '/mode', 400),
    batch('beside items with a slash and a tilde', { items: [item], 'a/b~c': 1 }, '/a~1b~0c', 400),
    batch('beside items named like an object member', { items: [item], constructor: 1 }, '/constructor', 400),
    batch('in an item', { items: [{ ...item, colour: 'blue' }] }, '/items/0/colour'),
    batch('in an item named toString', { items: [{ ...item, toString: 1 }] }, '/items/0/toString'),
    batch('in an item named hasOwnProperty', { items: [{ ...item, hasOwnProperty: 1 }] }, '/items/0/hasOwnProperty'),
    batch('with an empty name', { items: [{ ...item, '': 1 }] }, '/items/0/'),
    batch(
      'of 65 characters, the 64th an emoji',
      { items: [{ ...item, [`${'a'.repeat(63)}😀z`]: 1 }] },
      `/items/0/${'a'.repeat(63)}\ufffd`,
    ),
    { ...inPut('purchases', 'customer_id', 'c', 'unknown_field') },
    { ...inPut('refunds', 'note', { deep: { deeper: [] } }, 'unknown_field') },
    { ...inBatch('customers', 'name', 'Ana Secreta', 'unknown_field') },
    { ...inBatch('purchases', `x${NUL}`, 1, 'nul_character'), at: '/items/0' },
    { ...inBatch('purchases', `x${LONE}`, 1, 'lone_surrogate'), at: '/items/0' },
  ];
}

/** Bodies that are no list of items, or no JSON at all. */
function bodyCases(): HostileCase[] {
  const to = (
    path: string,
    what: string,
    body: unknown,
    code: string,
    at: string | null,
    headers?: Record<string, string>,
    status = 400,
  ): HostileCase => ({
    what: `${what} to ${path}`,
    method: 'POST',
    path,
    body,
    status,
    code,
    at,
    ...(headers === undefined ? {} : { headers }),
  });
  const post = (
    what: string,
    body: unknown,
    code: string,
    at: string | null,
    headers?: Record<string, string>,
    status = 400,
  ) => to('/v1/purchases', what, body, code, at, headers, status);
  const valid = JSON.stringify({ items: [VALID.purchases] });
  const many = (count: number) => ({
    items: Array.from({ length: count }, (_, index) => ({ ...VALID.purchases, purchase_id: `m${index}` })),
  });
  const json = 'application/json';
  return [
    post('an empty body', '', 'malformed_json', null),
    post('white space only', ' \n\t ', 'malformed_json', null),
    post('truncated JSON', valid.slice(0, -3), 'malformed_json', null),
    post('JSON cut inside an escape', '{"items":["\\u12', 'malformed_json', null),
    post('two JSON texts', `${valid}${valid}`, 'malformed_json', null),
    post('a trailing comma', '{"items":[],}', 'malformed_json', null),
    post('single quotes', "{'items':[]}", 'malformed_json', null),
    post('a comment', '{"items":[] /* none */}', 'malformed_json', null),
    post('NaN', '{"items":NaN}', 'malformed_json', null),
    post('a raw control character', '{"items":["a\u0001"]}', 'malformed_json', null),
    post('an escape that does not exist', '{"items":["\\x41"]}', 'malformed_json', null),
    post('NDJSON', '{"a":1}\n{"a":2}\n', 'malformed_json', null),
    post(
      'UTF-16 with a byte order mark',
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(valid, 'utf16le')]),
      'malformed_json',
      null,
    ),
    post('UTF-16 without a byte order mark', Buffer.from(valid, 'utf16le'), 'malformed_json', null),
    post('latin-1 bytes', Buffer.from(valid.replace('tea', 'té'), 'latin1'), 'malformed_json', null),
    post(
      'an overlong UTF-8 form of a slash',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
      'malformed_json',
      null,
    ),
    post(
      'a surrogate encoded in UTF-8',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0xbd]), Buffer.from('"}')]),
      'malformed_json',
      null,
    ),
    post('a NUL byte', Buffer.from(`${valid}\0`), 'malformed_json', null),
    post('__proto__ as a member', '{"__proto__":{"items":[]},"items":[]}', 'malformed_json', null),
    post(
      '__proto__ in an item',
      valid.replace('"customer_id"', '"__proto__":{"customer_id":"x"},"customer_id"'),
      'malformed_json',
      null,
    ),
    post(
      'constructor.prototype in an item',
      valid.replace('"customer_id"', '"constructor":{"prototype":{}},"customer_id"'),
      'malformed_json',
      null,
    ),
    post(
      'nesting 10,000 deep, closed',
      `{"items":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      'too_deep',
      `/items/0${'/0'.repeat(30)}`,
      {},
      200,
    ),
    post(
      'nesting 10,000 deep beside the items',
      `{"items":[],"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      'too_deep',
      `/x${'/0'.repeat(31)}`,
    ),
    post(
      'objects 100,000 deep',
      `{"items":[${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}]}`,
      'too_deep',
      `/items/0${'/a'.repeat(30)}`,
      {},
      200,
    ),
    post('nesting 10,000 deep, never closed', '['.repeat(10_000), 'malformed_json', null),
    post('no body', undefined, 'wrong_type', ''),
    post('null', 'null', 'wrong_type', ''),
    post('true', 'true', 'wrong_type', ''),
    post('a number', '1e400', 'wrong_type', ''),
    post('a string', '"items"', 'wrong_type', ''),
    post('a list', '[]', 'wrong_type', ''),
    post('an empty object', '{}', 'required', '/items'),
    post('items null', { items: null }, 'wrong_type', '/items'),
    post('items as an object', { items: { 0: VALID.purchases, length: 1 } }, 'wrong_type', '/items'),
    post('no items', { items: [] }, 'wrong_length', '/items'),
    post('1,001 items', many(1_001), 'wrong_length', '/items'),
    post('65,536 empty items', `{"items":[${'{},'.repeat(65_535)}{}]}`, 'wrong_length', '/items'),
    post(
      '300,000 keys',
      `{${Array.from({ length: 300_000 }, (_, index) => `"k${index}":0`).join(',')}}`,
      'required',
      '/items',
    ),
    post(
      '300,000 keys in an item',
      `{"items":[{${Array.from({ length: 300_000 }, (_, index) => `"k${index}":0`).join(',')}}]}`,
      'required',
      '/items/0/customer_id',
      {},
      200,
    ),
    ...[null, 1, 'x', [], true].map((item) =>
      post(`the item ${JSON.stringify(item)}`, { items: [item] }, 'wrong_type', '/items/0', {}, 200),
    ),
    post('text', valid, 'unsupported_media_type', null, { 'content-type': 'text/plain' }, 415),
    post(
      'a form',
      'items=1',
      'unsupported_media_type',
      null,
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
    ),
    post(
      'multipart',
      '--x\r\n\r\n--x--',
      'unsupported_media_type',
      null,
      { 'content-type': 'multipart/form-data; boundary=x' },
      415,
    ),
    post('XML', '<items/>', 'unsupported_media_type', null, { 'content-type': 'application/xml' }, 415),
    post('almost JSON', valid, 'unsupported_media_type', null, { 'content-type': 'application/jsonx' }, 415),
    post('a content type that is none', valid, 'unsupported_media_type', null, { 'content-type': 'json' }, 415),
    post(
      'JSON in latin-1, as its charset says',
      valid,
      'unsupported_media_type',
      null,
      { 'content-type': `${json}; charset=iso-8859-1` },
      415,
    ),
    post(
      'JSON in UTF-16, as its charset says',
      valid,
      'unsupported_media_type',
      null,
      { 'content-type': `${json};charset="utf-16le"` },
      415,
    ),
    ...['gzip', 'br', 'deflate', 'x-snappy', 'gzip, gzip'].map((encoding) =>
      post(
        `content encoding ${encoding}`,
        Buffer.from([0x1f, 0x8b, 8, 0]),
        'unsupported_media_type',
        null,
        { 'content-encoding': encoding },
        415,
      ),
    ),
    post('4 MiB and a byte', `{"items":[]}${' '.repeat(4_194_304 - 11)}`, 'payload_too_large', null, {}, 413),
    to('/v1/customers/lookup', 'no ids', { customer_ids: [] }, 'wrong_length', '/customer_ids'),
    to(
      '/v1/customers/lookup',
      '1,001 ids',
      { customer_ids: Array.from({ length: 1_001 }, (_, index) => `c${index}`) },
      'wrong_length',
      '/customer_ids',
    ),
    to('/v1/customers/lookup', 'an empty id', { customer_ids: ['c', ''] }, 'wrong_length', '/customer_ids/1'),
    to('/v1/customers/lookup', 'an id with NUL', { customer_ids: ['c', NUL] }, 'nul_character', '/customer_ids/1'),
    to(
      '/v1/customers/lookup',
      'an unknown model',
      { customer_ids: ['c'], model: 'constructor' },
      'unknown_model',
      '?model',
    ),
    to(
      '/v1/customers/lookup',
      'a day that is none',
      { customer_ids: ['c'], as_of: '2026-02-30' },
      'not_a_day',
      '?as_of',
    ),
    to('/v1/customers/lookup', 'a field too many', { customer_ids: ['c'], limit: 1 }, 'unknown_field', '/limit'),
    {
      ...post('a body', '{"a":', 'malformed_json', null),
      method: 'DELETE',
      path: '/v1/customers/c/purchases/p',
      what: 'broken JSON in a DELETE',
    },
    {
      ...post('a body', [], 'wrong_type', ''),
      method: 'PUT',
      path: '/v1/customers/c/purchases/p',
      what: 'a list in a PUT',
    },
    {
      ...post('a body', undefined, 'wrong_type', ''),
      method: 'PUT',
      path: '/v1/customers/c/purchases/p',
      what: 'a PUT without a body',
    },
  ];
}

const b64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Paths and queries that mean nothing. */
function addressCases(): HostileCase[] {
  const get = (path: string, code: string, at: string | null, status = 400): HostileCase => ({
    what: `GET ${path.slice(0, 90)}`,
    method: 'GET',
    path,
    status,
    code,
    at,
  });
  const long = 'x'.repeat(129);
  const list = '/v1/customers/c/purchases';
  const stock = '/v1/reports/stage-population';
  const moves = '/v1/reports/stage-moves';
  return [
    get(`/v1/customers/${long}`, 'wrong_length', '?customer_id'),
    get(`/v1/customers/${'%F0%9F%98%80'.repeat(129)}`, 'wrong_length', '?customer_id'),
    get(`/v1/customers/${'x'.repeat(2_000)}`, 'uri_too_long', null, 414),
    get('/v1/customers/', 'wrong_length', '?customer_id'),
    get('/v1/customers//purchases', 'wrong_length', '?customer_id'),
    get('/v1/customers/%00', 'nul_character', '?customer_id'),
    get('/v1/customers/a%00b/stages', 'nul_character', '?customer_id'),
    get('/v1/customers/%zz', 'invalid_request', null),
    get('/v1/customers/%', 'invalid_request', null),
    get('/v1/customers/%e2%82', 'invalid_request', null),
    get('/v1/customers/%ED%A0%80', 'invalid_request', null),
    get('/v1/customers/%c0%af', 'invalid_request', null),
    {
      ...get('/v1/customers/c/purchases/%00', 'nul_character', '?item_id'),
      method: 'DELETE',
      what: 'DELETE of an item with NUL in its id',
    },
    {
      ...get(`/v1/customers/c/refunds/${long}`, 'wrong_length', '?item_id'),
      method: 'DELETE',
      what: 'DELETE of an item of 129 characters',
    },
    {
      ...get('/v1/customers/%00', 'nul_character', '?customer_id'),
      method: 'DELETE',
      what: 'erasure of an id with NUL',
    },
    get('/v1/customers/nobody', 'customer_not_found', null, 404),
    get('/v1/customers/nobody/timeline', 'customer_not_found', null, 404),
    get(`/v1/customers/nobody/refunds`, 'customer_not_found', null, 404),
    get('/v1/customers/C', 'customer_not_found', null, 404),
    get('/v1/customers/c%20', 'customer_not_found', null, 404),
    get('/v1/customers', 'method_not_allowed', null, 405),
    get('/v1', 'not_found', null, 404),
    get('/v1/customers/c/orders', 'not_found', null, 404),
    get('/v1/customers/c/purchases/p/x', 'not_found', null, 404),
    get('/V1/status', 'not_found', null, 404),
    get('/v1//status', 'not_found', null, 404),
    get('/v1/status/', 'not_found', null, 404),
    get('/.env', 'not_found', null, 404),
    get('/docs/static/%2e%2e%2f%2e%2e%2fpackage.json', 'not_found', null, 404),
    get('/v1/models/nothing', 'not_found', null, 404),
    get('/v1/models/constructor', 'not_found', null, 404),
    get('/v1/models/Lifecycle', 'wrong_format', '?model_id'),
    get('/v1/models/__proto__', 'wrong_format', '?model_id'),
    get('/v1/definitions/nothing', 'not_found', null, 404),
    get('/v1/definitions/Stage', 'wrong_format', '?report'),
    get('/v1/status?verbose=1', 'unknown_field', '?verbose'),
    get('/v1/status?__proto__=1', 'unknown_field', '?__proto__'),
    get('/v1/status?constructor=1', 'unknown_field', '?constructor'),
    get('/v1/status?%00=1', 'nul_character', null),
    get('/livez?x', 'unknown_field', '?x'),
    get(`${list}?limit=0`, 'out_of_range', '?limit'),
    get(`${list}?limit=-1`, 'out_of_range', '?limit'),
    get(`${list}?limit=1001`, 'out_of_range', '?limit'),
    get(`${list}?limit=abc`, 'wrong_type', '?limit'),
    get(`${list}?limit=1.5`, 'wrong_type', '?limit'),
    get(`${list}?limit=`, 'wrong_type', '?limit'),
    get(`${list}?limit=1e400`, 'out_of_range', '?limit'),
    get(`${list}?limit=9007199254740993`, 'out_of_range', '?limit'),
    get(`${list}?limit=1&limit=2`, 'wrong_type', '?limit'),
    get(`${list}?offset=1`, 'unknown_field', '?offset'),
    get(`${list}?cursor=`, 'wrong_length', '?cursor'),
    get(`${list}?cursor=x`, 'invalid_cursor', '?cursor'),
    get(`${list}?cursor=%00`, 'nul_character', '?cursor'),
    get(`${list}?cursor=${'x'.repeat(1_025)}`, 'wrong_length', '?cursor'),
    get(`${list}?cursor=${b64('null')}`, 'invalid_cursor', '?cursor'),
    get(`${list}?cursor=${b64('{"0":1}')}`, 'invalid_cursor', '?cursor'),
    get(`${list}?cursor=${b64([1, 2, 3])}`, 'invalid_cursor', '?cursor'),
    get(`${list}?cursor=${b64(['AAAAAAAAAAAAAAAA', 0, ''])}`, 'invalid_cursor', '?cursor'),
    get(`${list}?cursor=${b64('['.repeat(700))}`, 'invalid_cursor', '?cursor'),
    get(`${stock}?model=nothing`, 'unknown_model', '?model'),
    get(`${stock}?model=constructor`, 'unknown_model', '?model'),
    get(`${stock}?model=Life%20cycle`, 'wrong_format', '?model'),
    get(`${stock}?model=lifecycle&model=journey`, 'wrong_type', '?model'),
    get(`${stock}?group=nobody`, 'unknown_group', '?group'),
    get(`${stock}?group=`, 'wrong_length', '?group'),
    get(`${stock}?group=%00`, 'nul_character', '?group'),
    get(`${stock}?group=${'x'.repeat(65)}`, 'wrong_length', '?group'),
    get(`${stock}?as_of=2026-02-30`, 'not_a_day', '?as_of'),
    get(`${stock}?as_of=2026-2-3`, 'wrong_format', '?as_of'),
    get(`${stock}?as_of=1899-12-31`, 'wrong_format', '?as_of'),
    get(`${stock}?as_of=2200-01-01`, 'wrong_format', '?as_of'),
    get(`${stock}?as_of=today`, 'wrong_format', '?as_of'),
    get(`${stock}?as_of=2026-01-01T00:00:00Z`, 'wrong_format', '?as_of'),
    get(`${stock}?as_of=2026-01-01&from=2026-01-01&to=2026-02-01`, 'invalid_range', '?as_of'),
    get(`${stock}?from=2026-01-01`, 'invalid_range', '?to'),
    get(`${stock}?to=2026-01-01`, 'invalid_range', '?from'),
    get(`${stock}?interval=month`, 'invalid_range', '?interval'),
    get(`${stock}?from=2026-01-01&to=2026-02-01&interval=hour`, 'unknown_value', '?interval'),
    get(`${stock}?from=2026-02-01&to=2026-02-01`, 'invalid_range', '?to'),
    get(`${stock}?from=2026-02-02&to=2026-02-01`, 'invalid_range', '?to'),
    get(`${stock}?from=2026-02-30&to=2026-03-01`, 'not_a_day', '?from'),
    get(`${stock}?from=1900-01-01&to=2199-12-31&interval=day`, 'range_too_wide', '?to'),
    get(`${stock}?from=1900-01-01&to=1990-01-01`, 'range_too_wide', '?to'),
    get(`${stock}?grain=month`, 'unknown_field', '?grain'),
    get(`${moves}?from=2026-03-01&to=2026-02-01`, 'invalid_range', '?to'),
    get(`${moves}?from=2026-03-01&to=2026-02-31`, 'not_a_day', '?to'),
    get(`${moves}?from=9999-03-01`, 'wrong_format', '?from'),
    get(`${moves}?as_of=2026-03-01`, 'unknown_field', '?as_of'),
    get(`${moves}?basis=net`, 'unknown_field', '?basis'),
    get('/v1/customers/c/stages?as_of=2026-02-30', 'not_a_day', '?as_of'),
    get('/v1/customers/c/stages?model=none_such', 'unknown_model', '?model'),
    get('/v1/customers/c/timeline?model=none_such', 'unknown_model', '?model'),
    get('/v1/customers/c/timeline?as_of=2026-01-01', 'unknown_field', '?as_of'),
    get('/v1/customers/c?as_of=2026-01-01', 'unknown_field', '?as_of'),
  ];
}

const WORDS = { en: 'x', es: 'x', de: 'x' };
const RULE = { feature: 'purchase_days', at_least: 1 };

/** A model of two stages, changed. */
function model(change: Fields, when: unknown = RULE): Fields {
  const stage = (name: string): Fields => ({ stage: name, title: WORDS, description: WORDS });
  const stages = [stage('known'), { ...stage('there'), when }];
  const lapse = { policy: 'fixed', at_risk_after_days: 90, lapsed_after_days: 180 };
  return { model_id: 'own', title: WORDS, description: WORDS, lapse, stages, ...change };
}

function nested(depth: number): unknown {
  let condition: unknown = RULE;
  for (let level = 1; level < depth; level += 1) condition = { not: condition };
  return condition;
}

/** Model documents and histories nobody should classify by. */
function classificationCases(): HostileCase[] {
  const send = (what: string, body: unknown, code: string, at: string, status = 400): HostileCase => ({
    what: `a classification with ${what}`,
    method: 'POST',
    path: '/v1/classifications',
    body,
    status,
    code,
    at,
  });
  const document = (what: string, changed: unknown, code: string, at: string) =>
    send(what, { model_document: changed, histories: [{}] }, code, `/model_document${at}`);
  const rule = (what: string, when: unknown, code: string, at = '') =>
    document(what, model({}, when), code, `/stages/1/when${at}`);
  const history = (what: string, given: unknown, code: string, at: string) =>
    send(what, { histories: [given] }, code, `/histories/0${at}`, 200);
  const [first, second] = model({}).stages as [Fields, Fields];
  const { when: _, ...whenless } = second;
  const day = (value: string) => ({ purchased_at: '2026-01-05', amount: value });
  return [
    document('a model that is null', null, 'wrong_type', ''),
    document('a model that is a list', [], 'wrong_type', ''),
    document('a model without stages', model({ stages: [] }), 'wrong_length', '/stages'),
    document(
      'a model of 32 stages',
      model({ stages: Array.from({ length: 32 }, (_, index) => ({ ...second, stage: `s${index}` })) }),
      'wrong_length',
      '/stages',
    ),
    document('a model without a name', model({ model_id: undefined }), 'required', '/model_id'),
    document('a model named like no model', model({ model_id: 'Own Model' }), 'wrong_text', '/model_id'),
    document('an unknown field in the model', model({ owner: 'x' }), 'unknown_field', '/owner'),
    document(
      'an unknown field in the lapse policy',
      model({ lapse: { policy: 'fixed', at_risk_after_days: 1, lapsed_after_days: 2, grace: 1 } }),
      'unknown_field',
      '/lapse/grace',
    ),
    document(
      'an unknown field in a stage',
      model({ stages: [first, { ...second, colour: 'red' }] }),
      'unknown_field',
      '/stages/1/colour',
    ),
    document('an unknown language', model({ title: { ...WORDS, fr: 'x' } }), 'unknown_field', '/title/fr'),
    document('a language missing', model({ title: { en: 'x', es: 'x' } }), 'required', '/title/de'),
    document('an empty title', model({ title: { ...WORDS, en: '' } }), 'wrong_text', '/title/en'),
    document(
      'a description of 2,001 characters',
      model({ description: { ...WORDS, en: 'x'.repeat(2_001) } }),
      'wrong_text',
      '/description/en',
    ),
    document(
      'an unknown lapse policy',
      model({ lapse: { policy: 'never', at_risk_after_days: 1, lapsed_after_days: 2 } }),
      'unknown_policy',
      '/lapse/policy',
    ),
    document(
      'lapse days out of order',
      model({ lapse: { policy: 'fixed', at_risk_after_days: 2, lapsed_after_days: 2 } }),
      'out_of_order',
      '/lapse/lapsed_after_days',
    ),
    document(
      'lapse after 10⁹ days',
      model({ lapse: { policy: 'fixed', at_risk_after_days: 1, lapsed_after_days: 1e9 } }),
      'wrong_number',
      '/lapse/lapsed_after_days',
    ),
    document(
      'lapse after −1 days',
      model({ lapse: { policy: 'fixed', at_risk_after_days: -1, lapsed_after_days: 2 } }),
      'wrong_number',
      '/lapse/at_risk_after_days',
    ),
    document(
      'a first stage with a rule',
      model({ stages: [{ ...first, when: RULE }, second] }),
      'first_stage_has_when',
      '/stages/0/when',
    ),
    document('a second stage without a rule', model({ stages: [first, whenless] }), 'required', '/stages/1/when'),
    document(
      'two stages of one name',
      model({ stages: [first, { ...second, stage: 'known' }] }),
      'duplicate_stage',
      '/stages/1/stage',
    ),
    document('a stage that is null', model({ stages: [first, null] }), 'wrong_type', '/stages/1'),
    document(
      'off_ladder as text',
      model({ stages: [first, { ...second, off_ladder: 'no' }] }),
      'wrong_type',
      '/stages/1/off_ladder',
    ),
    rule('a rule that is null', null, 'wrong_type'),
    rule('a rule that is a list', [], 'wrong_type'),
    rule('an empty rule', {}, 'unknown_condition'),
    rule('a rule of an unknown form', { never: true }, 'unknown_condition'),
    rule('a rule of two forms', { all: [RULE], any: [RULE] }, 'unknown_condition'),
    rule('an empty all', { all: [] }, 'wrong_length', '/all'),
    rule('a rule 9 deep', nested(9), 'too_complex', '/not'.repeat(8)),
    rule('201 conditions', { any: Array.from({ length: 200 }, () => RULE) }, 'too_complex', '/any/199'),
    rule('5,000 conditions', { all: Array.from({ length: 5_000 }, () => RULE) }, 'too_complex', '/all/199'),
    rule('an unknown feature', { feature: 'age', at_least: 1 }, 'unknown_feature', '/feature'),
    rule('a feature named constructor', { feature: 'constructor', at_least: 1 }, 'unknown_feature', '/feature'),
    rule('an unknown operator', { feature: 'purchase_days', equals: 1 }, 'unknown_field', '/equals'),
    rule('no threshold', { feature: 'purchase_days' }, 'no_threshold'),
    rule('a count as text', { feature: 'purchase_days', at_least: '1' }, 'wrong_number', '/at_least'),
    rule('half a purchase day', { feature: 'purchase_days', at_least: 0.5 }, 'wrong_number', '/at_least'),
    rule('10³⁰⁰ purchase days', { feature: 'purchase_days', at_least: 1e300 }, 'wrong_number', '/at_least'),
    rule('−1 purchase days', { feature: 'purchase_days', at_least: -1 }, 'wrong_number', '/at_least'),
    rule('a score of 11', { feature: 'latest_score', at_least: 11 }, 'wrong_number', '/at_least'),
    rule('1,001 distinct products', { feature: 'distinct_products', at_least: 1_001 }, 'wrong_number', '/at_least'),
    rule('money as a number', { feature: 'revenue', at_least: 100 }, 'malformed', '/at_least'),
    rule('money in tenths of a cent', { feature: 'revenue', at_least: '1.005' }, 'too_many_decimals', '/at_least'),
    rule('money beyond the limit', { feature: 'profit', at_least: '-99999999999999' }, 'out_of_range', '/at_least'),
    rule('a window of 0 days', { feature: 'revenue', at_least: '1', within_days: 0 }, 'wrong_number', '/within_days'),
    rule(
      'a window of 1,097 days',
      { feature: 'revenue', at_least: '1', within_days: 1_097 },
      'wrong_number',
      '/within_days',
    ),
    rule(
      'a window on tenure',
      { feature: 'tenure_days', at_least: 1, within_days: 30 },
      'not_windowed',
      '/within_days',
    ),
    rule('kinds on purchases', { feature: 'purchase_days', at_least: 1, kinds: ['visit'] }, 'not_allowed', '/kinds'),
    rule('interactions without kinds', { feature: 'interactions', at_least: 1 }, 'wrong_length', '/kinds'),
    rule(
      '33 kinds',
      { feature: 'interactions', at_least: 1, kinds: Array.from({ length: 33 }, (_, index) => `k${index}`) },
      'wrong_length',
      '/kinds',
    ),
    rule('a kind that is none', { feature: 'interactions', at_least: 1, kinds: ['Visit'] }, 'wrong_text', '/kinds/0'),
    rule('an unknown activity', { activity: ['asleep'] }, 'unknown_value', '/activity'),
    rule('an activity twice', { activity: ['active', 'active'] }, 'unknown_value', '/activity'),
    rule('the reaching of itself', { stage_reached: 'there' }, 'unknown_stage', '/stage_reached'),
    document(
      'the reaching of a later stage',
      model({ stages: [first, { ...second, when: { stage_reached: 'later' } }, { ...second, stage: 'later' }] }),
      'unknown_stage',
      '/stages/1/when/stage_reached',
    ),
    rule('a title hidden in a rule with NUL', { feature: `purchase${NUL}`, at_least: 1 }, 'nul_character', '/feature'),
    send(
      'both a model and a document',
      { model: 'lifecycle', model_document: model({}), histories: [{}] },
      'not_allowed',
      '/model',
    ),
    send('an unknown model', { model: 'own', histories: [{}] }, 'unknown_model', '?model'),
    send('a day that is none', { as_of: '2026-02-30', histories: [{}] }, 'not_a_day', '?as_of'),
    send('no histories', { histories: [] }, 'wrong_length', '/histories'),
    send('1,001 histories', { histories: Array.from({ length: 1_001 }, () => ({})) }, 'wrong_length', '/histories'),
    send('an unknown field', { histories: [{}], explain: true }, 'unknown_field', '/explain'),
    send(
      'a rule 10,000 deep',
      `{"histories":[{}],"model_document":{"stages":[{"when":${'{"not":'.repeat(10_000)}1${'}'.repeat(10_000)}}]}}`,
      'too_deep',
      `/model_document/stages/0/when${'/not'.repeat(28)}`,
    ),
    history('a history that is null', null, 'wrong_type', ''),
    history('an unknown field in a history', { refund: [] }, 'unknown_field', '/refund'),
    history(
      'an unknown field in a purchase',
      { purchases: [{ ...day('1'), sku: 'x' }] },
      'unknown_field',
      '/purchases/0/sku',
    ),
    history(
      '10,001 purchases',
      { purchases: Array.from({ length: 10_001 }, () => day('1')) },
      'wrong_length',
      '/purchases',
    ),
    history(
      'two purchases of one id',
      {
        purchases: [
          { ...day('1'), purchase_id: 'p' },
          { ...day('2'), purchase_id: 'p' },
        ],
      },
      'duplicate_id',
      '/purchases/1/purchase_id',
    ),
    history(
      'an amount of the wrong form',
      { purchases: [day('1'), day('1e3')] },
      'wrong_format',
      '/purchases/1/amount',
    ),
    history('too many decimals', { purchases: [day('1.005')] }, 'too_many_decimals', '/purchases/0/amount'),
    history(
      'another currency',
      { purchases: [{ ...day('1'), currency: 'USD' }] },
      'other_currency',
      '/purchases/0/currency',
    ),
    history(
      'a day that is none in a purchase',
      { purchases: [{ ...day('1'), purchased_at: '2026-02-30' }] },
      'not_a_moment',
      '/purchases/0/purchased_at',
    ),
    history(
      'a refund of nothing',
      { refunds: [{ purchase_id: 'p', refunded_at: '2026-01-01', amount: '0' }] },
      'out_of_range',
      '/refunds/0/amount',
    ),
    history(
      'a survey without a score',
      { interactions: [{ occurred_at: '2026-01-01', kind: 'survey' }] },
      'required',
      '/interactions/0/score',
    ),
    history('known since a day that is none', { known_since: '2026-02-30' }, 'out_of_range', '/known_since'),
    history(
      'sums beyond 2⁵³ − 1',
      { purchases: Array.from({ length: 901 }, () => day('100000000000')) },
      'total_out_of_range',
      '/purchases',
    ),
    history(
      'half an emoji in a product code',
      { purchases: [{ ...day('1'), products: [LONE] }] },
      'lone_surrogate',
      '/purchases/0/products/0',
    ),
    history('NUL in a customer_id', { customer_id: NUL }, 'nul_character', '/customer_id'),
  ];
}

/** Every refusal, one by one. */
export const HOSTILE_CASES: readonly HostileCase[] = [
  ...fieldCases(),
  ...textCases(),
  ...unknownFieldCases(),
  ...bodyCases(),
  ...addressCases(),
  ...classificationCases(),
];

/** Texts that look dangerous and are perfectly good ids. */
export const ODD_IDS: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'lookup',
  'null',
  '-',
  ' ',
  'a/b',
  'a%2Fb',
  '%00',
  '%zz',
  'a?b#c&d=e',
  'a;b',
  'a+b c',
  "'; drop table customers; --",
  '"\\',
  '<script>alert(1)</script>',
  'ana@example.com',
  'ñandú',
  'n\u0303',
  '日本語',
  '\u202egnp.exe',
  '\u0001\u001f\u007f\n\r\t',
  '\ufeff',
  '\uffff',
  '😀'.repeat(128),
  'x'.repeat(128),
  '$1',
  '{}',
  '[object Object]',
];

/** The built-in models as documents; each may be sent to the classifier. */
export const DOCUMENTS = Object.values(BUILT_IN_MODELS);
