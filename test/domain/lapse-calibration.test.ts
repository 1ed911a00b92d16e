import t from 'tap';
import { compileLapse } from '../../src/domain/lapse.ts';
import { adviseLapse } from '../../src/domain/lapse-advice.ts';
import { type JudgedBuyer, type LapseScore, scoreCandidates } from '../../src/domain/lapse-calibration.ts';
import { isLapsed, type LapseCandidate, lapseCandidates } from '../../src/domain/lapse-candidates.ts';
import { wilson } from '../../src/domain/wilson.ts';

const buyer = (silence_days: number, more: Partial<JudgedBuyer> = {}): JudgedBuyer => {
  return { silence_days, gaps: 0, gap_days: 0, departed: false, returned: false, lapsed_now: false, ...more };
};
const fixed = (days: number): LapseCandidate => {
  return {
    source: 'fixed',
    percentile: null,
    policy: { policy: 'fixed', at_risk_after_days: Math.floor(days / 2), lapsed_after_days: days },
  };
};
const present = (days: number): LapseCandidate => ({ ...fixed(days), source: 'current' });
const CADENCE = lapseCandidates([{ percentile: 50, days: 40 }]).at(-1)!;

t.test(
  'candidates are round numbers of days, percentiles of the gaps, and the cadence around the median gap',
  async (t) => {
    t.equal(lapseCandidates([]).length, 13, 'without gaps only round numbers');
    const all = lapseCandidates([
      { percentile: 50, days: 27 },
      { percentile: 90, days: 128 },
    ]);
    t.strictSame(all[0], fixed(30));
    t.strictSame(all[13], { ...fixed(27), source: 'gap_percentile', percentile: 50 });
    t.strictSame(all[14], { ...fixed(128), source: 'gap_percentile', percentile: 90 });
    t.strictSame(all[15], {
      source: 'cadence',
      percentile: null,
      policy: {
        policy: 'cadence',
        prior_days: 27,
        weight: 2,
        at_risk_after_days: { at_least: 14, at_most: 180 },
        lapsed_after_days: { at_least: 30, at_most: 365 },
      },
    });
    t.equal(all.length, 16);
  },
);

t.test('day so many of silence is not lapsed yet, one more is; a departure is at once', async (t) => {
  const policy = compileLapse(fixed(90).policy);
  t.equal(isLapsed(policy, buyer(90)), false);
  t.equal(isLapsed(policy, buyer(91)), true);
  t.equal(isLapsed(policy, buyer(0, { departed: true })), true);
});

t.test('the cadence is three times the shrunk mean gap, rounded down, within its range', async (t) => {
  const lapsedFrom = (gaps: number, gap_days: number): number => {
    let silence = 0;
    while (!isLapsed(compileLapse(CADENCE.policy), buyer(silence, { gaps, gap_days }))) silence += 1;
    return silence - 1;
  };
  t.equal(lapsedFrom(0, 0), 120, 'the prior alone: 3 · 40');
  t.equal(lapsedFrom(1, 10), 90, '3 · (80 + 10) / 3');
  t.equal(lapsedFrom(5, 100), 77, '3 · 180 / 7 is 77.14');
  t.equal(lapsedFrom(50, 50), 30, 'not below 30');
  t.equal(lapsedFrom(2, 900), 365, 'not above 365');
});

t.test('returners called lapsed, silent ones called lapsed, and the mean of what was right', async (t) => {
  const buyers = [
    buyer(10, { returned: true }),
    buyer(50, { returned: true }),
    buyer(100, { returned: true, lapsed_now: true }),
    buyer(5, { returned: true, departed: true, lapsed_now: true }),
    buyer(20),
    buyer(200, { lapsed_now: true }),
  ];
  const [own, sixty] = scoreCandidates(buyers, [present(180), fixed(60)]);
  t.match(own, { false_lapse: wilson(2, 4), caught: wilson(1, 2), balanced_accuracy: { share: 0.5 } });
  t.match(sixty, { false_lapse: wilson(2, 4), caught: wilson(1, 2) });
  const [forty] = scoreCandidates(buyers, [fixed(40)]);
  t.match(forty, { false_lapse: wilson(3, 4), caught: wilson(1, 2), balanced_accuracy: { share: 0.375 } });
  const [oneHundred] = scoreCandidates(buyers, [{ ...fixed(1), source: 'current' }]);
  t.match(oneHundred, { false_lapse: wilson(2, 4) }, 'the present one is as the model judges, whatever its days say');
});

/** So many returners and silent ones, and of each how many a policy called lapsed. */
function scored(candidate: LapseCandidate, wrong: number, right: number, of = 1_000): LapseScore {
  const buyers = Array.from({ length: 2 * of }, (_, index) => {
    const returned = index < of;
    const lapsed = returned ? index < wrong : index - of < right;
    return buyer(0, { returned, departed: lapsed, lapsed_now: lapsed });
  });
  return scoreCandidates(buyers, [candidate])[0]!;
}

t.test('the best candidate is recommended, ready to use and with its reason', async (t) => {
  const advised = adviseLapse([
    scored(present(180), 500, 500),
    scored(fixed(90), 200, 800),
    scored(fixed(60), 250, 800),
  ]);
  t.strictSame(advised, {
    recommendation: {
      policy: fixed(90).policy,
      lapsed_after_days: 90,
      at_risk_after_days: 45,
      keeps_present: false,
      reason:
        'With 90 days of silence the balanced accuracy is 0.800 (0.782 to 0.817), with the present policy 0.500 (0.478 to 0.522); the intervals do not overlap. Of those who bought again 20.0 % would have been called lapsed (now 50.0 %), of those who stayed silent 80.0 % (now 50.0 %).',
    },
  });
});

t.test('a cadence is recommended with its own words and no days for everybody; a percentile says so', async (t) => {
  const present180 = scored(present(180), 500, 500);
  t.match(adviseLapse([present180, scored(CADENCE, 200, 800)]), {
    recommendation: {
      policy: CADENCE.policy,
      lapsed_after_days: null,
      at_risk_after_days: null,
      reason: /^With thresholds by each customer's own cadence the balanced/,
    },
  });
  const percentile = { ...fixed(128), source: 'gap_percentile', percentile: 90 } as const;
  t.match(adviseLapse([present180, scored(percentile, 200, 800)]), {
    recommendation: { reason: /^With 128 days of silence, percentile 90 of the completed gaps, the/ },
  });
});

t.test('of equals the present policy stays, and so it does if the intervals overlap', async (t) => {
  const own = scored(present(180), 300, 700);
  t.match(adviseLapse([own, scored(fixed(90), 300, 700), scored(fixed(60), 300, 600)]), {
    recommendation: {
      policy: present(180).policy,
      keeps_present: true,
      reason: 'No candidate has a better balanced accuracy than the present policy, 0.700 (0.679 to 0.720).',
    },
  });
  t.match(adviseLapse([own, scored(fixed(90), 290, 710)]), {
    recommendation: {
      policy: present(180).policy,
      keeps_present: true,
      reason:
        'Keep the present policy: its balanced accuracy is 0.700 (0.679 to 0.720), that of the best candidate (90 days of silence) 0.710 (0.690 to 0.729); the intervals overlap, so the data do not tell them apart.',
    },
  });
});

t.test('with fewer than 100 returners or 100 silent ones nothing is recommended', async (t) => {
  const score = (returners: number, silent: number): LapseScore => {
    return { ...scored(present(180), 0, 0), false_lapse: wilson(0, returners), caught: wilson(0, silent) };
  };
  for (const [returners, silent] of [
    [99, 5_000],
    [5_000, 99],
  ] as const) {
    t.match(adviseLapse([score(returners, silent)]), {
      missing: new RegExp(`needs 100 buyers who bought again .* there are ${returners} and ${silent}\\.`),
    });
  }
  t.ok('recommendation' in adviseLapse([score(100, 100)]));
});
