import t from 'tap';
import { checkModel, isModel } from '../../src/domain/check-model.ts';
import { modelOf } from '../support/notation.ts';

type Json = Record<string, unknown>;
const FIXED = { policy: 'fixed', at_risk_after_days: 90, lapsed_after_days: 180 };
const CADENCE = {
  policy: 'cadence',
  prior_days: 60,
  weight: 2,
  at_risk_after_days: { at_least: 14, at_most: 180 },
  lapsed_after_days: { at_least: 30, at_most: 365 },
};

/** The faults of a lapse policy as `pointer code`, pointers from the policy on. */
function faults(lapse: unknown): string[] {
  const checked = checkModel({ ...modelOf({}), lapse }, 2);
  return isModel(checked) ? [] : checked.map(({ pointer, code }) => `${pointer.replace('/lapse', '')} ${code}`);
}
const fixed = (fields: Json): string[] => faults({ ...FIXED, ...fields });
const cadence = (fields: Json): string[] => faults({ ...CADENCE, ...fields });

t.test('a fixed policy has thresholds in order', async (t) => {
  t.strictSame(fixed({}), []);
  t.strictSame(fixed({ at_risk_after_days: 0, lapsed_after_days: 1 }), []);
  t.strictSame(fixed({ lapsed_after_days: 90 }), ['/lapsed_after_days out_of_order']);
  t.strictSame(fixed({ at_risk_after_days: -1 }), ['/at_risk_after_days wrong_number']);
  t.strictSame(fixed({ at_risk_after_days: 1.5 }), ['/at_risk_after_days wrong_number']);
  t.strictSame(fixed({ lapsed_after_days: 36_526 }), ['/lapsed_after_days wrong_number']);
  t.strictSame(fixed({ lapsed_after_days: '180' }), ['/lapsed_after_days wrong_number']);
  t.strictSame(fixed({ at_risk_after_days: 0, lapsed_after_days: 0 }), ['/lapsed_after_days wrong_number']);
  t.strictSame(fixed({ weight: 1 }), ['/weight unknown_field']);
});

t.test('a policy by rhythm has a prior, its weight, and two ranges', async (t) => {
  t.strictSame(cadence({}), []);
  t.strictSame(cadence({ prior_days: 1, weight: 1 }), []);
  t.strictSame(cadence({ prior_days: 1_096, weight: 100 }), []);
  t.strictSame(cadence({ prior_days: 0, weight: 0 }), ['/prior_days wrong_number', '/weight wrong_number']);
  t.strictSame(cadence({ prior_days: 1_097, weight: 101 }), ['/prior_days wrong_number', '/weight wrong_number']);
  t.strictSame(cadence({ prior_days: 1.5, weight: '2' }), ['/prior_days wrong_number', '/weight wrong_number']);
  t.strictSame(cadence({ at_risk_after_days: 90 }), ['/at_risk_after_days wrong_type']);
  t.strictSame(cadence({ lapsed_after_days: [30, 365] }), ['/lapsed_after_days wrong_type']);
  t.strictSame(cadence({ lapsed_after_days: { at_least: 30 } }), ['/lapsed_after_days/at_most required']);
  t.strictSame(cadence({ at_risk_after_days: { at_least: -1, at_most: 36_526 } }), [
    '/at_risk_after_days/at_least wrong_number',
    '/at_risk_after_days/at_most wrong_number',
  ]);
  t.strictSame(cadence({ at_risk_after_days: { at_least: 14, at_most: 180, mean: 60 } }), [
    '/at_risk_after_days/mean unknown_field',
  ]);
  t.strictSame(cadence({ grace: 1 }), ['/grace unknown_field']);
  const { weight: _, ...weightless } = CADENCE;
  t.strictSame(faults(weightless), ['/weight required']);
});

t.test('both ends of lapsed are greater than those of at risk', async (t) => {
  const ranges = (...ends: readonly [number, number, number, number]): string[] =>
    cadence({
      at_risk_after_days: { at_least: ends[0], at_most: ends[1] },
      lapsed_after_days: { at_least: ends[2], at_most: ends[3] },
    });
  t.strictSame(ranges(0, 0, 1, 1), []);
  t.strictSame(ranges(10, 20, 11, 21), []);
  t.strictSame(ranges(10, 20, 10, 21), ['/lapsed_after_days/at_least out_of_order']);
  t.strictSame(ranges(10, 20, 11, 20), ['/lapsed_after_days/at_most out_of_order']);
  t.strictSame(ranges(10, 20, 5, 5), [
    '/lapsed_after_days/at_least out_of_order',
    '/lapsed_after_days/at_most out_of_order',
  ]);
  t.strictSame(ranges(20, 10, 30, 40), ['/at_risk_after_days/at_most out_of_order']);
  t.strictSame(ranges(10, 20, 40, 30), ['/lapsed_after_days/at_most out_of_order']);
  t.strictSame(ranges(0, 0, 0, 0), [
    '/lapsed_after_days/at_least wrong_number',
    '/lapsed_after_days/at_most wrong_number',
  ]);
});

t.test('there are two policies', async (t) => {
  t.strictSame(faults({ ...FIXED, policy: 'never' }), ['/policy unknown_policy']);
  t.strictSame(faults({ ...CADENCE, policy: 7 }), ['/policy unknown_policy']);
  t.strictSame(faults({ ...FIXED, policy: 'cadence' }), ['/prior_days required', '/weight required']);
  t.strictSame(faults({ policy: 'fixed' }), ['/at_risk_after_days required', '/lapsed_after_days required']);
  t.strictSame(faults(null), [' wrong_type']);
  t.strictSame(faults('cadence'), [' wrong_type']);
  t.strictSame(
    faults({}),
    ['policy', 'at_risk_after_days', 'lapsed_after_days'].map((key) => `/${key} required`),
  );
});
