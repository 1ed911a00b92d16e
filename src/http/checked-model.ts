import { checkModel, isModel } from '../domain/check-model.ts';
import type { Model } from '../domain/model.ts';
import { Problem } from '../problems.ts';

/** The model that a request holds at a place (JSON Pointer); a 400 that names every fault under it. `decimals` are those of the currency. */
export function checkedModel(document: unknown, decimals: number, place: string): Model {
  const checked = checkModel(document, decimals);
  if (isModel(checked)) return checked;
  const errors = checked.map(({ pointer, code, detail }) => ({
    pointer: `${place}${pointer}`,
    code,
    detail: `This ${detail}.`,
  }));
  throw new Problem('invalid_request', { errors });
}
