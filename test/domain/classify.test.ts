import t from 'tap';
import { classify, timeline } from '../../src/domain/classify.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { classifierOf, date, day, days, lifecycleOn, modelOf, standing } from '../support/notation.ts';

const { lifecycle, loyalty_ladder } = BUILT_IN_MODELS;
const FOUR = ['2025-01-01 1', '2025-01-02 1', '2025-01-03 1', '2025-01-04 1'];
/** Stage, activity and since of a customer; the day and target of the next move. */
const told = (on: string, ...lines: readonly string[]): unknown => {
  const found = standing(lifecycle, on, ...lines);
  if (found === null) return null;
  const { stage, activity, since, next_move: next } = found;
  return [`${stage} ${activity} since ${date(since)}`, next && `${next.stage} ${next.activity} on ${date(next.on)}`];
};

t.test('a customer who is not known by the day stands nowhere', async (t) => {
  t.equal(told('2024-12-31', '2025-01-01 1'), null);
  t.equal(classify(classifierOf(lifecycle), [], day('2025-01-01')), null);
  t.equal(lifecycleOn('2025-01-01', '2025-01-01 1'), 'first_time_buyer active');
});

t.test('events after the day asked for are not seen', async (t) => {
  t.strictSame(told('2025-01-01', ...FOUR), [
    'first_time_buyer active since 2025-01-01',
    'first_time_buyer at_risk on 2025-04-02',
  ]);
  t.strictSame(told('2025-01-03', ...FOUR), [
    'early_repeat_buyer active since 2025-01-02',
    'early_repeat_buyer at_risk on 2025-04-04',
  ]);
  t.strictSame(told('2025-01-04', ...FOUR), [
    'core_customer active since 2025-01-04',
    'core_customer at_risk on 2025-04-05',
  ]);
});

t.test('the answer for a silent day knows since when, and what comes next', async (t) => {
  t.strictSame(told('2025-04-04', ...FOUR), [
    'core_customer active since 2025-01-04',
    'core_customer at_risk on 2025-04-05',
  ]);
  t.strictSame(told('2025-04-05', ...FOUR), [
    'core_customer at_risk since 2025-04-05',
    'core_defector lapsed on 2025-07-04',
  ]);
  t.strictSame(told('2030-01-01', ...FOUR), ['core_defector lapsed since 2025-07-04', null]);
  t.strictSame(told('2030-01-01', 'known 2025-01-01'), ['prospect none since 2025-01-01', null]);
});

t.test('the next move may fall on the last day of all, and not beyond it', async (t) => {
  t.strictSame(told('2199-10-01', '2199-10-01 1'), [
    'first_time_buyer active since 2199-10-01',
    'first_time_buyer at_risk on 2199-12-31',
  ]);
  t.strictSame(told('2199-10-02', '2199-10-02 1'), ['first_time_buyer active since 2199-10-02', null]);
});

t.test('an event that changes nothing does not restart the time in the stage', async (t) => {
  t.match(standing(lifecycle, '2025-01-09', ...FOUR, '2025-01-08 1'), { since: day('2025-01-04') });
  t.match(standing(lifecycle, '2025-01-09', ...FOUR, '2025-01-08 visit'), { since: day('2025-01-04') });
});

t.test('the rule that held is shown with what it saw; the first stage needs none', async (t) => {
  const core = standing(lifecycle, '2025-01-04', ...FOUR)!;
  t.equal(core.rule, lifecycle.stages[3]!.when);
  t.strictSame(core.inputs, [{ feature: 'purchase_days', within_days: null, kinds: null, value: 4 }]);
  const prospect = standing(lifecycle, '2025-01-04', 'known 2025-01-01')!;
  t.equal(prospect.rule, null);
  t.strictSame(prospect.inputs, []);
});

t.test('the next stage up leaves losses out, and is null on top', async (t) => {
  t.match(standing(lifecycle, '2025-01-04', 'known 2025-01-01'), {
    stage_index: 0,
    next_stage: { stage_index: 1, missing: [{ operator: 'at_least', threshold: 1 }] },
  });
  t.equal(standing(lifecycle, '2025-01-04', ...FOUR)!.next_stage, null);
  t.equal(standing(lifecycle, '2025-12-04', ...FOUR)!.next_stage, null, 'nothing is above a core defector');
  const promoter = standing(loyalty_ladder, '2025-01-09', ...FOUR, '2025-01-05 referral')!;
  t.strictSame([promoter.stage, promoter.next_stage], ['promoter', null]);
});

t.test('what is missing is asked on the day of the answer', async (t) => {
  const model = modelOf({ busy: { feature: 'purchase_days', at_least: 3, within_days: 30 } });
  const have = (on: string): unknown => {
    const [need] = standing(model, on, '2025-01-01 1', '2025-01-10 1')!.next_stage!.missing;
    return need?.type === 'comparison' ? need.input.value : need;
  };
  t.strictSame([have('2025-01-10'), have('2025-01-30'), have('2025-01-31'), have('2025-02-09')], [2, 2, 1, 0]);
});

t.test('a stage reached in silence is known to what is missing', async (t) => {
  const model = modelOf({
    third_week: { feature: 'tenure_days', at_least: 14, less_than: 15 },
    praised: { all: [{ stage_reached: 'third_week' }, { feature: 'latest_score', at_least: 9 }] },
  });
  const missing = (on: string): unknown =>
    standing(model, on, '2025-01-01 1')!.next_stage?.missing.map((need) => need.type);
  t.strictSame(missing('2025-01-14'), ['comparison']);
  t.equal(standing(model, '2025-01-15', '2025-01-01 1')!.stage, 'third_week');
  t.strictSame(missing('2025-01-15'), ['comparison'], 'the stage itself is reached by now');
});

t.test('a timeline is the spells without a gap, from the first day known to an open end', async (t) => {
  const spells = timeline(classifierOf(lifecycle), days('known 2024-12-01', ...FOUR, '2026-01-01 1'));
  t.strictSame(
    spells.map(({ from, to, stage, activity }) => `${date(from)}..${to === null ? '' : date(to)} ${stage} ${activity}`),
    [
      '2024-12-01..2025-01-01 prospect none',
      '2025-01-01..2025-01-02 first_time_buyer active',
      '2025-01-02..2025-01-04 early_repeat_buyer active',
      '2025-01-04..2025-04-05 core_customer active',
      '2025-04-05..2025-07-04 core_customer at_risk',
      '2025-07-04..2026-01-01 core_defector lapsed',
      '2026-01-01..2026-04-02 core_customer active',
      '2026-04-02..2026-07-01 core_customer at_risk',
      '2026-07-01.. core_defector lapsed',
    ],
  );
});

t.test('every day of a timeline is answered alike by a question for that day', async (t) => {
  const lines = [
    '2025-01-01 1',
    '2025-01-20 survey 9',
    '2025-05-03 1',
    '2025-05-04 1',
    '2025-05-05 1',
    '2025-05-06 testimonial',
    '2026-03-01 departure price',
  ];
  const wrong: string[] = [];
  const spells = timeline(classifierOf(loyalty_ladder), days(...lines));
  for (let on = day('2025-01-01'); on < day('2026-12-31'); on += 1) {
    const spell = spells.findLast(({ from }) => from <= on)!;
    const found = standing(loyalty_ladder, date(on), ...lines)!;
    if (found.stage !== spell.stage || found.activity !== spell.activity || found.since !== spell.from)
      wrong.push(date(on));
  }
  t.strictSame(wrong, []);
});
