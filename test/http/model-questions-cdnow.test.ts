import t, { type Test } from 'tap';
import { MODELS } from '../oracle/little-shop.ts';
import type { ModelDocument } from '../oracle/model-document.ts';
import { type CandidateTruth, calibrationTruth, previewTruth } from '../oracle/model-questions.ts';
import { Oracle } from '../oracle/oracle.ts';
import { repeatPurchases } from '../oracle/repeat-report.ts';
import { wilsonBounds } from '../oracle/wilson.ts';
import { SAMPLE_MISSING, samplePurchases, sendSample } from '../support/cdnow-sample.ts';
import { testService } from '../support/service.ts';

// The preview of a draft and the calibration of a model on the CDNOW sample, against separate code.

const LIFECYCLE = MODELS.find(({ model_id }) => model_id === 'lifecycle')!;
/** Core from the third purchase day on, lapsed after 120 days. */
const DRAFT: ModelDocument = {
  ...LIFECYCLE,
  model_id: 'draft',
  lapse: { policy: 'fixed', at_risk_after_days: 60, lapsed_after_days: 120 },
  stages: JSON.parse(
    JSON.stringify(LIFECYCLE.stages)
      .replaceAll('"less_than":4', '"less_than":3')
      .replaceAll('"at_least":4', '"at_least":3'),
  ) as ModelDocument['stages'],
};

/** A number with or without bounds, as the answer shows it. */
interface Bounded {
  readonly share: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}
const near = (one: Bounded, other: Bounded): boolean =>
  (['share', 'lower', 'upper'] as const).every((key) => {
    const [a, b] = [one[key], other[key]];
    return a === null || b === null ? a === b : Math.abs(a - b) < 1e-9;
  });

t.test('on the CDNOW sample', { skip: SAMPLE_MISSING }, async (t) => {
  const clock = { today: '1998-06-30' };
  const service = await testService(t, { clock: () => Date.parse(`${clock.today}T12:00:00Z`) });
  await sendSample(service);
  const oracle = new Oracle({
    timeZone: 'UTC',
    decimals: 2,
    models: [LIFECYCLE, DRAFT],
    today: () => clock.today,
  });
  oracle.postPurchases(samplePurchases());

  await t.test(
    'the preview of other thresholds is what walking every customer through both models gives',
    async (t) => {
      for (const as_of of ['1997-02-10', '1997-09-30', '1998-06-30']) {
        const { status, body } = await service.call('POST', '/v1/models/preview', { model: DRAFT, as_of });
        const truth = previewTruth(oracle, 'draft', 'lifecycle', as_of);
        t.equal(status, 200);
        t.match(body, {
          model: 'draft',
          compared_with: { model: 'lifecycle', model_version: 1 },
          as_of,
          projected: false,
        });
        t.match(body.basis, {
          customers: truth.customers,
          sampled: false,
          sample_customers: truth.customers,
          seed: null,
        });
        // biome-ignore lint/suspicious/noExplicitAny: rows of an answer
        const told = (rows: any[], name: (row: any) => string) =>
          new Map(rows.map((row) => [name(row), row.customers]));
        const counts = told(body.counts, (row) => `${row.stage} ${row.activity}`);
        for (const [place, customers] of truth.counts) t.equal(counts.get(place), customers, `${as_of} ${place}`);
        t.equal(
          [...counts.values()].reduce((sum, customers) => sum + customers, 0),
          truth.customers,
        );
        t.strictSame(
          told(body.moves, (r) => `${r.from_stage} ${r.from_activity} > ${r.to_stage} ${r.to_activity}`),
          new Map([...truth.moves].sort(byPlace)),
          `moves of ${as_of}`,
        );
        t.strictSame(body.changed, {
          customers: truth.changed,
          share: truth.changed / truth.customers,
          lower: null,
          upper: null,
        });
      }
      t.equal(previewTruth(oracle, 'draft', 'lifecycle', '1998-06-30').customers, 2_357);
    },
  );

  await t.test('a model previewed as it is says what stage-population says, and nobody moves', async (t) => {
    const as_of = '1997-12-31';
    const { body } = await service.call('POST', '/v1/models/preview', { model: LIFECYCLE, as_of });
    const population = await service.call('GET', `/v1/reports/stage-population?as_of=${as_of}`);
    // biome-ignore lint/suspicious/noExplicitAny: rows of an answer
    const rows = (items: any[]) => items.map(({ stage, activity, customers }) => `${stage} ${activity} ${customers}`);
    t.strictSame(rows(body.counts), rows(population.body.items));
    t.equal(body.changed.customers, 0);
    t.ok(
      rows(body.counts).includes('first_time_buyer lapsed 1317') &&
        rows(body.counts).includes('core_customer active 259'),
    );
  });

  await t.test('every candidate of the calibration is what counting customer by customer gives', async (t) => {
    for (const [at, horizon_days] of [
      ['1997-09-30', 182],
      ['1997-12-31', 90],
    ] as const) {
      const { status, body } = await service.call(
        'GET',
        `/v1/models/lifecycle/calibration?at=${at}&horizon_days=${horizon_days}`,
      );
      t.equal(status, 200);
      const truth = calibrationTruth(oracle.people('lifecycle'), at, horizon_days);
      const { buyers, returners, silent, gaps, candidates, ...rest } = body;
      t.strictSame(
        { buyers, returners, silent, gaps },
        { buyers: truth.buyers, returners: truth.returners, silent: truth.silent, gaps: truth.gaps },
      );
      t.strictSame(
        candidates.map(nameOf),
        truth.candidates.map(({ name }) => name),
      );
      for (const [index, wanted] of truth.candidates.entries()) compare(t, candidates[index], wanted);
      t.match(rest, {
        at,
        horizon_days,
        missing: null,
        data_through: '1998-06-30',
        recommendation: { keeps_present: true },
      });
    }
    const { buyers, returners, silent } = calibrationTruth(oracle.people('lifecycle'), '1997-09-30', 182);
    t.strictSame([buyers, returners, silent], [2_357, 592, 1_765]);
  });

  await t.test('without a day, the latest that the data reach', async (t) => {
    const { body } = await service.call('GET', '/v1/models/lifecycle/calibration');
    t.match(body, { at: '1998-01-01', horizon_days: 180, until: '1998-06-30', missing: null });
    t.equal(body.returners, calibrationTruth(oracle.people('lifecycle'), '1998-01-01', 180).returners);
  });

  await t.test('who goes on, survival and core are those of all purchases', async (t) => {
    clock.today = '1998-08-31';
    const { body } = await service.call('GET', '/v1/models/journey/calibration?at=1997-09-30');
    const people = oracle.people('lifecycle');
    const end = Date.parse('1998-06-30T00:00:00Z') / 86_400_000;
    const rows = repeatPurchases(people, end, null).items.filter(({ within_days }) => within_days === 30);
    t.strictSame(
      body.repeat.map(({ purchase_number, customers, bought_again }: Record<string, number>) => [
        purchase_number,
        customers,
        bought_again,
      ]),
      rows.map(({ purchase_number, customers, bought_again }) => [purchase_number, customers, bought_again]),
    );
    t.ok(
      body.repeat.every((row: Bounded & { bought_again: number; customers: number }) =>
        near(row, wilsonBounds(row.bought_again, row.customers)),
      ),
    );
    t.match(body.core, { core_share: 0.7, at_least: 3 });
    for (const number of [1, 2, 3, 4, 5]) {
      // Watched until the data end, not until today.
      const { survival } = repeatPurchases(people, end, number);
      for (const row of body.survival.filter((row: { purchase_number: number }) => row.purchase_number === number)) {
        const step = survival.findLast(({ days }) => days <= row.days)!;
        t.ok(
          near({ ...row, share: row.survival }, { ...step, share: step.survival }),
          `S(${row.days}) after ${number}`,
        );
      }
    }
    const known = (days: number) =>
      body.survival.find((row: { days: number }) => row.days === days).survival.toFixed(6);
    t.strictSame([known(30), known(90)], ['0.826050', '0.708528']);
    t.strictSame(body.survival.length, 35);
    const { body: eager } = await service.call('GET', '/v1/models/journey/calibration?at=1997-09-30&core_share=0.6');
    t.equal(eager.core.at_least, 2);
  });
});

/** Pairs in the order of the lifecycle's stages and of the activities, as rows come. */
function byPlace([one]: [string, number], [other]: [string, number]): number {
  const rank = (pair: string): number[] =>
    pair.split(' > ').map((place) => {
      const [stage, activity] = place.split(' ');
      const activities = ['none', 'active', 'at_risk', 'lapsed'];
      return LIFECYCLE.stages.findIndex((known) => known.stage === stage) * 4 + activities.indexOf(activity!);
    });
  const [a, b] = [rank(one), rank(other)];
  return a[0]! - b[0]! || a[1]! - b[1]!;
}

// biome-ignore lint/suspicious/noExplicitAny: a row of an answer
function nameOf({ source, percentile, policy }: any): string {
  if (source === 'current') return source;
  if (source === 'cadence') return `cadence ${policy.prior_days}`;
  return source === 'fixed'
    ? `fixed ${policy.lapsed_after_days}`
    : `gap_percentile ${percentile} ${policy.lapsed_after_days}`;
}

// biome-ignore lint/suspicious/noExplicitAny: a row of an answer
function compare(t: Test, row: any, { name, ...wanted }: CandidateTruth): void {
  for (const key of ['false_lapse', 'caught'] as const) {
    const { numerator, denominator } = wanted[key];
    t.strictSame([row[key].numerator, row[key].denominator], [numerator, denominator], `${name}: ${key}`);
    t.ok(near(row[key], wanted[key]), `${name}: interval of ${key}`);
  }
  t.ok(near(row.balanced_accuracy, wanted.balanced_accuracy), `${name}: balanced accuracy`);
}
