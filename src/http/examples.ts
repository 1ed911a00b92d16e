/** A stage answer, for the document. */
export const STAGE_EXAMPLE = {
  customer_id: 'c-1',
  model: 'lifecycle',
  model_version: 1,
  as_of: '2025-06-30',
  projected: false,
  stage: 'early_repeat_buyer',
  title: 'Early repeat buyer',
  rung: 3,
  rungs: 5,
  activity: 'active',
  since: '2025-05-02',
  rule: { feature: 'purchase_days', at_least: 2, less_than: 4 },
  inputs: [{ feature: 'purchase_days', within_days: null, kinds: null, value: 2 }],
  next_stage: {
    stage: 'core_customer',
    title: 'Core customer',
    rung: 4,
    missing: [
      { text: '2 more purchase days', feature: 'purchase_days', operator: 'at_least', threshold: 4, have: 2, more: 2 },
    ],
  },
  next_move: { on: '2025-09-10', stage: 'early_repeat_buyer', activity: 'at_risk' },
};

/** A spell, for the document. */
export const SPELL_EXAMPLE = {
  stage: 'early_repeat_buyer',
  activity: 'active',
  from: '2025-05-02',
  to: '2025-09-10',
  scheduled: false,
};

/** A small model, for the document: whoever brought 500 in the last year is important. */
export const MODEL_EXAMPLE = {
  model_id: 'value',
  title: { en: 'Value', es: 'Valor', de: 'Wert' },
  description: { en: 'Two stages by revenue.', es: 'Dos etapas según los ingresos.', de: 'Zwei Stufen nach Umsatz.' },
  lapse: { policy: 'fixed', at_risk_after_days: 90, lapsed_after_days: 180 },
  stages: [
    {
      stage: 'known',
      title: { en: 'Known', es: 'Conocido', de: 'Bekannt' },
      description: { en: 'Everybody.', es: 'Todas las personas.', de: 'Alle.' },
    },
    {
      stage: 'important',
      title: { en: 'Important', es: 'Importante', de: 'Wichtig' },
      description: { en: '500 or more in a year.', es: '500 o más en un año.', de: '500 oder mehr in einem Jahr.' },
      when: { feature: 'revenue', at_least: '500', within_days: 365 },
    },
  ],
};

/** A customer of a list, for the document. */
export const LISTED_CUSTOMER_EXAMPLE = {
  customer_id: 'c-1',
  stage: 'early_repeat_buyer',
  activity: 'active' as const,
  since: '2025-05-02',
  groups: ['channel:search'],
  purchases: 3,
  purchase_days: 2,
  revenue: '210.40',
  profit: '88.10',
  last_purchase_day: '2025-06-11',
  last_interaction_day: null,
  next_move: { on: '2025-09-10', stage: 'early_repeat_buyer', activity: 'at_risk' as const },
};
