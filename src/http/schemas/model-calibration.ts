import { Type } from '@sinclair/typebox';
import { CANDIDATE_SOURCES } from '../../domain/lapse-candidates.ts';
import { count, day, fraction, maybeFraction, nullable, oneOf } from '../../reports/fields.ts';

const estimate = {
  lower: maybeFraction('Lower bound of its 95 % interval; null if not defined.'),
  upper: maybeFraction('Upper bound of its 95 % interval; null if not defined.'),
};
const share = (numerator: string, denominator: string) =>
  Type.Object({
    numerator: count(numerator),
    denominator: count(denominator),
    share: maybeFraction('numerator / denominator; null without any.'),
    ...estimate,
  });
const days = (description: string) => nullable(count(description), { description });

const candidate = Type.Object({
  source: oneOf(CANDIDATE_SOURCES, {
    description:
      "current: the model's own policy; fixed: a round number of days; gap_percentile: a percentile of the completed gaps; cadence: each customer's own gaps.",
  }),
  percentile: days('Of the completed gaps, for a gap_percentile; else null.'),
  policy: Type.Ref('LapsePolicy'),
  lapsed_after_days: days('Its days of silence; null if they differ by customer.'),
  false_lapse: share('Returners whom it called lapsed at the end of `at`.', 'Returners.'),
  caught: share('Silent ones whom it called lapsed at the end of `at`.', 'Silent ones.'),
  balanced_accuracy: Type.Object({
    share: maybeFraction('(caught + 1 − false_lapse) / 2; 0.5 is as good as a coin.'),
    ...estimate,
  }),
});

/** How lapse policies would have judged the buyers of a past day, and what to use. */
export const modelCalibrationAnswer = Type.Object({
  model: Type.String(),
  model_version: Type.Integer({ minimum: 1, description: 'Its version as published.' }),
  group: nullable(Type.String(), { description: 'The group asked for; null for everybody.' }),
  at: day('Buyers are judged by what was known at the end of this day.'),
  horizon_days: count('Days of the window after `at`.'),
  until: day('Last day of the window.'),
  data_through: nullable(day('Latest stored activity day, today at most; null if nothing is stored.')),
  basis: Type.Ref('PopulationBasis'),
  buyers: count('Of those read, customers with a purchase day on or before `at`.'),
  returners: days(
    'Those of them with a purchase day after `at` and not after `until`; null while the window is not over.',
  ),
  silent: days('The others of them; null while the window is not over.'),
  candidates: Type.Array(candidate, { description: 'The present policy first. Empty while the window is not over.' }),
  recommendation: nullable(
    Type.Object({
      policy: Type.Ref('LapsePolicy'),
      lapsed_after_days: days('Days of silence after which everybody is lapsed; null if they differ by customer.'),
      at_risk_after_days: days('Days of silence after which everybody is at risk; null if they differ by customer.'),
      keeps_present: Type.Boolean({ description: 'True if it is the policy of the model as it is.' }),
      reason: Type.String({ description: 'Why, in words, with the figures.' }),
    }),
    { description: 'The policy to use; null if the data do not allow to say.' },
  ),
  missing: nullable(Type.String(), { description: 'Why there is no recommendation, in words; else null.' }),
  gaps: Type.Array(
    Type.Object({
      percentile: count('Of every 100 completed gaps, so many are at most this long.'),
      days: count('Length of the gap at this rank.'),
      gaps: count('Completed gaps between purchase days on or before `at`, of the buyers read.'),
    }),
    { description: 'Percentiles of the completed gaps by nearest rank. Empty if there is none.' },
  ),
  survival: Type.Array(
    Type.Object({
      purchase_number: count('n: the n-th purchase day.'),
      days: count('Days since the n-th purchase day.'),
      at_risk: count('Customers without a further purchase day before that, who were watched for so long.'),
      survival: maybeFraction(
        'Estimated share who have not bought again within so many days; null if nobody was watched for so long.',
      ),
      ...estimate,
    }),
    { description: 'Kaplan–Meier estimate of the gap to the next purchase day, of all stored events.' },
  ),
  repeat: Type.Array(
    Type.Object({
      purchase_number: count('n: the n-th purchase day.'),
      customers: count('Customers with at least n purchase days.'),
      bought_again: count('Those of them with a further one.'),
      share: maybeFraction('P(n + 1 | n) = bought_again / customers.'),
      ...estimate,
    }),
    { description: 'Who goes on after the n-th purchase day, of all stored events.' },
  ),
  core: Type.Object({
    core_share: fraction('The share of those who go on that was asked for.'),
    at_least: days('From so many purchase days on a customer may be called core; null if the data do not say.'),
    reason: Type.String({ description: 'Why, in words, with the figures.' }),
  }),
});
