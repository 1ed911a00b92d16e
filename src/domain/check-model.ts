import { ConditionCheck } from './check-condition.ts';
import { checkLapse } from './check-lapse.ts';
import { FaultList, type Fields, type ModelFault } from './fault-list.ts';
import { LANGUAGES, MODEL_LIMITS, type Model } from './model.ts';
import { unreachableStages } from './unreachable-stages.ts';

const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const NAME_MEANING = 'a name of lower-case letters, digits and _, at most 64, starting with a letter';

/**
 * Checks a parsed JSON document against the whole model language. Returns the model, or the first 20 faults with their places. `decimals`
 * are those of the deployment's currency, which money thresholds must fit. What is wrong in form is said first; only a document without such
 * faults is measured and its rules weighed against each other.
 */
export function checkModel(document: unknown, decimals: number): Model | readonly ModelFault[] {
  const list = new FaultList();
  checkDocument(document, list, decimals);
  if (list.faults.length > 0) return list.faults;
  const model = document as Model;
  const bytes = new TextEncoder().encode(JSON.stringify(model)).length;
  if (bytes > MODEL_LIMITS.bytes) {
    const most = `is ${bytes} bytes long as compact JSON, at most ${MODEL_LIMITS.bytes} are allowed; shorten its descriptions or rules`;
    list.add('', 'too_large', most);
  } else
    for (const { pointer, detail } of unreachableStages(model, decimals))
      list.add(pointer, 'unreachable_stage', detail);
  return list.faults.length === 0 ? model : list.faults;
}

/** True if a check gave a model. */
export function isModel(checked: Model | readonly ModelFault[]): checked is Model {
  return !Array.isArray(checked);
}

function checkDocument(document: unknown, list: FaultList, decimals: number): void {
  const fields = list.object(document, '', ['model_id', 'title', 'description', 'lapse', 'stages']);
  if (fields === null) return;
  list.matches(fields.model_id, '/model_id', NAME, NAME_MEANING);
  checkWords(fields, '', list);
  checkLapse(fields.lapse, list);
  const { stages } = fields;
  if (!Array.isArray(stages) || stages.length < 1 || stages.length > MODEL_LIMITS.stages) {
    return list.add('/stages', 'wrong_length', `must be a list of 1 to ${MODEL_LIMITS.stages} stages`);
  }
  const names = stages.map((stage: unknown) => (stage as Fields | null)?.stage);
  const conditions = new ConditionCheck(list, decimals);
  stages.forEach((stage: unknown, index) => {
    checkStage(stage, index, names, conditions, list);
  });
}

function checkStage(
  value: unknown,
  index: number,
  names: readonly unknown[],
  conditions: ConditionCheck,
  list: FaultList,
): void {
  const pointer = `/stages/${index}`;
  const required = ['stage', 'title', 'description', ...(index === 0 ? [] : ['when'])];
  const fields = list.object(value, pointer, required, index === 0 ? ['off_ladder', 'when'] : ['off_ladder']);
  if (fields === null) return;
  list.matches(fields.stage, `${pointer}/stage`, NAME, NAME_MEANING);
  const earlier = names.slice(0, index);
  if (earlier.includes(fields.stage)) {
    list.add(`${pointer}/stage`, 'duplicate_stage', 'another stage has this name; give each stage its own');
  }
  checkWords(fields, pointer, list);
  if (fields.off_ladder !== undefined && typeof fields.off_ladder !== 'boolean') {
    list.add(`${pointer}/off_ladder`, 'wrong_type', 'must be true or false');
  }
  if (index > 0) {
    return conditions.check(fields.when, `${pointer}/when`, {
      earlier,
      own: fields.stage,
      later: names.slice(index + 1),
    });
  }
  if (fields.when !== undefined) {
    const detail = 'cannot be: the first stage holds for everybody known; remove its `when`';
    list.add(`${pointer}/when`, 'first_stage_has_when', detail);
  }
}

/** Title and description of the model or of a stage, in every language. */
function checkWords(fields: Fields, pointer: string, list: FaultList): void {
  for (const [field, longest] of [
    ['title', MODEL_LIMITS.title_length],
    ['description', MODEL_LIMITS.description_length],
  ] as const) {
    const words = list.object(fields[field], `${pointer}/${field}`, LANGUAGES);
    if (words === null) continue;
    for (const language of LANGUAGES) list.text(words[language], `${pointer}/${field}/${language}`, longest);
  }
}
