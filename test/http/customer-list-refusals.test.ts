import t from 'tap';
import { testService } from '../support/service.ts';

// What a list cannot be asked for: said before anything is read, with the place, and never with the value.

const service = await testService(t);
await service.call('POST', '/v1/customers', {
  items: [{ customer_id: 'ana', known_since: '2026-01-01', groups: ['vip'] }],
});

const get = async (search: string) => await service.call('GET', `/v1/customers?${search}`);
const entered = (from: string, to: string): string => `stage=prospect&entered_from=${from}&entered_to=${to}`;

/** Each with the parameter that is to blame and the code of what is wrong with it. */
const REFUSED: readonly (readonly [search: string, parameter: string, code: string])[] = [
  ['model=nothing', 'model', 'unknown_model'],
  ['model=Lifecycle', 'model', 'wrong_format'],
  ['stage=', 'stage', 'unknown_stage'],
  ['stage=promoter', 'stage', 'unknown_stage'],
  ['stage=core_customer%00', 'stage', 'nul_character'],
  [`stage=${'x'.repeat(65)}`, 'stage', 'wrong_length'],
  ['stage=prospect&stage=prospect', 'stage', 'wrong_type'],
  ['activity=gone', 'activity', 'unknown_value'],
  ['group=nobody', 'group', 'unknown_group'],
  ['group=vip%00', 'group', 'nul_character'],
  ['group=%ed%a0%80', 'group', 'unknown_group'],
  ['group=', 'group', 'wrong_length'],
  ['sort=revenue,profit', 'sort', 'unknown_value'],
  ['sort=-revenue', 'sort', 'unknown_value'],
  ['limit=0', 'limit', 'out_of_range'],
  ['limit=1001', 'limit', 'out_of_range'],
  ['limit=1.5', 'limit', 'wrong_type'],
  ['limit=1e400', 'limit', 'out_of_range'],
  ['days_since_last_purchase=-1', 'days_since_last_purchase', 'out_of_range'],
  ['days_since_last_interaction=9007199254740993', 'days_since_last_interaction', 'out_of_range'],
  ['open_complaint_days_at_least=soon', 'open_complaint_days_at_least', 'wrong_type'],
  ['entered_from=2026-01-01&entered_to=2026-02-01', 'entered_from', 'invalid_range'],
  ['entered_to=2026-02-01', 'entered_from', 'invalid_range'],
  ['stage=prospect&entered_from=2026-01-01', 'entered_to', 'invalid_range'],
  ['stage=prospect&entered_to=2026-01-01', 'entered_from', 'invalid_range'],
  [entered('2026-01-01', '2026-01-01'), 'entered_to', 'invalid_range'],
  [entered('2026-02-30', '2026-03-01'), 'entered_from', 'not_a_day'],
  [entered('2026-02-01', '2026-02-29'), 'entered_to', 'not_a_day'],
  [entered('1899-12-31', '2026-02-28'), 'entered_from', 'wrong_format'],
  [entered('2026-1-1', '2026-02-28'), 'entered_from', 'wrong_format'],
  ['order=desc', 'order', 'unknown_field'],
  ['__proto__=1', '__proto__', 'unknown_field'],
  ['cursor=', 'cursor', 'wrong_length'],
  [`cursor=${'A'.repeat(1_025)}`, 'cursor', 'wrong_length'],
  ['cursor=nonsense', 'cursor', 'invalid_cursor'],
];

t.test('a list that cannot be is refused by the parameter to blame', async (t) => {
  for (const [search, parameter, code] of REFUSED) {
    const { status, headers, body, text } = await get(search);
    t.equal(status, 400, search);
    t.match(headers['content-type'], /^application\/problem\+json/, search);
    t.match(body.errors, [{ parameter, code }], search);
    t.notMatch(text, /select|node_modules|int4|kysely/i, search);
  }
});

t.test('the utmost that can be asked is answered', async (t) => {
  for (const search of [
    'limit=1000',
    'limit=1',
    'days_since_last_purchase=109571',
    'days_since_last_interaction=0',
    entered('1900-01-01', '2199-12-31'),
    'stage=prospect&activity=lapsed',
    'group=vip',
  ]) {
    t.equal((await get(search)).status, 200, search);
  }
});

t.test('a stage that goes with no such activity has nobody, and is no mistake', async (t) => {
  const { body } = await get('stage=prospect&activity=lapsed');
  t.strictSame(body.items, []);
});

t.test('a forged cursor of this very list is refused, or reads what it says; it never fails', async (t) => {
  await service.call('POST', '/v1/customers', { items: ['ben', 'eva'].map((customer_id) => ({ customer_id })) });
  const VALUES: readonly (readonly [value: string, sorts: string])[] = [
    ['null', 'last_purchase_day customer_id'],
    ['0', 'revenue profit last_purchase_day'],
    ['-9007199254740991', 'revenue profit'],
    ['9007199254740991', 'revenue profit'],
    ['9007199254740993', ''],
    ['1e400', ''],
    ['-25567', 'revenue profit last_purchase_day'],
    ['-25568', 'revenue profit'],
    [String(Date.parse('2199-12-31') / 86_400_000), 'revenue profit last_purchase_day'],
    [String(Date.parse('2200-01-01') / 86_400_000), 'revenue profit'],
    ['0.5', ''],
    ['"0"', ''],
    ['[]', ''],
  ];
  for (const sort of ['revenue', 'profit', 'last_purchase_day', 'customer_id']) {
    const { body } = await get(`sort=${sort}&limit=1`);
    const [binding] = JSON.parse(Buffer.from(body.next_cursor, 'base64url').toString()) as string[];
    const forged = (value: string, id: string): string =>
      Buffer.from(`["${binding}",${value},${id}]`).toString('base64url');
    for (const [value, sorts] of VALUES) {
      const { status } = await get(`sort=${sort}&cursor=${forged(value, '"ana"')}`);
      t.equal(status, sorts.split(' ').includes(sort) ? 200 : 400, `${sort} after ${value}`);
    }
    const fitting = sort === 'customer_id' ? 'null' : '0';
    for (const id of ['"\\u0000"', '7', `"${'x'.repeat(257)}"`, 'null']) {
      t.equal((await get(`sort=${sort}&cursor=${forged(fitting, id)}`)).status, 400, `${sort} after ${id.slice(0, 9)}`);
    }
    t.equal((await get(`sort=${sort}&cursor=${forged(fitting, '"\\ud800"')}`)).status, 200, 'an id that cannot be');
  }
});

t.test('a form that is not offered is refused', async (t) => {
  const { status, body } = await service.call('GET', '/v1/customers', undefined, { accept: 'application/xml' });
  t.equal(status, 406);
  t.equal(body.code, 'not_acceptable');
});
