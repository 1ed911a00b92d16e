import { addressCases } from './addresses.ts';
import { bodyCases } from './bodies.ts';
import type { HostileCase } from './case.ts';
import { classificationCases } from './classifications.ts';
import { fieldCases } from './fields.ts';
import { textCases, unknownFieldCases } from './texts.ts';

/** Every refusal, one by one. */
export const HOSTILE_CASES: readonly HostileCase[] = [
  ...fieldCases(),
  ...textCases(),
  ...unknownFieldCases(),
  ...bodyCases(),
  ...addressCases(),
  ...classificationCases(),
];
