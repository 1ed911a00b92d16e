import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { Calendar, formatDay, parseDay } from './calendar.ts';
import type { Condition, ModelDocument, StageDocument } from './model-document.ts';
import { formatMoney, parseMoney } from './money.ts';
import { Oracle } from './oracle.ts';
import type { InteractionBody, PurchaseItem } from './store.ts';

const { models } = JSON.parse(readFileSync(new URL('models.json', import.meta.url), 'utf8')) as {
  models: ModelDocument[];
};
const SAMPLE = new URL('../../../shared/data/cdnow_sample.csv', import.meta.url);
const SAMPLE_STAGES = new URL('../../../shared/data/cdnow_sample.stages.json', import.meta.url);
const WORDS = { en: '-', es: '-', de: '-' };

/** An oracle with the built-in models and one that has the stages `known` and `there`, the latter by the given rule. */
function oracleOf(when: Condition, timeZone = 'UTC', today = '2025-01-01') {
  const stage = (name: string): StageDocument => ({ stage: name, title: WORDS, description: WORDS });
  const stages = [stage('known'), { ...stage('there'), when }];
  const lapse = { policy: 'fixed', at_risk_after_days: 90, lapsed_after_days: 180 } as const;
  const own = { model_id: 'own', title: WORDS, description: WORDS, lapse, stages };
  const clock = { today };
  const oracle = new Oracle({ timeZone, decimals: 2, models: [...models, own], today: () => clock.today });
  let ids = 0;
  const buy = (at: string, amount = '10.00', more: Partial<PurchaseItem> = {}) => {
    ids += 1;
    const item = { customer_id: 'ana', purchase_id: `p${ids}`, purchased_at: at, amount, ...more };
    return oracle.postPurchases([item])[0];
  };
  const tell = (at: string, kind: string, more: Partial<InteractionBody> = {}, interaction_id?: string) => {
    ids += 1;
    const id = interaction_id ?? `i${ids}`;
    return oracle.postInteractions([{ customer_id: 'ana', interaction_id: id, occurred_at: at, kind, ...more }])[0];
  };
  const refund = (purchase_id: string, at: string, amount: string) => {
    ids += 1;
    return oracle.postRefunds([{ customer_id: 'ana', refund_id: `r${ids}`, purchase_id, refunded_at: at, amount }])[0];
  };
  /** The days the customer spends in the stage `there`, as `from..to` with `to` exclusive. */
  const there = () => {
    const spells = oracle.timeline('own', 'ana') ?? [];
    const days = spells.filter((spell) => spell.stage === 'there');
    return days.map(({ from, to }) => `${from}..${to ?? ''}`).join(' ');
  };
  const spells = (modelId: string) =>
    (oracle.timeline(modelId, 'ana') ?? []).map(({ stage, activity, from }) => `${from} ${stage} ${activity}`);
  return { oracle, clock, buy, tell, refund, there, spells };
}

const ALWAYS: Condition = { feature: 'purchase_days', at_least: 0 };

t.test('day 90 of silence is active, day 91 at risk, day 180 at risk, day 181 lapsed', async (t) => {
  const { buy, oracle, spells } = oracleOf(ALWAYS);
  buy('2023-01-01');
  t.strictSame(spells('lifecycle'), [
    '2023-01-01 first_time_buyer active',
    '2023-04-02 first_time_buyer at_risk',
    '2023-07-01 first_time_buyer lapsed',
  ]);
  t.strictSame(oracle.position('lifecycle', 'ana', '2023-04-01'), {
    stage: 'first_time_buyer',
    activity: 'active',
    since: '2023-01-01',
  });
  t.equal(oracle.position('lifecycle', 'ana', '2022-12-31'), null, 'nobody is there the day before');
});

t.test(
  'the fourth purchase day makes a core customer, whose lapse makes a core defector until the win-back',
  async (t) => {
    const { buy, spells } = oracleOf(ALWAYS);
    for (const day of ['2022-01-01', '2022-01-01', '2022-01-02', '2022-01-03', '2022-01-04', '2022-08-01']) buy(day);
    t.strictSame(spells('lifecycle').slice(0, 7), [
      '2022-01-01 first_time_buyer active',
      '2022-01-02 early_repeat_buyer active',
      '2022-01-04 core_customer active',
      '2022-04-05 core_customer at_risk',
      '2022-07-04 core_defector lapsed',
      '2022-08-01 core_customer active',
      '2022-10-31 core_customer at_risk',
    ]);
  },
);

t.test('moves and balance of a period come from the ends of its days', async (t) => {
  const { buy, tell, oracle } = oracleOf(ALWAYS);
  tell('2022-12-01', 'visit');
  buy('2023-01-01', '5');
  buy('2023-01-02', '7.5');
  const { moves, balance } = oracle.stageMoves('lifecycle', '2023-01-01', '2023-04-04');
  t.strictSame(
    moves.map((move) => Object.values(move).join(' ')),
    [
      'prospect none first_time_buyer active 1',
      'first_time_buyer active early_repeat_buyer active 1',
      'early_repeat_buyer active early_repeat_buyer at_risk 1',
    ],
  );
  t.strictSame(
    balance.map(({ stage, opening, entered, left, closing }) => `${stage} ${opening} ${entered} ${left} ${closing}`),
    [
      'prospect 1 0 1 0',
      'first_time_buyer 0 1 1 0',
      'early_repeat_buyer 0 1 0 1',
      'core_customer 0 0 0 0',
      'core_defector 0 0 0 0',
    ],
  );
  const shorter = oracle.stageMoves('lifecycle', '2023-01-02', '2023-04-03').moves;
  t.strictSame(shorter, moves.slice(1, 2), 'the first day belongs to the period, the last does not');
  t.strictSame(oracle.stageMoves('lifecycle', '2022-12-01', '2022-12-02').moves, [
    { from_stage: null, from_activity: null, to_stage: 'prospect', to_activity: 'none', customers: 1 },
  ]);
  t.strictSame(oracle.stagePopulation('lifecycle', '2023-01-01'), [
    { stage: 'first_time_buyer', activity: 'active', customers: 1, revenue: '5.00' },
  ]);
  t.strictSame(oracle.stagePopulation('lifecycle', '2199-12-31'), [
    { stage: 'early_repeat_buyer', activity: 'lapsed', customers: 1, revenue: '12.50' },
  ]);
});

t.test('a whole refund takes the purchase day away, an over-refund leaves negative revenue', async (t) => {
  const { buy, refund, oracle, spells } = oracleOf(ALWAYS);
  t.equal(refund('p2', '2023-03-01', '10.01'), 'created');
  t.equal(oracle.status().pending_refunds, 1, 'the purchase is not there yet');
  buy('2023-02-01', '10.00', { cost: '2.00' });
  t.equal(oracle.status().pending_refunds, 0);
  t.strictSame(spells('lifecycle'), ['2023-02-01 prospect none']);
  t.strictSame(oracle.customer('ana'), {
    known_since: '2023-02-01',
    purchases: 0,
    purchase_days: 0,
    revenue: '-0.01',
    profit: '-2.01',
    first_purchase_day: null,
    last_purchase_day: null,
    groups: [],
  });
  oracle.deleteItem('refunds', 'ana', 'r1');
  t.equal(oracle.customer('ana')?.revenue, '10.00', 'a voided refund is without effect');
});

t.test('a free purchase counts even when something is refunded on it', async (t) => {
  const { buy, refund, oracle } = oracleOf(ALWAYS);
  buy('2023-02-01', '0');
  refund('p1', '2023-02-02', '1.00');
  t.match(oracle.customer('ana'), { purchases: 1, purchase_days: 1, revenue: '-1.00' });
});

t.test(
  'a departure lapses a buyer from its own day, even with a purchase on it, until a later purchase day',
  async (t) => {
    const { buy, tell, spells } = oracleOf(ALWAYS);
    tell('2023-01-01', 'departure', { reason: 'price' });
    buy('2023-02-01');
    tell('2023-02-10', 'departure', { reason: 'boredom' });
    buy('2023-02-10T23:00:00Z');
    buy('2023-02-12');
    t.strictSame(spells('lifecycle').slice(0, 4), [
      '2023-01-01 prospect none',
      '2023-02-01 first_time_buyer active',
      '2023-02-10 early_repeat_buyer lapsed',
      '2023-02-12 early_repeat_buyer active',
    ]);
  },
);

t.test('a resolution closes the complaints of its own day, and the oldest open one is asked for', async (t) => {
  const { tell, there } = oracleOf({ feature: 'days_since_open_complaint', at_least: 3 });
  tell('2023-01-01', 'complaint');
  tell('2023-01-03', 'complaint');
  t.equal(there(), '2023-01-04..');
  tell('2023-01-03', 'resolution');
  t.equal(there(), '');
  tell('2023-01-05', 'complaint');
  tell('2023-01-20', 'resolution');
  t.equal(there(), '2023-01-08..2023-01-20');
});

t.test('of two scores on one day the later instant wins, then the greater interaction_id', async (t) => {
  const { tell, there } = oracleOf({ feature: 'latest_score', at_least: 9 });
  tell('2023-01-01T12:00:00Z', 'survey', { score: 9 }, 'b');
  tell('2023-01-01T13:00:00+01:00', 'survey', { score: 3 }, 'a');
  t.equal(there(), '2023-01-01..', 'the same instant: b is greater than a');
  tell('2023-01-01T12:00:00.000001Z', 'survey', { score: 4 }, '0');
  t.equal(there(), '');
});

t.test(
  'where clocks go back over midnight, the score of the later day wins over that of the later instant',
  async (t) => {
    const { tell, there } = oracleOf({ feature: 'latest_score', at_least: 9 }, 'America/St_Johns');
    tell('2010-11-07T02:30:30Z', 'survey', { score: 9 });
    tell('2010-11-07T02:45:00Z', 'survey', { score: 3 });
    t.equal(there(), '2010-11-07..', 'clocks went from 00:01 on the 7th to 23:01 on the 6th');
  },
);

t.test('a comparison with what does not exist is false, and its negation true', async (t) => {
  const low = { feature: 'latest_score', less_than: 7 } as const;
  const { tell, there } = oracleOf({ not: low });
  tell('2023-01-01', 'visit');
  t.equal(there(), '2023-01-01..');
  tell('2023-01-05', 'survey', { score: 6 });
  t.equal(there(), '2023-01-01..2023-01-05');
});

t.test('a window of W days holds the day itself and the W − 1 before', async (t) => {
  const { buy, there } = oracleOf({ feature: 'revenue', more_than: '14.99', within_days: 3 });
  buy('2023-01-01', '10');
  buy('2023-01-03', '5');
  t.equal(there(), '2023-01-03..2023-01-04');
});

t.test('distinct products come from counting purchases only', async (t) => {
  const { buy, refund, there } = oracleOf({ feature: 'distinct_products', at_least: 2, within_days: 10 });
  buy('2023-01-01', '10', { products: ['a', 'a'] });
  buy('2023-01-05', '10', { products: ['a', 'b'] });
  t.equal(there(), '2023-01-05..2023-01-15');
  refund('p2', '2023-06-01', '10');
  t.equal(there(), '');
});

t.test('a stage once reached stays reached, on scheduled days too', async (t) => {
  const waits = { feature: 'days_since_last_purchase', at_least: 5, at_most: 6 } as const;
  const { buy, oracle } = oracleOf({ stage_reached: 'known' });
  const [document] = models;
  const plain = { title: WORDS, description: WORDS };
  const stages = [
    { stage: 'known', ...plain },
    { stage: 'waited', ...plain, when: waits },
    { stage: 'back', ...plain, when: { all: [{ stage_reached: 'waited' }, { not: waits }] } },
  ];
  if (document === undefined) throw new Error('no model');
  const model: ModelDocument = { ...document, model_id: 'waits', stages };
  const own = new Oracle({ timeZone: 'UTC', decimals: 2, models: [model], today: () => '2025-01-01' });
  own.postPurchases([{ customer_id: 'ana', purchase_id: '1', purchased_at: '2023-01-01', amount: '1' }]);
  t.strictSame(own.timeline('waits', 'ana')?.slice(0, 3), [
    { stage: 'known', activity: 'active', from: '2023-01-01', to: '2023-01-06' },
    { stage: 'waited', activity: 'active', from: '2023-01-06', to: '2023-01-08' },
    { stage: 'back', activity: 'active', from: '2023-01-08', to: '2023-04-02' },
  ]);
  buy('2023-01-01');
  t.equal(oracle.position('own', 'ana', '2023-01-01')?.stage, 'there', 'the first stage is always reached');
});

t.test('inbound interactions, scores and referrals move the other built-in models', async (t) => {
  const { buy, tell, spells } = oracleOf(ALWAYS);
  tell('2022-01-01', 'contact');
  tell('2022-01-02', 'webinar');
  tell('2022-01-03', 'inquiry');
  for (const day of ['2022-02-01', '2022-02-02', '2022-02-03', '2022-02-04']) buy(day);
  tell('2022-02-05', 'referral');
  tell('2022-02-06', 'survey', { score: 6 });
  tell('2022-02-07', 'survey', { score: 7 });
  t.strictSame(spells('relationship').slice(0, 7), [
    '2022-01-01 contact none',
    '2022-01-03 acquisition none',
    '2022-02-01 conversion active',
    '2022-02-02 continuation active',
    '2022-02-04 loyalty active',
    '2022-02-06 continuation active',
    '2022-02-07 loyalty active',
  ]);
  t.strictSame(spells('loyalty_ladder').slice(0, 8), [
    '2022-01-01 suspect none',
    '2022-01-03 prospect none',
    '2022-02-01 trier active',
    '2022-02-02 repeat_customer active',
    '2022-02-04 frequent_customer active',
    '2022-02-05 promoter active',
    '2022-02-06 frequent_customer active',
    '2022-02-07 promoter active',
  ]);
});

t.test('the same content in other words is a duplicate, other content a conflict', async (t) => {
  const { oracle } = oracleOf(ALWAYS);
  const item = {
    customer_id: 'ana',
    purchase_id: '1',
    purchased_at: '2023-01-01',
    amount: '5.50',
    products: ['a', 'b'],
  };
  const other = {
    ...item,
    purchased_at: '2023-01-01T02:00:00.000+02:00',
    amount: '5.5',
    products: ['b', 'a'],
    cost: '0',
  };
  const moved = { ...item, purchased_at: '2023-01-01T00:00:00.000001Z' };
  t.strictSame(oracle.postPurchases([item, item, other, moved]), ['created', 'duplicate', 'duplicate', 'conflict']);
  t.equal(oracle.deleteItem('purchases', 'ana', '2'), false);
  t.equal(oracle.deleteItem('purchases', 'ana', '1'), true);
  t.equal(oracle.deleteItem('purchases', 'ana', '1'), true);
  t.strictSame(oracle.postPurchases([item, moved]), ['duplicate', 'conflict']);
  t.equal(oracle.customer('ana')?.purchases, 0, 'a voided row stays void');
  t.equal(oracle.putItem('purchases', 'ana', '1', other), 'updated', 'PUT revives');
  t.equal(oracle.putItem('purchases', 'ana', '1', item), 'duplicate');
  t.equal(oracle.customer('ana')?.revenue, '5.50');
});

t.test('existence is the earliest of known_since and all rows, else the day of receipt', async (t) => {
  const { oracle, clock, buy } = oracleOf(ALWAYS, 'UTC', '2024-05-05');
  t.strictSame(oracle.postCustomers([{ customer_id: 'ana' }, { customer_id: 'ana', groups: [] }]), [
    'created',
    'duplicate',
  ]);
  t.equal(oracle.customer('ana')?.known_since, '2024-05-05');
  t.equal(oracle.status().data_through, '2024-05-05');
  clock.today = '2024-06-01';
  t.equal(buy('2024-05-20'), 'created');
  t.equal(oracle.customer('ana')?.known_since, '2024-05-20', 'a row dates better than a receipt');
  oracle.deleteItem('purchases', 'ana', 'p1');
  t.equal(oracle.customer('ana')?.known_since, '2024-05-20', 'a voided row still does');
  const items = [{ customer_id: 'ana', known_since: '2024-05-30', groups: ['b', 'a', 'b'] }, { customer_id: 'ana' }];
  t.strictSame(oracle.postCustomers(items), ['updated', 'duplicate']);
  t.match(oracle.customer('ana'), { known_since: '2024-05-20', groups: ['a', 'b'] });
  t.equal(oracle.status().data_through, '2024-05-30');
  t.equal(oracle.stagePopulation('lifecycle', '2024-06-01', 'a').length, 1);
  t.equal(oracle.stagePopulation('lifecycle', '2024-06-01', 'c').length, 0);
});

t.test('an erased customer takes nothing dated on or before the erasure, and starts anew after it', async (t) => {
  const { oracle, clock, buy, tell } = oracleOf(ALWAYS, 'UTC', '2024-05-05');
  t.equal(oracle.eraseCustomer('ana'), false);
  buy('2024-01-01');
  t.equal(oracle.eraseCustomer('ana'), true);
  t.equal(oracle.customer('ana'), null);
  clock.today = '2024-05-07';
  t.equal(oracle.eraseCustomer('ana'), true, 'the old day of erasure stays');
  t.equal(buy('2024-05-05'), 'invalid');
  const record = { customer_id: 'ana' };
  const dated = [record, { ...record, known_since: '2024-05-05' }, { ...record, known_since: '2024-05-06' }, record];
  t.strictSame(oracle.postCustomers(dated), ['invalid', 'invalid', 'created', 'invalid']);
  t.equal(tell('2024-05-06', 'visit'), 'created');
  const body = { purchased_at: '2024-05-05', amount: '1' };
  t.equal(oracle.putItem('purchases', 'ana', '1', body), 'customer_erased');
  t.equal(oracle.eraseCustomer('ana'), true);
  t.equal(tell('2024-05-07', 'visit'), 'invalid', 'erased again, today');
  t.strictSame(oracle.customerIds(), []);
  t.equal(oracle.status().data_through, null);
});

t.test('days are those of the reporting zone', async (t) => {
  const zone = (timeZone: string, text: string): string => formatDay(new Calendar(timeZone).read(text).day);
  t.equal(zone('America/New_York', '2024-01-02T04:59:59.999999Z'), '2024-01-01');
  t.equal(zone('America/New_York', '2024-01-02T05:00:00Z'), '2024-01-02');
  t.equal(zone('Pacific/Apia', '2011-12-30T10:00:00Z'), '2011-12-31', 'Samoa has no 30 December 2011');
  t.equal(zone('Asia/Kolkata', '1969-12-31T18:30:00Z'), '1970-01-01');
  const start = (timeZone: string, day: string): number => new Calendar(timeZone).read(day).micros / 1_000_000;
  t.equal(start('America/New_York', '2024-07-01'), Date.parse('2024-07-01T04:00:00Z') / 1000);
  t.equal(start('Asia/Kolkata', '1970-01-01'), -19_800);
  t.equal(start('America/Sao_Paulo', '2018-11-04'), Date.parse('2018-11-04T03:00:00Z') / 1000, 'midnight is skipped');
  const { buy, spells } = oracleOf(ALWAYS, 'America/New_York');
  buy('2024-01-02T04:59:59Z');
  buy('2024-01-02T05:00:00Z');
  t.strictSame(spells('lifecycle').slice(0, 2), [
    '2024-01-01 first_time_buyer active',
    '2024-01-02 early_repeat_buyer active',
  ]);
});

t.test('money and days are read strictly and written whole', async (t) => {
  t.strictSame(
    ['5', '5.5', '5.50', '-0.01', '-0.00'].map((text) => parseMoney(text, 2)),
    [500, 550, 550, -1, 0],
  );
  t.strictSame(
    [0, 7, -1230].map((minor) => formatMoney(minor, 2)),
    ['0.00', '0.07', '-12.30'],
  );
  t.strictSame([formatMoney(-7, 0), formatMoney(7, 3)], ['-7', '0.007']);
  for (const text of ['5.001', '', '.5', '5.', '1e3']) t.throws(() => parseMoney(text, 2), { name: 'RangeError' });
  for (const text of ['2023-02-29', '2023-2-1', '']) t.throws(() => parseDay(text), { name: 'RangeError' });
});

const skip = existsSync(SAMPLE) ? false : '../shared/data/cdnow_sample.csv is not here';
t.test('the CDNOW sample stands where a separate program saw it', { skip }, async (t) => {
  const lines = readFileSync(SAMPLE, 'utf8').trim().split(/\r?\n/).slice(1);
  const oracle = new Oracle({ timeZone: 'UTC', decimals: 2, models, today: () => '1998-07-01' });
  oracle.postPurchases(
    lines.map((line) => {
      const [customer_id = '', purchase_id = '', purchased_at = '', amount = ''] = line.split(',');
      return { customer_id, purchase_id, purchased_at, amount };
    }),
  );
  const expected: Record<string, Record<string, Record<string, number>>> = JSON.parse(
    readFileSync(SAMPLE_STAGES, 'utf8'),
  );
  for (const [day, byModel] of Object.entries(expected)) {
    for (const [modelId, counts] of Object.entries(byModel)) {
      const rows = oracle.stagePopulation(modelId, day);
      const seen = Object.fromEntries(rows.map((row) => [`${row.stage}/${row.activity}`, row.customers]));
      t.strictSame(seen, counts, `${modelId} on ${day}`);
    }
  }
  const revenue = oracle.stagePopulation('lifecycle', '1998-06-30').map((row) => parseMoney(row.revenue, 2));
  t.equal(
    formatMoney(
      revenue.reduce((sum, minor) => sum + minor, 0),
      2,
    ),
    '244091.94',
  );
});

t.test('merged customers are one under every id, unless their items contradict each other', async (t) => {
  const { oracle, clock } = oracleOf(ALWAYS, 'UTC', '2024-05-05');
  const bought = (customer_id: string, purchase_id: string, amount = '1') => {
    return { customer_id, purchase_id, purchased_at: '2024-01-01', amount };
  };
  oracle.postPurchases([bought('ana', 'p'), bought('ben', 'p'), bought('ben', 'q'), bought('eve', 'q', '2')]);
  oracle.postCustomers([
    { customer_id: 'ana', known_since: '2023-12-01', groups: ['b'] },
    { customer_id: 'ben', groups: ['a'] },
  ]);
  t.equal(oracle.mergeCustomers('ben', 'nobody'), 'customer_not_found');
  t.equal(oracle.mergeCustomers('ben', 'ana'), 'merged');
  t.equal(oracle.mergeCustomers('ben', 'ana'), 'merged', 'again');
  t.equal(oracle.mergeCustomers('ben', 'eve'), 'customer_merged');
  t.equal(oracle.mergeCustomers('eve', 'ben'), 'merge_conflict');
  t.match(oracle.customer('ana'), { known_since: '2023-12-01', purchases: 2, revenue: '2.00', groups: ['a', 'b'] });
  t.strictSame(oracle.customerIds(), ['ana', 'eve']);
  t.strictSame(oracle.mergedIds('ana'), ['ben']);
  t.strictSame(oracle.postPurchases([bought('ben', 'p'), bought('ben', 'r')]), ['duplicate', 'created']);
  t.equal(oracle.customer('ana')?.purchases, 3);
  t.equal(oracle.eraseCustomer('ben'), true);
  clock.today = '2024-05-06';
  t.strictSame(oracle.customerIds(), ['eve']);
  t.strictSame(oracle.postPurchases([bought('ben', 'p'), bought('ana', 'p')]), ['invalid', 'invalid']);
});
