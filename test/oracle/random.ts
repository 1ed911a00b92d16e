export { randomDocuments } from './random-documents.ts';
export { KINDS, type RandomModelsOptions, randomModels } from './random-models.ts';
export { GROUPS, type RandomStepsOptions, randomSteps, type Step } from './random-steps.ts';
export { Rng } from './rng.ts';
