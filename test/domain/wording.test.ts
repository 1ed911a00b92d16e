import t from 'tap';
import type { Input, Need } from '../../src/domain/explain.ts';
import { FEATURES, type Feature, LANGUAGES, OPERATORS, type Operator } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { howMuchMore, wordNeed } from '../../src/domain/wording.ts';
import { standing } from '../support/notation.ts';

const { lifecycle, loyalty_ladder } = BUILT_IN_MODELS;
const input = (feature: Feature, value: number | null, more: Partial<Input> = {}): Input => ({
  feature,
  within_days: null,
  kinds: null,
  value,
  ...more,
});
const comparison = (seen: Input, operator: Operator, threshold: number): Need => ({
  type: 'comparison',
  input: seen,
  operator,
  threshold,
});
/** A need in English, Spanish and German. */
const said = (need: Need): string[] =>
  LANGUAGES.map((language) => wordNeed(need, { model: lifecycle, language, decimals: 2 }));

t.test('what can be counted is said as so many more', async (t) => {
  t.strictSame(said(comparison(input('purchase_days', 2), 'at_least', 4)), [
    '2 more purchase days',
    '2 días de compra más',
    'noch 2 Kauftage',
  ]);
  t.strictSame(said(comparison(input('purchase_days', 3), 'at_least', 4)), [
    '1 more purchase day',
    '1 día de compra más',
    'noch 1 Kauftag',
  ]);
  t.strictSame(said(comparison(input('purchase_days', 4), 'more_than', 4)), [
    '1 more purchase day',
    '1 día de compra más',
    'noch 1 Kauftag',
  ]);
  t.strictSame(said(comparison(input('revenue', 300), 'at_least', 1_050)), [
    '7.50 more revenue',
    '7.50 ingresos más',
    'noch 7.50 Umsatz',
  ]);
});

t.test('kinds and windows are named', async (t) => {
  const referrals = input('interactions', 0, { kinds: ['referral', 'testimonial'], within_days: 365 });
  t.strictSame(said(comparison(referrals, 'at_least', 1)), [
    '1 more interaction (referral, testimonial) within 365 days',
    '1 interacción más (referral, testimonial) en 365 días',
    'noch 1 Interaktion (referral, testimonial) innerhalb von 365 Tagen',
  ]);
  t.strictSame(said(comparison(input('purchase_days', 0, { within_days: 1 }), 'at_least', 2)), [
    '2 more purchase days within 1 day',
    '2 días de compra más en 1 día',
    'noch 2 Kauftage innerhalb von 1 Tag',
  ]);
});

t.test('what more of cannot help is said as a bound, with the present value', async (t) => {
  t.strictSame(said(comparison(input('latest_score', 6), 'at_least', 9)), [
    'latest score: at least 9 (now 6)',
    'última puntuación: al menos 9 (ahora 6)',
    'letzte Bewertung: mindestens 9 (jetzt 6)',
  ]);
  t.strictSame(said(comparison(input('profit', 1_234), 'less_than', -50)), [
    'profit: less than -0.50 (now 12.34)',
    'beneficio: menos de -0.50 (ahora 12.34)',
    'Gewinn: weniger als -0.50 (jetzt 12.34)',
  ]);
  t.strictSame(said(comparison(input('tenure_days', null), 'at_least', 30)), [
    'days since the first purchase: at least 30 (now none)',
    'días desde la primera compra: al menos 30 (ahora sin dato)',
    'Tage seit dem ersten Kauf: mindestens 30 (jetzt ohne Angabe)',
  ]);
});

t.test('activities, stages and choices are said in words', async (t) => {
  t.strictSame(said({ type: 'activity', now: 'lapsed', activities: ['active', 'at_risk'] }), [
    'activity active or at risk (now lapsed)',
    'actividad activo o en riesgo (ahora perdido)',
    'Aktivität aktiv oder gefährdet (jetzt abgewandert)',
  ]);
  t.strictSame(said({ type: 'stage', stage: 'core_customer', reached: true }), [
    'having reached Core customer',
    'haber alcanzado Cliente principal',
    'Kernkunde erreicht zu haben',
  ]);
  t.strictSame(said({ type: 'stage', stage: 'core_customer', reached: false }), [
    'never having reached Core customer',
    'no haber alcanzado nunca Cliente principal',
    'Kernkunde nie erreicht zu haben',
  ]);
  const ways = [
    [comparison(input('latest_score', 8), 'more_than', 8)],
    [comparison(input('purchase_days', 0), 'at_least', 1), { type: 'activity', now: 'active', activities: ['none'] }],
  ] as const;
  t.strictSame(said({ type: 'either', ways }), [
    'latest score: more than 8 (now 8) or 1 more purchase day and activity never bought (now active)',
    'última puntuación: más de 8 (ahora 8) o 1 día de compra más y actividad sin compras (ahora activo)',
    'letzte Bewertung: mehr als 8 (jetzt 8) oder noch 1 Kauftag und Aktivität ohne Kauf (jetzt aktiv)',
  ]);
});

t.test('every feature has words of its own in every language, with every operator', async (t) => {
  for (const language of LANGUAGES) {
    const texts = FEATURES.flatMap((feature) =>
      OPERATORS.map((operator) =>
        wordNeed(comparison(input(feature, null), operator, 5), { model: lifecycle, language, decimals: 2 }),
      ),
    );
    t.equal(new Set(texts).size, FEATURES.length * OPERATORS.length, language);
    t.notOk(
      texts.some((text) => /undefined|null/.test(text)),
      language,
    );
  }
  for (const feature of FEATURES)
    t.equal(new Set(said(comparison(input(feature, 1), 'at_most', 0))).size, 3, `${feature} is translated`);
});

t.test('how much more is known of counts and sums that must grow', async (t) => {
  const countable = new Set(['purchase_days', 'revenue', 'profit', 'distinct_products', 'tenure_days', 'interactions']);
  for (const feature of FEATURES) {
    const grows = countable.has(feature);
    t.equal(howMuchMore(input(feature, 2), 'at_least', 5), grows ? 3 : null, feature);
    t.equal(howMuchMore(input(feature, 2), 'more_than', 5), grows ? 4 : null, feature);
    t.equal(howMuchMore(input(feature, 9), 'at_most', 5), null, feature);
    t.equal(howMuchMore(input(feature, 9), 'less_than', 5), null, feature);
    t.equal(howMuchMore(input(feature, null), 'at_least', 5), null, feature);
  }
});

t.test('what a frequent customer lacks for the next rung reads like this', async (t) => {
  const lines = ['2025-01-01 1', '2025-01-02 1', '2025-01-03 1', '2025-01-04 1', '2025-01-05 survey 8'];
  const { missing } = standing(loyalty_ladder, '2025-01-10', ...lines)!.next_stage!;
  const texts = LANGUAGES.map((language) =>
    missing.map((need) => wordNeed(need, { model: loyalty_ladder, language, decimals: 2 })),
  );
  t.strictSame(texts, [
    ['latest score: at least 9 (now 8) or 1 more interaction (testimonial) within 365 days'],
    ['última puntuación: al menos 9 (ahora 8) o 1 interacción más (testimonial) en 365 días'],
    ['letzte Bewertung: mindestens 9 (jetzt 8) oder noch 1 Interaktion (testimonial) innerhalb von 365 Tagen'],
  ]);
});
