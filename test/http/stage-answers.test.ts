import t from 'tap';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { testService } from '../support/service.ts';
import { Shop, TODAY } from './shop.ts';

t.setTimeout(120_000);

t.test('a customer who bought on two days is an early repeat buyer, and is told what comes next', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('ana', '2026-03-01', '2026-04-10', '2026-04-10T18:00:00Z');
  t.strictSame(await shop.stage('ana', 'lifecycle'), {
    customer_id: 'ana',
    model: 'lifecycle',
    model_version: 1,
    as_of: TODAY,
    projected: false,
    stage: 'early_repeat_buyer',
    title: 'Early repeat buyer',
    rung: 3,
    rungs: 5,
    activity: 'active',
    since: '2026-04-10',
    rule: { feature: 'purchase_days', at_least: 2, less_than: 4 },
    inputs: [{ feature: 'purchase_days', within_days: null, kinds: null, value: 2 }],
    next_stage: {
      stage: 'core_customer',
      title: 'Core customer',
      rung: 4,
      missing: [
        {
          text: '2 more purchase days',
          feature: 'purchase_days',
          operator: 'at_least',
          threshold: 4,
          have: 2,
          more: 2,
        },
      ],
    },
    // 10 April and 91 days.
    next_move: { on: '2026-07-10', stage: 'early_repeat_buyer', activity: 'at_risk' },
  });
  t.strictSame(await shop.stands('ana'), {
    lifecycle: 'early_repeat_buyer active',
    relationship: 'continuation active',
    journey: 'retention active',
    loyalty_ladder: 'repeat_customer active',
  });
});

t.test('silence moves a customer on the day it was announced for, and no day earlier', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('ana', '2026-03-01', '2026-04-10');
  const on = async (as_of: string) => {
    const { stage, activity, since, projected, next_move } = await shop.stage('ana', 'lifecycle', `&as_of=${as_of}`);
    return { stands: `${stage} ${activity}`, since, projected, next_move };
  };
  const lapse = { on: '2026-10-08', stage: 'early_repeat_buyer', activity: 'lapsed' };
  t.match(await on('2026-07-09'), { stands: 'early_repeat_buyer active', since: '2026-04-10', projected: true });
  t.match(await on('2026-07-10'), { stands: 'early_repeat_buyer at_risk', since: '2026-07-10', next_move: lapse });
  t.match(await on('2026-10-07'), { stands: 'early_repeat_buyer at_risk', next_move: lapse });
  t.match(await on('2026-10-08'), { stands: 'early_repeat_buyer lapsed', since: '2026-10-08', next_move: null });
  t.match(await on('2026-04-09'), { stands: 'first_time_buyer active', since: '2026-03-01', projected: false });
  t.match(await on('2026-02-28'), { stands: 'null null', since: null, next_move: null });
});

t.test('a timeline holds every spell without a gap, the scheduled ones marked', async (t) => {
  const shop = await Shop.open(t);
  await shop.post('customers', { customer_id: 'ana', known_since: '2026-02-01' });
  await shop.buys('ana', '2026-03-01', '2026-04-10');
  const { body } = await shop.get('/v1/customers/ana/timeline');
  t.strictSame(body, {
    customer_id: 'ana',
    model: 'lifecycle',
    model_version: 1,
    items: [
      { stage: 'prospect', activity: 'none', from: '2026-02-01', to: '2026-03-01', scheduled: false },
      { stage: 'first_time_buyer', activity: 'active', from: '2026-03-01', to: '2026-04-10', scheduled: false },
      { stage: 'early_repeat_buyer', activity: 'active', from: '2026-04-10', to: '2026-07-10', scheduled: false },
      { stage: 'early_repeat_buyer', activity: 'at_risk', from: '2026-07-10', to: '2026-10-08', scheduled: true },
      { stage: 'early_repeat_buyer', activity: 'lapsed', from: '2026-10-08', to: null, scheduled: true },
    ],
  });
});

t.test('somebody who only asked is a prospect, and one purchase away from the next stage', async (t) => {
  const shop = await Shop.open(t);
  await shop.tells('ben', 'inquiry', '2026-05-01');
  await shop.tells('cem', 'contact', '2026-05-01');
  t.strictSame(await shop.stands('ben'), {
    lifecycle: 'prospect none',
    relationship: 'acquisition none',
    journey: 'acquisition none',
    loyalty_ladder: 'prospect none',
  });
  t.strictSame(await shop.stands('cem'), {
    lifecycle: 'prospect none',
    relationship: 'contact none',
    journey: 'acquisition none',
    loyalty_ladder: 'suspect none',
  });
  const { rule, since, next_stage, next_move } = await shop.stage('ben', 'lifecycle');
  t.strictSame(
    { rule, since, next_move, missing: next_stage.missing[0].text },
    { rule: null, since: '2026-05-01', next_move: null, missing: '1 more purchase day' },
  );
  const suspect = await shop.stage('cem', 'loyalty_ladder');
  t.match(suspect.next_stage, { stage: 'prospect', missing: [{ feature: 'interactions', more: 1 }] });
});

t.test('a core customer who recommends us is on the top rung, and scheduled to be at risk', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('eva', '2026-02-01', '2026-03-01', '2026-04-01', '2026-05-01');
  t.equal((await shop.stands('eva')).loyalty_ladder, 'frequent_customer active');
  const advocate = (await shop.stage('eva', 'loyalty_ladder')).next_stage;
  t.equal(advocate.stage, 'advocate');
  t.match(advocate.missing, [
    {
      text: /latest score: at least 9 \(now none\) or 1 more interaction \(testimonial\) within 365 days/,
      feature: null,
    },
  ]);
  await shop.tells('eva', 'survey', '2026-05-10', { score: 9 });
  t.equal((await shop.stands('eva')).loyalty_ladder, 'advocate active');
  await shop.tells('eva', 'referral', '2026-05-20');
  t.strictSame(await shop.stands('eva'), {
    lifecycle: 'core_customer active',
    relationship: 'loyalty active',
    journey: 'loyalty active',
    loyalty_ladder: 'promoter active',
  });
  for (const model of ['lifecycle', 'relationship', 'journey', 'loyalty_ladder'])
    t.equal((await shop.stage('eva', model)).next_stage, null, `nothing is above in ${model}`);
  // 1 May and 91 days.
  t.strictSame((await shop.stage('eva', 'loyalty_ladder')).next_move, {
    on: '2026-07-31',
    stage: 'promoter',
    activity: 'at_risk',
  });
  // 1 May and 181 days: who is lost is neither core nor loyal.
  t.strictSame(await shop.stands('eva', '2026-10-29'), {
    lifecycle: 'core_defector lapsed',
    relationship: 'continuation lapsed',
    journey: 'retention lapsed',
    loyalty_ladder: 'frequent_customer lapsed',
  });
  t.equal((await shop.stands('eva', '2026-10-28')).lifecycle, 'core_customer at_risk');
});

t.test('a low score keeps a core customer from loyalty and says so', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('fay', '2026-02-01', '2026-03-01', '2026-04-01', '2026-05-01');
  await shop.tells('fay', 'survey', '2026-05-10', { score: 5 });
  const { stage, next_stage } = await shop.stage('fay', 'relationship');
  t.equal(stage, 'continuation');
  t.match(next_stage, {
    stage: 'loyalty',
    missing: [
      {
        text: 'latest score: at least 7 (now 5)',
        feature: 'latest_score',
        operator: 'at_least',
        threshold: 7,
        have: 5,
        more: null,
      },
    ],
  });
  t.equal((await shop.stands('fay')).lifecycle, 'core_customer active', 'the lifecycle does not ask');
});

t.test('a core customer who lapsed is a core defector until the next purchase', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('leo', '2025-01-01', '2025-02-01', '2025-03-01', '2025-04-01');
  // 1 April 2025 and 181 days.
  t.match(await shop.stage('leo', 'lifecycle'), {
    stage: 'core_defector',
    activity: 'lapsed',
    since: '2025-09-29',
    rung: 5,
    next_stage: null,
    next_move: null,
  });
  t.match(await shop.stage('leo', 'journey'), { stage: 'retention', next_stage: { stage: 'loyalty' } });
  await shop.buys('leo', '2026-06-01');
  t.match(await shop.stage('leo', 'lifecycle'), { stage: 'core_customer', activity: 'active', since: '2026-06-01' });
});

t.test('a stated departure makes a buyer lapsed from that day, until a later purchase day', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('dan', '2026-06-01');
  await shop.tells('dan', 'departure', '2026-06-10', { reason: 'price' });
  t.match(await shop.stage('dan', 'lifecycle'), {
    stage: 'first_time_buyer',
    activity: 'lapsed',
    since: '2026-06-10',
    next_move: null,
  });
  await shop.buys('dan', '2026-06-10');
  t.match(await shop.stage('dan', 'lifecycle'), { stage: 'early_repeat_buyer', activity: 'lapsed' });
  await shop.buys('dan', '2026-06-11');
  t.match(await shop.stage('dan', 'lifecycle'), {
    stage: 'early_repeat_buyer',
    activity: 'active',
    since: '2026-06-11',
  });
});

t.test('titles and what is missing are said in the language the caller prefers', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('ana', '2026-03-01', '2026-04-10');
  const said = async (language: string) => {
    const { title, next_stage } = await shop.stage('ana', 'lifecycle', '', { 'accept-language': language });
    return [title, next_stage.title, next_stage.missing[0].text];
  };
  const english = ['Early repeat buyer', 'Core customer', '2 more purchase days'];
  const spanish = ['Comprador temprano que repite', 'Cliente principal', '2 días de compra más'];
  const german = ['Früher Wiederholungskäufer', 'Kernkunde', 'noch 2 Kauftage'];
  for (const language of ['en', 'en-US', 'fr', '*', 'xx;q=1', '', 'de;q=0', ';;;,q='])
    t.strictSame(await said(language), english, JSON.stringify(language));
  for (const language of ['es', 'es-MX', 'fr, es;q=0.5', 'de;q=0.2, es;q=0.9', 'ES'])
    t.strictSame(await said(language), spanish, language);
  for (const language of ['de', 'de-AT,de;q=0.9,en;q=0.1', 'es;q=0.1, de'])
    t.strictSame(await said(language), german, language);
  const { body } = await shop.get('/v1/models', { 'accept-language': 'de' });
  t.strictSame(
    (body.items as { title: string }[]).map((model) => model.title),
    ['Kundenlebenszyklus', 'Stufen der Beziehung', 'Kundenreise', 'Treueleiter'],
  );
});

t.test('a lookup answers each id once, in the order asked, and names who is not known', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('ana', '2026-03-01', '2026-04-10');
  await shop.buys('ben', '2026-03-01');
  const { body } = await shop.send('POST', '/v1/customers/lookup', {
    customer_ids: ['ben', 'nobody', 'ana', 'ben', 'Ana'],
  });
  t.strictSame(
    (body.items as { customer_id: string }[]).map((item) => item.customer_id),
    ['ben', 'ana'],
  );
  t.strictSame(body.not_found, ['nobody', 'Ana']);
  t.strictSame(body.items[1], await shop.stage('ana', 'lifecycle'), 'the answer is that of the customer');
  const past = await shop.send('POST', '/v1/customers/lookup', {
    customer_ids: ['ana'],
    model: 'journey',
    as_of: '2026-03-05',
  });
  t.match(past.body.items, [{ model: 'journey', stage: 'activation', as_of: '2026-03-05' }]);
});

t.test('a classification says of a history what would be said of a stored one, and stores nothing', async (t) => {
  const shop = await Shop.open(t);
  const purchases = ['2026-03-01', '2026-04-10'].map((purchased_at, index) => ({
    purchase_id: `p${index}`,
    purchased_at,
    amount: '10',
  }));
  const histories = [
    { customer_id: 'ana', purchases },
    {},
    { known_since: '2026-05-01' },
    { purchases: [{ purchased_at: '2030-01-01', amount: '1' }] },
  ];
  const { body } = await shop.send('POST', '/v1/classifications', { histories });
  t.strictSame((await shop.get('/v1/status')).body.stored, {
    customers: 0,
    purchases: 0,
    refunds: 0,
    interactions: 0,
    pending_refunds: 0,
  });
  await shop.post('purchases', ...purchases.map((purchase) => ({ ...purchase, customer_id: 'ana' })));
  t.strictSame(body.items[0], {
    index: 0,
    status: 'classified',
    answer: await shop.stage('ana', 'lifecycle'),
    error: null,
  });
  t.match(
    body.items[1].answer,
    { customer_id: null, stage: null, activity: null, since: null },
    'nobody is known by an empty history',
  );
  t.match(body.items[2].answer, { stage: 'prospect', activity: 'none', since: '2026-05-01' });
  t.match(body.items[3].answer, { stage: null }, 'what comes after the day does not count');
  const later = await shop.send('POST', '/v1/classifications', { histories, as_of: '2030-01-01' });
  t.match(later.body.items[3].answer, { stage: 'first_time_buyer', as_of: '2030-01-01', projected: true });
});

t.test('of interactions without id at one instant, the later in the list is the latest', async (t) => {
  const shop = await Shop.open(t);
  const surveys = (...scores: number[]) => ({
    purchases: ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04'].map((purchased_at) => ({
      purchased_at,
      amount: '10',
    })),
    interactions: scores.map((score) => ({ occurred_at: '2026-03-05', kind: 'survey', score })),
  });
  const twelve = Array.from({ length: 12 }, (_, index) => index % 6);
  const histories = [surveys(9, 5), surveys(5, 9), surveys(...twelve, 9), surveys(9, ...twelve)];
  const { body } = await shop.send('POST', '/v1/classifications', { model: 'relationship', histories });
  t.strictSame(
    (body.items as { answer: { stage: string } }[]).map(({ answer }) => answer.stage),
    ['continuation', 'loyalty', 'loyalty', 'continuation'],
  );
});

t.test('a refund takes back the purchase it names, never one without id', async (t) => {
  const shop = await Shop.open(t);
  const named = { purchase_id: 'p', purchased_at: '2026-03-01', amount: '10' };
  const nameless = { purchased_at: '2026-03-02', amount: '10' };
  const refund = { purchase_id: 'p', refunded_at: '2026-03-05', amount: '10' };
  const histories = [
    { purchases: [named, nameless, nameless], refunds: [refund] },
    { purchases: [nameless], refunds: [refund] },
  ];
  const { body } = await shop.send('POST', '/v1/classifications', { histories });
  t.strictSame(
    (body.items as { answer: { inputs: { value: number }[] } }[]).map(({ answer }) => answer.inputs[0]?.value),
    [1, 1],
  );
});

t.test('a classification by rhythm dates the next move by the buyer’s own gaps', async (t) => {
  const shop = await Shop.open(t);
  const range = (at_least: number, at_most: number) => ({ at_least, at_most });
  const lapse = {
    policy: 'cadence',
    prior_days: 60,
    weight: 2,
    at_risk_after_days: range(14, 180),
    lapsed_after_days: range(30, 365),
  };
  const model_document = { ...BUILT_IN_MODELS.lifecycle, lapse };
  const bought = (...days: string[]) => ({ purchases: days.map((purchased_at) => ({ purchased_at, amount: '5' })) });
  const histories = [bought('2026-01-01'), bought('2026-01-01', '2026-01-11')];
  const { status, body } = await shop.send('POST', '/v1/classifications', {
    model_document,
    as_of: '2026-01-11',
    histories,
  });
  t.equal(status, 200);
  const answers = (body.items as { answer: { next_move: unknown } }[]).map(({ answer }) => answer.next_move);
  // g = 60: day 91 of the silence since 1 January. g = 130/3: day 66 of that since 11 January.
  t.strictSame(answers, [
    { on: '2026-04-02', stage: 'first_time_buyer', activity: 'at_risk' },
    { on: '2026-03-18', stage: 'early_repeat_buyer', activity: 'at_risk' },
  ]);
});

t.test('a model by rhythm is shown as the document it is', async (t) => {
  const lapse = {
    policy: 'cadence',
    prior_days: 60,
    weight: 2,
    at_risk_after_days: { at_least: 14, at_most: 180 },
    lapsed_after_days: { at_least: 30, at_most: 365 },
  } as const;
  const own = { ...BUILT_IN_MODELS.lifecycle, model_id: 'own', lapse };
  const service = await testService(t, { models: [own] });
  t.strictSame((await service.call('GET', '/v1/models/own')).body.document, own);
});

t.test('a classification takes a model from the request, for this request only', async (t) => {
  const shop = await Shop.open(t);
  const words = (en: string) => ({ en, es: `${en} (es)`, de: `${en} (de)` });
  const model_document = {
    model_id: 'value',
    title: words('Value'),
    description: words('By revenue'),
    lapse: { policy: 'fixed', at_risk_after_days: 10, lapsed_after_days: 20 },
    stages: [
      { stage: 'known', title: words('Known'), description: words('All') },
      {
        stage: 'big',
        title: words('Big'),
        description: words('500 in a year'),
        when: { feature: 'revenue', at_least: '500', within_days: 365 },
      },
    ],
  };
  const histories = [
    { purchases: [{ purchased_at: '2026-06-01', amount: '499.99' }] },
    { purchases: [{ purchased_at: '2026-06-01', amount: '500' }] },
    {
      purchases: [{ purchase_id: 'p', purchased_at: '2026-06-01', amount: '500' }],
      refunds: [{ purchase_id: 'p', refunded_at: '2026-06-02', amount: '0.01' }],
    },
  ];
  const { status, body } = await shop.send('POST', '/v1/classifications', { model_document, histories });
  t.equal(status, 200);
  const answers = (body.items as { answer: Record<string, unknown> }[]).map(({ answer }) => answer);
  t.strictSame(
    answers.map(({ stage, activity }) => `${stage} ${activity}`),
    ['known at_risk', 'big at_risk', 'known at_risk'],
  );
  t.match(answers[0]?.next_stage, {
    stage: 'big',
    missing: [{ text: '0.01 more revenue within 365 days', threshold: '500.00', have: '499.99', more: '0.01' }],
  });
  t.match(answers[1], {
    model: 'value',
    model_version: 1,
    next_move: { on: '2026-06-22', stage: 'big', activity: 'lapsed' },
  });
  t.equal((await shop.get('/v1/models/value')).status, 404, 'it is not kept');
  t.equal((await shop.get('/v1/models')).body.items.length, 4);
});
