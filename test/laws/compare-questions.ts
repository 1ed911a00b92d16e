import { formatDay, parseDay } from '../oracle/calendar.ts';
import { type CandidateTruth, calibrationTruth, previewTruth } from '../oracle/model-questions.ts';
import type { Rng } from '../oracle/random.ts';
import type { Bounds } from '../oracle/wilson.ts';
import { type Compare, carriedGroups } from './compare-reports.ts';
import { requireSame, type SideBySide } from './side-by-side.ts';

/** A model previewed as a draft against another one, and one calibrated, on drawn days. */
export function compareQuestions(both: SideBySide, rng: Rng): Compare[] {
  return [() => comparePreview(both, rng), () => compareCalibration(both, rng)];
}

async function comparePreview(both: SideBySide, rng: Rng): Promise<void> {
  const [draft, current] = [rng.pick(both.models), rng.pick(both.modelIds)];
  const as_of = formatDay(both.today + rng.between(-700, 200));
  const { status, body } = await both.service.call('POST', '/v1/models/preview', {
    model: draft,
    compare_with: current,
    as_of,
  });
  const what = `the preview of ${draft.model_id} against ${current} on ${as_of}`;
  requireSame(`${what} is answered`, status, 200);
  const truth = previewTruth(both.oracle, draft.model_id, current, as_of);
  const counts = (body.counts as Row[]).filter(({ customers }) => customers > 0);
  const placed = counts.map((row) => [`${row.stage} ${row.activity}`, row.customers] as const);
  requireSame(what, new Map(placed), truth.counts);
  const moves = (body.moves as Row[]).map(
    (row) => [`${row.from_stage} ${row.from_activity} > ${row.to_stage} ${row.to_activity}`, row.customers] as const,
  );
  requireSame(`moves of ${what}`, new Map(moves), truth.moves);
  requireSame(`basis of ${what}`, [body.basis.customers, body.changed.customers], [truth.customers, truth.changed]);
}

type Row = Readonly<Record<string, string>> & { readonly customers: number };

async function compareCalibration(both: SideBySide, rng: Rng): Promise<void> {
  const model = rng.pick(both.modelIds);
  const carried = carriedGroups(both);
  const group = carried.length > 0 && rng.chance(0.3) ? rng.pick(carried) : undefined;
  const [at, horizon] = [formatDay(both.today - rng.between(1, 700)), rng.between(30, 400)];
  const search = new URLSearchParams({ at, horizon_days: `${horizon}`, ...(group === undefined ? {} : { group }) });
  const { status, body } = await both.service.call('GET', `/v1/models/${model}/calibration?${search}`);
  const what = `the calibration of ${model} with ${search}`;
  requireSame(`${what} is answered`, status, 200);
  const truth = calibrationTruth(both.oracle.people(model, group), at, horizon);
  requireSame(`buyers of ${what}`, [body.buyers, body.gaps], [truth.buyers, truth.gaps]);
  const { data_through } = both.oracle.status();
  const over = data_through !== null && parseDay(at) + horizon <= Math.min(parseDay(data_through), both.today);
  requireSame(
    `outcomes of ${what}`,
    [body.returners, body.silent],
    over ? [truth.returners, truth.silent] : [null, null],
  );
  requireSame(
    `candidates of ${what}`,
    (body.candidates as Candidate[]).map(rounded),
    over ? truth.candidates.map(rounded) : [],
  );
}

type Candidate = Omit<CandidateTruth, 'name'>;

/** Counts as they are, bounds to nine decimals: the oracle finds them by halving. */
function rounded({ false_lapse, caught, balanced_accuracy }: Candidate) {
  const bounds = ({ share, lower, upper }: Bounds) => [share, lower, upper].map((bound) => bound?.toFixed(9) ?? null);
  const counts = ({ numerator, denominator }: Candidate['caught']) => [numerator, denominator];
  return [
    [...counts(false_lapse), ...bounds(false_lapse)],
    [...counts(caught), ...bounds(caught)],
    bounds(balanced_accuracy).map((bound) => bound?.replace('-0.000000000', '0.000000000')),
  ];
}
