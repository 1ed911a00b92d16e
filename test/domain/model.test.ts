import t from 'tap';
import { checkModel } from '../../src/domain/check-model.ts';
import {
  FEATURES,
  isComparison,
  LANGUAGES,
  MODEL_LIMITS,
  MONEY_FEATURES,
  type Model,
  WINDOWED_FEATURES,
} from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';

const models: readonly (readonly [name: string, model: Model])[] = Object.entries(BUILT_IN_MODELS);

t.test('a comparison is the condition that has a feature', async (t) => {
  t.equal(isComparison({ feature: 'revenue', at_least: '1' }), true);
  t.equal(isComparison({ not: { feature: 'revenue', at_least: '1' } }), false);
});

t.test('windowed and money features are features', async (t) => {
  for (const feature of [...WINDOWED_FEATURES, ...MONEY_FEATURES]) t.ok(FEATURES.includes(feature), feature);
});

t.test('as many stages as a model may have fit into the bits of what was reached', async (t) => {
  t.ok(MODEL_LIMITS.stages <= 31);
});

t.test('the built-in models are sound documents, for a currency without decimals too', async (t) => {
  t.strictSame(
    models.map(([name]) => name),
    ['lifecycle', 'relationship', 'journey', 'loyalty_ladder'],
  );
  for (const [name, model] of models) {
    for (const decimals of [0, 2, 3, 4])
      t.equal(checkModel(model, decimals), model, `${name} with ${decimals} decimals`);
    t.equal(model.model_id, name);
    t.strictSame(model.lapse, { policy: 'fixed', at_risk_after_days: 90, lapsed_after_days: 180 }, name);
  }
});

t.test('the built-in models list the stages of the design, first to last', async (t) => {
  const stages = Object.fromEntries(models.map(([name, model]) => [name, model.stages.map(({ stage }) => stage)]));
  t.strictSame(stages, {
    lifecycle: ['prospect', 'first_time_buyer', 'early_repeat_buyer', 'core_customer', 'core_defector'],
    relationship: ['contact', 'acquisition', 'conversion', 'continuation', 'loyalty'],
    journey: ['acquisition', 'activation', 'retention', 'loyalty'],
    loyalty_ladder: ['suspect', 'prospect', 'trier', 'repeat_customer', 'frequent_customer', 'advocate', 'promoter'],
  });
  const losses = models.flatMap(([, model]) =>
    model.stages.filter(({ off_ladder }) => off_ladder).map(({ stage }) => stage),
  );
  t.strictSame(losses, ['core_defector'], 'the only loss');
});

t.test('every built-in text says something of its own in English, Spanish and German', async (t) => {
  for (const [name, model] of models) {
    for (const field of ['title', 'description'] as const) {
      const owners = [
        { where: name, text: model[field] },
        ...model.stages.map((stage) => ({ where: `${name} ${stage.stage}`, text: stage[field] })),
      ];
      for (const { where, text } of owners) {
        t.strictSame(Object.keys(text), [...LANGUAGES], where);
        t.ok(
          LANGUAGES.every((language) => text[language].trim() === text[language] && text[language].length >= 5),
          `${where}: ${field}`,
        );
        t.equal(new Set(Object.values(text)).size, LANGUAGES.length, `${where}: ${field} is translated`);
      }
      for (const language of LANGUAGES) {
        t.equal(
          new Set(model.stages.map((stage) => stage[field][language])).size,
          model.stages.length,
          `${name}: ${field} in ${language} tells stages apart`,
        );
      }
    }
  }
});
