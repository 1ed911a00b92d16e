import { type Fields, LONE, NUL, withRaw } from './case.ts';

/** A model document nobody should publish or classify by, and the first fault it must get. */
export interface HostileDocument {
  /** What is wrong with it: goes on "a model with". */
  readonly what: string;
  /** The document as JSON text: some of it JSON.stringify would not write. Made when asked for, since some are large. */
  readonly json: () => string;
  readonly code: string;
  /** JSON Pointer of the fault inside the document. */
  readonly at: string;
  /** True if a body around it is refused before anybody looks at the model: nested more than 32 deep, larger than bodies may be, or with a field `__proto__`. */
  readonly refused_as_body?: boolean;
}

const WORDS = { en: 'x', es: 'x', de: 'x' };
const RULE = { feature: 'purchase_days', at_least: 1 };
const FIXED = { policy: 'fixed', at_risk_after_days: 90, lapsed_after_days: 180 };
const CADENCE = {
  policy: 'cadence',
  prior_days: 60,
  weight: 2,
  at_risk_after_days: { at_least: 14, at_most: 180 },
  lapsed_after_days: { at_least: 30, at_most: 365 },
};

/** A sound document of two stages with some fields replaced. */
export function modelDocument(change: Fields = {}, when: unknown = RULE): Fields {
  const stages = [stage('known'), stage('there', { when })];
  return { model_id: 'own', title: WORDS, description: WORDS, lapse: FIXED, stages, ...change };
}

function stage(name: unknown, more: Fields = {}): Fields {
  return { stage: name, title: WORDS, description: WORDS, ...more };
}

/** All of them. */
export function hostileDocuments(): HostileDocument[] {
  return [...deepOnes(), ...largeOnes(), ...oddNumbers(), ...oddNames(), ...oddTexts(), ...unreachableOnes()];
}

/** A case of a document in which `@raw` stands for text that only looks like JSON of that kind. */
function raw(what: string, document: unknown, text: () => string, code: string, at: string): HostileDocument {
  return { what, json: () => withRaw(document, text()), code, at };
}

function plain(what: string, document: unknown, code: string, at: string): HostileDocument {
  return { what, json: () => JSON.stringify(document), code, at };
}

function deepOnes(): HostileDocument[] {
  const objects = () => `${'{"not":'.repeat(10_000)}{}${'}'.repeat(10_000)}`;
  const lists = () => `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  const cases = [
    raw('a rule 10,000 deep', modelDocument({}, '@raw'), objects, 'too_complex', `/stages/1/when${'/not'.repeat(8)}`),
    raw('a title 10,000 deep', modelDocument({ title: '@raw' }), objects, 'required', '/title/en'),
    raw('lists 10,000 deep for stages', modelDocument({ stages: '@raw' }), lists, 'wrong_type', '/stages/0'),
    raw(
      'lists 10,000 deep for the name of a stage',
      modelDocument({ stages: [stage('@raw')] }),
      lists,
      'wrong_text',
      '/stages/0/stage',
    ),
    raw('lists 10,000 deep for a lapse policy', modelDocument({ lapse: '@raw' }), lists, 'wrong_type', '/lapse'),
    raw(
      'lists 10,000 deep for activities',
      modelDocument({}, { activity: '@raw' }),
      lists,
      'unknown_value',
      '/stages/1/when/activity',
    ),
  ];
  return cases.map((each) => ({ ...each, refused_as_body: true }));
}

function largeOnes(): HostileDocument[] {
  const keys = () => `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":0`).join()}}`;
  const many = (count: number, entry: (index: number) => unknown) => Array.from({ length: count }, (_, i) => entry(i));
  const million = [
    raw('a million fields', '@raw', keys, 'required', '/model_id'),
    raw('a rule of a million fields', modelDocument({}, '@raw'), keys, 'unknown_condition', '/stages/1/when'),
    raw('a lapse policy of a million fields', modelDocument({ lapse: '@raw' }), keys, 'required', '/lapse/policy'),
  ];
  const long = 'ä'.repeat(1_100);
  const stages = many(31, (index) => {
    const when = { feature: 'purchase_days', at_least: index };
    return stage(`s${index}`, { description: { en: long, es: 'x', de: 'x' }, ...(index === 0 ? {} : { when }) });
  });
  return [
    ...million.map((each) => ({ ...each, refused_as_body: true })),
    plain('more than 64 KiB', modelDocument({ stages }), 'too_large', ''),
    plain('100,000 stages', modelDocument({ stages: many(100_000, () => 0) }), 'wrong_length', '/stages'),
    plain(
      '20,000 conditions in a list',
      modelDocument({}, { any: many(20_000, () => RULE) }),
      'too_complex',
      '/stages/1/when/any/199',
    ),
    plain(
      '4,000 lists of conditions',
      modelDocument({}, { all: many(4_000, () => ({ any: many(4, () => RULE) })) }),
      'too_complex',
      '/stages/1/when/all/39/any/3',
    ),
    plain(
      '100,000 kinds',
      modelDocument({}, { feature: 'interactions', at_least: 1, kinds: many(100_000, (index) => `k${index}`) }),
      'wrong_length',
      '/stages/1/when/kinds',
    ),
    plain(
      '100,000 activities',
      modelDocument({}, { activity: many(100_000, () => 'active') }),
      'unknown_value',
      '/stages/1/when/activity',
    ),
    plain(
      'a title of a million characters',
      modelDocument({ title: { ...WORDS, es: 'x'.repeat(1_000_000) } }),
      'wrong_text',
      '/title/es',
    ),
    plain(
      'an amount of a million digits',
      modelDocument({}, { feature: 'revenue', at_least: '9'.repeat(1_000_000) }),
      'malformed',
      '/stages/1/when/at_least',
    ),
  ];
}

function oddNumbers(): HostileDocument[] {
  const places: readonly (readonly [at: string, document: unknown])[] = [
    ['/lapse/at_risk_after_days', modelDocument({ lapse: { ...FIXED, at_risk_after_days: '@raw' } })],
    ['/lapse/lapsed_after_days', modelDocument({ lapse: { ...FIXED, lapsed_after_days: '@raw' } })],
    ['/lapse/prior_days', modelDocument({ lapse: { ...CADENCE, prior_days: '@raw' } })],
    ['/lapse/weight', modelDocument({ lapse: { ...CADENCE, weight: '@raw' } })],
    [
      '/lapse/at_risk_after_days/at_least',
      modelDocument({ lapse: { ...CADENCE, at_risk_after_days: { at_least: '@raw', at_most: 180 } } }),
    ],
    [
      '/lapse/lapsed_after_days/at_most',
      modelDocument({ lapse: { ...CADENCE, lapsed_after_days: { at_least: 30, at_most: '@raw' } } }),
    ],
    ['/stages/1/when/at_least', modelDocument({}, { feature: 'purchase_days', at_least: '@raw' })],
    ['/stages/1/when/less_than', modelDocument({}, { feature: 'latest_score', less_than: '@raw' })],
    ['/stages/1/when/within_days', modelDocument({}, { ...RULE, within_days: '@raw' })],
  ];
  const numbers = ['1e308', '1e400', '-1e400', '-0', '-1', '0.5', '1e-7', '9007199254740992', '"1"', 'null', 'true'];
  return places.flatMap(([at, document]) =>
    numbers.map((number) => raw(`${number} for ${at}`, document, () => number, 'wrong_number', at)),
  );
}

function oddNames(): HostileDocument[] {
  const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'toJSON'];
  const first = stage('known');
  const fields = keys.flatMap((key) => {
    const own = (value: Fields): unknown => ({ ...value, '@key': {} });
    const added = (where: string, document: unknown, at: string): HostileDocument => ({
      what: `a field ${key} in ${where}`,
      json: () => JSON.stringify(document).replace('"@key"', `"${key}"`),
      code: 'unknown_field',
      at: `${at}/${key}`,
      refused_as_body: key === '__proto__',
    });
    return [
      added('the model', own(modelDocument()), ''),
      added('a title', modelDocument({ title: own(WORDS) }), '/title'),
      added('the lapse policy', modelDocument({ lapse: own(FIXED) }), '/lapse'),
      added(
        'a range',
        modelDocument({ lapse: { ...CADENCE, at_risk_after_days: own({ at_least: 1, at_most: 2 }) } }),
        '/lapse/at_risk_after_days',
      ),
      added('a stage', modelDocument({ stages: [own(first)] }), '/stages/0'),
      added('a comparison', modelDocument({}, own(RULE)), '/stages/1/when'),
      added('a condition', modelDocument({}, own({ activity: ['active'] })), '/stages/1/when'),
    ];
  });
  const named = keys.flatMap((key) => [
    plain(`the policy ${key}`, modelDocument({ lapse: { ...FIXED, policy: key } }), 'unknown_policy', '/lapse/policy'),
    plain(
      `the feature ${key}`,
      modelDocument({}, { feature: key, at_least: 1 }),
      'unknown_feature',
      '/stages/1/when/feature',
    ),
    plain(`the activity ${key}`, modelDocument({}, { activity: [key] }), 'unknown_value', '/stages/1/when/activity'),
    plain(
      `the stage ${key} reached`,
      modelDocument({}, { stage_reached: key }),
      'unknown_stage',
      '/stages/1/when/stage_reached',
    ),
  ]);
  const objects = [{ toString: 1, valueOf: 1 }, { toString: null }, [], 7, true].map((name) =>
    plain(
      `a stage named ${JSON.stringify(name)}`,
      modelDocument({ stages: [first, stage(name, { when: RULE })] }),
      'wrong_text',
      '/stages/1/stage',
    ),
  );
  return [
    ...fields,
    ...named,
    ...objects,
    plain('a name that ends with a line feed', modelDocument({ model_id: 'own\n' }), 'wrong_text', '/model_id'),
    plain(
      'two stages of one name',
      modelDocument({ stages: [first, stage('known', { when: RULE })] }),
      'duplicate_stage',
      '/stages/1/stage',
    ),
    plain(
      'the reaching of itself',
      modelDocument({}, { stage_reached: 'there' }),
      'unknown_stage',
      '/stages/1/when/stage_reached',
    ),
    plain(
      'the reaching of a later stage',
      modelDocument({
        stages: [first, stage('there', { when: { stage_reached: 'later' } }), stage('later', { when: RULE })],
      }),
      'unknown_stage',
      '/stages/1/when/stage_reached',
    ),
  ];
}

function oddTexts(): HostileDocument[] {
  return (
    [
      ['NUL', NUL, 'nul_character'],
      ['half a surrogate pair', LONE, 'lone_surrogate'],
    ] as const
  ).flatMap(([what, text, code]) => [
    plain(`${what} in the title`, modelDocument({ title: { ...WORDS, de: `a${text}b` } }), code, '/title/de'),
    plain(
      `${what} in the description`,
      modelDocument({ description: { ...WORDS, en: text } }),
      code,
      '/description/en',
    ),
    plain(
      `${what} in the title of a stage`,
      modelDocument({ stages: [{ ...stage('known'), title: { ...WORDS, es: text } }] }),
      code,
      '/stages/0/title/es',
    ),
  ]);
}

function unreachableOnes(): HostileDocument[] {
  const rule = (what: string, when: unknown): HostileDocument =>
    plain(what, modelDocument({}, when), 'unreachable_stage', '/stages/1/when');
  const [none, bought] = [{ activity: ['none'] }, { feature: 'purchase_days', at_least: 1 }];
  return [
    rule('a rule that leaves no number', { feature: 'purchase_days', more_than: 3, less_than: 4 }),
    rule('a rule that contradicts itself', { all: [none, bought] }),
    rule('a rule that denies what always holds', { not: { feature: 'purchase_days', at_least: 0 } }),
    plain(
      'a stage that a later one hides',
      modelDocument({
        stages: [
          stage('known'),
          stage('often', { when: { ...bought, at_least: 4 } }),
          stage('there', { when: bought }),
        ],
      }),
      'unreachable_stage',
      '/stages/1/when',
    ),
    plain(
      'a first stage that a later one hides',
      modelDocument({}, { not: { all: [none, bought] } }),
      'unreachable_stage',
      '/stages/0',
    ),
  ];
}
