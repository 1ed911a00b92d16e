import { type Fields, type HostileCase, LONE, NUL } from './case.ts';
import { hostileDocuments } from './model-documents.ts';

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
export function classificationCases(): HostileCase[] {
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
    ...hostileModels(),
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

/** The hostile documents that get as far as the check of the model, around one empty history. */
function hostileModels(): HostileCase[] {
  return hostileDocuments().flatMap(({ what, json, code, at, refused_as_body }): HostileCase[] => {
    if (refused_as_body === true) return [];
    const body = `{"histories":[{}],"model_document":${json()}}`;
    const where = { method: 'POST', path: '/v1/classifications', status: 400 };
    return [{ ...where, what: `a classification by a model with ${what}`, body, code, at: `/model_document${at}` }];
  });
}
