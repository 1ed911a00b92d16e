import { type HostileCase, inBatch, inPut, LONE, NUL, VALID } from './case.ts';

/** Ids, tags, codes and kinds that break a limit. */
export function textCases(): HostileCase[] {
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
export function unknownFieldCases(): HostileCase[] {
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
