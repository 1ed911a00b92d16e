import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { type Day, FIRST_DAY, formatDay } from '../../domain/calendar.ts';
import { LEAST_AT_RISK } from '../../domain/core-advice.ts';
import { LEAST_OUTCOMES } from '../../domain/lapse-advice.ts';
import type { Horizon } from '../../domain/observed-buyer.ts';
import { todayOf } from '../../ingest/engine.ts';
import type { EngineSource } from '../../ingest/start.ts';
import { Problem, parameterProblem } from '../../problems.ts';
import { dailyTotalsRollup } from '../../reports/daily-totals-rollup.ts';
import { day } from '../../reports/fields.ts';
import { groupParameter, readDay } from '../../reports/parameters.ts';
import { purchaseGapsRollup } from '../../reports/purchase-gaps-rollup.ts';
import { purchaseNumbersRollup } from '../../reports/purchase-numbers-rollup.ts';
import { readDataThrough } from '../../store/customer-reads.ts';
import { CALIBRATION_EXAMPLE } from '../calibration-example.ts';
import { requireEngine, requireGroup } from '../context.ts';
import { calibrateModel } from '../model-calibration.ts';
import { SAMPLING, SAMPLING_WORDS, type Sampling } from '../population-basis.ts';
import type { PopulationReads } from '../population-reads.ts';
import { mount } from '../route.ts';
import { modelCalibrationAnswer } from '../schemas/model-calibration.ts';

const params = Type.Object({
  model_id: Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$', description: 'Name of the model.' }),
});

/** What it reads beside histories. */
const CALIBRATION_READS = [dailyTotalsRollup, purchaseNumbersRollup, purchaseGapsRollup];

const query = Type.Object(
  {
    at: Type.Optional(
      day(
        'A past day, at whose end the buyers are judged; if absent, the latest from which on horizon_days are stored.',
      ),
    ),
    horizon_days: Type.Optional(
      Type.Integer({
        minimum: 30,
        maximum: 1_096,
        description: 'Whoever buys within so many days after `at` has returned; 180 if absent.',
      }),
    ),
    core_share: Type.Optional(
      Type.Number({
        minimum: 0.01,
        maximum: 1,
        description:
          'From the purchase day on after which this share goes on, customers may be called core; 0.7 if absent.',
      }),
    ),
    group: groupParameter,
  },
  { additionalProperties: false },
);

const DESCRIPTION = `Who was called lapsed and came back after all? Takes every buyer known at the end of \`at\` (a purchase day on or before it) and what was dated until then, and looks at the window from the day after \`at\` to \`until\` = at + horizon_days. A returner has a purchase day in the window, all others are silent.

Each candidate policy is applied at the end of \`at\`. false_lapse = returners called lapsed / returners. caught = silent ones called lapsed / silent ones. balanced_accuracy = (caught + 1 − false_lapse) / 2. Intervals are 95 %: Wilson score for the two shares; for balanced_accuracy recovered from theirs (Newcombe's hybrid score, the square root of the summed squares of the distances to their bounds, halved).

Candidates: the model's own policy (as the model itself classifies); 30 to 365 days of silence for everybody; the 50th, 75th, 80th, 90th and 95th percentile of the completed gaps between purchase days on or before \`at\`; the cadence policy with the median gap as prior. At risk is half of the days of a fixed candidate. A departure stated on or after the last purchase day makes a buyer lapsed at once, under every candidate, as in every model.

The recommendation is the candidate with the best balanced accuracy, unless its interval overlaps with that of the present policy: then it is to keep that. It was chosen among many on the same buyers, so expect it to do a little worse on others. Without ${LEAST_OUTCOMES} returners and ${LEAST_OUTCOMES} silent ones, or before \`until\` is stored, \`missing\` says what is lacking.

survival: Kaplan–Meier estimate of the time from the n-th to the next purchase day, by all stored events, everybody watched until data_through; bounds by Greenwood on the scale of log(−log S). repeat: customers with at least n + 1 purchase days / customers with at least n, all stored events, Wilson bounds; recent customers have had less time. core: the smallest n whose share is at least core_share, among those that ${LEAST_AT_RISK} customers have reached.

${SAMPLING_WORDS} \`basis\` says so; with a group, all this is about its members. Voided and wholly refunded purchases do not count. A few previews and calibrations are computed at once; beyond, the answer is \`busy\`.`;

/** The adviser for lapse thresholds and for the core. */
export function modelCalibrationRoute(
  app: FastifyInstance,
  source: EngineSource,
  { reads, sampling = SAMPLING }: { readonly reads: PopulationReads; readonly sampling?: Sampling | undefined },
): void {
  mount(app, {
    method: 'GET',
    url: '/v1/models/:model_id/calibration',
    operationId: 'getModelCalibration',
    tag: 'models',
    summary: 'Which days of silence tell those who come back from those who do not',
    description: DESCRIPTION,
    scope: 'read',
    params,
    query,
    success: [
      {
        status: 200,
        description: 'Candidates with their figures, and a recommendation.',
        schema: modelCalibrationAnswer,
        example: CALIBRATION_EXAMPLE,
      },
    ],
    problems: ['not_found', 'unknown_group', 'rebuilding'],
    handler: async (request, reply) => {
      const engine = requireEngine(source);
      const { model_id } = request.params as Static<typeof params>;
      const index = engine.models.findIndex(({ model }) => model.model_id === model_id);
      if (index === -1)
        throw new Problem('not_found', { detail: 'There is no such model; GET /v1/models lists them.' });
      const { at, horizon_days = 180, core_share = 0.7, group } = request.query as Static<typeof query>;
      const today = todayOf(engine);
      const asked = at === undefined ? null : pastDay(at, today);
      return await reads.run(engine, { reply, reads: CALIBRATION_READS }, async (read) => {
        const group_id = await requireGroup(read.trx, group);
        const stored = await readDataThrough(read.trx);
        const data_through = stored === null ? null : Math.min(stored, today);
        const horizon = horizonOf(asked, data_through ?? today, horizon_days);
        const classifier = engine.classifiers[index]!;
        const question = { classifier, group_id, horizon, data_through, core_share };
        return {
          model: model_id,
          model_version: engine.models[index]!.version,
          group: group ?? null,
          at: formatDay(horizon.at),
          horizon_days,
          until: formatDay(horizon.until),
          data_through: data_through === null ? null : formatDay(data_through),
          ...(await calibrateModel(read, question, { trx: read.trx, group_id }, sampling)),
        };
      });
    },
  });
}

function pastDay(text: string, today: Day): Day {
  const at = readDay('at', text, today);
  if (typeof at !== 'number') throw parameterProblem('at', at.code, at.detail);
  if (at >= today) throw parameterProblem('at', 'out_of_range', 'must be a day before today');
  return at;
}

function horizonOf(asked: Day | null, end: Day, days: number): Horizon {
  const at = asked ?? Math.max(FIRST_DAY, end - days);
  return { at, until: at + days };
}
