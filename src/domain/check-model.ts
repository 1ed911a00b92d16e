import {
  ACTIVITIES,
  type Comparison,
  FEATURES,
  LANGUAGES,
  MODEL_LIMITS,
  MONEY_FEATURES,
  type Model,
  OPERATORS,
  type Stage,
  WINDOWED_FEATURES,
} from './model.ts';
import { parseSignedMoney } from './money.ts';

/** One thing wrong with a document: where (JSON Pointer), which rule, and what to do. */
export interface ModelFault {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const KIND = /^[a-z][a-z0-9_]{0,31}$/;
const MAX_FAULTS = 20;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks a parsed JSON document against the whole model language. Returns the model, or the first 20 faults with their places. `decimals`
 * are those of the deployment's currency, which money thresholds must fit.
 */
export function checkModel(document: unknown, decimals: number): Model | readonly ModelFault[] {
  const check = new ModelCheck(decimals);
  check.model(document);
  return check.faults.length === 0 ? (document as Model) : check.faults;
}

/** True if a check gave a model. */
export function isModel(checked: Model | readonly ModelFault[]): checked is Model {
  return !Array.isArray(checked);
}

class ModelCheck {
  readonly faults: ModelFault[] = [];
  private conditions = 0;
  private readonly decimals: number;

  constructor(decimals: number) {
    this.decimals = decimals;
  }

  model(document: unknown): void {
    const fields = this.object(document, '', ['model_id', 'title', 'description', 'lapse', 'stages']);
    if (fields === null) return;
    this.matches(
      fields.model_id,
      '/model_id',
      NAME,
      'a name of lower-case letters, digits and _, at most 64, starting with a letter',
    );
    this.localized(fields.title, '/title', MODEL_LIMITS.title_length);
    this.localized(fields.description, '/description', MODEL_LIMITS.description_length);
    this.lapse(fields.lapse);
    this.stages(fields.stages);
  }

  private lapse(value: unknown): void {
    const fields = this.object(value, '/lapse', ['policy', 'at_risk_after_days', 'lapsed_after_days']);
    if (fields === null) return;
    if (fields.policy !== 'fixed') this.fault('/lapse/policy', 'unknown_policy', 'must be "fixed"');
    const atRisk = this.integer(fields.at_risk_after_days, '/lapse/at_risk_after_days', 0, MODEL_LIMITS.days);
    const lapsed = this.integer(fields.lapsed_after_days, '/lapse/lapsed_after_days', 1, MODEL_LIMITS.days);
    if (atRisk !== null && lapsed !== null && lapsed <= atRisk) {
      this.fault('/lapse/lapsed_after_days', 'out_of_order', 'must be greater than at_risk_after_days');
    }
  }

  private stages(value: unknown): void {
    if (!Array.isArray(value) || value.length < 1 || value.length > MODEL_LIMITS.stages) {
      this.fault('/stages', 'wrong_length', `must be a list of 1 to ${MODEL_LIMITS.stages} stages`);
      return;
    }
    const names: string[] = [];
    value.forEach((stage: unknown, index) => {
      this.stage(stage, `/stages/${index}`, index, names);
      names.push(String((stage as Partial<Stage> | null)?.stage));
    });
  }

  private stage(value: unknown, pointer: string, index: number, earlier: readonly string[]): void {
    const optional = index === 0 ? ['off_ladder', 'when'] : ['off_ladder'];
    const required = ['stage', 'title', 'description', ...(index === 0 ? [] : ['when'])];
    const fields = this.object(value, pointer, required, optional);
    if (fields === null) return;
    this.matches(
      fields.stage,
      `${pointer}/stage`,
      NAME,
      'a name of lower-case letters, digits and _, at most 64, starting with a letter',
    );
    if (earlier.includes(String(fields.stage))) {
      this.fault(`${pointer}/stage`, 'duplicate_stage', 'another stage has this name; give each stage its own');
    }
    this.localized(fields.title, `${pointer}/title`, MODEL_LIMITS.title_length);
    this.localized(fields.description, `${pointer}/description`, MODEL_LIMITS.description_length);
    if (fields.off_ladder !== undefined && typeof fields.off_ladder !== 'boolean') {
      this.fault(`${pointer}/off_ladder`, 'wrong_type', 'must be true or false');
    }
    if (index === 0 && fields.when !== undefined) {
      this.fault(
        `${pointer}/when`,
        'first_stage_has_when',
        'the first stage holds for everybody known; remove its `when`',
      );
    } else if (index > 0) this.condition(fields.when, `${pointer}/when`, earlier, 1);
  }

  private condition(value: unknown, pointer: string, earlier: readonly string[], depth: number): void {
    this.conditions += 1;
    if (this.conditions > MODEL_LIMITS.conditions || depth > MODEL_LIMITS.depth) {
      const limits = `at most ${MODEL_LIMITS.conditions} conditions in a model, nested at most ${MODEL_LIMITS.depth} deep`;
      if (!this.faults.some((known) => known.code === 'too_complex')) this.fault(pointer, 'too_complex', limits);
      return;
    }
    if (!isFields(value)) return this.fault(pointer, 'wrong_type', 'must be an object: a condition');
    const shape = ['all', 'any', 'not', 'stage_reached', 'activity', 'feature'].filter((key) => key in value);
    if (shape.length !== 1) {
      return this.fault(
        pointer,
        'unknown_condition',
        'must have exactly one of all, any, not, stage_reached, activity, feature',
      );
    }
    const kind = shape[0]!;
    if (kind === 'feature') return this.comparison(value, pointer);
    this.object(value, pointer, [kind]);
    if (kind === 'not') return this.condition(value.not, `${pointer}/not`, earlier, depth + 1);
    if (kind === 'stage_reached') return this.stageReached(value.stage_reached, `${pointer}/stage_reached`, earlier);
    if (kind === 'activity') return this.list(value.activity, `${pointer}/activity`, ACTIVITIES);
    const parts = value[kind];
    if (!Array.isArray(parts) || parts.length === 0) {
      return this.fault(`${pointer}/${kind}`, 'wrong_length', 'must be a list of at least one condition');
    }
    for (const [index, part] of parts.slice(0, MODEL_LIMITS.conditions + 1).entries()) {
      this.condition(part, `${pointer}/${kind}/${index}`, earlier, depth + 1);
    }
  }

  private stageReached(value: unknown, pointer: string, earlier: readonly string[]): void {
    if (typeof value !== 'string' || !earlier.includes(value)) {
      this.fault(pointer, 'unknown_stage', 'must name a stage listed before this one');
    }
  }

  private comparison(value: Fields, pointer: string): void {
    this.object(value, pointer, ['feature'], [...OPERATORS, 'within_days', 'kinds']);
    const comparison = value as unknown as Comparison;
    const { feature } = comparison;
    if (!FEATURES.includes(feature)) {
      return this.fault(`${pointer}/feature`, 'unknown_feature', `must be one of ${FEATURES.join(', ')}`);
    }
    const operators = OPERATORS.filter((operator) => comparison[operator] !== undefined);
    if (operators.length === 0) this.fault(pointer, 'no_threshold', `needs at least one of ${OPERATORS.join(', ')}`);
    for (const operator of operators) this.threshold(feature, comparison[operator], `${pointer}/${operator}`);
    if (comparison.within_days !== undefined) {
      if (!WINDOWED_FEATURES.includes(feature)) {
        this.fault(`${pointer}/within_days`, 'not_windowed', `is allowed only on ${WINDOWED_FEATURES.join(', ')}`);
      } else this.integer(comparison.within_days, `${pointer}/within_days`, 1, MODEL_LIMITS.within_days);
    }
    if (feature === 'interactions') this.kinds(comparison.kinds, `${pointer}/kinds`);
    else if (comparison.kinds !== undefined)
      this.fault(`${pointer}/kinds`, 'not_allowed', 'is allowed only on interactions');
  }

  private threshold(feature: Comparison['feature'], value: unknown, pointer: string): void {
    if (MONEY_FEATURES.includes(feature)) {
      const minor = typeof value === 'string' ? parseSignedMoney(value, this.decimals) : 'malformed';
      if (typeof minor === 'string') {
        this.fault(pointer, minor, `must be a decimal string with at most ${this.decimals} decimals, such as "100"`);
      }
      return;
    }
    if (feature === 'latest_score') return void this.integer(value, pointer, 0, 10);
    if (feature === 'distinct_products') return void this.integer(value, pointer, 0, MODEL_LIMITS.distinct_products);
    const counts = feature === 'purchase_days' || feature === 'interactions';
    this.integer(value, pointer, 0, counts ? MODEL_LIMITS.count : MODEL_LIMITS.days);
  }

  private kinds(value: unknown, pointer: string): void {
    if (!Array.isArray(value) || value.length < 1 || value.length > MODEL_LIMITS.kinds) {
      return this.fault(pointer, 'wrong_length', `must list 1 to ${MODEL_LIMITS.kinds} interaction kinds`);
    }
    value.forEach((kind: unknown, index) => {
      this.matches(
        kind,
        `${pointer}/${index}`,
        KIND,
        'an interaction kind: lower-case letters, digits and _, at most 32',
      );
    });
  }

  private list(value: unknown, pointer: string, allowed: readonly string[]): void {
    const valid = Array.isArray(value) && value.length > 0 && value.length <= allowed.length;
    if (!valid || !value.every((entry) => allowed.includes(entry as string)) || new Set(value).size !== value.length) {
      this.fault(pointer, 'unknown_value', `must be a list of one or more of ${allowed.join(', ')}, each once`);
    }
  }

  private localized(value: unknown, pointer: string, longest: number): void {
    const fields = this.object(value, pointer, LANGUAGES);
    if (fields === null) return;
    for (const language of LANGUAGES) {
      const text = fields[language];
      if (typeof text !== 'string' || text.length < 1 || text.length > longest) {
        this.fault(`${pointer}/${language}`, 'wrong_text', `must be a text of 1 to ${longest} characters`);
      }
    }
  }

  private integer(value: unknown, pointer: string, least: number, most: number): number | null {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    this.fault(pointer, 'wrong_number', `must be a whole number from ${least} to ${most}`);
    return null;
  }

  private matches(value: unknown, pointer: string, pattern: RegExp, meaning: string): void {
    if (typeof value !== 'string' || !pattern.test(value)) this.fault(pointer, 'wrong_text', `must be ${meaning}`);
  }

  private object(
    value: unknown,
    pointer: string,
    required: readonly string[],
    optional: readonly string[] = [],
  ): Fields | null {
    if (!isFields(value)) {
      this.fault(pointer, 'wrong_type', 'must be an object');
      return null;
    }
    for (const key of required) if (!(key in value)) this.fault(`${pointer}/${key}`, 'required', 'is missing');
    const unknown = Object.keys(value).filter((key) => !required.includes(key) && !optional.includes(key));
    for (const key of unknown.slice(0, 3)) {
      this.fault(`${pointer}/${escapePointer(key)}`, 'unknown_field', 'is not a field of this object; remove it');
    }
    return required.every((key) => key in value) ? value : null;
  }

  private fault(pointer: string, code: string, detail: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ pointer, code, detail });
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Escapes one token of a JSON Pointer (RFC 6901), cut to 64 characters; a pair of surrogates that is cut becomes U+FFFD. */
export function escapePointer(token: string): string {
  return token.slice(0, 64).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1');
}
