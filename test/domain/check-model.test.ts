import { readFileSync } from 'node:fs';
import t from 'tap';
import { checkModel, isModel } from '../../src/domain/check-model.ts';
import type { ModelFault } from '../../src/domain/fault-list.ts';
import { escapePointer } from '../../src/domain/text.ts';
import { modelOf, there, WORDS } from '../support/notation.ts';

type Json = Record<string, unknown>;

/** The faults of a document as `pointer code`. */
function faults(document: unknown, decimals = 2): string[] {
  const checked = checkModel(document, decimals);
  return isModel(checked) ? [] : checked.map(({ pointer, code }) => `${pointer} ${code}`);
}

/** A sound document of two stages with some fields replaced. */
const changed = (fields: Json): Json => ({
  ...(modelOf({ buyer: { feature: 'purchase_days', at_least: 1 } }) as unknown as Json),
  ...fields,
});
const FIRST = { stage: 'known', title: WORDS, description: WORDS };
const SECOND = { ...FIRST, stage: 'there', when: { activity: ['active'] } };
const stages = (...list: readonly unknown[]): string[] => faults(changed({ stages: list }));
/** Faults of a rule, its own pointer cut off. */
const rule = (when: unknown, decimals = 2): string[] =>
  faults(there(when as never), decimals).map((fault) => fault.replace('/stages/1/when', ''));

t.test('a sound document is the model itself', async (t) => {
  const document = changed({});
  t.equal(checkModel(document, 2), document);
  t.strictSame(
    faults(
      changed({
        stages: [
          { ...FIRST, off_ladder: false },
          { ...SECOND, off_ladder: true },
        ],
      }),
    ),
    [],
  );
  t.strictSame(faults(changed({ stages: [FIRST] })), [], 'one stage is enough');
});

t.test('what is not an object is no model', async (t) => {
  for (const document of [null, 7, 'text', [], true])
    t.strictSame(faults(document), [' wrong_type'], JSON.stringify(document));
  t.strictSame(
    faults({}),
    ['/model_id', '/title', '/description', '/lapse', '/stages'].map((pointer) => `${pointer} required`),
  );
});

t.test('unknown fields are named, three an object, with their pointer escaped', async (t) => {
  t.strictSame(faults(changed({ colour: 1 })), ['/colour unknown_field']);
  t.strictSame(faults(changed({ 'a/b~c': 1, d: 1, e: 1, f: 1 })), [
    '/a~1b~0c unknown_field',
    '/d unknown_field',
    '/e unknown_field',
  ]);
  t.strictSame(faults(JSON.parse(JSON.stringify(changed({})).replace('{', '{"__proto__":1,'))), [
    '/__proto__ unknown_field',
  ]);
  t.equal(escapePointer('x'.repeat(99)), 'x'.repeat(64), 'a long name is cut');
});

t.test('names are lower-case words of at most 64 characters', async (t) => {
  for (const model_id of ['', 'Model', '1st', '_x', 'a-b', 'ä', 'a'.repeat(65), 7, null]) {
    t.strictSame(faults(changed({ model_id })), ['/model_id wrong_text'], JSON.stringify(model_id));
  }
  t.strictSame(faults(changed({ model_id: `a${'_9'.repeat(31)}z` })), []);
});

t.test('titles and descriptions are texts in three languages', async (t) => {
  t.strictSame(faults(changed({ title: 'Title' })), ['/title wrong_type']);
  t.strictSame(faults(changed({ title: { en: 'a', es: 'b' } })), ['/title/de required']);
  t.strictSame(faults(changed({ title: { ...WORDS, fr: 'mots' } })), ['/title/fr unknown_field']);
  t.strictSame(faults(changed({ title: { en: '', es: 7, de: 'x'.repeat(201) } })), [
    '/title/en wrong_text',
    '/title/es wrong_text',
    '/title/de wrong_text',
  ]);
  t.strictSame(
    faults(
      changed({ title: { en: 'x', es: 'y', de: 'x'.repeat(200) }, description: { ...WORDS, en: 'x'.repeat(2_000) } }),
    ),
    [],
  );
  t.strictSame(faults(changed({ description: { ...WORDS, en: 'x'.repeat(2_001) } })), ['/description/en wrong_text']);
});

t.test('texts hold what can be stored', async (t) => {
  const checked = checkModel(changed({ title: { en: 'a\0', es: '\ud83d', de: '😀' } }), 2) as readonly ModelFault[];
  t.match(checked, [
    { pointer: '/title/en', code: 'nul_character', detail: /U\+0000; remove it/ },
    { pointer: '/title/es', code: 'lone_surrogate', detail: /half of a surrogate pair/ },
  ]);
  t.equal(checked.length, 2);
});

t.test('a model has 1 to 31 stages, each with its own name', async (t) => {
  t.strictSame(faults(changed({ stages: {} })), ['/stages wrong_length']);
  t.strictSame(stages(), ['/stages wrong_length']);
  const many = Array.from({ length: 31 }, (_, index) => {
    return { ...SECOND, stage: `s${index}`, when: { feature: 'purchase_days', at_least: 1 + index } };
  });
  t.strictSame(stages(FIRST, ...many.slice(0, 30)), []);
  t.strictSame(stages(FIRST, ...many), ['/stages wrong_length']);
  t.strictSame(stages(FIRST, SECOND, SECOND), ['/stages/2/stage duplicate_stage']);
  t.strictSame(stages(FIRST, null), ['/stages/1 wrong_type']);
  t.strictSame(stages(FIRST, { ...SECOND, stage: 'Known' }), ['/stages/1/stage wrong_text']);
  t.strictSame(stages(FIRST, { ...SECOND, colour: 1 }), ['/stages/1/colour unknown_field']);
  t.strictSame(stages(FIRST, { ...SECOND, title: { ...WORDS, en: '' } }), ['/stages/1/title/en wrong_text']);
  t.strictSame(stages(FIRST, { ...SECOND, description: null }), ['/stages/1/description wrong_type']);
  t.strictSame(stages(FIRST, { ...SECOND, off_ladder: 'yes' }), ['/stages/1/off_ladder wrong_type']);
});

t.test('the first stage has no rule, all others have one', async (t) => {
  t.strictSame(stages({ ...FIRST, when: { activity: ['active'] } }), ['/stages/0/when first_stage_has_when']);
  t.strictSame(stages(FIRST, { ...FIRST, stage: 'there' }), ['/stages/1/when required']);
});

t.test('a rule is exactly one condition', async (t) => {
  t.strictSame(rule(7), [' wrong_type']);
  t.strictSame(rule([]), [' wrong_type']);
  t.strictSame(rule({}), [' unknown_condition']);
  t.strictSame(rule({ some: [] }), [' unknown_condition']);
  t.strictSame(rule({ activity: ['active'], stage_reached: 'known' }), [' unknown_condition']);
  t.strictSame(rule({ activity: ['active'], colour: 1 }), ['/colour unknown_field']);
});

t.test('all and any hold at least one condition, each checked in its place', async (t) => {
  t.strictSame(rule({ all: [] }), ['/all wrong_length']);
  t.strictSame(rule({ any: 'x' }), ['/any wrong_length']);
  t.strictSame(rule({ any: [{ activity: ['active'] }, { all: [{ not: { activity: [] } }] }] }), [
    '/any/1/all/0/not/activity unknown_value',
  ]);
  t.strictSame(rule({ all: [7, null] }), ['/all/0 wrong_type', '/all/1 wrong_type']);
});

t.test('activity lists known activities, each once', async (t) => {
  t.strictSame(rule({ activity: ['none'] }), []);
  t.strictSame(rule({ activity: ['lapsed', 'at_risk', 'active'] }), []);
  for (const activity of [
    [],
    ['gone'],
    ['active', 'gone'],
    ['active', 'active'],
    'active',
    [7],
    ['none', 'active', 'at_risk', 'lapsed', 'none'],
  ]) {
    t.strictSame(rule({ activity }), ['/activity unknown_value'], JSON.stringify(activity));
  }
});

t.test('stage_reached names a stage listed before', async (t) => {
  const third = (name: string) => ({
    ...SECOND,
    stage: 'third',
    when: { all: [{ stage_reached: name }, { activity: ['none'] }] },
  });
  t.strictSame(stages(FIRST, { ...SECOND, when: { feature: 'latest_score', at_least: 9 } }, third('there')), []);
  const details = (stage_reached: string): string[] => {
    const later = { ...SECOND, stage: 'later' };
    const checked = checkModel(changed({ stages: [FIRST, { ...SECOND, when: { stage_reached } }, later] }), 2);
    return (checked as readonly ModelFault[]).map(({ pointer, detail }) => `${pointer} ${detail}`);
  };
  t.match(details('there'), [/^.stages.1.when.stage_reached .*not this stage itself/]);
  t.match(details('later'), [/^.stages.1.when.stage_reached .*listed later/]);
  t.match(details('nowhere'), [/there is no stage of that name/]);
  for (const stage of ['there', 'later', 7, null])
    t.strictSame(rule({ stage_reached: stage }), ['/stage_reached unknown_stage'], String(stage));
});

t.test('a comparison names a feature and at least one threshold', async (t) => {
  t.strictSame(rule({ feature: 'recency', at_least: 1 }), ['/feature unknown_feature']);
  t.strictSame(rule({ feature: null }), ['/feature unknown_feature']);
  t.strictSame(rule({ feature: 'tenure_days' }), [' no_threshold']);
  t.strictSame(rule({ feature: 'tenure_days', at_least: 1, colour: 1 }), ['/colour unknown_field']);
});

t.test('every feature takes its own thresholds', async (t) => {
  const days = ['tenure_days', 'days_since_last_purchase', 'days_since_last_interaction', 'days_since_open_complaint'];
  for (const [features, most] of [
    [days, 36_525],
    [['purchase_days'], 1_000_000],
    [['latest_score'], 10],
    [['distinct_products'], 1_000],
  ] as const) {
    for (const feature of features) {
      t.strictSame(rule({ feature, at_least: 0, at_most: most }), [], feature);
      t.strictSame(
        rule({ feature, at_least: -1, less_than: most + 1 }),
        ['/at_least wrong_number', '/less_than wrong_number'],
        feature,
      );
      t.strictSame(
        rule({ feature, at_most: 1.5, more_than: '1' }),
        ['/at_most wrong_number', '/more_than wrong_number'],
        feature,
      );
    }
  }
  t.strictSame(rule({ feature: 'interactions', kinds: ['visit'], at_least: 1_000_001 }), ['/at_least wrong_number']);
});

t.test('money thresholds are decimal strings that fit the currency', async (t) => {
  for (const feature of ['revenue', 'profit']) {
    t.strictSame(rule({ feature, at_least: '-12.50', at_most: '100' }), [], feature);
    t.strictSame(rule({ feature, at_least: 100 }), ['/at_least malformed'], feature);
    t.strictSame(rule({ feature, at_least: '1,5' }), ['/at_least malformed'], feature);
    t.strictSame(rule({ feature, at_least: '1.555' }), ['/at_least too_many_decimals'], feature);
    t.strictSame(rule({ feature, at_least: '100000000000.01' }), ['/at_least out_of_range'], feature);
  }
  t.strictSame(
    rule({ feature: 'revenue', at_least: '12.50' }, 0),
    ['/at_least too_many_decimals'],
    'a currency without decimals',
  );
});

t.test('within_days is from 1 to 1096, on counts and sums only', async (t) => {
  for (const [feature, more] of [
    ['purchase_days', { at_least: 1 }],
    ['revenue', { at_least: '1' }],
    ['profit', { at_least: '1' }],
    ['distinct_products', { at_least: 1 }],
    ['interactions', { at_least: 1, kinds: ['visit'] }],
  ] as const) {
    for (const within_days of [1, 1_096])
      t.strictSame(rule({ feature, ...more, within_days }), [], `${feature} ${within_days}`);
    for (const within_days of [0, 1_097, 1.5, null])
      t.strictSame(rule({ feature, ...more, within_days }), ['/within_days wrong_number'], `${feature} ${within_days}`);
  }
  for (const feature of [
    'tenure_days',
    'latest_score',
    'days_since_last_purchase',
    'days_since_last_interaction',
    'days_since_open_complaint',
  ]) {
    t.strictSame(rule({ feature, at_least: 1, within_days: 30 }), ['/within_days not_windowed'], feature);
  }
});

t.test('kinds belong to interactions, which need 1 to 32 of them', async (t) => {
  const kinds = (list: unknown): string[] => rule({ feature: 'interactions', at_least: 1, kinds: list });
  t.strictSame(kinds(['visit', 'own_kind_2']), []);
  t.strictSame(kinds(Array.from({ length: 32 }, (_, index) => `k${index}`)), []);
  t.strictSame(kinds(Array.from({ length: 33 }, (_, index) => `k${index}`)), ['/kinds wrong_length']);
  t.strictSame(kinds([]), ['/kinds wrong_length']);
  t.strictSame(kinds(undefined), ['/kinds wrong_length']);
  t.strictSame(kinds(['visit', 'Visit', 7, 'k'.repeat(33)]), [
    '/kinds/1 wrong_text',
    '/kinds/2 wrong_text',
    '/kinds/3 wrong_text',
  ]);
  t.strictSame(rule({ feature: 'purchase_days', at_least: 1, kinds: ['visit'] }), ['/kinds not_allowed']);
});

t.test('rules nest eight deep and hold 200 conditions in all', async (t) => {
  const nested = (depth: number): unknown => (depth === 1 ? { activity: ['active'] } : { not: nested(depth - 1) });
  t.strictSame(rule(nested(8)), []);
  t.strictSame(rule(nested(9)), [`${'/not'.repeat(8)} too_complex`]);
  const listed = (depth: number): unknown => {
    return depth === 1 ? { activity: ['active'] } : { [depth % 2 === 0 ? 'all' : 'any']: [listed(depth - 1)] };
  };
  t.strictSame(rule(listed(8)), []);
  t.strictSame(rule(listed(9)), ['/any/0/all/0/any/0/all/0/any/0/all/0/any/0/all/0 too_complex']);
  const wide = (parts: number): unknown => ({ any: Array.from({ length: parts }, () => ({ activity: ['active'] })) });
  t.strictSame(rule(wide(199)), [], 'the list itself is a condition');
  t.strictSame(rule(wide(200)), ['/any/199 too_complex']);
  t.strictSame(rule(wide(5_000)), ['/any/199 too_complex'], 'said once');
  const third = { ...SECOND, stage: 'third', when: wide(150) };
  t.strictSame(
    stages(FIRST, { ...SECOND, when: wide(60) }, third),
    ['/stages/2/when/any/138 too_complex'],
    'over all stages together',
  );
});

t.test('at most twenty faults are listed, each with advice', async (t) => {
  const found = checkModel(
    there({ all: Array.from({ length: 30 }, () => ({ activity: [] })) }),
    2,
  ) as readonly ModelFault[];
  t.equal(found.length, 20);
  t.ok(found.every(({ detail }) => detail.length > 5));
});

t.test('every model that the documentation shows is sound', async (t) => {
  const text = readFileSync(new URL('../../docs/models.md', import.meta.url), 'utf8');
  const shown = [...text.matchAll(/^```json\n(\{\s*"model_id"[\s\S]*?)^```$/gm)].map(
    ([, json]) => JSON.parse(json!) as Json,
  );
  t.ok(shown.length > 0);
  for (const document of shown) t.strictSame(faults(document), [], String(document.model_id));
});

t.test('a stage that nobody can reach is a fault at its rule', async (t) => {
  t.strictSame(rule({ feature: 'purchase_days', more_than: 3, less_than: 4 }), [' unreachable_stage']);
  t.strictSame(rule({ stage_reached: 'known' }), ['/stages/0 unreachable_stage'], 'the first, which has no rule');
  t.strictSame(stages(FIRST, SECOND, { ...SECOND, stage: 'third' }), ['/stages/1/when unreachable_stage']);
  t.strictSame(
    rule({ feature: 'purchase_days', more_than: 3, less_than: -1 }),
    ['/less_than wrong_number'],
    'form comes first',
  );
});
