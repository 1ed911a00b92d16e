import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { compileClassifier } from '../../domain/classify.ts';
import { type Engine, todayOf } from '../../ingest/engine.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem } from '../../problems.ts';
import { dailyTotalsRollup } from '../../reports/daily-totals-rollup.ts';
import { day } from '../../reports/fields.ts';
import { readDay } from '../../reports/parameters.ts';
import { checkedModel } from '../checked-model.ts';
import { requireEngine } from '../context.ts';
import { MODEL_EXAMPLE } from '../examples.ts';
import { previewModel } from '../model-preview.ts';
import { SAMPLING, SAMPLING_WORDS, type Sampling } from '../population-basis.ts';
import type { PopulationReads } from '../population-reads.ts';
import { mount } from '../route.ts';
import { modelPreviewAnswer } from '../schemas/model-preview.ts';
import { bodyFault, compileBody } from '../validation.ts';

const documented = Type.Object(
  {
    model: Type.Ref('ModelDocument'),
    compare_with: Type.Optional(
      Type.String({
        pattern: '^[a-z][a-z0-9_]{0,63}$',
        description:
          'The active model to compare with; if absent, the active version of the same model_id, else `lifecycle`, else the first active one.',
      }),
    ),
    as_of: Type.Optional(day('End of this day; today if absent.')),
  },
  { additionalProperties: false },
);
/** The model is checked by its own rules, so that every fault names its place. */
const envelope = compileBody(
  Type.Object({ ...documented.properties, model: Type.Unknown() }, { additionalProperties: false }),
);
type Body = Omit<Static<typeof documented>, 'model'> & { readonly model: unknown };

const DESCRIPTION = `Classifies the stored customers by a draft of a model and by an active one, both as of the end of one day, and stores nothing. counts: how many would stand on each stage of the draft. moves: how many stand where now and would stand where. changed: those whose stage or activity would have another name; between models with different stages that is by name alone.

Denominator of every share: the customers known at the end of as_of. Window: all stored events dated on or before as_of, as known now. ${SAMPLING_WORDS} \`basis\` says so, and every number has the bounds of its 95 % interval (Wilson score, with the finite population factor).

A few previews and calibrations are computed at once; beyond, the answer is \`busy\`.`;

/** What a draft of a model would change, before it is published. */
export function modelPreviewRoute(
  app: FastifyInstance,
  source: EngineSource,
  { reads, sampling = SAMPLING }: { readonly reads: PopulationReads; readonly sampling?: Sampling | undefined },
): void {
  mount(app, {
    method: 'POST',
    url: '/v1/models/preview',
    operationId: 'previewModel',
    tag: 'models',
    summary: 'What a draft of a model would make of the stored customers',
    description: DESCRIPTION,
    scope: 'read',
    body: documented,
    bodyExample: { model: MODEL_EXAMPLE, compare_with: 'lifecycle', as_of: '2025-06-30' },
    checkBody: (body) =>
      envelope(body)
        ? { value: body }
        : { error: new Problem('invalid_request', { errors: [bodyFault(envelope.errors![0]!)] }) },
    success: [
      { status: 200, description: 'Counts by the draft, and moves.', schema: modelPreviewAnswer, example: EXAMPLE },
    ],
    problems: ['unknown_model'],
    handler: async (request, reply) => {
      const engine = requireEngine(source);
      const body = request.body as Body;
      const today = todayOf(engine);
      const as_of = readDay('as_of', body.as_of, today);
      if (typeof as_of !== 'number') throw refused('/as_of', as_of.code, `This ${as_of.detail}.`);
      const model = checkedModel(body.model, engine.decimals, '/model');
      const index = comparedWith(engine, model.model_id, body.compare_with);
      const draft = compileClassifier(model, 1, engine.decimals);
      const question = { draft, current: engine.classifiers[index]!, as_of };
      const { model: current, version } = engine.models[index]!;
      return await reads.run(engine, { reply, reads: [dailyTotalsRollup] }, async (read) => ({
        model: model.model_id,
        compared_with: { model: current.model_id, model_version: version },
        projected: as_of > today,
        ...(await previewModel(read, question, sampling)),
      }));
    },
  });
}

function refused(pointer: string, code: string, detail: string): Problem {
  return new Problem('invalid_request', { errors: [{ pointer, code, detail }] });
}

/** Index of the active model a draft is compared with. */
function comparedWith({ models }: Engine, draft: string, named: string | undefined): number {
  const find = (id: string): number => models.findIndex(({ model }) => model.model_id === id);
  const index =
    named === undefined
      ? [find(draft), find('lifecycle'), 0].find((found) => models[found] !== undefined)
      : find(named);
  if (index !== undefined && index !== -1) return index;
  const detail = `There is no such active model; there are ${models.map(({ model }) => model.model_id).join(', ')}.`;
  throw new Problem('unknown_model', { errors: [{ pointer: '/compare_with', code: 'unknown_model', detail }] });
}

const EXAMPLE = {
  model: 'value',
  compared_with: { model: 'lifecycle', model_version: 1 },
  projected: false,
  as_of: '2025-06-30',
  basis: {
    customers: 1_000_000,
    sampled: true,
    sample_customers: 10_000,
    seed: 1,
    confidence: 0.95,
    method:
      'A uniform random sample of 10000 of the 1000000 stored customers was read, in one snapshot: those whose ids hash to the least values under the seed.',
  },
  counts: [{ stage: 'important', activity: 'active', customers: 41_200, share: 0.0412, lower: 37_493, upper: 45_257 }],
  changed: { customers: 1_000_000, share: 1, lower: 999_620, upper: 1_000_000 },
  moves: [
    {
      from_stage: 'core_customer',
      from_activity: 'active',
      to_stage: 'important',
      to_activity: 'active',
      customers: 30_100,
      lower: 26_938,
      upper: 33_621,
    },
  ],
};
