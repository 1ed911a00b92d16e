import type { Input, Need } from './explain.ts';
import { type Activity, type Feature, type Language, MONEY_FEATURES, type Model, type Operator } from './model.ts';
import { formatMoney } from './money.ts';

interface Words {
  /** One and many of each feature. */
  readonly features: Readonly<Record<Feature, readonly [one: string, many: string]>>;
  readonly operators: Readonly<Record<Operator, string>>;
  readonly more: (amount: string, noun: string) => string;
  readonly ofKinds: (kinds: string) => string;
  readonly within: (days: number) => string;
  readonly now: (value: string) => string;
  readonly nothing: string;
  readonly activities: Readonly<Record<Activity, string>>;
  readonly activity: (names: string) => string;
  readonly stage: (name: string, reached: boolean) => string;
  readonly and: string;
  readonly or: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    features: {
      purchase_days: ['purchase day', 'purchase days'],
      revenue: ['revenue', 'revenue'],
      profit: ['profit', 'profit'],
      distinct_products: ['distinct product', 'distinct products'],
      tenure_days: ['day since the first purchase', 'days since the first purchase'],
      days_since_last_purchase: ['day since the last purchase', 'days since the last purchase'],
      days_since_last_interaction: ['day since the last interaction', 'days since the last interaction'],
      days_since_open_complaint: ['day since the oldest open complaint', 'days since the oldest open complaint'],
      latest_score: ['latest score', 'latest score'],
      interactions: ['interaction', 'interactions'],
    },
    operators: { at_least: 'at least', at_most: 'at most', more_than: 'more than', less_than: 'less than' },
    more: (amount, noun) => `${amount} more ${noun}`,
    ofKinds: (kinds) => ` (${kinds})`,
    within: (days) => (days === 1 ? ' within 1 day' : ` within ${days} days`),
    now: (value) => ` (now ${value})`,
    nothing: 'none',
    activities: { none: 'never bought', active: 'active', at_risk: 'at risk', lapsed: 'lapsed' },
    activity: (names) => `activity ${names}`,
    stage: (name, reached) => (reached ? `having reached ${name}` : `never having reached ${name}`),
    and: ' and ',
    or: ' or ',
  },
  es: {
    features: {
      purchase_days: ['día de compra', 'días de compra'],
      revenue: ['ingresos', 'ingresos'],
      profit: ['beneficio', 'beneficio'],
      distinct_products: ['producto distinto', 'productos distintos'],
      tenure_days: ['día desde la primera compra', 'días desde la primera compra'],
      days_since_last_purchase: ['día desde la última compra', 'días desde la última compra'],
      days_since_last_interaction: ['día desde la última interacción', 'días desde la última interacción'],
      days_since_open_complaint: ['día desde la queja abierta más antigua', 'días desde la queja abierta más antigua'],
      latest_score: ['última puntuación', 'última puntuación'],
      interactions: ['interacción', 'interacciones'],
    },
    operators: { at_least: 'al menos', at_most: 'como máximo', more_than: 'más de', less_than: 'menos de' },
    more: (amount, noun) => `${amount} ${noun} más`,
    ofKinds: (kinds) => ` (${kinds})`,
    within: (days) => (days === 1 ? ' en 1 día' : ` en ${days} días`),
    now: (value) => ` (ahora ${value})`,
    nothing: 'sin dato',
    activities: { none: 'sin compras', active: 'activo', at_risk: 'en riesgo', lapsed: 'perdido' },
    activity: (names) => `actividad ${names}`,
    stage: (name, reached) => (reached ? `haber alcanzado ${name}` : `no haber alcanzado nunca ${name}`),
    and: ' y ',
    or: ' o ',
  },
  de: {
    features: {
      purchase_days: ['Kauftag', 'Kauftage'],
      revenue: ['Umsatz', 'Umsatz'],
      profit: ['Gewinn', 'Gewinn'],
      distinct_products: ['verschiedenes Produkt', 'verschiedene Produkte'],
      tenure_days: ['Tag seit dem ersten Kauf', 'Tage seit dem ersten Kauf'],
      days_since_last_purchase: ['Tag seit dem letzten Kauf', 'Tage seit dem letzten Kauf'],
      days_since_last_interaction: ['Tag seit der letzten Interaktion', 'Tage seit der letzten Interaktion'],
      days_since_open_complaint: [
        'Tag seit der ältesten offenen Beschwerde',
        'Tage seit der ältesten offenen Beschwerde',
      ],
      latest_score: ['letzte Bewertung', 'letzte Bewertung'],
      interactions: ['Interaktion', 'Interaktionen'],
    },
    operators: { at_least: 'mindestens', at_most: 'höchstens', more_than: 'mehr als', less_than: 'weniger als' },
    more: (amount, noun) => `noch ${amount} ${noun}`,
    ofKinds: (kinds) => ` (${kinds})`,
    within: (days) => (days === 1 ? ' innerhalb von 1 Tag' : ` innerhalb von ${days} Tagen`),
    now: (value) => ` (jetzt ${value})`,
    nothing: 'ohne Angabe',
    activities: { none: 'ohne Kauf', active: 'aktiv', at_risk: 'gefährdet', lapsed: 'abgewandert' },
    activity: (names) => `Aktivität ${names}`,
    stage: (name, reached) => (reached ? `${name} erreicht zu haben` : `${name} nie erreicht zu haben`),
    and: ' und ',
    or: ' oder ',
  },
};

/** What grows one by one, so that what is missing can be said as "so many more". */
const COUNTABLE: readonly Feature[] = [
  'purchase_days',
  'revenue',
  'profit',
  'distinct_products',
  'tenure_days',
  'interactions',
];

/** What wording needs to know. */
export interface WordingContext {
  readonly model: Model;
  readonly language: Language;
  /** Decimals of the currency. */
  readonly decimals: number;
}

/** Says what is missing: "2 more purchase days". */
export function wordNeed(need: Need, context: WordingContext): string {
  const words = WORDS[context.language];
  switch (need.type) {
    case 'comparison':
      return wordComparison(need, words, context.decimals);
    case 'activity':
      return (
        words.activity(need.activities.map((name) => words.activities[name]).join(words.or)) +
        words.now(words.activities[need.now])
      );
    case 'stage': {
      const stage = context.model.stages.find((candidate) => candidate.stage === need.stage)!;
      return words.stage(stage.title[context.language], need.reached);
    }
    case 'either':
      return need.ways.map((way) => way.map((part) => wordNeed(part, context)).join(words.and)).join(words.or);
  }
}

function wordComparison(
  { input, operator, threshold }: Need & { type: 'comparison' },
  words: Words,
  decimals: number,
): string {
  const kinds = input.kinds === null ? '' : words.ofKinds(input.kinds.join(', '));
  const window = input.within_days === null ? '' : words.within(input.within_days);
  const more = howMuchMore(input, operator, threshold);
  const [one, many] = words.features[input.feature];
  if (more !== null)
    return `${words.more(formatValue(input.feature, more, decimals), more === 1 ? one : many)}${kinds}${window}`;
  const now = words.now(input.value === null ? words.nothing : formatValue(input.feature, input.value, decimals));
  return `${many}${kinds}${window}: ${words.operators[operator]} ${formatValue(input.feature, threshold, decimals)}${now}`;
}

/** How much more of a countable feature is needed; null where "more" is not the way. Money in minor units. */
export function howMuchMore(input: Input, operator: Operator, threshold: number): number | null {
  if (!COUNTABLE.includes(input.feature) || input.value === null) return null;
  if (operator === 'at_least') return threshold - input.value;
  return operator === 'more_than' ? threshold + 1 - input.value : null;
}

function formatValue(feature: Feature, value: number, decimals: number): string {
  return MONEY_FEATURES.includes(feature) ? formatMoney(value, decimals) : String(value);
}
