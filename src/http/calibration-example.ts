const FIXED_180 = { policy: 'fixed', at_risk_after_days: 90, lapsed_after_days: 180 };
const CADENCE = {
  policy: 'cadence',
  prior_days: 27,
  weight: 2,
  at_risk_after_days: { at_least: 14, at_most: 180 },
  lapsed_after_days: { at_least: 30, at_most: 365 },
};

/** A calibration, for the document: that of the CDNOW sample at 1997-09-30 with a horizon of 182 days, its first and last rows. */
export const CALIBRATION_EXAMPLE = {
  model: 'lifecycle',
  model_version: 1,
  group: null,
  at: '1997-09-30',
  horizon_days: 182,
  until: '1998-03-31',
  data_through: '1998-06-30',
  basis: {
    customers: 2_357,
    sampled: false,
    sample_customers: 2_357,
    seed: null,
    confidence: 0.95,
    method: 'Every stored customer was read, in one snapshot.',
  },
  buyers: 2_357,
  returners: 592,
  silent: 1_765,
  candidates: [
    {
      source: 'current',
      percentile: null,
      policy: FIXED_180,
      lapsed_after_days: 180,
      false_lapse: { numerator: 207, denominator: 592, share: 0.349662, lower: 0.31233, upper: 0.388933 },
      caught: { numerator: 1_429, denominator: 1_765, share: 0.809632, lower: 0.790651, upper: 0.827267 },
      balanced_accuracy: { share: 0.729985, lower: 0.708176, upper: 0.750629 },
    },
    {
      source: 'cadence',
      percentile: null,
      policy: CADENCE,
      lapsed_after_days: null,
      false_lapse: { numerator: 290, denominator: 592, share: 0.489865, lower: 0.449791, upper: 0.530069 },
      caught: { numerator: 1_535, denominator: 1_765, share: 0.869688, lower: 0.853177, upper: 0.884594 },
      balanced_accuracy: { share: 0.689912, lower: 0.668181, upper: 0.71129 },
    },
  ],
  recommendation: {
    policy: FIXED_180,
    lapsed_after_days: 180,
    at_risk_after_days: 90,
    keeps_present: true,
    reason: 'No candidate has a better balanced accuracy than the present policy, 0.730 (0.708 to 0.751).',
  },
  missing: null,
  gaps: [{ percentile: 50, days: 27, gaps: 2_457 }],
  survival: [
    { purchase_number: 1, days: 30, at_risk: 1_954, survival: 0.82605, lower: 0.810136, upper: 0.840764 },
    { purchase_number: 1, days: 90, at_risk: 1_671, survival: 0.708528, lower: 0.689729, upper: 0.726424 },
  ],
  repeat: [
    { purchase_number: 3, customers: 736, bought_again: 527, share: 0.716033, lower: 0.682399, upper: 0.747422 },
  ],
  core: {
    core_share: 0.7,
    at_least: 3,
    reason:
      'Of 736 customers with at least 3 purchase days 527 went on, 0.716: the smallest number of purchase days with 0.7 or more.',
  },
};
