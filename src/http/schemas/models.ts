import { Type } from '@sinclair/typebox';
import { ACTIVITIES, FEATURES, MODEL_LIMITS } from '../../domain/model.ts';
import { count, nullable, oneOf, stage } from '../../reports/fields.ts';
import { MODEL_EXAMPLE } from '../examples.ts';

const strict = { additionalProperties: false } as const;
const localized = (maxLength: number) => {
  const text = Type.String({ minLength: 1, maxLength });
  return Type.Object({ en: text, es: text, de: text }, { description: 'In every language.', ...strict });
};
const title = localized(MODEL_LIMITS.title_length);
const description = localized(MODEL_LIMITS.description_length);
const name = (description: string) => Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$', description });
const threshold = Type.Optional(
  Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^-?(0|[1-9]\\d{0,13})(\\.\\d{1,4})?$' })], {
    description: 'A whole number; for revenue and profit a decimal string.',
  }),
);
/** A rule of the model language. */
export const Condition = Type.Union(
  [
    Type.Object({ all: Type.Array(Type.Ref('Condition'), { minItems: 1 }) }, strict),
    Type.Object({ any: Type.Array(Type.Ref('Condition'), { minItems: 1 }) }, strict),
    Type.Object({ not: Type.Ref('Condition') }, strict),
    Type.Object(
      { stage_reached: name('An earlier stage whose rule held at the end of this or an earlier day.') },
      strict,
    ),
    Type.Object(
      { activity: Type.Array(oneOf(ACTIVITIES), { minItems: 1, maxItems: ACTIVITIES.length, uniqueItems: true }) },
      strict,
    ),
    Type.Object(
      {
        feature: oneOf(FEATURES, { description: 'What a rule looks at.' }),
        at_least: threshold,
        at_most: threshold,
        more_than: threshold,
        less_than: threshold,
        within_days: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: MODEL_LIMITS.within_days,
            description: 'W: only days in (t − W, t]. On counts and sums.',
          }),
        ),
        kinds: Type.Optional(
          Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_]{0,31}$' }), { minItems: 1, maxItems: MODEL_LIMITS.kinds }),
        ),
      },
      strict,
    ),
  ],
  {
    $id: 'Condition',
    description:
      'A rule about one customer at the end of one day. A comparison with something that does not exist yet is false.',
  },
);
const silence = (minimum: number, description: string) =>
  Type.Integer({ minimum, maximum: MODEL_LIMITS.days, description });
const fixedLapse = Type.Object(
  {
    policy: oneOf(['fixed']),
    at_risk_after_days: silence(0, 'Day so many of silence is still active.'),
    lapsed_after_days: silence(1, 'Day so many of silence is still at risk; greater than at_risk_after_days.'),
  },
  { description: 'The same thresholds for everybody.', ...strict },
);
const silenceRange = (minimum: number, description: string) =>
  Type.Object(
    { at_least: silence(minimum, 'No sooner.'), at_most: silence(minimum, 'No later; not less than at_least.') },
    { description, ...strict },
  );
const cadenceLapse = Type.Object(
  {
    policy: oneOf(['cadence']),
    prior_days: Type.Integer({
      minimum: 1,
      maximum: MODEL_LIMITS.prior_days,
      description: 'The gap between purchase days that is expected of a buyer of whom nothing is known.',
    }),
    weight: Type.Integer({
      minimum: 1,
      maximum: MODEL_LIMITS.weight,
      description: 'How many own gaps the expectation is worth.',
    }),
    at_risk_after_days: silenceRange(0, 'Range of the days of silence that are still active: ⌊1.5·g⌋ clamped to it.'),
    lapsed_after_days: silenceRange(
      1,
      'Range of the days of silence that are still at risk: ⌊3·g⌋ clamped to it. Both ends are greater than those of at_risk_after_days.',
    ),
  },
  {
    description:
      "By each buyer's own rhythm: g = (weight·prior_days + sum of gaps between purchase days) / (weight + number of gaps).",
    ...strict,
  },
);
/** The lapse policy of a model. */
export const LapsePolicySchema = Type.Union([fixedLapse, cadenceLapse], {
  $id: 'LapsePolicy',
  description: 'When silence puts a buyer at risk, and when it means that they are lost.',
});
/** A lifecycle model as a document. */
export const ModelDocument = Type.Object(
  {
    model_id: name('Name of the model.'),
    title,
    description,
    lapse: Type.Ref('LapsePolicy'),
    stages: Type.Array(
      Type.Object(
        {
          stage: name('Name of the stage, once in a model.'),
          title,
          description,
          when: Type.Optional(Type.Ref('Condition')),
          off_ladder: Type.Optional(
            Type.Boolean({ description: 'True for a loss: never offered as the next stage up.' }),
          ),
        },
        strict,
      ),
      {
        minItems: 1,
        maxItems: MODEL_LIMITS.stages,
        description: 'A customer stands on the last listed stage whose `when` holds; the first has none.',
      },
    ),
  },
  { $id: 'ModelDocument', ...strict, examples: [MODEL_EXAMPLE] },
);
/** How far a build is. */
export const buildProgress = {
  share: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the customers that are done.' }),
  customers_done: count('Customers that are folded into it.'),
  customers_total: nullable(count('Customers that lacked it when the build began.'), {
    description: 'Customers that lacked it when the build began; null until then.',
  }),
  expected_at: nullable(Type.String({ format: 'date-time' }), {
    description: 'When it will be done; null until that can be said.',
  }),
};
/** A model without its document. */
export const ModelSummary = Type.Object(
  {
    model_id: Type.String(),
    version: Type.Integer({ minimum: 1, description: 'The one that is described here.' }),
    state: oneOf(['active', 'building'], { description: 'building: the first version, which does not answer yet.' }),
    published_at: Type.String({ format: 'date-time' }),
    building: nullable(
      Type.Object({
        version: Type.Integer({ minimum: 1 }),
        published_at: Type.String({ format: 'date-time' }),
        ...buildProgress,
      }),
      { description: 'The version that will answer next; null if none is being built.' },
    ),
    title: Type.String({ description: 'In the language of Accept-Language.' }),
    description: Type.String(),
    stages: Type.Array(Type.Object({ stage: stage(), title: Type.String(), description: Type.String() })),
  },
  { $id: 'ModelSummary' },
);
/** A model with its document. */
export const PublishedModel = Type.Object(
  { summary: Type.Ref('ModelSummary'), document: Type.Ref('ModelDocument') },
  { $id: 'Model' },
);
